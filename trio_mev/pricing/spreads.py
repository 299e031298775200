"""What buying at one venue and selling at another would pay, on the sides that trade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import attrs

from ..model.identity import Instrument, Venue
from ..model.market import Quote, Spread

_ROUNDING = 1e-9
"""By which floats may be wrong about a ratio; where it matters it is counted again exactly."""


def executable_spread(buy: Quote, sell: Quote, buy_fee: Decimal, sell_fee: Decimal) -> Spread:
    """Buying at ``buy``'s ask and selling at ``sell``'s bid, each less its taker fee.

    The gain may be negative. Both quotes are of one instrument.
    """
    cost = buy.ask * (1 + buy_fee)
    revenue = sell.bid * (1 - sell_fee)
    size = None
    if buy.ask_size is not None and sell.bid_size is not None:
        size = min(buy.ask_size, sell.bid_size)
    net = revenue - cost
    return Spread(
        buy.instrument,
        buy.venue,
        sell.venue,
        buy.ask,
        sell.bid,
        size,
        net,
        net / cost,
        None if size is None else net * size,
    )


@attrs.define(eq=False)
class _Side:
    """A venue's latest quote, and what it comes to with the fee: for the eye, in floats."""

    quote: Quote
    at: float
    cost: float
    """Of buying one there."""
    revenue: float
    """Of selling one there."""


class SpreadBook:
    """The spreads between venues that are open.

    Args:
        fees: taker fee by venue, as a fraction of one; a venue without one has no spreads.
        report: net ratio from which a spread is open; it closes below half of that.
        highest: net ratio over which it is no spread but an error of one of the two.
        max_age: seconds for which a quote counts.
    """

    def __init__(
        self, fees: Mapping[str, Decimal], report: Decimal, highest: Decimal, max_age: float
    ) -> None:
        self._fees = {name: (fee, float(fee)) for name, fee in fees.items()}
        self._report = report
        self._half = report / 2
        self._highest = highest
        self._floor = 1 + float(report) - _ROUNDING
        self._max_age = max_age
        self._sides: dict[Instrument, dict[Venue, _Side]] = {}
        self._open: dict[Instrument, set[tuple[Venue, Venue]]] = {}
        self.implausible = 0
        """Spreads that were not believed."""

    def update(self, quote: Quote, now: float, at: float) -> list[Spread]:
        """The spreads that a quote has opened, in both directions.

        Args:
            quote: a venue's latest.
            now: the time, in seconds.
            at: that of the quote, on the same clock.
        """
        fee = self._fees.get(quote.venue)
        if fee is None:
            return []
        instrument, venue = quote.instrument, quote.venue
        sides = self._sides.get(instrument)
        if sides is None:
            sides = self._sides[instrument] = {}
        cost, revenue = float(quote.ask) * (1 + fee[1]), float(quote.bid) * (1 - fee[1])
        mine = sides[venue] = _Side(quote, at, cost, revenue)
        looks = self._open.get(instrument)
        oldest, floor = now - self._max_age, self._floor
        found: list[Spread] = []
        for side in sides.values():
            if side is mine:
                continue
            # Nearly always neither pays and none is open: then nothing is to be done.
            if looks or revenue > side.cost * floor or side.revenue > cost * floor:
                stale = side.at < oldest or at < oldest
                found += self._judge(mine, side, stale)
                found += self._judge(side, mine, stale)
                looks = self._open.get(instrument)
        return found

    def _judge(self, buy: _Side, sell: _Side, stale: bool) -> Iterator[Spread]:
        """The spread, if it has just opened; closes it where it is over."""
        instrument, pair = buy.quote.instrument, (buy.quote.venue, sell.quote.venue)
        known = self._open.get(instrument)
        is_open = known is not None and pair in known
        if stale:
            spread = None
        else:
            spread = executable_spread(
                buy.quote, sell.quote, self._fees[pair[0]][0], self._fees[pair[1]][0]
            )
            if spread.net_ratio > self._highest:
                self.implausible += 1
                spread = None
        if spread is not None and not is_open and spread.net_ratio >= self._report:
            self._open.setdefault(instrument, set()).add(pair)
            yield spread
        elif is_open and known is not None and (spread is None or spread.net_ratio < self._half):
            known.discard(pair)
            if not known:
                del self._open[instrument]

    def best(self, instrument: Instrument, now: float) -> Spread | None:
        """The spread of an instrument that pays most right now, whether or not it pays at all;
        None where no two quotes can be compared."""
        oldest = now - self._max_age
        sides = [s for s in self._sides.get(instrument, {}).values() if s.at >= oldest]
        pairs = [(buy, sell) for buy in sides for sell in sides if buy is not sell]
        if not pairs:
            return None
        buy, sell = max(pairs, key=lambda pair: pair[1].revenue / pair[0].cost)
        fees = self._fees
        spread = executable_spread(
            buy.quote, sell.quote, fees[buy.quote.venue][0], fees[sell.quote.venue][0]
        )
        return spread if spread.net_ratio <= self._highest else None
