"""MempoolAnalyzer: what is pending within a window of time."""

from __future__ import annotations

import pytest

from trio_mev.model.chain import GasPercentiles, Life
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.settings import MempoolSettings
from trio_mev.processors.mempool import MempoolAnalyzer


async def test_the_window_is_a_time_and_not_a_count(feed, transaction, block):
    analyzer = MempoolAnalyzer()
    events = [transaction(n, at=n / 100) for n in range(2000)]
    (found,) = await feed(analyzer, *events, block(at=20.0))
    assert found.data.pending == 2000
    assert (found.data.window, analyzer.forgotten) == (300.0, 0)


@pytest.mark.parametrize(("at", "pending"), [(310.0, 2), (310.5, 1), (321.0, 0)])
async def test_a_transaction_leaves_after_the_window(feed, transaction, block, at, pending):
    events = [transaction(1, at=10.0), transaction(2, at=20.0)]
    (found,) = await feed(MempoolAnalyzer(), *events, block(at=at))
    assert found.data.pending == pending


async def test_a_view_is_emitted_at_every_block_and_at_nothing_else(
    feed, transaction, announced, block
):
    found = await feed(
        MempoolAnalyzer(), transaction(1), announced(2), block(7), transaction(3), block(8)
    )
    assert [(one.event_type, one.data.block, one.priority) for one in found] == [
        (DataType.MEMPOOL_VIEW, 7, EventPriority.NORMAL),
        (DataType.MEMPOOL_VIEW, 8, EventPriority.NORMAL),
    ]


async def test_an_announced_transaction_whose_body_comes_later_is_one(
    feed, transaction, announced, block
):
    events = [announced(1, at=1.0), announced(2, at=2.0), transaction(1, at=3.0, value=5)]
    (found,) = await feed(MempoolAnalyzer(), *events, block(at=11.0))
    assert (found.data.pending, found.data.without_body, found.data.value) == (2, 1, 5)
    assert found.data.oldest == 10.0


async def test_a_body_that_is_announced_again_is_kept(feed, transaction, announced, block):
    events = [transaction(1, value=9), announced(1, at=1.0)]
    (found,) = await feed(MempoolAnalyzer(), *events, block(at=2.0))
    assert (found.data.without_body, found.data.value, found.data.oldest) == (0, 9, 2.0)


async def test_what_a_block_includes_is_no_longer_pending_and_its_wait_is_known(
    feed, transaction, announced, block
):
    analyzer = MempoolAnalyzer()
    events = [transaction(1, at=0.0, value=1), announced(2, at=4.0), transaction(3, at=8.0)]
    first, second = await feed(
        analyzer,
        *events,
        block(1, at=10.0, included=[1, 2, 99]),
        block(2, at=22.0, included=[1, 3]),
    )
    assert (first.data.pending, first.data.included) == (1, 2)
    assert (first.data.median_wait, first.data.oldest, first.data.value) == (8.0, 2.0, 0)
    assert (second.data.pending, second.data.included) == (0, 3)
    assert (second.data.median_wait, second.data.oldest) == (10.0, None)


async def test_a_transaction_that_a_block_overtook_is_not_pending(feed, transaction, block):
    later = [block(number, at=2.0 + number) for number in range(2, 10)]
    events = [block(1, at=2.0, included=[1, 2]), transaction(1, at=2.0), *later]
    views = await feed(MempoolAnalyzer(), *events)
    assert {(view.data.pending, view.data.included) for view in views[1:]} == {(0, 1)}
    (*_, last) = await feed(MempoolAnalyzer(), *events, transaction(2, at=12.0), block(11, at=13.0))
    assert last.data.pending == 1


async def test_a_block_without_hashes_includes_nothing(feed, transaction, block):
    (found,) = await feed(MempoolAnalyzer(), transaction(1), block(included=None))
    assert (found.data.pending, found.data.included, found.data.median_wait) == (1, 0, None)


async def test_the_gas_percentiles_are_fees_that_occurred(feed, transaction, block):
    events = [transaction(n, gas_price=fee) for n, fee in enumerate([70, *range(1, 10)])]
    (found,) = await feed(MempoolAnalyzer(), *events, block())
    assert found.data.gas == GasPercentiles(10, 5, 9, 70)


