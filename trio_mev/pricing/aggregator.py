"""One price from many sources: the median of those that are fresh and agree.

A mean and a filter at two standard deviations cannot reject anything with five sources or fewer
(the largest z-score of n values is the root of n − 1); the median needs no such filter to keep
one bad source of three from moving the price. What the sources do not agree on is said, not
averaged away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from ..model.identity import Instrument, Venue
from ..model.market import Price, PriceStatus, Trend
from ..model.settings import PriceSettings
from .statistics import median, trend, volatility

UPDATE_INTERVALS: Mapping[str, float] = {
    "high_frequency": 1.0,
    "normal": 5.0,
    "low_frequency": 30.0,
}
"""Seconds in which a source of a class is expected to be heard."""
PATIENCE = 10
"""Intervals after which a source that was not heard no longer counts."""
SHORT, LONG = 5, 20
"""Prices whose means make the trend."""
THRESHOLD = 0.001
"""By which they must differ, a fraction of one."""
LEARNING = 0.02
"""Weight of the latest outcome in a source's reliability."""


@attrs.define(eq=False)
class Source:
    """One source's standing. Times are seconds of the stream's clock."""

    source_id: Venue
    type: str
    update_class: str
    is_active: bool = True
    updates: int = 0
    rejections: int = 0
    """Updates that deviated too far from the others."""
    reliability: float = 1.0
    """Share of recent updates that agreed with the others, the latest weighing 2 %."""
    first_update: float | None = None
    last_update: float | None = None


@attrs.frozen
class SourceStats:
    """A source's figures."""

    source_id: Venue
    type: str
    is_active: bool
    updates: int
    rejections: int
    reliability: float
    age: float | None
    """Seconds since its last update; None before the first."""
    update_frequency: float | None
    """Updates a second since the first; None below two."""


@attrs.frozen
class PriceAnalysis:
    """An instrument's price and what its history tells."""

    price: Price
    age: float | None
    """Seconds since the latest quote of any source."""
    history: int
    """Prices that the figures below are made of, at most the window."""
    volatility: float | None
    trend: Trend
    sources: tuple[SourceStats, ...]


@attrs.frozen
class _Held:
    bid: Decimal
    ask: Decimal
    at: float

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2


