"""Routes: the closed form, the walk through ranges, and that no integer input pays more."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chain.ticked_pools import crowded, empty
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.product import LARGEST, ProductPool
from trio_mev.chain.pools.stable import THREE, StablePool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.chain.pools.ticks import sqrt_at
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.routes import curve as curves
from trio_mev.chain.routes.curve import SHIFT, Curve, Piece, ticked_pieces
from trio_mev.chain.routes.exact import Sized, bound, size, through
from trio_mev.chain.routes.hop import AskedHop, Hop, ProductHop, TickedHop, hop_of
from trio_mev.chain.routes.mobius import compose, optimum
from trio_mev.chain.routes.outward import outward
from trio_mev.chain.routes.rough import roughly
from trio_mev.chain.routes.walk import walk

SEEDS = st.integers(0, 2**32).map(random.Random)


def random_hops(rng: random.Random, hops: int, low: float = 2, high: float = 4.3) -> list[Hop]:
    """Small pairs, so that every input can be tried."""
    sizes = [
        (int(10 ** rng.uniform(low, high)), int(10 ** rng.uniform(low, high))) for _ in range(hops)
    ]
    return [ProductHop(ProductPool(*one), rng.randrange(2)) for one in sizes]


def small_ticked(rng: random.Random) -> Hop:
    """A pool of concentrated liquidity with so little that every input can be tried."""
    pool = crowded(rng, positions=5, magnitude=(2.5, 4.5), width=30)
    return TickedHop(pool, rng.randrange(2))


def best_of_all(hops: list[Hop], last: int) -> int:
    """The best profit of every input up to the last one."""
    return max(through(hops, amount)[-1] - amount for amount in range(last + 1))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_no_input_of_all_pays_more_in_pairs(rng, hops):
    route = random_hops(rng, hops)
    sized = size(route)
    paid = sized.profit if sized else 0
    assert best_of_all(route, 20_000) <= paid
    assert sized is None or sized.exact


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_no_input_of_all_pays_more_through_ranges(rng, hops):
    route = random_hops(rng, hops)
    route[rng.randrange(hops)] = small_ticked(rng)
    if rng.random() < 0.5:
        route[rng.randrange(hops)] = small_ticked(rng)
    sized = size(route)
    paid = sized.profit if sized else 0
    assert best_of_all(route, 1_000) <= paid
    assert sized is None or sized.exact


def profitable(rng: random.Random, hops: int, decimals: tuple[int, int, int, int]) -> list[Hop]:
    """A cycle of real sizes that pays, through tokens of these decimals, one pool of ranges."""
    units = [10**one for one in decimals[:hops]]
    worth = [10 ** rng.uniform(0, 4) for _ in units]
    route: list[Hop] = []
    for place in range(hops):
        following = (place + 1) % hops
        dollars = 10 ** rng.uniform(5, 7.5)
        held = int(dollars / worth[place] * units[place])
        better = 1 + (rng.uniform(0.02, 0.05) if place == 0 else 0)
        given_ = int(dollars / worth[following] * units[following] * better)
        route.append(ProductHop(ProductPool(held, given_), 0))
    if hops > 2:
        route[1] = ranged(rng, route[1])
    return route


def ranged(rng: random.Random, hop: ProductHop) -> Hop:
    """About the same price and depth, in a few ranges."""
    held, given_ = hop._held, hop._given
    root = int((given_ / held) ** 0.5 * 2**96)
    pool = empty(root=root)
    liquidity = int((held * given_) ** 0.5)
    for _ in range(4):
        ends = [(pool.tick // 60 + step * rng.randrange(1, 60)) * 60 for step in (-1, 1)]
        pool = pool.with_liquidity(*ends, int(liquidity * rng.uniform(0.5, 3)))
    return TickedHop(pool, 0)


def fine_search(route: list[Hop], sized: Sized, rng: random.Random) -> int:
    """The best profit of inputs near and far from a route's."""
    found, least = 0, sized.amounts[0]
    tried = [least + step for step in range(-300, 300)]
    tried += [int(least * (1 + rng.gauss(0, 10 ** rng.uniform(-12, -1)))) for _ in range(1500)]
    for place in range(1, len(route)):
        # The left edges of plateaus of each token on the way.
        for step in range(-150, 150):
            taken: int | None = sized.amounts[place] + step
            for hop in reversed(route[:place]):
                taken = None if taken is None else hop.needed(taken)
            tried += [] if taken is None else [taken]
    for amount in tried:
        if amount > 0:
            found = max(found, through(route, amount)[-1] - amount)
    return found


