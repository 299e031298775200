"""What a pool says of a price, and within which prices it is left alone."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.pools.band import MOST_RANGES, band, depth_of, spot
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, tick_map
from trio_mev.chain.pools.ticks import MAX_TICK, MIN_TICK, Q96, sqrt_at, tick_at
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
    assert found.mid == 2000
    assert found.depth == depth_of(PAIR, 0) == 9_925_619_580  # of two million: 1 - 1 / sqrt(1.01)
    assert found.low == 2000 * Decimal("0.997")
    assert near(found.high, 2000 / Decimal("0.997"))
    other = band(PAIR, 1, (18, 6), Decimal(0))
    assert other is not None
    assert (other.mid, other.depth // 10**15) == (Decimal("0.0005"), 4962)


@pytest.mark.parametrize("base", [0, 1])
def test_a_range_is_a_pair_of_virtual_reserves(base: int):
    root, liquidity = sqrt_at(-200_000), 10**18
    reserves = liquidity * 2**96 // root, liquidity * root // 2**96
    pool, pair = ticked(root, liquidity), ProductPool(*reserves)
    mine, same = band(pool, base, (18, 6), Decimal(10)), band(pair, base, (18, 6), Decimal(10))
    assert mine is not None
    assert same is not None
    assert near(Decimal(mine.depth), Decimal(same.depth), "1e-8")
    assert near(mine.mid, same.mid, "1e-8")
    assert near(mine.low, same.low, "1e-8")
    assert near(mine.high, same.high, "1e-8")


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


@pytest.mark.parametrize("state", [ProductPool(0, 5), ticked(2**96, 0), object()])
def test_what_has_no_price_has_no_depth(state: PoolState):
    assert depth_of(state, 0) == 0


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


BASES = pytest.mark.parametrize("base", [0, 1])
STEP = 60


def stepped(begin: int, amounts: list[int], at: float, fee: int = 500) -> TickedPool:
    """A pool with so much liquidity in each of some ranges, one after the other, and no other."""
    levels = [0, *amounts, 0]
    ticks = {
        (begin + place) * STEP: Liquidity(max(one, other), other - one)
        for place, (one, other) in enumerate(pairwise(levels))
        if one != other
    }
    low, high = sqrt_at(begin * STEP), sqrt_at((begin + len(amounts)) * STEP)
    root = low + int((high - low) * at)
    place = min(tick_at(root) // STEP - begin, len(amounts) - 1)
    known = tick_map(STEP, ticks, complete=True)
    return TickedPool(root, tick_at(root), amounts[place], fee, known)


def earned(pool: TickedPool, base: int, true: Decimal, *, buys: bool) -> Decimal:
    """What it brings to trade with it up to the price at which the next unit earns nothing."""
    places = (1 - base, base) if buys else (base, 1 - base)
    kept = 1 - Decimal(pool.fee) / 10**6
    price = true * kept if buys else true / kept
    root = int((price if base == 0 else 1 / price).sqrt() * Q96)
    swap = pool.swap_to(places[0] == 0, 2**200, limit=root)
    if buys:
        return swap.amount_out * true - swap.amount_in
    return swap.amount_out - swap.amount_in * true


@BASES
@given(
    begin=st.integers(-50, 50),
    amounts=st.lists(st.sampled_from([0, 10**18, 3 * 10**19, 10**21]), min_size=1, max_size=6),
    at=st.floats(0.01, 0.99),
    gas=st.integers(10**12, 10**17),
)
def test_it_ends_where_the_pools_own_swap_earns_the_gas_whatever_the_ranges(
    base, begin, amounts, at, gas
):
    pool = stepped(begin, amounts, at)
    found = band(pool, base, (18, 18), Decimal(gas))
    if found is None:
        # Nothing is there, or all that can be taken is not worth it.
        there = pool.swap_to(base == 0, 2**200).amount_out
        assert not pool.liquidity or there <= gas
        return
    for true, buys in ((found.high, True), (found.low, False)):
        assert near(earned(pool, base, true, buys=buys) / gas, Decimal(1), "1e-4")


@BASES
def test_a_small_position_in_one_range_is_worth_no_correction_for_long(base):
    """Its virtual reserves are 13,333 of each; really there are 20."""
    pool = stepped(0, [13_333 * 10**18], 0.5)
    assert 19 < depth_of(pool, base) / 10**18 < 21
    found = band(pool, base, (18, 18), Decimal(4 * 10**18))
    assert found is not None
    assert found.high / found.mid > Decimal("1.19")
    assert found.low / found.mid < Decimal("0.81")
    assert band(pool, base, (18, 18), Decimal(21 * 10**18)) is None


@BASES
@given(
    at=st.floats(0.05, 0.95), amounts=st.lists(st.integers(10**18, 10**22), min_size=8, max_size=8)
)
def test_the_depth_is_what_its_own_swap_pays_or_gives_for_one_percent(base, at, amounts):
    pool = stepped(-4, amounts, at, fee=0)
    up, down = (int(pool.root * Decimal("1.01").sqrt() ** sign) for sign in (1, -1))
    rising, falling = pool.swap_to(False, 2**200, limit=up), pool.swap_to(True, 2**200, limit=down)
    quote = (
        (rising.amount_in, falling.amount_out)
        if base == 0
        else (rising.amount_out, falling.amount_in)
    )
    assert near(Decimal(depth_of(pool, base)), Decimal(min(quote)), "1e-9")


def test_with_liquidity_on_one_side_alone_there_is_no_depth():
    assert depth_of(stepped(0, [10**21], 0.0), 0) == 0


def test_what_nobody_knows_is_taken_to_be_empty():
    known = stepped(0, [10**21], 0.5)
    blind = TickedPool(known.root, known.tick, known.liquidity, 500, tick_map(STEP, {}))
    assert band(blind, 0, (18, 18), Decimal(1)) is None
    assert depth_of(blind, 0) == 0


def test_it_goes_through_so_many_ranges_and_no_further():
    count = 2 * MOST_RANGES
    dense = stepped(-count, [10**18 + place for place in range(2 * count)], 0.5)
    whole = TickedPool(
        dense.root, dense.tick, dense.liquidity, 500, tick_map(STEP, {}, complete=True)
    )
    gas = Decimal(5 * 10**16)
    mine, other = band(dense, 0, (18, 18), gas), band(whole, 0, (18, 18), gas)
    assert mine is not None
    assert other is not None
    assert mine.high > other.high
    assert mine.low < other.low


@BASES
@pytest.mark.parametrize("tick", [MIN_TICK - 1, -(2**40), 2**40, 5000, -5000])
def test_a_tick_that_is_not_that_of_the_price_ends_it(base, tick):
    pool = TickedPool(2**96, tick, 10**18, 500, tick_map(10, {}, complete=True))
    found = band(pool, base, (18, 18), Decimal(1))
    assert found is None or found.low < found.mid < found.high


@BASES
def test_liquidity_that_would_be_negative_ends_it(base):
    ticks = {-60: Liquidity(10**19, 10**19), 60: Liquidity(10**19, -(10**19))}
    pool = TickedPool(2**96, 0, 10**18, 500, tick_map(60, ticks, complete=True))
    found = band(pool, base, (18, 18), Decimal(10**13))
    assert found is not None
    assert found.high > 1


def test_at_the_ends_of_all_prices_there_is_a_band_as_well():
    for tick in (MIN_TICK, MAX_TICK - 1):
        pool = TickedPool(sqrt_at(tick) + 1, tick, 10**35, 500, tick_map(1, {}, complete=True))
        found = band(pool, 0, (18, 18), Decimal(1))
        assert found is None or found.low < found.mid < found.high


@BASES
def test_at_an_end_of_all_liquidity_there_is_nothing_to_take_on_the_other_side(base):
    ticks = {0: Liquidity(10**20, 10**20), 60: Liquidity(10**20, -(10**20))}
    pool = TickedPool(sqrt_at(60), 59, 10**20, 500, tick_map(60, ticks, complete=True))
    assert band(pool, base, (18, 18), Decimal(1)) is None
    assert depth_of(pool, base) == 0
