"""Pools of concentrated liquidity: swaps over ticks, positions, and what nobody knows."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chain.ticked_pools import crowded, empty
from trio_mev.chain.pools import ticked
from trio_mev.chain.pools.swap import Stop
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, TickMap, tick_map
from trio_mev.chain.pools.ticks import MAX_ROOT, MAX_TICK, MIN_ROOT, MIN_TICK, sqrt_at

SEEDS = st.integers(0, 2**32).map(random.Random)


def test_stops_are_initialised_ticks_and_edges_of_words():
    known = tick_map(10, {-2570: Liquidity(1, 1), 50: Liquidity(1, -1)})
    assert known.words == {-2: 1 << 255, 0: 1 << 5}
    assert known.below(99) == (50, True)
    assert known.below(50) == (50, True)
    assert known.below(49) == (0, False)
    assert known.below(-1) is None
    assert known.below(-2561) == (-2570, True)
    assert known.below(-2571) == (-5120, False)
    assert known.above(49) == (50, True)
    assert known.above(50) == (2550, False)
    assert known.above(2549) == (2550, False)
    assert known.above(2550) is None
    assert known.above(-2571) == (-2570, True)
    assert known.above(-1) == (50, True)


def test_words_that_are_known_to_be_empty_are_stops_too():
    known = tick_map(10, {}, words=(-1, 0))
    assert known.knows(-1)
    assert not known.knows(1)
    assert known.below(-1) == (-2560, False)
    assert known.below(-2561) is None
    everything = tick_map(60, {}, complete=True)
    assert everything.knows(-100)
    assert everything.below(MIN_TICK + 5) == (MIN_TICK, False)
    assert everything.above(MAX_TICK - 5) == (MAX_TICK, False)


def test_a_position_marks_its_ends_and_unmarks_them():
    pool = empty(0).with_liquidity(-60, 120, 1000).with_liquidity(-60, 60, 500)
    assert pool.liquidity == 1500
    assert pool.ticks.ticks == {
        -60: Liquidity(1500, 1500),
        60: Liquidity(500, -500),
        120: Liquidity(1000, -1000),
    }
    assert pool.with_liquidity(-60, 60, 0) == pool
    left = pool.with_liquidity(-60, 60, -500).with_liquidity(-60, 120, -1000)
    assert left.liquidity == 0
    assert left.ticks.ticks == {}
    assert set(left.ticks.words.values()) == {0}


def test_a_position_beside_the_price_is_not_active():
    assert empty(0).with_liquidity(60, 120, 1000).liquidity == 0
    assert empty(0).with_liquidity(-60, 0, 1000).liquidity == 0
    assert empty(0).with_liquidity(0, 60, 1000).liquidity == 1000


@pytest.mark.parametrize(
    "ends", [(60, -60), (60, 60), (-61, 60), (-60, 61), (-60 * 14788, 0), (0, 60 * 14788)]
)
def test_what_is_no_range_is_refused(ends):
    with pytest.raises(ValueError, match="no range"):
        empty(0).with_liquidity(*ends, 1)


def test_more_than_there_is_cannot_be_taken():
    pool = empty(0).with_liquidity(-60, 60, 1000).with_liquidity(-120, -60, 5000)
    with pytest.raises(ValueError, match="more is taken from tick -60"):
        pool.with_liquidity(-60, 60, -7000)
    with pytest.raises(ValueError, match="than is active"):
        TickedPool(pool.root, 0, 10, 3000, pool.ticks).with_liquidity(-60, 60, -1000)


def test_what_happens_in_words_that_are_not_known_is_not_kept():
    known = tick_map(60, {}, words=(0,))
    pool = TickedPool(sqrt_at(0), 0, 0, 3000, known).with_liquidity(-60, 60, 1000)
    assert pool.liquidity == 1000
    assert pool.ticks.ticks == {60: Liquidity(1000, -1000)}
    assert set(pool.ticks.words) == {0}


def test_a_swap_crosses_ticks_and_comes_back_for_less():
    pool = empty(0).with_liquidity(-600, 600, 10**18).with_liquidity(-60, 60, 10**19)
    down = pool.swap(0, 1, 5 * 10**16)
    assert (down.crossed, down.stop) == (1, None)
    assert down.after.liquidity == 10**18
    assert down.after.tick < -60
    back = down.after.swap(1, 0, down.amount_out)
    assert back.crossed == 1
    assert back.amount_out < 5 * 10**16
    assert pool.liquidity == 11 * 10**18


def test_at_a_tick_that_was_crossed_downwards_the_tick_is_one_below():
    pool = empty(0).with_liquidity(-60, 60, 10**18)
    swap = pool.swap_to(True, 10**18, limit=sqrt_at(-60))
    assert swap.stop is Stop.LIMIT
    assert (swap.after.root, swap.after.tick, swap.after.liquidity) == (sqrt_at(-60), -61, 0)
    up = swap.after.swap_to(False, 1000)
    assert (up.after.liquidity, up.crossed) == (10**18, 1)


def test_a_limit_ends_a_swap_within_a_range():
    pool = empty(0).with_liquidity(-60, 60, 10**18)
    swap = pool.swap_to(False, 10**18, limit=sqrt_at(30))
    assert (swap.after.root, swap.after.tick, swap.stop) == (sqrt_at(30), 30, Stop.LIMIT)
    assert swap.amount_in < 10**18


def test_an_empty_pool_is_swapped_through_to_its_end_for_nothing():
    swap = empty(0).swap(0, 1, 10**6)
    assert (swap.amount_in, swap.amount_out, swap.stop) == (0, 0, Stop.LIMIT)
    assert swap.after.root == MIN_ROOT + 1


def test_a_quote_never_leaves_the_ticks_that_are_known():
    pool = empty(0).with_liquidity(-60, 60, 10**18)
    known = tick_map(60, {60: pool.ticks.ticks[60]}, words=(0,))
    pool = TickedPool(pool.root, 0, pool.liquidity, 3000, known)
    assert pool.swap(1, 0, 10**14).stop is None
    swap = pool.swap(0, 1, 10**14)
    assert (swap.stop, swap.amount_in, swap.after.root) == (Stop.UNKNOWN_TICKS, 0, pool.root)
    assert pool.swap(1, 0, 10**30).after.tick == 60 * 255


@pytest.mark.parametrize(
    "swap",
    [
        (True, 0),
        (True, 2**255),
        (True, 1, False, MIN_ROOT),
        (True, 1, False, sqrt_at(0)),
        (False, 1, False, MAX_ROOT),
        (False, 1, False, sqrt_at(0)),
    ],
)
def test_what_the_contract_refuses_changes_nothing(swap):
    pool = empty(0).with_liquidity(-60, 60, 10**18)
    refused = pool.swap_to(*swap)
    assert (refused.stop, refused.after) == (Stop.REVERTS, pool)


def test_a_pool_without_a_price_or_with_nothing_left_after_the_fee_is_refused():
    blank = TickedPool(0, 0, 0, 3000, tick_map(60, {}, complete=True))
    assert blank.swap(0, 1, 5).stop is Stop.REVERTS
    assert blank.swap(1, 0, 5).stop is Stop.REVERTS
    greedy = empty(0, fee=10**6).with_liquidity(-60, 60, 10**18)
    assert greedy.swap(0, 1, 5, exact_out=True).stop is Stop.REVERTS
    swap = greedy.swap(0, 1, 5)
    assert (swap.amount_in, swap.amount_out, swap.stop) == (5, 0, None)


def test_ticks_that_take_more_than_is_active_are_refused():
    known = tick_map(60, {-60: Liquidity(100, 100)}, complete=True)
    swap = TickedPool(sqrt_at(0), 0, 50, 3000, known).swap(0, 1, 10**18)
    assert (swap.stop, swap.steps) == (Stop.REVERTS, 2)


def test_a_swap_has_no_more_steps_than_a_block_has_gas_for(monkeypatch):
    monkeypatch.setattr(ticked, "MOST_STEPS", 3)
    swap = empty(0).swap(0, 1, 10)
    assert swap.stop is Stop.STEPS
    assert swap.steps == 3
    assert swap.after.tick == -60 * 256 * 2 - 1  # the price is at the edge of a word itself
    assert empty(0).swap_to(True, 10, most=2).steps == 2
    assert empty(0).swap_to(True, 10, most=4) == swap


@pytest.mark.parametrize("down", [True, False])
def test_stretches_are_the_steps_of_a_swap_to_the_end(down):
    pool = empty(0).with_liquidity(-600, 600, 10**18).with_liquidity(-60, 60, 10**19)
    steps = list(pool.stretches(down))
    whole = pool.swap_to(down, 10**30)
    last = steps[-1]
    assert (last.paid + last.more, last.got) == (whole.amount_in, whole.amount_out)
    for step in steps[:12]:
        if step.paid:
            swap = pool.swap_to(down, step.paid)
            assert (swap.amount_in, swap.amount_out) == (step.paid, step.got)
    known = TickedPool(pool.root, 0, pool.liquidity, 3000, tick_map(60, {}, words=(0,)))
    assert len(list(known.stretches(down))) == 1


def test_the_protocols_fee_is_of_the_side_that_is_paid():
    pool = empty(0, fee=3000).charging(1000 << 12 | 250)
    assert pool.fee_of(True) == 250 + 3000 - 250 * 3000 // 10**6
    assert pool.fee_of(False) == 1000 + 3000 - 3
    assert empty(0).fee_of(True) == 3000


def test_a_pool_is_moved_to_where_a_swap_left_it():
    pool = empty(0).moved(sqrt_at(77), 77, 5)
    assert (pool.tick, pool.liquidity) == (77, 5)
    assert pool.moved(sqrt_at(-60), -61, 5).tick == -61
    for root, tick in ((sqrt_at(77), 78), (sqrt_at(77), 70), (5, 0), (MIN_ROOT, MIN_TICK - 2)):
        with pytest.raises(ValueError, match="tick"):
            pool.moved(root, tick, 5)


@given(SEEDS, st.integers(1, 10**22), st.booleans())
def test_what_an_exact_output_costs_gives_it(rng, amount, down):
    pool = crowded(rng)
    asked = pool.swap_to(down, amount, exact_out=True)
    if asked.stop is None:
        assert pool.swap_to(down, asked.amount_in).amount_out >= amount


@given(SEEDS, st.integers(1, 10**22), st.booleans())
def test_more_never_gives_less(rng, amount, down):
    pool = crowded(rng)
    more = rng.randrange(amount, 2 * amount + 2)
    assert pool.swap_to(down, amount).amount_out <= pool.swap_to(down, more).amount_out


@given(SEEDS, st.integers(1, 10**22), st.booleans())
def test_less_is_known_never_means_another_amount(rng, amount, down):
    pool = crowded(rng, width=400)
    some = rng.sample(sorted(pool.ticks.words), k=len(pool.ticks.words) // 2 + 1)
    ticks = {t: one for t, one in pool.ticks.ticks.items() if t // 60 >> 8 in some}
    partly = TickedPool(pool.root, pool.tick, pool.liquidity, 3000, tick_map(60, ticks, some))
    swap, whole = partly.swap_to(down, amount), pool.swap_to(down, amount)
    if swap.stop is None:
        assert (swap.amount_out, swap.after.root) == (whole.amount_out, whole.after.root)
    else:
        assert swap.amount_in <= whole.amount_in


def test_a_map_is_the_same_whichever_way_it_was_made():
    built = empty(0).with_liquidity(-60, 120, 7).ticks
    assert built == TickMap(60, dict(built.words), dict(built.ticks), complete=True)
    assert tick_map(60, built.ticks, complete=True).words == built.words


def test_amounts_of_v4_fit_128_bits_with_a_sign():
    wide = empty(600_000).with_liquidity(-600_000, 660_000, 10**34)
    narrow = msgspec.structs.replace(wide, narrow=True)
    assert wide.swap(0, 1, 2**127 - 1, exact_out=True).stop is None
    assert narrow.swap(0, 1, 2**127 - 1, exact_out=True).stop is None
    assert wide.swap(0, 1, 2**127, exact_out=True).stop is None
    assert narrow.swap(0, 1, 2**127, exact_out=True).stop is Stop.REVERTS
    # What is paid is negative there, and so may be one more.
    other = msgspec.structs.replace(narrow, fee=0)
    assert other.swap(1, 0, 2**127).stop is None
    assert other.swap(1, 0, 2**127 + 1).stop is Stop.REVERTS
    # Only what is taken in the end counts.
    assert narrow.moved(sqrt_at(-600_000) + 1, -600_000, 10**34).swap(0, 1, 2**200).stop
    for same in (narrow.moved(narrow.root, narrow.tick, 5), narrow.charging(7)):
        assert same.narrow
