"""What buying at one venue and selling at another would pay, on the sides that trade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import inf
from operator import attrgetter

import attrs

from ..model.identity import Instrument, Venue
from ..model.market import Quote, Spread


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
    """A venue's latest quote, and what it comes to with the fee."""

    quote: Quote
    at: float
    enough: Decimal
    """What selling one elsewhere must bring for it to be worth telling that one is bought here."""
    revenue: Decimal
    """Of selling one here."""


@attrs.define(eq=False)
class _Market:
    """One instrument at all venues."""

    cheapest: _Side
    """Where ``enough`` is least."""
    dearest: _Side
    """Where ``revenue`` is highest."""
    sides: dict[Venue, _Side]
    open: set[tuple[Venue, Venue]] = attrs.Factory(set)

    def put(self, quote: Quote, at: float, enough: Decimal, revenue: Decimal) -> _Side:
        """A venue's latest."""
        mine = self.sides.get(quote.venue)
        if mine is None:
            mine = self.sides[quote.venue] = _Side(quote, at, enough, revenue)
        else:
            mine.quote, mine.at, mine.enough, mine.revenue = quote, at, enough, revenue
        if enough < self.cheapest.enough:
            self.cheapest = mine
        elif self.cheapest is mine:
            self.cheapest = min(self.sides.values(), key=attrgetter("enough"))
        if revenue > self.dearest.revenue:
            self.dearest = mine
        elif self.dearest is mine:
            self.dearest = max(self.sides.values(), key=attrgetter("revenue"))
        return mine


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
        self._fees = dict(fees)
        self._factors = {name: ((1 + fee) * (1 + report), 1 - fee) for name, fee in fees.items()}
        """By which an ask becomes ``enough``, and a bid ``revenue``."""
        self._report = report
        self._half = report / 2
        self._highest = highest
        self._max_age = max_age
        self._markets: dict[Instrument, _Market] = {}
        self.implausible = 0
        """Spreads that were not believed."""

    def update(self, quote: Quote, now: float, at: float) -> list[Spread]:
        """The spreads that a quote has opened, in both directions.

        Args:
            quote: a venue's latest.
            now: the time, in seconds.
            at: that of the quote, on the same clock.
        """
        factors = self._factors.get(quote.venue)
        if factors is None:
            return []
        enough, revenue = quote.ask * factors[0], quote.bid * factors[1]
        market = self._markets.get(quote.instrument)
        if market is None:
            first = _Side(quote, at, enough, revenue)
            market = _Market(first, first, {quote.venue: first})
            self._markets[quote.instrument] = market
        mine = market.put(quote, at, enough, revenue)
        # Nearly always no two venues pay and none are open: then nothing is to be done.
        if market.dearest.revenue < market.cheapest.enough and not market.open:
            return []
        found: list[Spread] = []
        for side in market.sides.values():
            pays = revenue >= side.enough or side.revenue >= enough
            if side is not mine and (pays or market.open):
                stale = min(side.at, at) < now - self._max_age
                found += self._judge(market, mine, side, stale)
                found += self._judge(market, side, mine, stale)
        return found

    def _judge(self, market: _Market, buy: _Side, sell: _Side, stale: bool) -> Iterator[Spread]:
        """The spread, if it has just opened; closes it where it is over."""
        pair = buy.quote.venue, sell.quote.venue
        is_open = pair in market.open
        if stale:
            spread = None
        else:
            spread = executable_spread(
                buy.quote, sell.quote, self._fees[pair[0]], self._fees[pair[1]]
            )
            if spread.net_ratio > self._highest:
                self.implausible += 1
                spread = None
        if spread is not None and not is_open and spread.net_ratio >= self._report:
            market.open.add(pair)
            yield spread
        elif is_open and (spread is None or spread.net_ratio < self._half):
            market.open.remove(pair)

    def best(self, instrument: Instrument, now: float) -> Spread | None:
        """The spread of an instrument that pays most right now, of those that can be believed,
        whether or not it pays at all; None where no two quotes can be compared."""
        oldest = now - self._max_age
        market = self._markets.get(instrument)
        sides = [] if market is None else [s for s in market.sides.values() if s.at >= oldest]
        fees = self._fees
        spreads = (
            executable_spread(buy.quote, sell.quote, fees[buy.quote.venue], fees[sell.quote.venue])
            for buy in sides
            for sell in sides
            if buy is not sell
        )
        plausible = (one for one in spreads if abs(one.net_ratio) <= self._highest)
        return max(plausible, key=attrgetter("net_ratio"), default=None)

    def withdraw(self, venue: Venue, instrument: Instrument) -> None:
        """A venue's quote no longer stands."""
        market = self._markets.get(instrument)
        side = None if market is None else market.sides.get(venue)
        if market is not None and side is not None:
            side.at = -inf
            market.open = {pair for pair in market.open if venue not in pair}
