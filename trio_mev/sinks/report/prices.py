"""What the prices were, with their intervals, and what each source quoted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Protocol

import attrs

from ...model.event import DataEvent
from ...model.identity import Instrument, Venue
from ...model.market import Price, PriceStatus
from .model import PricePart, SourcePart, Span
from .series import Series

MOST_INSTRUMENTS = 24
MOST_SOURCES = 16
MOST_POOLS = 8
"""Of the sources; the deepest when there is one first."""
MOST_TROUBLES = 300
"""The latest."""


class Quoted(Protocol):
    """Between which prices a venue or a pool buys and sells."""

    @property
    def venue(self) -> Venue:
        """Whose quote it is."""
        ...

    @property
    def instrument(self) -> Instrument:
        """What is quoted."""
        ...

    @property
    def bid(self) -> Decimal:
        """What it buys at."""
        ...

    @property
    def ask(self) -> Decimal:
        """What it sells at."""
        ...


class PoolQuoted(Quoted, Protocol):
    """A pool's."""

    @property
    def depth(self) -> Decimal:
        """How much it takes to move it, in the quote's units."""
        ...


PoolQuotes = Callable[[Any], Iterable[PoolQuoted]]
"""What pools say of prices, as of the state that a POOLS event brings."""


@attrs.define(eq=False)
class _Line:
    """One instrument."""

    start: float
    quiet: float
    price: Series
    low: Series
    high: Series
    sources: dict[str, Series] = attrs.Factory(dict)
    pools: set[str] = attrs.Factory(set)
    """Those of the sources that are pools."""
    named: set[str] = attrs.Factory(set)
    rejected: Counter[str] = attrs.Factory(Counter)
    via: tuple[str, ...] = ()
    last: Decimal | None = None
    confidence: Decimal | None = None
    status: PriceStatus | None = None
    since: float = 0.0
    troubles: deque[Span] = attrs.Factory(lambda: deque(maxlen=MOST_TROUBLES))
    left_out: int = 0
    seconds: Counter[str] = attrs.Factory(Counter)
    count: int = 0

    @classmethod
    def new(cls, start: float, quiet: float) -> _Line:
        return cls(start, quiet, Series(start), Series(start), Series(start))

    def has_room(self, pool: bool) -> bool:
        if pool:
            return len(self.pools) < MOST_POOLS
        return len(self.sources) - len(self.pools) < MOST_SOURCES - MOST_POOLS

    def quote(self, quote: Quoted, at: float, pool: bool = False) -> None:
        series = self.sources.get(quote.venue)
        if series is None:
            if not self.has_room(pool):
                self.name(quote.venue)
                return
            if pool:
                self.pools.add(quote.venue)
            series = self.sources[quote.venue] = Series(self.start, self.quiet)
        series.add(at, (float(quote.bid) + float(quote.ask)) / 2)

    def take(self, price: Price, at: float) -> None:
        self.count += 1
        self.enter(price.status, at)
        self.via = tuple(map(str, price.via))
        for venue in (*price.sources, *price.rejected):
            self.name(venue)
        self.rejected.update(one for one in price.rejected if one in self.named)
        if price.price is None or price.confidence is None:
            for series in (self.price, self.low, self.high):
                series.cut()
            return
        self.last, self.confidence = price.price, price.confidence
        middle, half = float(price.price), float(price.confidence)
        self.price.add(at, middle)
        self.low.add(at, middle - half)
        self.high.add(at, middle + half)

    def name(self, venue: str) -> None:
        if len(self.named) < MOST_SOURCES * 2:
            self.named.add(venue)

    def enter(self, status: PriceStatus | None, at: float) -> None:
        if status is self.status:
            return
        if self.status is not None:
            self.seconds[self.status.value] += at - self.since  # type: ignore[assignment]
            if self.status is not PriceStatus.OK:
                self.left_out += len(self.troubles) == MOST_TROUBLES
                self.troubles.append(Span(self.since, at, self.status.value))
        self.status, self.since = status, at

    def part(self, name: str, end: float) -> PricePart:
        self.enter(None, end)
        values = [point[1] for point in self.price.points() if point is not None]
        sources = tuple(
            SourcePart(
                venue,
                tuple(series.points()),
                series.count,
                self.rejected[venue],
                venue in self.pools,
            )
            for venue, series in sorted(self.sources.items())
        )
        return PricePart(
            name,
            tuple(self.price.points()),
            tuple(self.low.lows()),
            tuple(self.high.highs()),
            tuple(self.troubles),
            self.left_out,
            dict(self.seconds),
            self.count,
            min(values, default=None),
            max(values, default=None),
            self.last,
            self.confidence,
            self.via,
            sources,
            tuple(sorted(self.named - set(self.sources))),
        )


@attrs.define(eq=False)
class PriceKeeper:
    """Keeps it, of as many instruments as there is room for.

    Args:
        start: when the run began.
        quiet: seconds without a quote after which a source's line is cut.
    """

    start: float
    quiet: float
    more: set[Instrument] = attrs.Factory(set)
    """Those that there was no room for."""
    _lines: dict[Instrument, _Line] = attrs.Factory(dict)

    def _line(self, instrument: Instrument) -> _Line | None:
        line = self._lines.get(instrument)
        if line is None:
            if len(self._lines) >= MOST_INSTRUMENTS:
                if len(self.more) < 10_000:
                    self.more.add(instrument)
                return None
            line = self._lines[instrument] = _Line.new(self.start, self.quiet)
        return line

    def quote(self, event: DataEvent) -> None:
        """A venue has quoted."""
        if (line := self._line(event.data.instrument)) is not None:
            line.quote(event.data, event.received_at)

    def pools(self, quotes: Iterable[PoolQuoted], at: float) -> None:
        """What every pool says as of a block."""
        for quote in sorted(quotes, key=lambda one: (-one.depth, one.venue)):
            if (line := self._line(quote.instrument)) is not None:
                line.quote(quote, at, pool=True)

    def price(self, event: DataEvent) -> None:
        """An instrument has a price, or no more."""
        if (line := self._line(event.data.instrument)) is not None:
            line.take(event.data, event.received_at)

    def parts(self, end: float) -> tuple[PricePart, ...]:
        """Each instrument, those with most prices first; the run is over."""
        made = [line.part(str(instrument), end) for instrument, line in self._lines.items()]
        return tuple(sorted(made, key=lambda one: (-one.count, one.instrument)))
