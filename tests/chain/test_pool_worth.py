"""What tokens are worth in ether."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import Fee, ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, tick_map
from trio_mev.chain.pools.ticks import sqrt_at, tick_at
from trio_mev.chain.pools.view import PoolsView
from trio_mev.chain.pools.worth import MOST_AMOUNT, Worth
from trio_mev.model.intents import ETHER, WETH

TOKEN, OTHER = "0x" + "1" * 40, "0x" + "2" * 40
V2, V4 = Protocol.UNISWAP_V2, Protocol.UNISWAP_V4
UNIT = 10**18


def worth_of(*entries: Entry) -> Worth:
    by_id = MappingProxyType({one.pool.id: one for one in entries})
    return Worth(PoolsView(7, "0x7", 10**9, by_id, frozenset()))


def pair(name: str, tokens: int, ether: int, fee: Fee | None = None, **more) -> Entry:
    """Of the token and WETH, in whole units."""
    state = ProductPool(tokens * UNIT, ether * UNIT, *([] if fee is None else [fee]))
    return Entry(Pool(name, V2, (TOKEN, WETH), (18, 18)), state, **more)


def in_one_range(name: str, tick: int, liquidity: int, fee: int, native: str = WETH) -> Entry:
    """Half-way between a tick and the next, and nothing anywhere else."""
    root = (sqrt_at(tick) + sqrt_at(tick + 1)) // 2
    ends = {tick: Liquidity(liquidity, liquidity), tick + 1: Liquidity(liquidity, -liquidity)}
    state = TickedPool(root, tick_at(root), liquidity, fee, tick_map(1, ends, complete=True))
    return Entry(Pool(name, V4, (TOKEN, native), (18, 18)), state)


REAL = pair("0xreal", 30_000, 10_000)  # three for an ether


def test_ether_is_worth_itself():
    worth = worth_of()
    assert [worth.in_wei(one, 5) for one in (WETH, ETHER)] == [5, 5]
    assert [worth.amount_of(WETH, wei) for wei in (0, 5)] == [1, 5]


def test_a_token_is_worth_what_its_pool_with_weth_or_ether_says():
    assert worth_of(REAL).in_wei(TOKEN, 3 * UNIT) == pytest.approx(UNIT)
    native = in_one_range("0xn", -6932, 10**25, 500, ETHER)  # two for an ether
    assert worth_of(native).in_wei(TOKEN, 2 * UNIT) == pytest.approx(UNIT, rel=1e-3)


@pytest.mark.parametrize(
    "other",
    [
        pair("0x1", 1, 1, Fee(98, 100)),
        pair("0x2", 0, 0),
        pair("0x3", 10**6, 10**6, quarantine="blocks are missing"),
        Entry(Pool("0x4", V2, (TOKEN, OTHER), (18, 18)), ProductPool(UNIT, UNIT)),
        Entry(Pool("0x5", V2, (ETHER, WETH), (18, 18)), ProductPool(UNIT, UNIT)),
        Entry(Pool("0x6", V2, (TOKEN, WETH, OTHER), (18, 18, 18)), ProductPool(UNIT, UNIT)),
        in_one_range("0x7", 70_000, 10**27, 10**6),
        in_one_range("0x8", 70_000, 10**27, 10_001),
        Entry(in_one_range("0x9", 0, 10**27, 500).pool, object()),
    ],
    ids=["fee", "empty", "quarantined", "other", "ether", "three", "takes all", "odd fee", "kind"],
)
def test_what_cannot_be_believed_tells_nothing(other):
    assert worth_of(other).in_wei(TOKEN, UNIT) is None
    assert worth_of(other).amount_of(TOKEN, UNIT) is None
    both = worth_of(REAL, other)
    assert [both.in_wei(one, UNIT) is None for one in (OTHER, TOKEN)] == [True, False]
    assert worth_of(REAL, other).in_wei(TOKEN, 3 * UNIT) == pytest.approx(UNIT)


def test_liquidity_in_one_tick_far_off_tells_nothing_beside_what_is_really_there():
    """Virtually it is the deepest of both, by far."""
    fake = in_one_range("0xfake", 70_000, 10**22, 500)  # a thousand ether for one
    assert worth_of(REAL, fake).in_wei(TOKEN, 3 * UNIT) == pytest.approx(UNIT)
    assert worth_of(fake, REAL).in_wei(TOKEN, 3 * UNIT) == pytest.approx(UNIT)


def test_of_several_that_in_the_middle_of_all_depth_tells_it():
    low, high = pair("0xl", 3000, 100), pair("0xh", 1, 99)
    mid = pair("0xm", 200, 100)
    assert worth_of(high, low, mid).in_wei(TOKEN, 2 * 10**15) == 10**15


def test_more_than_the_pools_take_is_worth_what_they_give():
    """Of 30,000 against 10,000 ether, 60,000 more take two thirds."""
    worth = worth_of(REAL)
    given_ = REAL.state.swap(0, 1, 60_000 * UNIT).amount_out
    assert worth.in_wei(TOKEN, 60_000 * UNIT) == given_ < 6_700 * UNIT
    # A few more at the same price take no more from it.
    assert worth_of(REAL, pair("0xs", 30, 10)).in_wei(TOKEN, 60_000 * UNIT) == given_


def test_what_is_missing_is_no_cheaper_for_being_much():
    assert worth_of(REAL).in_wei(TOKEN, -60_000 * UNIT) == pytest.approx(-20_000 * UNIT)


def test_more_than_a_pair_can_hold_is_worth_what_it_gives_for_one_percent_at_least():
    worth = worth_of(REAL)
    assert worth.in_wei(TOKEN, MOST_AMOUNT) == worth.in_wei(TOKEN, MOST_AMOUNT * 4) > 49 * UNIT


@given(wei=st.integers(1, 9_000 * UNIT), tokens=st.integers(1, 10**9))
@example(9_000 * UNIT, 30_000)
def test_the_amount_that_is_worth_so_much_is_the_least_one(wei, tokens):
    worth = worth_of(pair("0x1", tokens, 10_000))
    amount = worth.amount_of(TOKEN, wei)
    assert amount is not None
    assert worth.in_wei(TOKEN, amount) >= wei
    assert amount == 1 or worth.in_wei(TOKEN, amount - 1) < wei


def test_an_amount_of_no_worth_is_one_all_the_same():
    assert worth_of(pair("0x1", 1, 10**6)).amount_of(TOKEN, 1) == 1


def test_what_no_pool_gives_no_amount_is_worth():
    assert worth_of(REAL).amount_of(TOKEN, 20_000 * UNIT) is None