@pytest.mark.parametrize("hops", [2, 3, 4])
@pytest.mark.parametrize(
    "decimals", [(18, 6, 8, 18), (6, 18, 18, 8), (18, 18, 18, 18), (8, 6, 18, 6), (18, 2, 0, 6)]
)
def test_no_input_of_a_fine_search_pays_more_in_pools_of_real_size(hops, decimals):
    rng, sizes = random.Random(hops), 0
    for _ in range(6):
        route = profitable(rng, hops, decimals)
        sized = size(route)
        if sized is not None:
            sizes += 1
            assert fine_search(route, sized, rng) <= sized.profit
            assert sized.bound is not None
            assert sized.profit <= sized.bound
            assert sized.amounts == through(route, sized.amounts[0])
    assert sizes > 2


@given(SEEDS, st.integers(2, 4))
def test_a_route_of_pairs_that_cannot_pay_over_the_reals_does_not_in_integers(rng, hops):
    reserves = [(int(10 ** rng.uniform(2, 5)), int(10 ** rng.uniform(2, 5))) for _ in range(hops)]
    k, m, n = compose((*one, 997, 1000) for one in reserves)
    route = [ProductHop(ProductPool(*one), 0) for one in reserves]
    if k <= m:
        assert optimum(k, m, n) == 0
        assert size(route) is None
    assert (sum(hop.log_rate for hop in route) > 0) == (k > m) or abs(k / m - 1) < 1e-9


def test_the_walk_finds_the_closed_forms_optimum():
    route = [ProductPool(2 * 10**12, 10**21), ProductPool(10**21, 21 * 10**11)]
    found = walk([ProductHop(pool, 0).curve for pool in route])
    k, m, n = compose((p.reserve0, p.reserve1, 997, 1000) for p in route)
    assert found is not None
    assert found.amounts[0] >> SHIFT == optimum(k, m, n)


def test_a_walk_ends_where_nobody_knows_what_comes():
    deep = empty(0).with_liquidity(-60000, 60000, 10**22)
    words = {0: deep.ticks.words.get(0, 0), -1: 0}
    known = TickedPool(deep.root, 0, deep.liquidity, 3000, tick_map(60, {}, words))
    sized = size([TickedHop(known, 0), ProductHop(ProductPool(10**24, 9 * 10**24), 0)])
    assert sized is not None
    assert sized.ended
    assert known.swap(0, 1, sized.amounts[0]).after.tick <= -15_000
    assert known.swap(0, 1, sized.amounts[0]).stop is None


@pytest.mark.parametrize("token_in", [0, 1])
def test_a_walk_goes_through_ranges_behind_other_pools(token_in):
    pool = empty(0)
    for width in (600, 1800, 6000):
        pool = pool.with_liquidity(-width, width, 10**20)
    route = [ProductHop(ProductPool(10**22, 13 * 10**21), 0), TickedHop(pool, token_in)]
    sized = size(route)
    assert sized is not None
    assert sized.exact
    crossed = pool.swap(token_in, 1 - token_in, sized.amounts[1]).crossed
    assert crossed == 2
    assert fine_search(route, sized, random.Random(1)) <= sized.profit


def test_a_gap_without_liquidity_ends_the_walk_where_it_does_not_pay_to_jump():
    pool = empty(0).with_liquidity(-60, 60, 10**20).with_liquidity(-60000, -54000, 10**20)
    route = [TickedHop(pool, 0), ProductHop(ProductPool(10**24, 11 * 10**23), 0)]
    sized = size(route)
    assert sized is not None
    assert pool.swap(0, 1, sized.amounts[0]).after.tick >= -61
    assert not sized.ended


def test_a_gap_is_jumped_where_that_pays():
    pool = empty(0).with_liquidity(-60, 60, 10**20).with_liquidity(-1200, -600, 10**20)
    route = [TickedHop(pool, 0), ProductHop(ProductPool(10**24, 12 * 10**23), 0)]
    sized = size(route)
    assert sized is not None
    assert pool.swap(0, 1, sized.amounts[0]).after.tick < -600


