"""The figures of "Optimal routing for constant function market makers" (Angeris and others), by
our pools: trades that reach them, and prices at which no trades are worth more.

The sum market of these examples is no pool that we have; its straight line is written here.
"""

from __future__ import annotations

from math import log, sqrt

import attrs
import pytest

from tests.chain.convex import Market, best_trades
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.routes.mobius import compose, optimum

DEEP = 10**60
CLOSE = 1e-6


def market(tokens, reserves, weights, kept) -> Market:
    total = sum(weights)
    shares = tuple(one / total for one in weights)
    return Market(tuple(tokens), tuple(map(float, reserves)), shares, kept)


@attrs.frozen
class Example:
    """Markets, what a unit of each token is worth, what there is to spend, and what comes of it."""

    markets: list[Market]
    worth: list[float]
    held: list[float]
    value: float


ARBITRAGE = Example(
    [
        market((0, 1, 2, 3), (4, 4, 4, 4), (4, 3, 2, 1), 0.998),
        market((0, 1), (10, 1), (1, 1), 0.997),
        market((1, 2), (1, 5), (1, 1), 0.997),
        market((2, 3), (40, 50), (1, 1), 0.997),
        market((2, 3), (10, 10), (), 0.999),
    ],
    [1.5, 10, 2, 3],
    [0, 0, 0, 0],
    21.499809,
)
LIQUIDATION = Example(
    [
        market((0, 1, 2, 3, 4), (4, 4, 4, 4, 4), (5, 4, 3, 2, 1), 0.998),
        market((0, 1), (10, 1), (1, 1), 0.997),
        market((2, 3), (1, 5), (1, 1), 0.997),
        market((3, 4), (40, 50), (1, 1), 0.997),
        market((3, 4), (10, 10), (), 0.999),
    ],
    [0, 0, 0, 0, 1],
    [2, 1, 3, 5, 0],
    15.883011,
)
TWO_ASSETS = [
    Example(
        [
            market((0, 1, 2), (3, 0.2, 1), (3, 2, 1), 0.98),
            market((0, 1), (10, 1), (1, 1), 0.99),
            market((1, 2), (1, 10), (1, 1), 0.96),
            market((0, 2), (20, 50), (1, 1), 0.97),
            market((0, 2), (10, 10), (), 0.99),
        ],
        [0, 0, 1],
        [tendered, 0, 0],
        received,
    )
    for tendered, received in ((1, 7.293879), (10, 16.388196), (50, 44.182021))
]


def units(amount: float) -> int:
    return int(amount * ONE)


def carried_out(one: Market, paid: list[float], taken: list[float]) -> list[int]:
    """What each of a market's tokens gains by a trade in our pool."""
    if len(one.tokens) > 2:
        return in_weighted(one, paid, taken)
    side = 0 if paid[0] > paid[1] else 1
    gains = [0, 0]
    gains[side] = -units(paid[side] - taken[side] / one.kept)
    if not one.weights:
        gains[1 - side] = min(int(-gains[side] * one.kept), units(one.reserves[1 - side]))
    elif gains[side]:
        fee = Fee(round(one.kept * 1000), 1000)
        swap = ProductPool(*map(units, one.reserves), fee).swap(side, 1 - side, -gains[side])
        gains[1 - side] = swap.amount_out
    return gains


