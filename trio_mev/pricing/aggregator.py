"""One price from many sources, with an interval and a status that says how far to believe it.

What the sources do not agree on is said, not averaged away. How a price is made is told in
``consensus`` and ``calibration``; here are the sources, their quotes, and what is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import exp, expm1

import attrs

from ..model.identity import Instrument, Venue
from ..model.market import OffChainPrice, Price, PriceStatus, Trend
from ..model.settings import PriceSettings
from .constituent import Constituent
from .history import History
from .intake import Intake
from .joins import better, join, legs
from .panel import Seen
from .scale import BP, price_of
from .sources import POOL, Source, SourceStats

_STALE = PriceStatus.STALE
_SOUND = frozenset({PriceStatus.OK, PriceStatus.DEGRADED})


@attrs.frozen
class PriceAnalysis:
    """An instrument's price and what its history tells."""

    price: Price
    age: float | None
    """Seconds since the latest quote of any source."""
    history: int
    """Prices that are kept."""
    volatility: float | None
    """Annualised (365 days), of log returns; 0.6 is 60 %."""
    trend: Trend
    sources: tuple[SourceStats, ...]


class PriceFeedAggregator(Intake):
    """Prices by canonical instrument. Pure: the caller says what time it is.

    A quote costs little, for no price is made of it. One is made when it is asked for:
    ``get_price`` changes nothing; ``tick``, to be called as often as prices are published,
    learns from it who is to be believed.

    Args:
        settings: the rule, limits on deviation and age, length of the history.
    """

    def __init__(self, settings: PriceSettings) -> None:
        super().__init__(settings)
        self._histories: dict[Instrument, History] = {}
        self._last: dict[Instrument, Price] = {}

    def get_price(self, instrument: Instrument, now: float) -> Price:
        """The instrument's price as of now; STALE where too few sources are fresh.

        It is that of the instrument's own quotes, unless one that is had from two others can
        be believed further.
        """
        panel = self._panels.get(instrument)
        return self._best(instrument, None if panel is None else panel.look(now), now)

    def tick(self, instrument: Instrument, now: float) -> Price:
        """The price as ``get_price`` has it, which is learned from and becomes history."""
        panel = self._panels.get(instrument)
        price = self._best(instrument, None if panel is None else panel.tick(now), now)
        if price.status is not _STALE:
            self._last[instrument] = price
        if price.price is not None and price.status in _SOUND:
            self._history(instrument).add(price.price, now)
        return price

    def _best(self, instrument: Instrument, seen: Seen | None, now: float) -> Price:
        best = self._own(instrument, seen, now)
        if best.status is PriceStatus.OK:
            return best
        for first, second in legs(instrument, self._settings.bases):
            if first in self._panels and second in self._panels:
                one = self._own(first, self._panels[first].look(now), now)
                other = self._own(second, self._panels[second].look(now), now)
                joined = join(instrument, one, other)
                if joined is not None and better(joined, best):
                    best = joined
        return best

    def _own(self, instrument: Instrument, seen: Seen | None, now: float) -> Price:
        """The price that an instrument's own quotes make."""
        if seen is None:
            return Price(instrument, None, None, _STALE, ())
        if seen.estimate is None:
            return self._stale(instrument, now)
        estimate = seen.estimate
        price, confidence = price_of(estimate.middle, estimate.half_width)
        fresh = list(zip(seen.fresh, estimate.kept, strict=True))
        used = [one for one, kept in fresh if kept or estimate.whole]
        rejected = [one.source.source_id for one, kept in fresh if not kept]
        rejected += [one.source.source_id for one in seen.left_out]
        on_chain = [one.source.source_id for one in used if one.source.type == POOL]
        return Price(
            instrument,
            price,
            confidence,
            estimate.status,
            tuple(sorted(one.source.source_id for one in used)),
            tuple(sorted(rejected)),
            spread=_spread(used),
            age=max(0.0, now - max(one.time for one in used)),
            on_chain=tuple(sorted(on_chain)),
            off_chain=self._off_chain(instrument, now) if on_chain else None,
        )

    def _off_chain(self, instrument: Instrument, now: float) -> OffChainPrice:
        """The price that an instrument's own quotes make without those of pools."""
        seen = self._panels[instrument].look(now, without=POOL)
        found = self._own(instrument, seen, now)
        return OffChainPrice(found.price, found.confidence, found.status, found.sources)

    def _stale(self, instrument: Instrument, now: float) -> Price:
        latest = self._panels[instrument].latest
        age = None if latest is None else max(0.0, now - latest)
        last = self._last.get(instrument) if self._settings.rule == "pyth" else None
        if last is None:
            return Price(instrument, None, None, _STALE, (), age=age)
        return Price(instrument, last.price, last.confidence, _STALE, (), age=age)

    def instruments(self) -> Iterable[Instrument]:
        """Those that a quote has come for, and those whose price can be had from two others."""
        return (*self._panels, *self.joinable.instruments())

    def get_price_history(
        self, instrument: Instrument, limit: int = 100
    ) -> list[tuple[float, Decimal]]:
        """The last changes of the price, oldest first, each with its time."""
        history = self._histories.get(instrument)
        return [] if history is None else history.latest(limit)

    def _history(self, instrument: Instrument) -> History:
        history = self._histories.get(instrument)
        if history is None:
            settings = self._settings
            history = self._histories[instrument] = History(
                settings.history, settings.retention, settings.volatility_half_life
            )
        return history

    def get_source_stats(self, now: float) -> tuple[SourceStats, ...]:
        """Every source's figures."""
        seats: dict[Venue, dict[Instrument, Constituent]] = {name: {} for name in self._sources}
        for instrument, panel in self._panels.items():
            for name, one in panel.constituents.items():
                seats[name][instrument] = one
        return tuple(_stats(self._sources[name], held, now) for name, held in seats.items())

    def get_price_analysis(self, instrument: Instrument, now: float) -> PriceAnalysis:
        """The price with its volatility, its trend and the sources' figures."""
        count, volatility, direction = self.get_course(instrument)
        panel = self._panels.get(instrument)
        latest = None if panel is None else panel.latest
        return PriceAnalysis(
            self.get_price(instrument, now),
            None if latest is None else now - latest,
            count,
            volatility,
            direction,
            self.get_source_stats(now),
        )

    def get_course(self, instrument: Instrument) -> tuple[int, float | None, Trend]:
        """What the history alone tells: prices kept, annualised volatility, the trend."""
        history = self._histories.get(instrument)
        if history is None:
            return 0, None, Trend.INSUFFICIENT_DATA
        return history.count, history.volatility, history.trend


def _spread(used: list[Constituent]) -> Decimal:
    values = [one.value for one in used]
    lowest = min(values)
    width = exp(lowest / BP) * expm1((max(values) - lowest) / BP)
    return Decimal(f"{width:.2e}") if width else Decimal(0)


def _stats(source: Source, held: dict[Instrument, Constituent], now: float) -> SourceStats:
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
        dict(source.refused),
        min((one.reliability for one in held.values()), default=1.0),
        {str(instrument): one.noise**0.5 for instrument, one in held.items()},
        age,
        frequency,
    )
