"""Weighted pools and their powers, beside the real numbers; the digits are tested on the devnet."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.pools.powers import ONE, power
from trio_mev.chain.pools.swap import Stop
from trio_mev.chain.pools.weighted import WeightedPool

HALF = ONE // 2


def pool(first=HALF, balances=(10**24, 10**24), scales=(1, 1), **more) -> WeightedPool:
    return WeightedPool(balances, (first, ONE - first), scales, 3 * 10**15, **more)


@given(st.integers(10**15, 10**21), st.integers(10**16, 5 * ONE))
def test_a_power_is_near_the_real_one(base, exponent):
    with localcontext() as context:
        context.prec = 60
        real = (Decimal(base) / ONE) ** (Decimal(exponent) / ONE) * ONE
    found = power(base, exponent)
    assert found is not None
    assert abs(found - real) <= real * Decimal("1e-14") + 2


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [
        (0, 0, ONE),
        (5 * ONE, 0, ONE),
        (0, ONE, 0),
        (ONE, 7 * ONE, ONE),
        (2**255, ONE, None),
        (ONE, 2**254 // 10**20, None),
        (10**15, 10 * ONE, None),
        (10**30, 10 * ONE, None),
    ],
)
def test_powers_at_the_edges(base, exponent, expected):
    assert power(base, exponent) == expected


def test_a_power_with_a_great_exponent_uses_the_whole_parts():
    for exponent in (70, 129):
        found = power(2718281828459045235, exponent * ONE)
        assert found is not None
        with localcontext() as context:
            context.prec = 80
            real = Decimal("2.718281828459045235") ** exponent * ONE
            assert abs(found - real) < real * Decimal("1e-13")


def test_a_logarithm_of_a_great_number_uses_the_whole_parts():
    found = power(10**58, ONE // 10)
    assert found == pytest.approx(10**22, rel=1e-13)
    assert power(10**75, ONE // 10) == pytest.approx(10 ** (57 / 10 + 18), rel=1e-12)


def test_an_even_pool_is_a_pair_with_its_own_rounding():
    swap = pool().swap(0, 1, 10**21)
    fair = 997 * 10**18 * 10**24 // (10**24 + 997 * 10**18)
    assert fair * (1 - 1e-9) < swap.amount_out <= fair
    assert swap.after == WeightedPool(
        (10**24 + 10**21, 10**24 - swap.amount_out), (HALF, HALF), (1, 1), 3 * 10**15
    )


@pytest.mark.parametrize("shortcuts", [True, False])
@pytest.mark.parametrize("first", [HALF, ONE // 5, ONE * 4 // 5, ONE // 3, ONE * 2 // 3])
def test_an_exact_output_costs_about_the_input_that_gives_it(first, shortcuts):
    here = pool(first, shortcuts=shortcuts)
    swap = here.swap(0, 1, 10**21)
    back = here.swap(0, 1, swap.amount_out, exact_out=True)
    assert swap.stop is back.stop is None
    assert 10**21 * (1 - 1e-9) < back.amount_in < 10**21 * (1 + 1e-9)


def test_the_oldest_code_rounds_otherwise():
    with_, without = (pool(shortcuts=way).swap(0, 1, 10**21) for way in (True, False))
    assert with_.amount_out > without.amount_out


def test_tokens_of_few_decimals_are_scaled():
    swap = pool(balances=(10**12, 10**24), scales=(10**12, 1)).swap(0, 1, 10**9)
    assert 10**20 * 9 < swap.amount_out < 10**21


@pytest.mark.parametrize(
    "swap",
    [
        (0, 1, 0),
        (0, 0, 5),
        (0, 1, 10**24),
        (0, 1, 10**24, True),
    ],
)
def test_what_the_vault_refuses_changes_nothing(swap):
    assert pool().swap(*swap).stop is Stop.REVERTS


def test_what_does_not_fit_is_refused():
    empty = pool(balances=(0, 10**24))
    assert empty.swap(0, 1, 1).stop is Stop.REVERTS
    for balances in ((2**250, 10**24), (10**24, 2**250)):
        assert pool(balances=balances).swap(0, 1, 5, exact_out=balances[0] < 2**249).stop
    huge = pool(first=ONE // 1000, balances=(10**24, 10**24))
    assert huge.swap(0, 1, 10**23 * 2, exact_out=True).stop is Stop.REVERTS
    assert pool(ONE * 999 // 1000).swap(0, 1, 10**23 * 3).stop is Stop.REVERTS