class PriceFeedAggregator:
    """Prices by canonical instrument. Pure: the caller says what time it is.

    Args:
        settings: limits on deviation and age, length of the history.
    """

    def __init__(self, settings: PriceSettings) -> None:
        self._settings = settings
        self._sources: dict[Venue, Source] = {}
        self._held: dict[Instrument, dict[Venue, _Held]] = {}
        self._history: dict[Instrument, deque[tuple[float, Decimal]]] = {}

    def add_price_source(
        self, source_id: Venue, source_type: str = "venue", update_frequency: str = "normal"
    ) -> None:
        """Make a source known, or change its class.

        Args:
            source_id: its name.
            source_type: what it is, for the statistics.
            update_frequency: ``high_frequency``, ``normal`` or ``low_frequency``.

        Raises:
            ValueError: there is no such class.
        """
        if update_frequency not in UPDATE_INTERVALS:
            raise ValueError(f"{update_frequency!r} is not one of {', '.join(UPDATE_INTERVALS)}")
        known = self._sources.get(source_id)
        if known is None:
            self._sources[source_id] = Source(source_id, source_type, update_frequency)
        else:
            known.type, known.update_class = source_type, update_frequency

    def set_active(self, source_id: Venue, active: bool) -> None:
        """Switch a source off or on. KeyError where it is not known."""
        self._sources[source_id].is_active = active

    def update_price(
        self, source_id: Venue, instrument: Instrument, price: Decimal, now: float
    ) -> Price:
        """Take in a price without a spread, such as that of a last trade."""
        return self.update_quote(source_id, instrument, price, price, now)

    def update_quote(
        self, source_id: Venue, instrument: Instrument, bid: Decimal, ask: Decimal, now: float
    ) -> Price:
        """Take in a source's bid and ask and return the price that follows.

        An unknown source is added as a normal one. Both prices are over zero: whatever decoded
        them has seen to it.
        """
        if source_id not in self._sources:
            self.add_price_source(source_id)
        source = self._sources[source_id]
        self._held.setdefault(instrument, {})[source_id] = _Held(bid, ask, now)
        source.updates += 1
        source.last_update = now
        if source.first_update is None:
            source.first_update = now
        price, outliers = self._assess(instrument, now)
        self._judge(source, source_id not in outliers)
        self._remember(instrument, price, now)
        return price

    def _judge(self, source: Source, agreed: bool) -> None:
        source.rejections += not agreed
        source.reliability += LEARNING * (agreed - source.reliability)

    def _remember(self, instrument: Instrument, price: Price, now: float) -> None:
        if price.price is None or price.status is PriceStatus.DISPUTED:
            return
        history = self._history.setdefault(instrument, deque(maxlen=self._settings.history))
        if not history or history[-1][1] != price.price:
            history.append((now, price.price))

    def get_price(self, instrument: Instrument, now: float) -> Price:
        """The instrument's price as of now; STALE and without a price where none is fresh."""
        return self._assess(instrument, now)[0]

    def _assess(self, instrument: Instrument, now: float) -> tuple[Price, frozenset[Venue]]:
        """The price, and the sources beyond the limit, whether or not they could be rejected."""
        fresh = self._fresh(instrument, now)
        if not fresh:
            return Price(instrument, None, None, PriceStatus.STALE, ()), frozenset()
        middle = median([held.mid for held in fresh.values()])
        limit = self._settings.max_deviation
        admitted = {v: h for v, h in fresh.items() if abs(h.mid - middle) <= limit * middle}
        outliers = frozenset(fresh) - frozenset(admitted)
        disputed = _disputed(fresh.values(), len(admitted), limit)
        if disputed:
            admitted = fresh
        price = median([held.mid for held in admitted.values()])
        status = PriceStatus.OK
        if disputed:
            status = PriceStatus.DISPUTED
        elif len(fresh) == 1 or len(admitted) < len(fresh):
            status = PriceStatus.DEGRADED
        width = _half_width(price, admitted.values())
        rejected = tuple(sorted(set(fresh) - set(admitted)))
        return Price(instrument, price, width, status, tuple(sorted(admitted)), rejected), outliers

    def _fresh(self, instrument: Instrument, now: float) -> dict[Venue, _Held]:
        return {
            venue: held
            for venue, held in self._held.get(instrument, {}).items()
            if self._sources[venue].is_active and now - held.at <= self.max_age(venue)
        }

    def max_age(self, source_id: Venue) -> float:
        """Seconds for which a source's quote counts: ten of its intervals, at most the limit."""
        expected = UPDATE_INTERVALS[self._sources[source_id].update_class]
        return min(self._settings.max_age, PATIENCE * expected)

    def instruments(self) -> Iterable[Instrument]:
        """Those that a quote has come for."""
        return tuple(self._held)

    def get_price_history(
        self, instrument: Instrument, limit: int = 100
    ) -> list[tuple[float, Decimal]]:
        """The last changes of the price, oldest first, each with its time."""
        history = list(self._history.get(instrument, ()))
        return history[max(0, len(history) - limit) :]

    def get_source_stats(self, now: float) -> tuple[SourceStats, ...]:
        """Every source's figures."""
        return tuple(_stats(source, now) for source in self._sources.values())

    def get_price_analysis(self, instrument: Instrument, now: float) -> PriceAnalysis:
        """The price with its volatility and trend over the configured window."""
        count, spread, direction = self.get_course(instrument)
        latest = max((held.at for held in self._held.get(instrument, {}).values()), default=None)
        return PriceAnalysis(
            self.get_price(instrument, now),
            None if latest is None else now - latest,
            count,
            spread,
            direction,
            self.get_source_stats(now),
        )

    def get_course(self, instrument: Instrument) -> tuple[int, float | None, Trend]:
        """What the history alone tells: prices in the window, their volatility, the trend."""
        window = self._settings.volatility_window
        history = self.get_price_history(instrument, max(window, LONG))
        prices = [float(price) for _, price in history]
        recent = prices[-window:]
        return len(recent), volatility(recent), trend(prices, SHORT, LONG, THRESHOLD)


def _disputed(fresh: Iterable[_Held], admitted: int, limit: Decimal) -> bool:
    """Whether the sources contradict each other and none can be preferred.

    Two that differ too much, or a median without a majority behind it. Of three, any rejection
    is a dispute: which camp is right cannot be known.
    """
    mids = [held.mid for held in fresh]
    if len(mids) == 2:
        return abs(mids[0] - mids[1]) > limit * min(mids)
    return admitted < len(mids) and (len(mids) == 3 or 2 * admitted <= len(mids))


def _half_width(price: Decimal, admitted: Iterable[_Held]) -> Decimal | None:
    held = list(admitted)
    if len(held) < 2:
        return None
    return max(max(h.ask - price, price - h.bid) for h in held)


def _stats(source: Source, now: float) -> SourceStats:
    age = frequency = None
    if source.last_update is not None and source.first_update is not None:
        age = now - source.last_update
        span = source.last_update - source.first_update
        frequency = (source.updates - 1) / span if span > 0 else None
    return SourceStats(
        source.source_id,
        source.type,
        source.is_active,
        source.updates,
        source.rejections,
        source.reliability,
        age,
        frequency,
    )
