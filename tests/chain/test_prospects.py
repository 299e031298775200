"""What the swaps of a pending call would come to: impact, and how far above its limit."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from trio_mev.chain.effects.prospects import outlook
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.chain import Outlook
from trio_mev.model.intents import Hop, PoolKind, SwapIntent, Undecoded, Unread

ONE, TWO = "0x" + "01" * 20, "0x" + "02" * 20
PAIR = Entry(Pool("0xpair", Protocol.UNISWAP_V2, (ONE, TWO), (18, 18)), ProductPool(10**6, 10**6))
ENTRIES = {"0xpair": PAIR}
VIEW = PoolsView(7, "0xh", 1, MappingProxyType(ENTRIES), frozenset(), timestamp=1_000)
ROUTER, PROXY = "Uniswap V3 SwapRouter", "Uniswap V2 Router02"


def swap(
    amount: int | None = 10_000, limit: int | None = None, pool: str = "0xpair", **more
) -> SwapIntent:
    hop = Hop(PoolKind.V2, ONE, TWO, pool=pool)
    values = {"exact_out": False, "recipient": "0xme"} | more
    return SwapIntent(PROXY, (hop,), ONE, TWO, amount=amount, limit=limit, **values)


def one_of(*intents) -> Outlook:
    found = outlook(intents, VIEW)
    assert found is not None
    return found


def test_a_swap_has_its_amounts_and_what_it_loses_to_price_and_fee():
    # 10_000 * 997 * 10**6 // (10**6 * 1000 + 10_000 * 997) = 9871, of 10_000 at the price before.
    found = one_of(swap())
    (told,) = found.swaps
    assert (found.block, found.verdict, found.refusal) == (7, "succeeds", None)
    assert (told.amount_in, told.amount_out, told.unknown) == (10_000, 9871, None)
    assert told.price_impact == pytest.approx(1 - 9871 / 10_000)
    assert told.slippage_left is None


@pytest.mark.parametrize(
    ("limit", "left", "verdict"),
    [
        (9871, 0.0, "succeeds"),
        (9000, 1 - 9000 / 9871, "succeeds"),
        (0, 1.0, "succeeds"),
        (9872, 1 - 9872 / 9871, "reverts"),
    ],
)
def test_what_slippage_is_left_is_a_share_of_what_it_gives(limit, left, verdict):
    found = one_of(swap(limit=limit))
    assert found.verdict == verdict
    assert found.refusal == ("limit" if verdict == "reverts" else None)
    assert found.swaps[0].slippage_left == pytest.approx(left)


def test_of_an_exact_output_it_is_a_share_of_what_it_takes():
    (told,) = one_of(swap(9871, 12_000, exact_out=True)).swaps
    assert (told.amount_in, told.amount_out) == (10_000, 9871)
    assert told.slippage_left == pytest.approx(0.2)


def test_a_limit_of_several_is_a_share_of_what_they_give_together():
    found = one_of(swap(joint_limit=15_000), swap(joint_limit=15_000))
    given = sum(told.amount_out for told in found.swaps)
    assert [told.slippage_left for told in found.swaps] == [pytest.approx(1 - 15_000 / given)] * 2


def test_where_one_of_them_is_not_known_nothing_is_said_of_their_limit():
    found = one_of(swap(joint_limit=15_000), swap(joint_limit=15_000, pool="0xother"))
    assert found.verdict == "unknown"
    assert [told.slippage_left for told in found.swaps] == [None, None]
    assert [told.unknown for told in found.swaps] == [None, "no_pool"]


def test_of_pools_that_nobody_watches_nothing_is_said():
    assert outlook((swap(pool="0xother"),), VIEW) is None
    assert outlook((Undecoded(Unread.OPAQUE),), VIEW) is None


def test_after_its_deadline_it_reverts():
    assert outlook((swap(deadline=1_012),), VIEW).refusal is None
    late = one_of(swap(deadline=1_011))
    assert (late.verdict, late.refusal) == ("reverts", "deadline")
    assert late.swaps[0].amount_out is None
