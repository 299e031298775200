"""The reference figures of pools, routes and sandwiches: integers exactly, others to 1e-6.

Sources: the closed forms of Angeris et al., and figures worked out with exact rationals.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import isqrt, sqrt

import pytest

from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.routes.exact import size, through
from trio_mev.chain.routes.hop import Hop, ProductHop
from trio_mev.chain.routes.mobius import compose, optimum
from trio_mev.chain.routes.sandwich import Victim, largest_front, limit_root, play, sandwich

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


def test_what_a_pool_loses_to_a_price_that_moves():
    """LVR of a constant product pool without a fee: sigma**2 / 8 of its worth."""
    daily, steps = 0.05, 2500
    step, deep, held = daily / steps**0.5, 10**45, 10**30
    lost = 0.0
    for up in (True, False):
        move = 1 + step if up else 1 / (1 + step)
        # Against a market whose own price does not give way, one step from the pool's.
        market = ProductPool(int(deep * move), deep, Fee(1, 1))
        pool = ProductPool(held, held, Fee(1, 1))
        side = 0 if up else 1
        sized = size([ProductHop(pool, side), ProductHop(market, 1 - side)])
        assert sized is not None
        lost += sized.profit / (2 * held) / 2
    assert lost * steps * 1e4 == pytest.approx(3.125, rel=2e-3)


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