def test_pieces_that_are_left_out_are_told(monkeypatch):
    monkeypatch.setattr(curves, "MOST_PIECES", 2)
    pool = empty(0)
    for step in range(1, 6):
        pool = pool.with_liquidity(-60 * step, 60 * step, 10**18)
    sized = size([TickedHop(pool, 0), ProductHop(ProductPool(10**24, 2 * 10**24), 0)])
    assert sized is not None
    assert sized.cut
    assert sized.ended


def test_a_search_that_gives_up_says_how_much_more_there_might_be():
    pools = [(1000 * 10**18, 2 * 10**12), (2 * 10**12, 40 * 10**8), (40 * 10**8, 1030 * 10**18)]
    route: list[Hop] = [ProductHop(ProductPool(*one), 0) for one in pools]
    short, long = size(route, most=8), size(route)
    assert short is not None
    assert long is not None
    assert long.exact
    assert not short.exact
    assert short.profit < long.profit <= (short.bound or 0)
    assert size(route, most=0) is None


def test_routes_that_pay_nowhere():
    fair: list[Hop] = [ProductHop(ProductPool(10**18, 10**18), 0)] * 2
    assert size(fair) is None
    empty_pair = ProductHop(ProductPool(0, 0), 0)
    assert size([empty_pair, empty_pair]) is None
    assert size([ProductHop(ProductPool(3, 4), 0), ProductHop(ProductPool(4, 4), 0)]) is None


@given(SEEDS, st.integers(1, 10**9))
def test_a_curve_is_never_below_what_the_pool_gives_nor_above_what_it_takes(rng, amount):
    for pool in (crowded(rng, magnitude=(3, 9)), ProductPool(rng.randrange(1, 10**9), 10**6)):
        for token_in in (0, 1):
            hop = hop_of(pool, token_in, 1 - token_in)
            assert hop is not None
            assert hop.curve is not None
            got = hop.out(amount)
            assert got << SHIFT <= hop.curve.gives(amount << SHIFT)
            needed = hop.needed(amount)
            if needed is not None:
                takes = hop.curve.takes(amount << SHIFT)
                assert takes is not None
                assert takes <= needed << SHIFT


@given(SEEDS, st.integers(1, 10**6))
def test_no_input_below_what_is_needed_gives_as_much(rng, amount):
    for pool in (crowded(rng, magnitude=(3, 7)), ProductPool(10**7, rng.randrange(1, 10**9))):
        hop = hop_of(pool, 0, 1)
        assert hop is not None
        least = hop.needed(amount)
        if least is not None:
            assert hop.out(least) >= amount
            assert least == 0 or hop.out(least - 1) < amount


def test_at_a_price_with_few_digits_the_smallest_input_is_far_below_what_the_contract_asks():
    pool = empty(-700_000).with_liquidity(-720_000, -600_000, 10**12)
    hop = TickedHop(pool, 1)
    asked = pool.swap(1, 0, 10**18, exact_out=True)
    least = hop.needed(10**18)
    assert least is not None
    assert hop.out(least) >= 10**18 > hop.out(least - 1)
    assert least <= asked.amount_in


def test_what_cannot_be_reached_is_needed_by_nobody():
    pool = empty(0).with_liquidity(-60, 60, 10**6)
    for hop in (TickedHop(pool, 0), ProductHop(ProductPool(10, 10), 0), asked_hop()):
        assert hop.needed(10**40) is None
        assert hop.needed(0) == 0
    assert ProductHop(ProductPool(0, 10), 0).needed(5) is None
    assert ProductHop(ProductPool(0, 10), 0).out(0) == 0
    assert Curve(ticked_pieces(empty(0), 0)).takes(5) is None
    assert Curve(ticked_pieces(empty(0), 0)).gives(5) == 0
    whole = TickedHop(pool, 0).curve
    assert whole.gives(10**30 << SHIFT) >> SHIFT == pool.swap(0, 1, 10**30).amount_out
    assert whole.takes(10**30 << SHIFT) is None
    assert whole.takes(whole.gives(10**30 << SHIFT) + 2**40) is None
    assert whole.takes(whole.gives(10**30 << SHIFT)) is not None


