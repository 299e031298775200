"""The most that a sandwich takes: the limit, the best payment, and none where none pays."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chain.ticked_pools import crowded, empty
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.stable import THREE, StablePool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.routes import ranges
from trio_mev.chain.routes.exposure import expose, is_safe
from trio_mev.chain.routes.front import largest_front, limit_root
from trio_mev.chain.routes.sandwich import sandwich
from trio_mev.chain.routes.victim import Victim, play

SEEDS = st.integers(0, 2**32).map(random.Random)
WETH, USDC = 10**18, 10**6
POOL = ProductPool(1000 * WETH, 2_000_000 * USDC)


def random_victim(rng: random.Random, pool: ProductPool) -> Victim:
    """A swap of either kind, with a limit somewhere."""
    token_in, out = rng.randrange(2), rng.random() < 0.4
    held, given_ = (pool.reserve0, pool.reserve1)[:: -1 if token_in else 1]
    places = token_in, 1 - token_in
    amount = rng.randrange(1, max(2, given_ // 2)) if out else rng.randrange(1, held)
    done = pool.swap(*places, amount, out)
    limit = done.amount_in * rng.uniform(1, 2) if out else done.amount_out * rng.uniform(0, 1)
    return Victim(*places, amount, int(limit), out)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_no_payment_of_all_leaves_more(rng):
    fee = rng.choice((Fee(997, 1000), Fee(9975, 10_000), Fee(1, 1)))
    pool = ProductPool(*(int(10 ** rng.uniform(2, 3.6)) for _ in range(2)), fee)
    victim = random_victim(rng, pool)
    borne, best = 0, 0
    for paid in range(1, 12_000):
        front = pool.swap(victim.token_in, victim.token_out, paid)
        if front.stop is None:
            if victim.accepts(front.after) is None:
                break
            borne = paid
            played = play(pool, victim, paid)
            best = max(best, played.profit if played else 0)
    else:
        borne = max(borne, largest_front(pool, victim))
    assert largest_front(pool, victim) == borne
    found = sandwich(pool, victim)
    assert best <= (found.profit if found else 0)
    assert found is None or found.bound == found.profit


def test_an_exact_output_leaves_as_much_open():
    victim = Victim(0, 1, 20_000 * USDC, 11 * WETH, exact_out=True)
    paid = largest_front(POOL, victim)
    assert abs(limit_root(POOL, victim) - paid) < 10**10
    found = sandwich(POOL, victim)
    assert found is not None
    assert found.victim_out == 20_000 * USDC
    assert 0.999 * 11 * WETH < found.victim_in <= 11 * WETH
    assert found.profit == found.bound
    assert found.profit > 0


def test_the_root_itself_is_too_much_where_the_router_asks_for_a_unit_more():
    pool, victim = ProductPool(1000, 1000, Fee(1, 1)), Victim(0, 1, 100, 500, exact_out=True)
    assert limit_root(pool, victim) == 1000
    assert largest_front(pool, victim) == 999
    assert victim.accepts(pool.swap(0, 1, 999).after) is not None
    assert victim.accepts(pool.swap(0, 1, 1000).after) is None


def test_a_swap_that_pays_the_coarser_token_is_sandwiched_in_its_units():
    given_ = POOL.swap(1, 0, 20_000 * USDC).amount_out
    victim = Victim(1, 0, 20_000 * USDC, given_ * 99 // 100)
    paid = largest_front(POOL, victim)
    found = sandwich(POOL, victim)
    assert found is not None
    assert found.profit == found.bound
    near = [play(POOL, victim, paid - step) for step in range(2000)]
    assert found.profit == max(one.profit for one in near if one is not None)


def test_a_swap_without_a_limit_is_sandwiched_up_to_the_best_payment():
    found = sandwich(POOL, Victim(0, 1, 10 * WETH, 0))
    assert found is not None
    assert 2329 * WETH < found.paid < 2331 * WETH
    beside = [play(POOL, Victim(0, 1, 10 * WETH, 0), found.paid + d * WETH) for d in (-5, 5)]
    assert all(one is not None and one.profit < found.profit for one in beside)


@pytest.mark.parametrize(
    ("amount", "at_least", "at_most"),
    [(3.0135, 0, 0), (3.015, 6.96e-7, 6.98e-7), (3.02, 1.374e-5, 1.375e-5)],
)
def test_small_swaps_leave_nothing_open(amount, at_least, at_most):
    found = sandwich(POOL, Victim(0, 1, int(amount * WETH), 0))
    assert at_least <= (found.profit / WETH if found else 0) <= at_most


def test_a_swap_that_would_revert_anyway_is_not_sandwiched():
    for victim in (
        Victim(0, 1, 10 * WETH, 2_000_000 * USDC),
        Victim(0, 1, 0, 0),
        Victim(0, 1, 3_000_000 * USDC, 10**30, exact_out=True),
        Victim(0, 1, 10_000 * USDC, 5, exact_out=True),
    ):
        assert largest_front(POOL, victim) == 0
        assert sandwich(POOL, victim) is None


def test_what_cannot_be_played_is_not():
    victim = Victim(0, 1, 10 * WETH, 0)
    assert play(POOL, victim, 0) is None
    assert play(POOL, Victim(0, 1, 10 * WETH, 10**12), WETH) is None
    assert play(ProductPool(1000, 10**6), Victim(0, 1, 1, 0), 1) is None  # it sells for nothing


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_a_sandwich_through_ranges_is_about_the_best_of_a_grid(rng):
    pool = crowded(rng, magnitude=(18, 20))
    amount = int(10 ** rng.uniform(16, 18))
    done = pool.swap(0, 1, amount)
    if done.stop is not None:
        return
    victim = Victim(0, 1, amount, int(done.amount_out * rng.uniform(0.9, 0.999)))
    last = largest_front(pool, victim)
    found = sandwich(pool, victim)
    assert play(pool, victim, last + 1) is None
    grid = [play(pool, victim, last * n // 200) for n in range(1, 201)]
    best = max((one.profit for one in grid if one is not None), default=0)
    assert best <= (found.profit if found else 0)
    # What is rounded at each range: of two thousand pools 13 at most.
    assert found is None or found.bound is None or found.bound <= found.profit + 40
    assert found is None or found.victim_out >= victim.limit


def small_ranges(rng: random.Random) -> tuple[TickedPool, Victim] | None:
    """A swap in a pool of which every payment before it can be tried."""
    spacing, fee = rng.choice(((1, 100), (10, 500), (60, 3000)))
    pool = crowded(rng, rng.choice((1, 3, 8)), spacing, fee, (3, 5), rng.choice((20, 200)))
    side, out = rng.randrange(2), rng.random() < 0.4
    amount = int(10 ** rng.uniform(2.3, 3.6))
    done = pool.swap(side, 1 - side, amount, out)
    if done.stop is not None or not done.amount_out:
        return None
    limit = done.amount_in * rng.uniform(1, 1.5) if out else done.amount_out * rng.uniform(0.5, 1)
    return pool, Victim(side, 1 - side, amount, int(limit), out)


def test_no_payment_of_all_leaves_more_in_ranges():
    paid, proven = 0, 0
    for seed in range(200, 275):
        small = small_ranges(random.Random(seed))
        if small is None or not 0 < (last := largest_front(*small)) < 3000:
            continue
        every = [play(*small, one) for one in range(1, last + 1)]
        best = max((one.profit for one in every if one is not None), default=0)
        found = sandwich(*small)
        assert (found.profit if found else 0) == max(best, 0)
        paid += found is not None
        proven += found is not None and found.bound == found.profit
    assert paid > 8
    assert proven > 3


def test_where_no_more_is_looked_for_than_is_enough():
    pool = crowded(random.Random(1), magnitude=(18, 20))
    for place in (pool, POOL):
        amount = 10**18 if place is pool else 10 * WETH
        given_ = place.swap(0, 1, amount).amount_out
        victim = Victim(0, 1, amount, given_ * 95 // 100)
        best = sandwich(place, victim)
        assert best is not None
        assert sandwich(place, victim, least=best.profit + 1) is None
        some = sandwich(place, victim, least=best.profit // 2, enough=best.profit // 2)
        assert some is not None
        assert some.profit >= best.profit // 2
        assert some.bound is None or some.bound >= best.profit


def test_a_few_payments_find_what_is_nearly_the_best():
    pool = crowded(random.Random(1), magnitude=(18, 20))
    victim = Victim(0, 1, 10**18, pool.swap(0, 1, 10**18).amount_out * 95 // 100)
    best, few = sandwich(pool, victim), sandwich(pool, victim, 1)
    assert best is not None
    assert few is not None
    assert few.profit >= best.profit - 2


def test_a_pool_of_one_range_is_sandwiched_like_a_pair():
    pool = empty(0).with_liquidity(-887220, 887220, 10**21)
    victim = Victim(0, 1, 10**19, pool.swap(0, 1, 10**19).amount_out * 99 // 100)
    pair = ProductPool(10**21, 10**21)
    found, as_pair = sandwich(pool, victim), sandwich(pair, victim)
    assert found is not None
    assert as_pair is not None
    assert found.profit == pytest.approx(as_pair.profit, rel=0.05)


@pytest.mark.parametrize(
    "pool",
    [
        WeightedPool((10**24, 10**24), (ONE // 2, ONE // 2), (1, 1), 3 * 10**15),
        StablePool((10**22, 10**22), (10**18, 10**18), 1, 10**6, 0, THREE),
    ],
)
def test_pools_of_other_kinds_are_searched_too(pool):
    victim = Victim(0, 1, 10**22, pool.swap(0, 1, 10**22).amount_out * 98 // 100)
    found = sandwich(pool, victim)
    assert found is not None
    assert found.profit > 0
    tight = Victim(0, 1, 10**22, pool.swap(0, 1, 10**22).amount_out)
    assert sandwich(pool, tight) is None


def test_without_a_limit_ranges_are_searched_as_far_as_the_price_is_looked_at():
    pool = empty(0).with_liquidity(-887220, 887220, 10**21)
    victim, pair = Victim(0, 1, 10**19, 0), ProductPool(10**21, 10**21)
    found, as_pair = sandwich(pool, victim), sandwich(pair, victim)
    assert found is not None
    assert as_pair is not None
    assert found.bound == found.profit
    assert as_pair.profit / 2 < found.profit < as_pair.profit
    beside = [play(pool, victim, found.paid + d * 10**18) for d in (-5, 5)]
    assert all(one is not None and one.profit < found.profit for one in beside)


def test_more_ranges_than_are_gone_through_prove_nothing(monkeypatch):
    pool = crowded(random.Random(1), magnitude=(18, 20))
    victim = Victim(0, 1, 10**18, pool.swap(0, 1, 10**18).amount_out * 9 // 10)
    every = sandwich(pool, victim)
    monkeypatch.setattr(ranges, "MOST_RANGES", 1)
    some = sandwich(pool, victim)
    assert every is not None
    assert some is not None
    assert some.bound is None
    assert some.profit <= every.profit


@pytest.mark.parametrize("out", [False, True])
@pytest.mark.parametrize("side", [0, 1])
def test_beyond_what_a_pool_has_nothing_is_left(side, out):
    pool = crowded(random.Random(1), magnitude=(5, 6))
    far = ranges.Ranges(pool, Victim(side, 1 - side, 1000, 2000 if out else 0, out))
    assert far._leaves(10**40) <= 0
    assert not far._concave(10**40)


def test_what_bears_one_unit_only_bears_one_unit():
    pool, victim = ProductPool(34, 180, Fee(1, 1)), Victim(0, 1, 34, 9, exact_out=True)
    assert limit_root(pool, victim) == 2
    assert largest_front(pool, victim) == 1


def test_a_pool_of_another_kind_is_not_plainly_safe():
    pool = WeightedPool((10**24, 10**24), (ONE // 2, ONE // 2), (1, 1), 3 * 10**15)
    given_ = pool.swap(0, 1, 10**22).amount_out
    found = expose(pool, Victim(0, 1, 10**22, given_ * 98 // 100))
    assert found is not None
    assert found.attacked >= given_ * 98 // 100
    assert found.prevents is not None
    kept = Victim(0, 1, 10**22, found.prevents)
    assert expose(pool, kept) is None


def test_where_a_smaller_payment_gives_less_the_limit_that_prevents_is_looked_for_below():
    small = small_ranges(random.Random(219))
    assert small is not None
    pool, victim = small
    found = expose(pool, victim, 10)
    assert found is not None
    assert found.prevents is not None
    replaced = msgspec.structs.replace
    assert expose(pool, replaced(victim, limit=found.prevents), 10) is None
    assert expose(pool, replaced(victim, limit=found.prevents - 1), 10) is not None


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("amount", "safe"), [(3.0135, True), (3.0136, False)])
def test_a_swap_that_moves_a_pairs_price_by_less_than_both_fees_is_plainly_safe(
    place, amount, safe
):
    """Whatever its limit, and on whichever side it pays."""
    pool = POOL if place == 0 else ProductPool(POOL.reserve1, POOL.reserve0)
    victim = Victim(place, 1 - place, int(amount * WETH), 0)
    assert is_safe(pool, victim, victim.asks(pool), 1) is safe


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("pool", [POOL, empty(76_000).with_liquidity(-887220, 887220, 10**21)])
def test_what_a_swap_can_lose_bounds_what_is_made_of_it(pool, side):
    """Its limit's distance, at the price that it leaves."""
    amount = 10 * WETH if side == 0 else 20_000 * USDC
    if isinstance(pool, TickedPool):
        amount = 10**18 * (1 if side == 0 else 2000)
    alone = pool.swap(side, 1 - side, amount)
    near = Victim(side, 1 - side, amount, alone.amount_out - 1000)
    after = alone.after.swap(1 - side, side, 1000).amount_out
    assert is_safe(pool, near, alone, 2 * after + 1000)
    assert not is_safe(pool, near, alone, after // 2)


def test_an_exact_output_bounds_it_by_what_it_would_pay_more():
    alone = POOL.swap(0, 1, 20_000 * USDC, True)
    victim = Victim(0, 1, 20_000 * USDC, alone.amount_in + 500, exact_out=True)
    assert is_safe(POOL, victim, alone, 503)
    assert not is_safe(POOL, victim, alone, 502)


def test_where_it_is_plainly_safe_a_search_finds_nothing():
    """Of swaps whose limits leave about as much open as a sandwich must pay."""
    counts = {True: 0, False: 0}
    for seed in range(600):
        rng = random.Random(seed)
        small = small_ranges(rng) if seed % 2 else None
        if small is None:
            pair = ProductPool(*(int(10 ** rng.uniform(2, 5)) for _ in range(2)))
            small = pair, random_victim(rng, pair)
        pool, victim = small
        alone, least = victim.asks(pool), int(10 ** rng.uniform(0, 3))
        if victim.accepts(pool) is None:
            continue
        safe = is_safe(pool, victim, alone, least)
        counts[safe] += 1
        assert not safe or sandwich(pool, victim, least=least) is None
    assert min(counts.values()) > 100


def test_the_worst_is_told_beside_the_best_front_run():
    """With a limit far below, the one that pays best is not the one that costs most."""
    for out, limit in ((False, 10**6), (True, 10**21)):
        victim = Victim(0, 1, 20_000 * USDC if out else 10 * WETH, limit, exact_out=out)
        found = expose(POOL, victim)
        assert found is not None

        def after(paid: int, victim: Victim = victim) -> int:
            done = victim.asks(POOL.swap(0, 1, paid).after)
            return done.amount_in if victim.exact_out else done.amount_out

        alone = victim.asks(POOL)
        assert found.alone == (alone.amount_in if out else alone.amount_out)
        assert found.attacked == after(found.best.paid)
        assert found.worst == after(largest_front(POOL, victim))
        worse = found.worst > found.attacked if out else found.worst < found.attacked
        assert worse
    without = expose(POOL, Victim(0, 1, 10 * WETH, 0))
    assert without is not None
    assert without.worst == without.attacked


def test_where_even_the_best_limit_leaves_something_open_none_prevents_it():
    """What is rounded away of a few coarse units is more than a sandwich must pay."""
    pool = ProductPool(73, 553, Fee(1, 1))
    found = expose(pool, Victim(1, 0, 27, 1))
    assert found is not None
    assert (found.alone, found.prevents) == (3, None)
    assert expose(pool, Victim(1, 0, 27, 3)) is not None
