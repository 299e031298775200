"""What the updates of an exchange become: events in order, sound quotes, and faults told."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from types import MappingProxyType
from typing import ClassVar, TypeVar

from ..errors import MalformedFrame
from ..model.event import DataEvent, DataType, EventPriority
from ..model.identity import Instrument, Venue
from ..model.market import MarketFault, Quote, Trade
from .session import Session

MAX_NUMBER = 2**63
"""Venues' numbers and milliseconds are 64-bit integers."""
NEW_COUNT = 10
"""Rising numbers behind the last one after which a new connection is asked for."""
MOST_TOGETHER = 10_000
"""Updates of one number or time that are told apart; more of them pass unseen."""
MOST_MISSED = 100_000
"""Numbers between two of a channel that are believed to be missing."""
OF_THE_FRAME = frozenset({
    "error", "error_without_id", "not_json", "not_utf8", "too_deep", "unknown_message",
    "unknown_reply", "unknown_subscription", "unknown_symbol", "wrong_shape",
})  # fmt: skip
"""Reasons for which a frame is refused before it is known what it is about."""

# Looked up once: a member of an enumeration costs ten times what a name does.
_QUOTE, _TRADE, _FAULT = DataType.QUOTE, DataType.TRADE, DataType.FAULT
_NORMAL, _LOW = EventPriority.NORMAL, EventPriority.LOW

T = TypeVar("T")
Pair = tuple[str, str]
"""A channel and a symbol, as the venue spells them."""
Place = tuple[str, str, int]
"""A channel, a symbol and the number of an update among theirs."""


class MarketSession(Session):
    """A session whose updates are of instruments.

    It looks up what a message is about, by ``instrument``, before it reads the rest of it: so a
    fault can be told of it.
    """

    venue: ClassVar[Venue]
    consecutive: ClassVar[frozenset[str]] = frozenset()
    """Channels whose numbers rise by one, so that what is missing can be counted."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.symbols: dict[str, Instrument] = {}
        """The venue's spelling to the instrument."""
        self._about: Instrument | None = None
        self._faulty = MappingProxyType({"connection_id": source})
        self._last: dict[Pair, int] = {}
        self._behind: dict[Pair, tuple[int, int]] = {}
        self._together: dict[Pair, set[Hashable]] = {}

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

        Numbers that lie behind but rise themselves, one after the other, may be a new count after
        an absurd number, or old data that is sent again. Which it is, a new connection shows:
        there everything counts anew.

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
            if count == NEW_COUNT:
                self.ignored["new_count"] += 1
                self.leaving = True
            raise MalformedFrame("time_backwards", channel)
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
