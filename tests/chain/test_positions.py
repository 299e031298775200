"""Positions: what they take and give, and what swaps pay them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools.positions import (
    Q128,
    amounts_of,
    growth_inside,
    liquidity_for,
    most_at_a_tick,
    owed,
)
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.ticks import MIN_TICK, sqrt_at

SEEDS = st.integers(0, 2**32).map(random.Random)
AMOUNTS = st.integers(0, 10**30)
Positions = list[tuple[int, int, int]]


def settled(rng: random.Random, count: int = 6) -> tuple[TickedPool, Positions]:
    """A pool, and the positions that all of its liquidity is of."""
    pool = empty(rng.randrange(-2000, 2000))
    found = []
    for _ in range(count):
        low = pool.tick // 60 + rng.randrange(-30, 10)
        one = low * 60, (low + rng.randrange(1, 30)) * 60, int(10 ** rng.uniform(6, 20))
        pool = pool.with_liquidity(*one)
        found.append(one)
    return pool, found


def test_amounts_are_enough_for_the_lesser_of_what_each_gives():
    root = sqrt_at(0)
    one = liquidity_for(root, -60, 60, 10**18, 10**30)
    assert one == liquidity_for(root, 0, 60, 10**18, 0)
    other = liquidity_for(root, -60, 60, 10**30, 10**18)
    assert other == liquidity_for(root, -60, 0, 0, 10**18)
    assert abs(one - other) <= 1
    assert liquidity_for(root, -60, 60, 10**18, 10**17) < other


def test_beside_the_price_one_token_is_wanted():
    pool = empty(0)
    assert amounts_of(pool, 60, 120, 10**18, True)[1] == 0
    assert amounts_of(pool, -120, -60, 10**18, True)[0] == 0
    assert all(amounts_of(pool, -60, 60, 10**18, True))


def test_at_a_tick_that_was_crossed_downwards_the_contracts_tick_decides():
    """The price is that of the tick itself: nothing of token 1 is left, but for rounding."""
    pool = empty(0).with_liquidity(-60, 60, 10**18).swap_to(True, 10**18, limit=sqrt_at(-60)).after
    assert isinstance(pool, TickedPool)
    assert (pool.root, pool.tick) == (sqrt_at(-60), -61)
    assert amounts_of(pool, -60, 60, 10**18, False)[1] == 0


@pytest.mark.parametrize("desired", [(2**255, 1), (1, 2**255)])
def test_more_than_128_bits_are_refused_even_where_less_is_taken(desired):
    with pytest.raises(ValueError, match="128 bits"):
        liquidity_for(sqrt_at(0), -60, 60, *desired)


def test_there_must_be_such_ticks():
    with pytest.raises(ValueError, match="no tick"):
        liquidity_for(sqrt_at(0), MIN_TICK - 1, 60, 1, 1)


@pytest.mark.parametrize(
    ("spacing", "most"),
    [
        # Of the tests that UniswapV3's contracts come with.
        (10, 1917569901783203986719870431555990),
        (60, 11505743598341114571880798222544994),
        (200, 38350317471085141830651933667504588),
    ],
)
def test_a_tick_has_room_for_so_much(spacing, most):
    assert most_at_a_tick(spacing) == most


@given(SEEDS, AMOUNTS, AMOUNTS)
def test_no_more_is_taken_than_was_given_and_no_more_comes_back(rng, desired0, desired1):
    pool, _ = settled(rng)
    low = pool.tick // 60 + rng.randrange(-20, 20)
    ends = low * 60, (low + rng.randrange(1, 20)) * 60
    liquidity = liquidity_for(pool.root, *ends, desired0, desired1)
    taken = amounts_of(pool, *ends, liquidity, True)
    back = amounts_of(pool, *ends, liquidity, False)
    assert taken[0] <= desired0
    assert taken[1] <= desired1
    assert all(0 <= one - two <= 1 for one, two in zip(taken, back, strict=True))


@given(SEEDS, st.integers(1, 10**21), st.booleans(), st.booleans())
def test_positions_are_paid_the_fees_and_nothing_else(rng, amount, down, exact_out):
    """What the pool gets is what all positions hold more of afterwards, and their fees."""
    pool, positions = settled(rng)
    swap = pool.swap_to(down, amount, exact_out)
    assume(swap.stop is None)
    after = swap.after
    assert isinstance(after, TickedPool)
    side = 0 if down else 1
    fees = more = 0
    for lower, upper, liquidity in positions:
        growth = growth_inside(pool, after, down, swap.amount_in, lower, upper)
        fees += owed(growth, liquidity)
        before = amounts_of(pool, lower, upper, liquidity, False)[side]
        more += amounts_of(after, lower, upper, liquidity, False)[side] - before
    slack = 4 * len(positions) + 4 * swap.crossed + 4
    assert abs(swap.amount_in - more - fees) <= slack
    assert fees >= swap.amount_in * 3 // 1000 - slack


@example(random.Random(1195), 3177979, True)
@given(SEEDS, st.integers(1, 10**21), st.booleans())
def test_a_range_is_paid_what_its_parts_are(rng, amount, down):
    pool, positions = settled(rng)
    swap = pool.swap_to(down, amount)
    assume(swap.stop is None)
    ends = sorted({tick for lower, upper, _ in positions for tick in (lower, upper)})

    def growth(lower: int, upper: int, of: TickedPool = pool) -> int:
        return growth_inside(of, swap.after, down, swap.amount_in, lower, upper)

    parts = [growth(one, two) for one, two in pairwise(ends)]
    assert sum(parts) == growth(ends[0], ends[-1])
    # A part for the protocol is rounded down, at each step, and so is what is left of it.
    shared = growth(ends[0], ends[-1], replace(pool, shares=5 if down else 5 << 4))
    rest = sum(parts) * 4 // 5
    assert rest - swap.steps <= shared <= rest + (swap.crossed + 2 << 128)
    assert growth(ends[0], ends[-1], replace(pool, shares=5 << 4 if down else 5)) == sum(parts)


def test_a_swap_that_ends_at_a_tick_leaves_the_rest_as_a_fee():
    """One unit more than it takes to the end of a range: nothing but a fee for who is next."""
    pool = empty(0).with_liquidity(-60, 60, 10**18).with_liquidity(-120, -60, 10**18)
    whole = pool.swap_to(True, 10**18, limit=sqrt_at(-60)).amount_in
    swap = pool.swap_to(True, whole + 1)
    assert isinstance(swap.after, TickedPool)
    assert (swap.after.root, swap.amount_in) == (sqrt_at(-60), whole + 1)
    assert growth_inside(pool, swap.after, True, whole + 1, -120, -60) == (1 << 128) // 10**18


def test_through_an_empty_stretch_nobody_is_paid():
    pool = empty(0).with_liquidity(-60, 60, 10**18).with_liquidity(-180, -120, 10**18)
    swap = pool.swap_to(True, 5 * 10**15)
    assert swap.crossed == 2
    assert growth_inside(pool, swap.after, True, swap.amount_in, -120, -60) == 0


def test_where_all_is_fee_a_step_that_moves_nothing_takes_nothing():
    pool = empty(0, fee=10**6).with_liquidity(0, 60, 10**18)
    swap = pool.swap_to(True, 5)
    assert isinstance(swap.after, TickedPool)
    assert growth_inside(pool, swap.after, True, 5, 0, 60) == 0


def test_what_is_owed_wraps_at_128_bits_as_the_contract_lets_it():
    assert owed(Q128, 7) == 7
    assert owed(Q128 - 1, 1) == 0
    assert owed(Q128 * Q128 - 1, Q128 - 1) == Q128 - 1
