"""What every exchange's session shares: symbols both ways, updates in order, sound quotes."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from typing import ClassVar

from ..errors import MalformedFrame
from ..model.event import DataEvent, DataType, EventPriority
from ..model.identity import Instrument, Venue
from ..model.market import Quote, Trade
from .session import PENDING, Session

MAX_NUMBER = 2**63
"""Venues' numbers and milliseconds are 64-bit integers."""
NEW_COUNT = 10
"""Rising numbers behind the last one after which they are believed."""


# Looked up once: a member of an enumeration costs ten times what a name does.
_QUOTE, _TRADE, _NORMAL = DataType.QUOTE, DataType.TRADE, EventPriority.NORMAL


class VenueAdapter(Session):
    """One life of a connection to an exchange: no I/O, no clock.

    A subclass spells symbols, subscribes and decodes; ``quote`` and ``trade`` check and wrap
    what it found.

    Args:
        source: the feed's alias.
        instruments: those wanted.
        channels: the venue's names of what is wanted of them.
        symbols: spellings that do not follow from the instrument.
    """

    venue: ClassVar[Venue]
    endpoint: ClassVar[str]
    """The venue's public address, used where the configuration names none."""

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str],
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source)
        self.channels = tuple(channels)
        special = {instrument: symbol for symbol, instrument in (symbols or {}).items()}
        self.symbols = {special.get(i) or self.spell(i): i for i in instruments}
        """The venue's spelling to the instrument."""
        self._last: dict[tuple[str, str], int] = {}
        self._behind: dict[tuple[str, str], tuple[int, int]] = {}

    @staticmethod
    @abc.abstractmethod
    def spell(instrument: Instrument) -> str:
        """The venue's symbol for an instrument.

        Raises:
            ValueError: the venue has no such kind of instrument.
        """

    def instrument(self, symbol: str) -> Instrument:
        """What a symbol stands for.

        Raises:
            MalformedFrame: ``unknown_symbol``; nothing is guessed.
        """
        try:
            return self.symbols[symbol]
        except KeyError:
            raise MalformedFrame("unknown_symbol", symbol[:40]) from None

    def want(self, label: str) -> None:
        """A subscription has been asked for."""
        self.subscriptions[label] = PENDING

    def in_order(self, channel: str, symbol: str, number: int) -> None:
        """Let only rising numbers of a channel and symbol through.

        Numbers that lie behind but rise themselves, one after the other, are a new count: what
        was over them was one absurd number, or the venue began again.

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
        if self._behind:
            self._behind.pop(place, None)
        self._last[place] = number

    def quote(
        self, quote: Quote, occurred_at: int | None, label: str, place: tuple[str, str, int]
    ) -> list[DataEvent]:
        """The event of a sound quote at its place: channel, symbol and number.

        Raises:
            MalformedFrame: ``crossed_book``, where the bid is over the ask, and as ``in_order``.
        """
        if quote.bid > quote.ask:
            raise MalformedFrame("crossed_book", f"{quote.instrument}")
        self.in_order(*place)
        return [self.event(_QUOTE, _NORMAL, quote, occurred_at, label)]

    def trade(
        self, trade: Trade, occurred_at: int | None, label: str, place: tuple[str, str, int]
    ) -> list[DataEvent]:
        """The event of a trade at its place: channel, symbol and number.

        Raises:
            MalformedFrame: as ``in_order``.
        """
        self.in_order(*place)
        return [self.event(_TRADE, _NORMAL, trade, occurred_at, label)]
