"""The reference figures of pools, routes and sandwiches: integers exactly, others to 1e-6.

Sources: the closed forms of Angeris et al., and figures worked out with exact rationals.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import cos, erfc, exp, isqrt, pi, sqrt

import pytest

from tests.chain.convex import solved
from trio_mev.chain.pools import product
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.routes.exact import size, through
from trio_mev.chain.routes.front import largest_front, limit_root
from trio_mev.chain.routes.hop import Hop, ProductHop
from trio_mev.chain.routes.mobius import compose, optimum
from trio_mev.chain.routes.sandwich import sandwich
from trio_mev.chain.routes.victim import Victim, play

WETH, USDC, WBTC = 10**18, 10**6, 10**8
TWO = [(2_000_000 * USDC, 1000 * WETH), (1000 * WETH, 2_100_000 * USDC)]
UNEVEN = [(500_000 * USDC, 250 * WETH), (4000 * WETH, 8_400_000 * USDC)]
TRIANGLE = [
    (1000 * WETH, 2_000_000 * USDC),
    (2_000_000 * USDC, 40 * WBTC),
    (40 * WBTC, 1030 * WETH),
]
POOL = ProductPool(1000 * WETH, 2_000_000 * USDC)


def hops(reserves) -> list[Hop]:
    return [ProductHop(ProductPool(*one), 0) for one in reserves]


def real(reserves) -> tuple[float, float, int]:
    """The best real input and profit in whole tokens, and the input rounded down, in units."""
    k, m, n = compose((*one, 997, 1000) for one in reserves)
    unit = WETH if reserves is TRIANGLE else USDC
    scale = 10**40
    root = isqrt(k * m * scale * scale)
    best = Fraction(root - m * scale, n * scale)
    profit = Fraction((k + m) * scale - 2 * root, n * scale)
    return float(best / unit), float(profit / unit), optimum(k, m, n)


@pytest.mark.parametrize(
    ("reserves", "best", "profit", "floor"),
    [
        (TWO, 21718.627455899957, 469.578256709118, 21718627455),
        (UNEVEN, 10207.001007102950, 220.685480649081, 10207001007),
        (TRIANGLE, 3.462594805655859569, 0.035753307534820209, 3462594805655859569),
    ],
)
def test_the_real_optimum(reserves, best, profit, floor):
    found = real(reserves)
    assert found[:2] == pytest.approx((best, profit), rel=1e-15)
    assert found[2] == floor


@pytest.mark.parametrize(
    ("reserves", "floor", "profit"),
    [(TWO, 21718627455, 469578256), (UNEVEN, 10207001007, 220685480)],
)
def test_where_the_coarsest_token_is_the_first_the_profit_is_flat(reserves, floor, profit):
    route = hops(reserves)
    for step in range(-60_000, 60_001, 1000):
        assert through(route, floor + step)[-1] - floor - step == profit
    sized = size(route)
    assert sized is not None
    assert (sized.profit, sized.exact) == (profit, True)
    assert abs(sized.amounts[0] - floor) <= 60_000


def test_the_triangle_has_a_better_input_than_the_neighbours_of_the_real_one():
    route = hops(TRIANGLE)
    middle = real(TRIANGLE)[2]
    near = {n: through(route, n)[-1] - n for n in range(middle - 3, middle + 4)}
    assert max(near.items(), key=lambda one: one[1]) == (3462594805655859566, 35753256330116408)
    sized = size(route)
    assert sized is not None
    assert (sized.amounts[0], sized.profit) == (3462586084911836500, 35753307531873718)
    assert sized.exact


ROWS = [
    (10, 100, 19545729080, 5070447775577681341, 10059619111, 70162485644094622),
    (10, 50, 19644444883, 2525668985765353581, 5023534236, 35101765802473960),
    (50, 100, 94016288040, 5168276831073164254, 10252714102, 490773479811432521),
    (10, 300, 19150865866, 15445571009098832147, 30331388435, 209989224982935582),
    (1, 50, 1982053892, 2514438161865580595, 5001252081, -10051366386513310),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} WETH, {row[1]} bp")
def test_sandwiches_at_the_limit(row):
    sold, slippage, limit, paid, bought, gross = row
    given = POOL.swap(0, 1, sold * WETH).amount_out
    assert given * (10_000 - slippage) // 10_000 == limit
    victim = Victim(0, 1, sold * WETH, limit)
    assert largest_front(POOL, victim) == paid
    assert abs(limit_root(POOL, victim) - paid) < 8e-10 * WETH
    played = play(POOL, victim, paid)
    assert played is not None
    assert (played.bought, played.profit) == (bought, gross)
    best = sandwich(POOL, victim)
    if gross < 0:
        assert best is None
    else:
        assert best is not None
        assert best.profit == best.bound
        assert gross < best.profit < gross + 6 * 10**8


def test_the_smallest_payment_that_buys_as_much_leaves_more():
    best = sandwich(POOL, Victim(0, 1, 10 * WETH, 19545729080))
    assert best is not None
    assert (best.paid, best.profit) == (5070447775337052016, 70162485883505330)


def test_when_no_payment_can_pay():
    g = 0.997
    least = (-(1 + g) + sqrt((1 + g) ** 2 + 4 * g * (1 / g**2 - 1))) / (2 * g)
    assert least * 100 == pytest.approx(0.30135475, abs=1e-8)
    held = 10**27  # so that integers do not matter
    pool = ProductPool(held, held)
    for share, pays in ((least * 0.9999, False), (least * 1.0001, True)):
        assert (sandwich(pool, Victim(0, 1, int(held * share), 0)) is not None) == pays
    for sold, expected in ((3.015, 6.97e-7), (3.02, 1.3745e-5)):
        best = sandwich(POOL, Victim(0, 1, int(sold * WETH), 0))
        assert best is not None
        assert best.profit / WETH == pytest.approx(expected, rel=2e-3)
    assert sandwich(POOL, Victim(0, 1, int(3.0135 * WETH), 0)) is None


def test_the_interior_optimum_of_a_swap_of_ten():
    best = sandwich(POOL, Victim(0, 1, 10 * WETH, 0))
    assert best is not None
    assert best.paid / WETH == pytest.approx(2330, abs=0.5)


SMALL = 1e-7
"""What prices move by, so that nothing but squares counts."""


class Endless(ProductHop):
    """A pair that takes more than its contract has room for."""

    def out(self, amount: int) -> int:
        return product.amount_out(amount, self._held, self._given, self._fee)

    def needed(self, amount: int) -> int | None:
        return product.needed(amount, self._held, self._given, self._fee)


def taken_by(moved: float, fee: float = 0.0) -> float:
    """What is earned of a pool, in parts of its worth, where the market's price has moved."""
    deep, held, of = 10**45, 10**34, 10**18
    # A market whose own price does not give way.
    market = ProductPool(int(deep * (1 + abs(moved))), deep, Fee(1, 1))
    pool = ProductPool(held, held, Fee(of - int(fee * of), of))
    side = 0 if moved > 0 else 1
    if moved < 0:
        market = ProductPool(market.reserve1, market.reserve0, Fee(1, 1))
    sized = size([Endless(pool, side), Endless(market, 1 - side)])
    return sized.profit / (2 * held) if sized else 0.0


