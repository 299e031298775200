"""One price from many sources, with an interval and a status that says how far to believe it.

What the sources do not agree on is said, not averaged away. How a price is made is told in
``consensus`` and ``calibration``; here are the sources, their quotes, and what is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import attrs
from msgspec.structs import replace

from ..model.identity import Instrument, Venue
from ..model.market import OffChainPrice, Price, PriceStatus, Trend
from ..model.settings import PriceSettings
from .constituent import Constituent, names, spread_of
from .history import History
from .intake import Intake
from .joins import better, join, legs
from .panel import Seen
from .pooled import with_pools
from .scale import price_of
from .sources import Source, SourceStats

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
        seen = self._look(instrument, now)
        return self._with_pools(self._venues(instrument, seen, now), seen, now)

    def tick(self, instrument: Instrument, now: float, learn: bool = True) -> Price:
        """The price as ``get_price`` has it, which is learned from and becomes history.

        Args:
            instrument: whose price.
            now: the time.
            learn: whether it is learned from. Where only pools have quoted it is not: what is
                known of the venues is what it would be without pools.
        """
        panel = self._panels.get(instrument)
        seen = self._look(instrument, now) if panel is None or not learn else panel.tick(now)
        venues = self._venues(instrument, seen, now)
        if learn and venues.status is not _STALE:
            self._last[instrument] = venues
        price = self._with_pools(venues, seen, now)
        for one in self._fresh_pools(instrument, now):
            one.reject(rejected=one.source.source_id in price.rejected)
        if price.price is not None and price.status in _SOUND:
            self._history(instrument).add(price.price, now)
        return price

    def _look(self, instrument: Instrument, now: float) -> Seen | None:
        panel = self._panels.get(instrument)
        return None if panel is None else panel.look(now)

    def _venues(self, instrument: Instrument, seen: Seen | None, now: float) -> Price:
        """The price as it would be if no pool had ever quoted anything."""
        own = self._own(instrument, seen, now)
        return self._best(own, now, lambda leg: self._own(leg, self._look(leg, now), now))

    def _with_pools(self, venues: Price, seen: Seen | None, now: float) -> Price:
        """The price with what pools say of it, or of one that it can be had from."""
        if not self._pools:
            return venues
        instrument = venues.instrument
        every = [one for pair in legs(instrument, self._settings.bases) for one in pair]
        if not any(self._fresh_pools(one, now) for one in (instrument, *every)):
            return self._aged(venues, now)
        own = self._own_with_pools(instrument, seen, now)
        look = self._look
        price = self._best(own, now, lambda leg: self._own_with_pools(leg, look(leg, now), now))
        without = OffChainPrice(venues.price, venues.confidence, venues.status, venues.sources)
        return replace(price, off_chain=without)

    def _best(self, own: Price, now: float, of: Callable[[Instrument], Price]) -> Price:
        """An instrument's own price, or one that is had from two others."""
        best = own
        if best.status is PriceStatus.OK:
            return best
        for first, second in legs(own.instrument, self._settings.bases):
            if self._is_quoted(first) and self._is_quoted(second):
                joined = join(own.instrument, of(first), of(second))
                if joined is not None and better(joined, best):
                    best = joined
        return best

    def _is_quoted(self, instrument: Instrument) -> bool:
        return instrument in self._panels or instrument in self._pools

    def _own(self, instrument: Instrument, seen: Seen | None, now: float) -> Price:
        """The price that venues' own quotes of an instrument make."""
        if seen is None:
            return Price(instrument, None, None, _STALE, ())
        if seen.estimate is None:
            return self._stale(instrument, now)
        estimate = seen.estimate
        price, confidence = price_of(estimate.middle, estimate.half_width)
        fresh = list(zip(seen.fresh, estimate.kept, strict=True))
        used = [one for one, kept in fresh if kept or estimate.whole]
        rejected = [one for one, kept in fresh if not kept]
        return Price(
            instrument,
            price,
            confidence,
            estimate.status,
            names(used),
            names([*rejected, *seen.left_out]),
            spread=spread_of(used),
            age=max(0.0, now - max(one.time for one in used)),
        )

    def _own_with_pools(self, instrument: Instrument, seen: Seen | None, now: float) -> Price:
        own, pools = self._own(instrument, seen, now), self._pools.get(instrument)
        fresh = self._fresh_pools(instrument, now)
        if pools is None or not fresh:
            return self._aged(own, now)
        panel = self._panels.get(instrument, pools.alone)
        return with_pools(own, panel, seen or Seen(None, ()), fresh, now)

    def _fresh_pools(self, instrument: Instrument, now: float) -> list[Constituent]:
        pools = self._pools.get(instrument)
        return [] if pools is None else pools.fresh(now)

    def _aged(self, price: Price, now: float) -> Price:
        """A stale price, by the latest quote of a pool, if that is later."""
        pools = self._pools.get(price.instrument)
        if pools is None or price.status is not _STALE:
            return price
        age = max(0.0, now - pools.latest)
        return price if price.age is not None and price.age <= age else replace(price, age=age)

    def _stale(self, instrument: Instrument, now: float) -> Price:
        latest = self._panels[instrument].latest
        age = None if latest is None else max(0.0, now - latest)
        last = self._last.get(instrument) if self._settings.rule == "pyth" else None
        if last is None:
            return Price(instrument, None, None, _STALE, (), age=age)
        return Price(instrument, last.price, last.confidence, _STALE, (), age=age)

    def instruments(self) -> Iterable[Instrument]:
        """Those that a quote has come for, and those whose price can be had from two others."""
        own = dict.fromkeys((*self._panels, *self._pools))
        return (*own, *self.joinable.instruments())

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
        for held in (self._panels, self._pools):
            for instrument, those in held.items():
                for name, one in those.constituents.items():
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
