"""What a pool says of a price, and within which prices it is left alone."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.pools.band import band, spot
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.chain.pools.ticks import sqrt_at, tick_at
from trio_mev.chain.routes.exact import size
from trio_mev.chain.routes.hop import ProductHop

PAIR = ProductPool(1000 * 10**18, 2_000_000 * 10**6)
WHOLE = tick_map(60, {}, complete=True)


def near(one: Decimal, other: Decimal, within: str = "1e-25") -> bool:
    return abs(one / other - 1) < Decimal(within)


def ticked(root: int, liquidity: int, **more) -> TickedPool:
    return TickedPool(root, tick_at(root), liquidity, 3000, WHOLE, **more)


def test_a_pair_has_the_price_of_its_reserves_in_whole_tokens():
    found = band(PAIR, 0, (18, 6), Decimal(0))
    assert found is not None
    assert (found.mid, found.depth) == (2000, 2_000_000 * 10**6)
    assert found.low == 2000 * Decimal("0.997")
    assert near(found.high, 2000 / Decimal("0.997"))
    other = band(PAIR, 1, (18, 6), Decimal(0))
    assert other is not None
    assert (other.mid, other.depth) == (Decimal("0.0005"), 1000 * 10**18)


@pytest.mark.parametrize("base", [0, 1])
def test_a_range_is_a_pair_of_virtual_reserves(base: int):
    root, liquidity = sqrt_at(-200_000), 10**18
    reserves = liquidity * 2**96 // root, liquidity * root // 2**96
    pool, pair = ticked(root, liquidity), ProductPool(*reserves)
    mine, same = band(pool, base, (18, 6), Decimal(10)), band(pair, base, (18, 6), Decimal(10))
    assert mine is not None
    assert same is not None
    assert mine.depth == same.depth
    assert near(mine.mid, same.mid, "1e-8")
    assert near(mine.low, same.low, "1e-8")


def test_v4s_protocol_takes_of_each_side_its_own():
    pool = ticked(2**96, 10**18, protocol_fees=1000)
    found = band(pool, 0, (18, 18), Decimal(0))
    assert found is not None
    assert near(found.low, Decimal("0.996003"))  # what is paid of token 0: 3000 + 1000 - 3
    assert near(found.high, 1 / Decimal("0.997"))


@pytest.mark.parametrize(
    "state",
    [
        ProductPool(0, 5),
        ProductPool(5, 0),
        ticked(2**96, 0),
        TickedPool(0, 0, 5, 3000, WHOLE),
        TickedPool(2**96, 0, 5, 10**6, WHOLE),
        ticked(sqrt_at(-800_000), 1),
        object(),
    ],
)
def test_what_has_no_price_or_no_depth_says_nothing(state: PoolState):
    assert band(state, 0, (18, 18), Decimal(0)) is None


def test_another_kind_of_pool_has_no_price_here():
    assert spot(object(), 0) is None


@given(
    reserve=st.integers(10**20, 10**24),
    price=st.fractions(Fraction(1, 100), 100),
    deviation=st.floats(0.001, 0.05),
    fee=st.sampled_from([Fee(997, 1000), Fee(9995, 10_000)]),
)
def test_the_band_ends_where_a_correction_earns_what_it_costs(reserve, price, deviation, fee):
    """Against a second market that is deep and free, by the exact sizes of cycles."""
    quote = int(reserve * price)
    pool = ProductPool(reserve, quote, fee)
    deep = ProductPool(reserve * 10**7, int(quote * (1 + deviation)) * 10**7, Fee(1, 1))
    best = size([ProductHop(pool, 1), ProductHop(deep, 0)])  # buy here, sell there
    profit = 0 if best is None else best.profit
    found = band(pool, 0, (18, 18), Decimal(profit))
    assert found is not None
    true = Decimal(int(quote * (1 + deviation))) / reserve
    if profit:
        assert abs(found.high / true - 1) < Decimal(deviation) / 10
    else:
        assert true <= found.high * (1 + Decimal("1e-9"))