def test_what_a_pool_loses_to_a_price_that_moves():
    """LVR of a constant product pool without a fee: sigma**2 / 8 of its worth."""
    daily = 0.05
    a_move = (taken_by(SMALL) + taken_by(-SMALL)) / 2
    moves = (daily / SMALL) ** 2
    assert a_move * moves * 1e4 == pytest.approx(3.125, abs=1e-6)


FEE, SPREAD = 5.0, 500 / sqrt(7200)
"""In basis points: what a pool takes on either side, and the price's standard deviation in the
time between two blocks."""


@pytest.mark.parametrize("over", [0.1, 1, 3])
def test_beyond_the_fee_what_is_earned_grows_with_the_square(over):
    fee = SMALL
    assert taken_by(fee * 0.999, fee) == 0
    # The fee is taken of what is paid: a price moves out of its reach a little later.
    edge = fee / (1 - fee)
    for way in (1, -1):
        earned = taken_by(way * (edge + over * SMALL), fee)
        assert earned == pytest.approx((over * SMALL) ** 2 / 8, rel=1e-6)


def test_what_is_left_of_the_loss_with_a_fee_and_blocks_at_random():
    """Between blocks that come at random a price moves by Laplace's law, and what it exceeds the
    fee by is exponential: so the share that is left is that of the blocks with a trade."""
    scale = SPREAD / sqrt(2)
    # After its block the price is anywhere within the fee alike, or at one end of it.
    inside = 1 / (2 * (FEE + scale))
    ends = inside * scale
    assert 2 * FEE * inside + 2 * ends == pytest.approx(1)
    for at in (-0.9 * FEE, 0.0, 0.4 * FEE):
        near, far = (exp(-(FEE - way * at) / scale) / 2 for way in (1, -1))
        again = inside * (1 - near - far) + ends / scale * (near + far)
        assert again == pytest.approx(inside)
    trades = 2 * inside * scale
    assert trades * 2 * scale**2 / SPREAD**2 == pytest.approx(0.454545, abs=1e-6)
    assert trades == pytest.approx(1 / (1 + sqrt(2) * FEE / SPREAD))


