"""What every exchange's session shares: symbols both ways, requests within the venue's limits,
updates in order, sound quotes, and faults told."""

from __future__ import annotations

import abc
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import attrs

from ..errors import MalformedFrame
from ..model.event import DataEvent, DataType, EventPriority
from ..model.identity import Instrument, Venue
from ..model.market import MarketFault, Quote, Trade
from .session import PENDING, Session

MAX_NUMBER = 2**63
"""Venues' numbers and milliseconds are 64-bit integers."""
NEW_COUNT = 10
"""Rising numbers behind the last one after which they are believed."""
MOST_TOGETHER = 10_000
"""Updates of one number or time that are told apart; more of them pass unseen."""
AGAIN = 10.0
"""Least seconds between two attempts to have a subscription's state anew."""
MOST_MISSED = 100_000
"""Numbers between two of a channel that are believed to be missing."""
OF_THE_FRAME = frozenset({
    "error", "error_without_id", "not_json", "not_utf8", "too_deep", "unknown_message",
    "unknown_reply", "unknown_subscription", "unknown_symbol", "wrong_shape",
})  # fmt: skip
"""Reasons for which a frame is refused before it is known what it is about."""
PING = "ping"
"""Stands among the subscriptions that must be heard for the venue's answers to our pings."""

# Looked up once: a member of an enumeration costs ten times what a name does.
_QUOTE, _TRADE, _FAULT = DataType.QUOTE, DataType.TRADE, DataType.FAULT
_NORMAL, _LOW = EventPriority.NORMAL, EventPriority.LOW

T = TypeVar("T")
Pair = tuple[str, str]
"""A channel and a symbol, as the venue spells them."""
Place = tuple[str, str, int]
"""A channel, a symbol and the number of an update among theirs."""


@attrs.frozen
class VenueRules:
    """What a venue's documentation demands of a connection. Times are seconds."""

    connect_interval: float = 0.0
    """Least time between two connections."""
    rotate_after: float | None = None
    """Age at which a new connection takes over, a while before the venue would cut."""
    request_interval: float = 0.0
    """Least pause between two of our messages."""
    most_per_request: int = 100
    """Subscriptions in one message."""
    one_channel: bool = False
    """Whether a message is about one channel only."""
    most_bytes: int = 2**15
    """Of one message."""
    most_subscriptions: int | None = None
    """On one connection."""
    ping: str | None = None
    """The message that keeps the connection open, where the protocol's own ping does not."""
    ping_interval: float = 20.0


