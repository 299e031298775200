"""BlockAnalyzer: what a block says about fees, and how much of it was seen pending."""

from __future__ import annotations

import pytest

from trio_mev.model.chain import Life
from trio_mev.model.event import DataType, EventPriority
from trio_mev.processors.blocks import BLOCKS, REMEMBERED, BlockAnalyzer


@pytest.mark.parametrize(
    ("used", "following"), [(15_000_000, 100), (30_000_000, 112), (0, 88), (15_000_001, 101)]
)
async def test_the_next_base_fee_follows_from_the_block(feed, block, used, following):
    (found,) = await feed(BlockAnalyzer(), block(gas_used=used))
    assert (found.event_type, found.priority) == (DataType.BLOCK_SUMMARY, EventPriority.NORMAL)
    assert (found.data.base_fee, found.data.next_base_fee) == (100, following)
    assert (found.data.gas_used, found.data.gas_limit) == (used, 30_000_000)


async def test_before_london_there_is_no_base_fee(feed, block):
    (found,) = await feed(BlockAnalyzer(), block(base_fee=None))
    assert (found.data.base_fee, found.data.next_base_fee) == (None, None)


async def test_the_transactions_that_were_seen_pending_are_counted(
    feed, block, transaction, announced
):
    events = [transaction(1), announced(2), announced(1), transaction(3)]
    (found,) = await feed(BlockAnalyzer(), *events, block(included=[1, 2, 8, 9]))
    assert (found.data.transactions, found.data.seen_pending) == (4, 2)


async def test_what_became_of_a_transaction_is_no_sight_of_it(feed, block, lived):
    (found,) = await feed(BlockAnalyzer(), lived(1, Life.INCLUDED), block(included=[1]))
    assert found.data.seen_pending == 0


async def test_a_block_without_hashes_says_nothing_about_them(feed, block, transaction):
    (found,) = await feed(BlockAnalyzer(), transaction(1), block(included=None))
    assert (found.data.transactions, found.data.seen_pending) == (None, None)


async def test_the_interval_is_that_to_the_parent_where_it_was_seen(feed, block):
    first, second, other = await feed(BlockAnalyzer(), block(1), block(2), block(5))
    assert [one.data.interval for one in (first, second, other)] == [None, 12, None]


async def test_the_oldest_pending_hash_is_forgotten_at_the_bound(feed, announced, block):
    analyzer = BlockAnalyzer()
    await feed(analyzer, *(announced(n) for n in range(REMEMBERED + 1)))
    (found,) = await feed(analyzer, block(included=[0, 1, REMEMBERED]))
    assert found.data.seen_pending == 2


async def test_the_oldest_block_is_forgotten_at_the_bound(feed, block):
    analyzer = BlockAnalyzer()
    await feed(analyzer, *(block(10 * n) for n in range(1, BLOCKS + 2)))
    first, second = await feed(analyzer, block(11), block(31))
    assert (first.data.interval, second.data.interval) == (None, 12)