def legendre(count: int) -> list[tuple[float, float]]:
    """Places between -1 and 1, and weights, to integrate by (Gauss)."""
    found = []
    for number in range(count):
        at = cos(pi * (number + 0.75) / (count + 0.5))
        for _ in range(20):
            before, here = 1.0, at
            for n in range(2, count + 1):
                before, here = here, ((2 * n - 1) * at * here - (n - 1) * before) / n
            slope = count * (at * here - before) / (at * at - 1)
            at -= here / slope
        found.append((at, 2 / ((1 - at * at) * slope * slope)))
    return found


def test_what_is_left_of_the_loss_with_a_fee_and_blocks_at_fixed_times():
    """The figure is an approximation; the law of the price after a block, solved for, is near."""
    figure = 1 / (1 + 0.8582 * 2 * FEE / SPREAD)
    assert figure == pytest.approx(0.407098, abs=1e-6)

    def density(moved: float) -> float:
        return exp(-((moved / SPREAD) ** 2) / 2) / (SPREAD * sqrt(2 * pi))

    def beyond(at: float) -> float:
        """The expected square of what a price from here exceeds the fee by."""
        total = 0.0
        for away in ((FEE - at) / SPREAD, (FEE + at) / SPREAD):
            tail = erfc(away / sqrt(2)) / 2
            total += (1 + away**2) * tail - away * exp(-(away**2) / 2) / sqrt(2 * pi)
        return total * SPREAD**2

    nodes = [(FEE * at, FEE * weight) for at, weight in legendre(24)]
    # Densities inside, for a weight of one at each end.
    rows = [
        [(1.0 if at == to else 0.0) - weight * density(to - at) for at, weight in nodes]
        for to, _ in nodes
    ]
    inside = solved(rows, [density(to - FEE) + density(to + FEE) for to, _ in nodes])
    whole = 2 + sum(one * weight for one, (_, weight) in zip(inside, nodes, strict=True))
    earned = 2 * beyond(FEE) + sum(
        one * weight * beyond(at) for one, (at, weight) in zip(inside, nodes, strict=True)
    )
    assert earned / whole / SPREAD**2 == pytest.approx(figure, rel=1e-3)


def test_paths_of_pairs_are_moebius_over_the_rationals():
    rng = random.Random(8)
    for _ in range(20_000):
        path = [
            (rng.randrange(1, 10**12), rng.randrange(1, 10**12), rng.choice((997, 9975)))
            for _ in range(rng.randrange(1, 6))
        ]
        route = [(a, b, kept, 1000 if kept == 997 else 10_000) for a, b, kept in path]
        k, m, n = compose(route)
        amount = Fraction(rng.randrange(1, 10**12))
        there = amount
        for held, given, kept, of in route:
            there = kept * given * there / (of * held + kept * there)
        assert there == k * amount / (m + n * amount)