def test_an_output_between_two_pieces_costs_the_end_of_the_first():
    curve = Curve(iter([Piece(0, 0, 100, 100, 1, 1, 10), Piece(10, 20, 100, 100, 1, 1, None)]))
    assert curve.takes(9) == 9
    assert curve.takes(15) == 10
    assert curve.takes(21) == 11
    assert curve.takes(120) is None


@given(SEEDS, st.integers(1, 10**9))
def test_the_bound_about_an_input_is_closer_and_still_one(rng, amount):
    pool, token_in = crowded(rng, magnitude=(3, 9)), rng.randrange(2)
    hop = TickedHop(pool, token_in)
    near = hop.near(amount)
    if near is not None:
        assert near.first <= amount < near.last
        got = hop.out(amount)
        assert (
            got << SHIFT <= near.gives(amount << SHIFT) <= hop.curve.gives(amount << SHIFT) + 2**33
        )
        taken = near.takes(got << SHIFT)
        assert taken is not None
        assert taken <= amount << SHIFT


def test_about_an_input_that_no_step_takes_nothing_is_closer():
    pool = empty(0).with_liquidity(-60, 60, 10**18)
    hop = TickedHop(pool, 0)
    assert hop.near(10**30) is None
    assert asked_hop().near(5) is None
    near = hop.near(1000)
    assert near is not None
    assert near.takes(10**30 << SHIFT) is None
    assert near.gives(0) == near.piece.start_out
    assert near.gives(10**30 << SHIFT) == near.gives(near.last << SHIFT)


def test_pools_that_take_all_as_a_fee_have_no_rate():
    greedy = empty(0, fee=10**6).with_liquidity(-60, 60, 10**18)
    assert TickedHop(greedy, 0).log_rate == float("-inf")
    assert TickedHop(greedy, 0).curve.piece(0) is None
    blank = TickedPool(0, 0, 0, 3000, tick_map(60, {}, complete=True))
    assert TickedHop(blank, 0).log_rate == float("-inf")