async def test_below_ten_bodies_there_are_no_gas_percentiles(feed, transaction, announced, block):
    events = [transaction(n, gas_price=5) for n in range(9)]
    events += [announced(20), transaction(21, gas_price=None)]
    analyzer = MempoolAnalyzer()
    (found,) = await feed(analyzer, *events, block())
    assert found.data.gas is None
    assert analyzer.view(0.0).pending == 11


async def test_the_fees_are_those_at_the_blocks_base_fee(feed, transaction, block):
    events = [
        transaction(n, gas_price=50, max_fee=50, max_priority_fee=n, type=2) for n in range(10)
    ]
    (found,) = await feed(MempoolAnalyzer(), *events, block(base_fee=30))
    assert found.data.gas == GasPercentiles(10, 34, 38, 39)


async def test_too_many_transactions_forget_the_oldest_and_say_so(feed, transaction, block):
    analyzer = MempoolAnalyzer(MempoolSettings(max_transactions=3))
    events = [transaction(n, at=float(n)) for n in range(5)]
    (found,) = await feed(analyzer, *events, transaction(4, at=5.0), block(at=6.0, included=[0]))
    assert analyzer.forgotten == 2
    assert (found.data.pending, found.data.included, found.data.oldest) == (3, 0, 4.0)


def test_an_empty_window_has_a_view_too():
    view = MempoolAnalyzer().view(0.0)
    assert (view.block, view.pending, view.included, view.value) == (None, 0, 0, 0)
    assert (view.gas, view.oldest, view.median_wait) == (None, None, None)


@pytest.mark.parametrize("life", [Life.REPLACED, Life.DROPPED, Life.EXPIRED])
async def test_what_is_gone_leaves_the_view(feed, transaction, lived, block, life):
    events = [transaction(1), transaction(2), lived(1, life), lived(7, life)]
    (found,) = await feed(MempoolAnalyzer(), *events, block(at=2.0))
    assert (found.data.pending, found.data.included) == (1, 0)


async def test_what_a_reorganisation_returns_is_pending_again(feed, transaction, lived, block):
    returned = [lived(1, Life.INCLUDED), lived(1, Life.RETURNED), lived(9, Life.RETURNED)]
    first, second = await feed(
        MempoolAnalyzer(), transaction(1), block(7, included=[1]), *returned, block(8)
    )
    assert (first.data.pending, first.data.included) == (0, 1)
    assert (second.data.pending, second.data.included) == (1, 0)


async def test_the_view_has_the_next_block_in_its_order(feed, transaction, block):
    events = [
        transaction(1, sender="0xa", gas_price=300),
        transaction(2, sender="0xb", gas_price=500, nonce=1),
        transaction(3, sender="0xb", gas_price=200),
        transaction(4, sender="0xc", gas_price=112),
    ]
    full = block(base_fee=100, gas_used=30_000_000)
    (found,) = await feed(MempoolAnalyzer(), *events, full)
    told = found.data.next_block
    assert told.transactions == tuple(f"0x{n:064x}" for n in (1, 3, 2, 4))
    assert (told.base_fee, told.gas_limit, told.gas) == (112, 30_000_000, 84_000)
    assert (told.least_tip, told.tip_needed, told.unable, told.waiting) == (0, 0, 0, 0)


async def test_who_cannot_pay_the_next_base_fee_is_not_in_it(feed, transaction, block):
    event = transaction(1, gas_price=111)
    (found,) = await feed(MempoolAnalyzer(), event, block(base_fee=100, gas_used=30_000_000))
    assert (found.data.next_block.transactions, found.data.next_block.unable) == ((), 1)
    (found,) = await feed(MempoolAnalyzer(), event, block(base_fee=None))
    assert found.data.next_block.transactions == (event.data.hash,)


async def test_who_competes_is_in_the_view_until_a_block_decides(feed, transaction, block):
    events = [transaction(n, gas_price=n + 500, value=n) for n in (1, 2)]
    first, second = await feed(MempoolAnalyzer(), *events, block(1), block(2, included=[2]))
    (rivals,) = first.data.rivals
    assert (first.data.contested, rivals.count) == (1, 2)
    assert first.data.next_block.transactions == (events[1].data.hash,)
    assert (second.data.contested, second.data.rivals) == (0, ())
    # The other one's nonce is used up.
    assert second.data.next_block.transactions == ()
    assert MempoolAnalyzer().view(0.0).next_block is None
