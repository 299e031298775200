"""What every exchange's session shares: symbols both ways, and requests within the venue's
limits."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import attrs

from ..model.event import DataEvent
from ..model.identity import Instrument
from .session import PENDING
from .updates import MarketSession, Pair

AGAIN = 10.0
"""Least seconds between two attempts to have a subscription's state anew."""
PING = "ping"
"""Stands among the subscriptions that must be heard for the venue's answers to our pings."""


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


class VenueAdapter(MarketSession):
    """One life of a connection to an exchange: no I/O, no clock.

    A subclass spells symbols, words requests and decodes; ``quote`` and ``trade`` check and wrap
    what it found.

    Args:
        source: the feed's alias.
        instruments: those wanted.
        channels: the venue's names of what is wanted of them; its usual ones where none is named.
        symbols: spellings that do not follow from the instrument.

    Raises:
        ValueError: a channel or a kind of instrument that the venue does not have, or more of
            them than one connection may carry.
    """

    endpoint: ClassVar[str]
    """The venue's public address, used where the configuration names none."""
    hosts: ClassVar[tuple[str, ...]] = ()
    """Names of its servers in recordings, beside that of the endpoint."""
    known_channels: ClassVar[tuple[str, ...]]
    """Those that are decoded."""
    usual_channels: ClassVar[tuple[str, ...]]
    """Those that are asked for where the configuration names none."""
    quote_channels: ClassVar[frozenset[str]]
    """Those that bring quotes; a feed takes one of them, so that all its quotes are in one
    order."""
    periodic: ClassVar[frozenset[str]] = frozenset()
    """Channels that are heard at a pace of their own, whatever the market does."""
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
        count, most = len(self.symbols) * len(self.channels), self.rules.most_subscriptions
        if most is not None and count > most:
            raise ValueError(
                f"{count} subscriptions, and {self.venue} takes {most} on a connection: "
                "share the instruments out among several feeds"
            )
        self.request_interval = self.rules.request_interval
        self._ping_at: float | None = None
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

    def want(self, label: str) -> None:
        """A subscription has been asked for."""
        self.subscriptions[label] = PENDING


def _by_channel(pairs: Sequence[Pair]) -> Iterable[Sequence[Pair]]:
    channels: dict[str, list[Pair]] = {}
    for pair in pairs:
        channels.setdefault(pair[0], []).append(pair)
    return channels.values()