class VenueAdapter(Session):
    """One life of a connection to an exchange: no I/O, no clock.

    A subclass spells symbols, words requests and decodes; ``quote`` and ``trade`` check and wrap
    what it found. It looks up what a message is about, by ``instrument``, before it reads the
    rest of it: so a fault can be told of it.

    Args:
        source: the feed's alias.
        instruments: those wanted.
        channels: the venue's names of what is wanted of them; its usual ones where none is named.
        symbols: spellings that do not follow from the instrument.

    Raises:
        ValueError: a channel or a kind of instrument that the venue does not have, or more of
            them than one connection may carry.
    """

    venue: ClassVar[Venue]
    endpoint: ClassVar[str]
    """The venue's public address, used where the configuration names none."""
    hosts: ClassVar[tuple[str, ...]] = ()
    """Names of its servers in recordings, beside that of the endpoint."""
    known_channels: ClassVar[tuple[str, ...]]
    """Those that are decoded."""
    usual_channels: ClassVar[tuple[str, ...]]
    """Those that are asked for where the configuration names none."""
    periodic: ClassVar[frozenset[str]] = frozenset()
    """Channels that are heard at a pace of their own, whatever the market does."""
    consecutive: ClassVar[frozenset[str]] = frozenset()
    """Channels whose numbers rise by one, so that what is missing can be counted."""
    rules: ClassVar[VenueRules] = VenueRules()

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str] = (),
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source)
        self.channels = tuple(channels) or self.usual_channels
        unknown = [c for c in self.channels if c not in self.known_channels]
        if unknown:
            known = ", ".join(self.known_channels)
            raise ValueError(f"channel {unknown[0]!r} is not one of {known}")
        special = {instrument: symbol for symbol, instrument in (symbols or {}).items()}
        self.symbols = {special.get(i) or self.spell(i): i for i in instruments}
        """The venue's spelling to the instrument."""
        count, most = len(self.symbols) * len(self.channels), self.rules.most_subscriptions
        if most is not None and count > most:
            raise ValueError(
                f"{count} subscriptions, and {self.venue} takes {most} on a connection: "
                "share the instruments out among several feeds"
            )
        self.request_interval = self.rules.request_interval
        self._ping_at: float | None = None
        self._about: Instrument | None = None
        self._faulty = MappingProxyType({"connection_id": source})
        self._last: dict[Pair, int] = {}
        self._behind: dict[Pair, tuple[int, int]] = {}
        self._together: dict[Pair, set[Hashable]] = {}
        self._again: dict[Pair, float] = {}

    @classmethod
    def address(cls, channels: Sequence[str]) -> str:
        """Where these channels are, the usual ones where none is named.

        Raises:
            ValueError: they are not all at one place.
        """
        return cls.endpoint

    @staticmethod
    @abc.abstractmethod
    def spell(instrument: Instrument) -> str:
        """The venue's symbol for an instrument.

        Raises:
            ValueError: the venue has no such kind of instrument.
        """

    @staticmethod
    @abc.abstractmethod
    def read(symbol: str) -> Instrument:
        """The instrument that a symbol of the venue stands for.

        Raises:
            ValueError: it cannot be told.
        """

    @abc.abstractmethod
    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """The message that subscribes to these, or ends the subscriptions."""

    @classmethod
    def asked(cls, frame: Any) -> Iterable[Pair]:
        """The subscriptions that a recorded message of a client asks for.

        Args:
            frame: its JSON, decoded; anything.
        """
        return ()

    @classmethod
    def asked_by(cls, url: str) -> Iterable[Pair]:
        """The subscriptions that a recorded URL asks for."""
        return ()

    def label(self, channel: str, symbol: str) -> str:
        """The name of a subscription."""
        return f"{channel}:{symbol}"

    def begin(self, now: float) -> None:
        """The connection is open: from now on pings are due."""
        super().begin(now)
        if self.rules.ping is not None:
            self._ping_at = now + self.rules.ping_interval
            self.heard[PING] = now

    def next_due(self) -> float | None:
        """When the next ping is."""
        return self._ping_at

    def expire(self, now: float) -> list[DataEvent]:
        """Send the ping that is due."""
        if self._ping_at is not None and now >= self._ping_at and self.rules.ping is not None:
            self._outbox.append(self.rules.ping)
            self._ping_at = now + self.rules.ping_interval
        return []

    def ponged(self) -> None:
        """The venue has answered a ping."""
        if PING in self.heard:
            self.heard[PING] = self._now

    def heard_of(self, label: str) -> None:
        """A subscription with a pace of its own was heard."""
        if label in self.heard:
            self.heard[label] = self._now

    def opening(self) -> list[str]:
        """The messages that subscribe to every channel of every instrument."""
        self.subscribe([(c, s) for c in self.channels for s in self.symbols])
        return self.outgoing()

    def subscribe(self, pairs: Sequence[Pair]) -> None:
        """Ask for these, now or while running."""
        for channel, symbol in pairs:
            label = self.label(channel, symbol)
            self.want(label)
            if channel in self.periodic:
                self.heard[label] = self._now
        self._ask(pairs, True)

    def unsubscribe(self, pairs: Sequence[Pair]) -> None:
        """Ask for no more of these."""
        for channel, symbol in pairs:
            label = self.label(channel, symbol)
            self.subscriptions.pop(label, None)
            self.heard.pop(label, None)
        self._ask(pairs, False)

    def add(self, instrument: Instrument) -> None:
        """Subscribe to one more instrument. ValueError as ``spell``."""
        symbol = self.spell(instrument)
        self.symbols[symbol] = instrument
        self.subscribe([(channel, symbol) for channel in self.channels])

    def remove(self, instrument: Instrument) -> None:
        """Subscribe to an instrument no longer; its spelling stays known, for what is under way."""
        for symbol in [s for s, i in self.symbols.items() if i == instrument]:
            self.unsubscribe([(channel, symbol) for channel in self.channels])

    def _ask(self, pairs: Sequence[Pair], on: bool) -> None:
        """As many messages as the venue's limits demand."""
        most = self.rules.most_per_request
        for together in _by_channel(pairs) if self.rules.one_channel else (pairs,):
            for start in range(0, len(together), most):
                self._ask_at_once(together[start : start + most], on)

    def ask_again(self, channel: str, symbol: str) -> bool:
        """Subscribe anew, so that a state that cannot be believed is sent as a whole.

        Its numbers begin anew as well: what is sent may be no newer than what was refused.

        Returns:
            Whether it is asked for: not where it was a moment ago.
        """
        pair = channel, symbol
        self._last.pop(pair, None)
        if self._now < self._again.get(pair, 0.0):
            return False
        self._again[pair] = self._now + AGAIN
        self._ask([pair], False)
        self._ask([pair], True)
        return True

    def _ask_at_once(self, pairs: Sequence[Pair], on: bool) -> None:
        frame = self.request(pairs, on)
        if len(frame) > self.rules.most_bytes and len(pairs) > 1:
            half = len(pairs) // 2
            self._ask_at_once(pairs[:half], on)
            self._ask_at_once(pairs[half:], on)
        else:
            self._outbox.append(frame)

    def instrument(self, symbol: str) -> Instrument:
        """What a symbol stands for.

        Raises:
            MalformedFrame: ``unknown_symbol``; nothing is guessed.
        """
        try:
            found = self._about = self.symbols[symbol]
        except KeyError:
            raise MalformedFrame("unknown_symbol", symbol[:40]) from None
        return found

    def want(self, label: str) -> None:
        """A subscription has been asked for."""
        self.subscriptions[label] = PENDING

    def several(self, items: Iterable[T], read: Callable[[T], list[DataEvent]]) -> list[DataEvent]:
        """The events of a message's items; one that cannot be used costs no other."""
        events: list[DataEvent] = []
        none = True
        for item in items:
            none = False
            try:
                events += read(item)
            except MalformedFrame as error:
                events += self.refuse(error)
        if none:
            self.ignored["empty"] += 1
        return events

    def refuse(self, error: MalformedFrame) -> list[DataEvent]:
        """Count what cannot be used, and tell whose it was."""
        self.refused[error.reason] += 1
        about = None if error.reason in OF_THE_FRAME else self._about
        return [self.fault(MarketFault(self.venue, about, error.reason))]

    def fault(self, fault: MarketFault) -> DataEvent:
        """The event of a fault."""
        ordinal = self._ordinal
        self._ordinal = ordinal + 1
        return DataEvent(
            _FAULT,
            _LOW,
            fault,
            self.source,
            self._now,
            None,
            self._sequence,
            ordinal,
            metadata=self._faulty,
        )

    def in_order(self, channel: str, symbol: str, number: int) -> int:
        """Let only rising numbers of a channel and symbol through.

        Numbers that lie behind but rise themselves, one after the other, are a new count: what
        was over them was one absurd number, or the venue began again.

        Returns:
            How many numbers lie between this one and the last.

        Raises:
            MalformedFrame: ``repeated``, ``time_backwards``, or ``bad_number``.
        """
        place = channel, symbol
        if not 0 <= number < MAX_NUMBER:
            raise MalformedFrame("bad_number", channel)
        last = self._last.get(place)
        if last is not None and number <= last:
            if number == last:
                raise MalformedFrame("repeated", channel)
            behind, count = self._behind.get(place, (-1, 0))
            count = count + 1 if number > behind else 1
            self._behind[place] = number, count
            if count < NEW_COUNT:
                raise MalformedFrame("time_backwards", channel)
            self.ignored["new_count"] += 1
            last = None
        if self._behind:
            self._behind.pop(place, None)
        self._last[place] = number
        return 0 if last is None else number - last - 1

    def once(self, place: Place, key: Hashable = None) -> None:
        """Let no number through that is behind the last, where several updates may share one.

        Args:
            place: of the update.
            key: what tells it from others of its number; None where nothing does, so that all
                of them pass.

        Raises:
            MalformedFrame: as ``in_order``.
        """
        channel, symbol, number = place
        pair = channel, symbol
        if self._last.get(pair) != number:
            self.in_order(channel, symbol, number)
            self._together[pair] = {key}
            return
        together = self._together.setdefault(pair, set())
        if key is not None and key in together:
            raise MalformedFrame("repeated", channel)
        if len(together) < MOST_TOGETHER:
            together.add(key)

    def quote(
        self, quote: Quote, occurred_at: int | None, label: str, place: Place | None
    ) -> list[DataEvent]:
        """The event of a sound quote at its place.

        Args:
            quote: of any bid and ask.
            occurred_at: the venue's time in nanoseconds.
            label: the subscription's.
            place: None where the message has neither number nor time, or its order is known.

        Raises:
            MalformedFrame: ``crossed_book``, where the bid is over the ask, and as ``in_order``.
        """
        if quote.bid > quote.ask:
            raise MalformedFrame("crossed_book", f"{quote.instrument}")
        if place is not None:
            channel, symbol, number = place
            self.in_order(channel, symbol, number)
        event = self.newest[label] = self.event(_QUOTE, _NORMAL, quote, occurred_at, label)
        return [event]

    def one_sided(self, instrument: Instrument) -> list[DataEvent]:
        """The event of a book that has no bid, or no ask: there is no quote."""
        self.ignored["one_sided"] += 1
        return [self.fault(MarketFault(self.venue, instrument, "one_sided"))]

    def trade(
        self,
        trade: Trade,
        occurred_at: int | None,
        label: str,
        place: Place | None,
        count: int = 1,
    ) -> list[DataEvent]:
        """The event of a trade at its place.

        Args:
            trade: as the venue tells it.
            occurred_at: the venue's time in nanoseconds.
            label: the subscription's.
            place: None where the message has neither number nor time, or its order is known.
            count: how many consecutive numbers it stands for; its own is the last of them.

        Raises:
            MalformedFrame: as ``in_order``.
        """
        between = 0 if place is None else self.in_order(*place) - (count - 1)
        event = self.event(_TRADE, _NORMAL, trade, occurred_at, label)
        if between > 0 and place is not None and place[0] in self.consecutive:
            return [self.missed(between), event]
        return [event]

    def missed(self, count: int) -> DataEvent:
        """The venue's own numbers show that so many are missing of what was looked up last.

        A leap that no loss can explain is told as one, since the count would be made up.
        """
        if count > MOST_MISSED:
            self.ignored["leapt"] += 1
            return self.fault(MarketFault(self.venue, self._about, "leapt"))
        self.ignored["missed"] += count
        return self.fault(MarketFault(self.venue, self._about, "missed", count))


def _by_channel(pairs: Sequence[Pair]) -> Iterable[Sequence[Pair]]:
    channels: dict[str, list[Pair]] = {}
    for pair in pairs:
        channels.setdefault(pair[0], []).append(pair)
    return channels.values()
