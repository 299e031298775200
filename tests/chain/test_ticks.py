"""Ticks, prices and amounts between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.pools.roots import after_input, after_output, amount0, amount1
from trio_mev.chain.pools.steps import step_in, step_out
from trio_mev.chain.pools.ticks import MAX_ROOT, MAX_TICK, MIN_ROOT, MIN_TICK, Q96, sqrt_at, tick_at

TICKS = st.integers(MIN_TICK, MAX_TICK)
ROOTS = st.integers(MIN_ROOT, MAX_ROOT - 1)
LIQUIDITY = st.integers(1, 2**128 - 1)


def test_the_ends_are_the_contracts_constants():
    assert sqrt_at(MIN_TICK) == MIN_ROOT
    assert sqrt_at(MAX_TICK) == MAX_ROOT
    assert sqrt_at(0) == Q96
    assert tick_at(MIN_ROOT) == MIN_TICK
    assert tick_at(MAX_ROOT - 1) == MAX_TICK - 1


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_there_are_no_ticks_beyond(tick):
    with pytest.raises(ValueError, match="no tick"):
        sqrt_at(tick)


@pytest.mark.parametrize("root", [0, MIN_ROOT - 1, MAX_ROOT])
def test_there_are_no_prices_beyond(root):
    with pytest.raises(ValueError, match="no tick"):
        tick_at(root)


@given(TICKS)
def test_a_root_is_its_ticks_within_one_part_in_a_billion(tick):
    assert sqrt_at(tick) / Q96 == pytest.approx(1.0001 ** (tick / 2), rel=1e-9)


@given(ROOTS)
def test_a_tick_is_the_greatest_that_is_not_above(root):
    tick = tick_at(root)
    assert sqrt_at(tick) <= root < sqrt_at(tick + 1)


@given(st.integers(MIN_TICK, MAX_TICK - 1))
def test_a_price_right_at_a_tick_or_right_below_is_told_apart(tick):
    assert tick_at(sqrt_at(tick)) == tick
    assert tick_at(sqrt_at(tick + 1) - 1) == tick


@given(st.tuples(ROOTS, ROOTS).map(sorted), LIQUIDITY)
def test_roundings_of_an_amount_are_one_or_two_apart(roots, liquidity):
    for amount in (amount0, amount1):
        down, up = (amount(*roots, liquidity, way) for way in (False, True))
        assert 0 <= up - down <= 2


def test_where_256_bits_are_too_few_the_contract_rounds_otherwise():
    root, liquidity, amount = 2**140, 2**100, 2**130
    assert amount * root >= 2**256
    assert after_input(root, liquidity, amount, True) == -(
        -(liquidity << 96) // ((liquidity << 96) // root + amount)
    )


@given(ROOTS, LIQUIDITY, st.integers(1, 2**120))
def test_a_price_moves_the_way_that_is_paid_for(root, liquidity, amount):
    assert after_input(root, liquidity, amount, True) <= root
    assert after_input(root, liquidity, amount, False) >= root


@given(st.integers(2**80, 2**110), st.integers(2**60, 2**120), st.integers(1, 2**20))
def test_what_is_taken_can_be_paid_back_for_no_less(root, liquidity, amount):
    for down in (True, False):
        after = after_output(root, liquidity, amount, down)
        low, high = sorted((root, after))
        assert (amount1 if down else amount0)(low, high, liquidity, False) >= amount


@given(ROOTS, ROOTS, LIQUIDITY, st.integers(1, 2**128), st.integers(0, 999_999))
def test_a_step_takes_no_more_than_there_is_and_stays_between(root, target, liquidity, amount, fee):
    low, high = sorted((root, target))
    after, paid, got = step_in(root, target, liquidity, amount, fee)
    assert low <= after <= high
    assert 0 <= paid <= amount
    assert got >= 0
    after, paid, got = step_out(root, target, liquidity, amount, fee)
    assert low <= after <= high
    assert 0 <= got <= amount
    assert paid >= 0


def test_a_fee_of_the_whole_moves_nothing_but_is_paid():
    root = sqrt_at(0)
    assert step_in(root, sqrt_at(-60), 10**18, 500, 10**6) == (root, 500, 0)
    assert step_in(root, root, 10**18, 500, 10**6) == (root, 0, 0)
