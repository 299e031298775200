"""Pairs: the library's formulas, and what a swap leaves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.pools.product import (
    LARGEST,
    THIRTY,
    Fee,
    ProductPool,
    amount_in,
    amount_out,
    needed,
)
from trio_mev.chain.pools.swap import Stop

RESERVES = st.integers(2, 10**24)
FEES = st.sampled_from((THIRTY, Fee(9975, 10_000), Fee(1, 1)))


def test_a_swap_moves_the_reserves_and_leaves_the_old_state_alone():
    pool = ProductPool(1000, 2000)
    swap = pool.swap(0, 1, 100)
    assert (swap.amount_in, swap.amount_out, swap.stop) == (100, 181, None)
    assert swap.after == ProductPool(1100, 1819)
    assert pool == ProductPool(1000, 2000)
    back = swap.after.swap(1, 0, 181)
    assert back.after == ProductPool(1100 - back.amount_out, 2000)
    assert back.amount_out < 100


def test_an_exact_output_is_paid_as_the_library_asks():
    swap = ProductPool(1000, 2000).swap(1, 0, 500, exact_out=True)
    assert swap.amount_in == amount_in(500, 2000, 1000) == 2007
    assert swap.after == ProductPool(500, 4007)


def test_what_a_pair_refuses_changes_nothing():
    pool = ProductPool(1000, 2000)
    for state, arguments in (
        (pool, (0, 1, 0)),
        (pool, (0, 1, -5)),
        (pool, (0, 1, 2000, True)),
        (ProductPool(2000, 1000), (0, 1, 2)),  # it would give nothing
        (ProductPool(0, 1000), (0, 1, 5)),
        (ProductPool(1000, 0), (0, 1, 5)),
        (pool, (0, 1, LARGEST)),
    ):
        swap = state.swap(*arguments)
        assert swap.stop is Stop.REVERTS
        assert (swap.amount_in, swap.amount_out, swap.after) == (0, 0, state)


@given(RESERVES, RESERVES, FEES, st.data())
def test_no_input_below_what_is_needed_gives_as_much(held, given_, fee, data):
    wanted = data.draw(st.integers(1, given_ - 1))
    least = needed(wanted, held, given_, fee)
    assert amount_out(least, held, given_, fee) >= wanted
    assert amount_out(least - 1, held, given_, fee) < wanted
    assert least <= amount_in(wanted, held, given_, fee) <= least + 1


@given(RESERVES, RESERVES, FEES, st.integers(1, 10**24), st.booleans())
def test_the_product_never_falls(one, other, fee, amount, out):
    swap = ProductPool(one, other, fee).swap(0, 1, amount, out)
    after = swap.after
    assert isinstance(after, ProductPool)
    assert after.reserve0 * after.reserve1 >= one * other