def even(one: int, other: int) -> WeightedPool:
    return WeightedPool((one, other), (ONE // 2, ONE // 2), (1, 1), 3 * 10**15)


def asked_hop() -> AskedHop:
    return AskedHop(even(10**21, 2 * 10**21), 0, 1, 10**14)


def test_pools_without_a_curve_are_sampled():
    weighted, pair = asked_hop(), ProductHop(ProductPool(2 * 10**21, 12 * 10**20), 0)
    assert hop_of(even(1, 1), 0, 1) is None
    sized = size([weighted, pair])
    as_pairs = size([ProductHop(ProductPool(10**21, 2 * 10**21), 0), pair])
    assert sized is not None
    assert as_pairs is not None
    assert (sized.bound, sized.exact) == (None, False)
    assert 0.9999 * as_pairs.profit < sized.profit <= as_pairs.profit
    assert size([weighted, ProductHop(ProductPool(2 * 10**21, 10**21), 0)]) is None
    assert weighted.log_rate == pytest.approx(0.6931 - 0.003, abs=1e-4)
    assert AskedHop(even(10**21, 10), 0, 1, 1).log_rate == float("-inf")


def stable(one: int, other: int) -> StablePool:
    return StablePool((one, other), (10**18, 10**18), 100, 4 * 10**6, 0, THREE)


@pytest.mark.parametrize("amount", [1, 7, 10**9, 10**20])
def test_a_stable_pool_has_no_exact_output_but_a_smallest_input(amount):
    hop = AskedHop(stable(10**21, 2 * 10**21), 0, 1, 10**14)
    least = hop.needed(amount)
    assert least is not None
    assert hop.out(least) >= amount > hop.out(least - 1)
    assert hop.needed(2 * 10**21) is None


def test_routes_through_stable_pools_are_sampled():
    asked, pair = (
        AskedHop(stable(10**24, 2 * 10**24), 0, 1, 10**14),
        ProductHop(ProductPool(10**24, 10**24), 0),
    )
    sized = size([asked, pair])
    assert sized is not None
    assert sized.bound is None
    beside = (through([asked, pair], sized.amounts[0] * part // 1000) for part in (990, 1010))
    assert all(one[-1] - one[0] < sized.profit for one in beside)


def test_a_sampled_route_whose_output_nothing_brings_again_keeps_its_input():
    class Odd(AskedHop):
        def needed(self, amount: int) -> int | None:
            return None

    odd = Odd(even(10**21, 2 * 10**21), 0, 1, 10**14)
    sized = size([odd, ProductHop(ProductPool(2 * 10**21, 12 * 10**20), 0)])
    assert sized is not None


def test_the_search_outwards_starts_from_anywhere_and_stays_below_its_last():
    def ceiling(amount: int) -> int:
        return (100 - abs(amount - 50)) << SHIFT

    def pays(amount: int) -> int:
        return 100 - abs(amount - 50) - (amount % 7)

    for start in (1, 47, 60, 200):
        found = outward(start, ceiling, pays, 1000)
        assert found is not None
        assert found.amount in (49, 50)
        assert (found.pays, found.bound) == (99, 99)
    found = outward(90, ceiling, pays, 1000, last=20)
    assert found is not None
    assert found.amount in (14, 20)
    assert found.pays == 64
    assert outward(5, lambda _: -1, pays, 10) is None
    found = outward(3, lambda _: 10 << SHIFT, lambda amount: 1 if amount == 1 else 0, 64, last=4)
    assert found is not None
    assert found.amount == 1


def test_states_and_hops_fit_their_protocols():
    states: list[PoolState] = [ProductPool(1, 1), even(1, 1), empty(0)]
    assert len(states) == 3
    assert sqrt_at(0) == 2**96


def test_a_hop_gives_what_the_pair_gives_up_to_what_its_contract_has_room_for():
    for pool in (ProductPool(LARGEST - 10**6, 10**9), ProductPool(10**9, 10**9), ProductPool(0, 5)):
        for side in (0, 1):
            hop = ProductHop(pool, side)
            for amount in (-1, 0, 1, 10, 10**6, 10**6 + 1, 10**12, LARGEST - 10**9, LARGEST):
                assert hop.out(amount) == pool.swap(side, 1 - side, amount).amount_out
    full = ProductHop(ProductPool(LARGEST - 10**6, LARGEST), 0)
    most = full.out(10**6)
    assert most - 1 < full.out(full.needed(most)) <= most
    assert full.needed(most + 1) is None


def test_no_route_pays_more_than_is_told_of_it_roughly():
    """Of pairs that differ by much or by next to nothing, of large and of small ones."""
    rng, told = random.Random(7), 0
    for _ in range(400):
        rate, hops = 1.0, []
        for place in range(rng.randrange(2, 5)):
            held = int(10 ** rng.uniform(2, 30))
            given = int(held * 10 ** rng.uniform(-2, 2)) + 1
            if place:
                given = int(held / rate * (1 + 10 ** rng.uniform(-6, 0)) / 0.997**4) + 1
            rate *= given / held
            hops.append(ProductHop(ProductPool(held, given), 0))
        found, most = size(hops, 64), roughly([hop.curve for hop in hops])
        assert most is not None
        assert most == bound(hops)
        if found is not None:
            assert found.profit <= most
            if found.exact and found.profit > 10**9:
                told += 1
                assert most < found.profit * 1.001
    assert told > 20


def test_nor_through_ranges_and_where_a_range_ends_it_is_walked():
    rng, walked = random.Random(7), 0
    for _ in range(120):
        pool = crowded(rng, positions=20, width=2000)
        price = (pool.root / 2**96) ** 2 / (1 + 10 ** rng.uniform(-4, 0))
        other = ProductHop(ProductPool(10**22, int(10**22 * price)), 1)
        hops = [TickedHop(pool, 0), other]
        curves = [hop.curve for hop in hops]
        found, most = size(hops, 64), bound(hops)
        walked += roughly(curves) is None
        assert most is not None
        assert found is None or found.profit <= most
    assert walked > 5


def test_without_a_curve_or_a_reserve_nothing_is_told_roughly():
    pair, empty_one = ProductPool(10**9, 10**9), ProductPool(0, 5)
    assert bound([AskedHop(pair, 0, 1, 1), ProductHop(pair, 1)]) is None
    assert bound([ProductHop(empty_one, 0), ProductHop(pair, 1)]) == 0
    huge = [ProductHop(ProductPool(10**100, 10**100), 0)] * 4
    assert roughly([hop.curve for hop in huge]) is None