def in_weighted(one: Market, paid: list[float], taken: list[float]) -> list[int]:
    """A trade of several tokens at once.

    What counts of the inputs is sold for the token of which most is taken, and that for the others:
    a pool without a fee gives the same in any order.
    """
    weights = [units(share) for share in one.weights]
    weights[0] += ONE - sum(weights)
    count = len(weights)
    pool = WeightedPool(tuple(map(units, one.reserves)), tuple(weights), (1,) * count, 0)
    first = pool.balances
    middle = max(range(count), key=lambda place: taken[place] - paid[place])
    net = [units(a * one.kept - b) for a, b in zip(paid, taken, strict=True)]
    sold = {place: amount for place, amount in enumerate(net) if amount > 0}
    bought = {place: -amount for place, amount in enumerate(net) if amount < 0 and place != middle}
    for place, left in [*sold.items(), *bought.items()]:
        while left:
            way = (place, middle) if place in sold else (middle, place)
            # No more than 30 % of a balance at once.
            amount = min(left, pool.balances[place] // 4)
            swap = pool.swap(*way, amount, exact_out=place in bought)
            assert swap.stop is None
            assert isinstance(swap.after, WeightedPool)
            pool, left = swap.after, left - amount
    gains = [before - after for before, after in zip(first, pool.balances, strict=True)]
    return [int(gain / one.kept) if gain < 0 else gain for gain in gains]


def most(one: Market, prices: list[float]) -> float:
    """What no trade in a market exceeds, where the tokens have these prices."""
    here = [prices[token] for token in one.tokens]
    if not one.weights:
        ways = ((one.reserves[b], here[b], here[a]) for a, b in ((0, 1), (1, 0)))
        return sum(max(held * (out - into / one.kept), 0) for held, out, into in ways)
    if len(here) > 2:
        return most_of_powers(one, here)
    return sum(most_of_pair(one, here, side) for side in (0, 1))


def most_of_pair(one: Market, here: list[float], side: int) -> float:
    """By the closed form, beside a market so deep that its price stays."""
    pair = units(one.reserves[side]), units(one.reserves[1 - side]), round(one.kept * 1000), 1000
    deep = DEEP, DEEP * units(here[1 - side]) // units(here[side]), 1, 1
    k, m, n = compose((pair, deep))
    best = optimum(k, m, n)
    return here[side] * (k * best // (m + n * best) - best) / ONE


def most_of_powers(one: Market, here: list[float]) -> float:
    """Each reserve is where its price and a common one say, or stays where both ways cost."""

    def after(level: float) -> list[float]:
        reserves = []
        for before, weight, price in zip(one.reserves, one.weights, here, strict=True):
            low, high = level * weight * one.kept / price, level * weight / price
            reserves.append(min(max(before, low), high))
        return reserves

    low, high = 1e-9, 1e9
    for _ in range(200):
        middle = sqrt(low * high)
        moved = zip(one.weights, after(middle), one.reserves, strict=True)
        if sum(weight * log(now / before) for weight, now, before in moved) < 0:
            low = middle
        else:
            high = middle
    moved = zip(here, after(high), one.reserves, strict=True)
    return sum(
        price * ((before - now) if now < before else (before - now) / one.kept)
        for price, now, before in moved
    )


@pytest.mark.parametrize("example", [ARBITRAGE, LIQUIDATION, *TWO_ASSETS])
def test_our_pools_give_what_the_best_trades_are_worth_and_no_prices_allow_more(example: Example):
    best = best_trades(example.markets, example.worth, example.held)
    gains = [0] * len(example.held)
    for one, paid, taken in zip(example.markets, best.paid, best.taken, strict=True):
        for token, gain in zip(one.tokens, carried_out(one, paid, taken), strict=True):
            gains[token] += gain
    left = [units(held) + gain for held, gain in zip(example.held, gains, strict=True)]
    assert min(left) > -1e-8 * ONE, "nothing is spent that is not there"
    value = sum(worth * gain for worth, gain in zip(example.worth, gains, strict=True)) / ONE
    assert value == pytest.approx(example.value, abs=CLOSE)
    assert all(price >= worth for price, worth in zip(best.prices, example.worth, strict=True))
    bound = sum(price * held for price, held in zip(best.prices, example.held, strict=True))
    bound += sum(most(one, best.prices) for one in example.markets)
    assert bound == pytest.approx(example.value, abs=CLOSE)
    assert value < bound + CLOSE


def test_the_closed_form_is_that_of_one_pair_and_a_price():
    """Appendix A of "An analysis of Uniswap markets"."""
    one = market((0, 1), (10, 1), (1, 1), 0.997)
    here = [1.5, 40.0]
    best = (sqrt(0.997 * 10 * 1 * 40 / 1.5) - 10) / 0.997
    got = 0.997 * best * 1 / (10 + 0.997 * best)
    assert most_of_pair(one, here, 0) == pytest.approx(40 * got - 1.5 * best, rel=1e-12)
    assert most_of_pair(one, here, 1) == 0
