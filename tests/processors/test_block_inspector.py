"""BlockInspector: what a block's logs show of swaps and MEV, and who is known to have sent it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    EVE,
    SETTLEMENT,
    A,
    B,
    P,
    Q,
    hash_of,
    sent,
    swapped,
)
from tests.support.encoding import address, log
from trio_mev.chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY, UNISWAP_FACTORY
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.view import PoolsView
from trio_mev.model.chain import Log
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.opportunity import Kind, Landed, Liquidation, Path
from trio_mev.processors import landed
from trio_mev.processors.landed import BlockInspector

AAVE = "LiquidationCall(address*,address*,address*,uint256,uint256,address,bool)"
AAVE_V3 = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
CYCLE = (swapped(P, 1000, 900), swapped(Q, 900, 1040, down=False))
LIQUIDATION = (
    sent(B, BOT, address(0x5001), 50),
    sent(A, address(0x5001), BOT, 60),
    log(AAVE, A, B, ANN, 50, 60, BOT, False, emitter=AAVE_V3),
)
SANDWICH = (
    (swapped(P, 1000, 900),),
    (swapped(P, 500, 400, who=ANN),),
    (swapped(P, 900, 1100, down=False),),
)


def of_transactions(*logs: Iterable[Log]) -> tuple[Log, ...]:
    """The logs of each transaction, with their places in the block."""
    pairs = [(place, one) for place, own in enumerate(logs) for one in own]
    return tuple(
        msgspec.structs.replace(
            one, transaction=hash_of(place), transaction_index=place, log_index=index
        )
        for index, (place, one) in enumerate(pairs)
    )


def view_of(*pools: Pool) -> PoolsView:
    entries = {pool.id: Entry(pool, ProductPool(10**6, 10**6)) for pool in pools}
    return PoolsView(6, "0x6", 10, entries, frozenset(entries))


def pool(name: str, factory: str = UNISWAP_FACTORY, protocol: Protocol = Protocol.UNISWAP_V2):
    return Pool(name, protocol, (A, B), (18, 18), factory)


@pytest.fixture
def pools(make_event) -> DataEvent:
    """Two pairs that are known, of different factories."""
    return make_event(DataType.POOLS, view_of(pool(P), pool(Q, SUSHISWAP_FACTORY)))


@pytest.fixture
def mined(block):
    """The event of a block, from the logs of each of its transactions."""

    def make(*logs: Iterable[Log], **more: Any) -> DataEvent:
        given = {"included": range(len(logs)), "complete": True, "logs": of_transactions(*logs)}
        return block(**given | more)

    return make


async def test_a_block_is_told_as_a_whole_and_each_piece_of_mev_by_itself(feed, mined, pools):
    whole, one = await feed(BlockInspector(), pools, mined((), CYCLE, number=7))
    assert (whole.event_type, whole.priority) == (DataType.LANDED, EventPriority.HIGH)
    assert isinstance(whole.data, Landed)
    assert (whole.data.number, whole.data.hash) == (7, f"0xb{7:063x}")
    assert whole.data.transactions == (hash_of(0), hash_of(1))
    assert [(swap.pool, swap.amount_in) for swap in whole.data.swaps] == [(P, 1000), (Q, 900)]
    assert (one.event_type, one.priority) == (DataType.ARBITRAGE, EventPriority.NORMAL)
    assert whole.data.opportunities == (one.data,)
    assert isinstance(one.data.detail, Path)
    assert (one.data.kind, one.data.gross, one.data.block) == (Kind.ARBITRAGE, {A: 40}, 7)


async def test_a_liquidation_and_a_sandwich_have_their_own_types(feed, mined, pools):
    told = await feed(BlockInspector(), pools, mined(LIQUIDATION), mined(*SANDWICH, number=2))
    assert [event.event_type for event in told] == [
        DataType.LANDED,
        DataType.LIQUIDATION,
        DataType.LANDED,
        DataType.FINDING,
    ]
    assert isinstance(told[1].data.detail, Liquidation)
    assert told[3].data.kind is Kind.SANDWICH
    assert told[3].data.victims == (hash_of(1),)


async def test_a_block_whose_logs_were_not_fetched_says_nothing(feed, block):
    assert await feed(BlockInspector(), block(included=(1, 2))) == []


async def test_a_block_without_logs_is_told_with_nothing_in_it(feed, mined):
    """Predictions expire by it."""
    (event,) = await feed(BlockInspector(), mined((), ()))
    assert event.data == Landed(1, f"0xb{1:063x}", (hash_of(0), hash_of(1)), (), ())
    (event,) = await feed(BlockInspector(), mined())
    assert event.data.transactions == ()


async def test_without_the_hashes_of_a_block_those_that_left_logs_are_known(feed, mined, pools):
    """In the order of the block, whether they swapped or not."""
    logs = of_transactions(LIQUIDATION, (), CYCLE)[::-1]
    whole, *_ = await feed(BlockInspector(), pools, mined(included=None, logs=logs))
    assert whole.data.transactions == (hash_of(0), hash_of(2))


async def test_whoever_was_seen_pending_is_known_as_the_sender(feed, mined, pools, transaction):
    unseen, seen = BlockInspector(), BlockInspector()
    (_, one) = await feed(unseen, pools, mined(CYCLE))
    assert one.data.searcher == BOT  # the contract that swapped is all that the logs tell
    body = transaction(0, sender=EVE, to=BOT, input=b"\x01" * 100)
    (_, one) = await feed(seen, pools, body, mined(CYCLE))
    assert one.data.searcher == EVE


async def test_a_settlement_that_was_seen_pending_is_no_arbitrage(feed, mined, pools, transaction):
    """Whom it was sent to is known then."""
    body = transaction(0, sender=BEN, to=SETTLEMENT)
    (event,) = await feed(BlockInspector(), pools, body, mined(CYCLE))
    assert event.event_type is DataType.LANDED


async def test_only_so_many_senders_are_remembered_and_not_their_calls(
    feed, mined, pools, transaction, monkeypatch
):
    monkeypatch.setattr(landed, "REMEMBERED", 2)
    inspector = BlockInspector()
    bodies = [transaction(n, sender=EVE, to=BOT, input=b"\x01" * 9) for n in range(3)]
    (_, *found) = await feed(inspector, pools, *bodies, mined(CYCLE, CYCLE, CYCLE))
    assert [one.data.searcher for one in found] == [BOT, EVE, EVE]
    assert {body.input for body in inspector._bodies.values()} == {b""}


async def test_a_swap_has_its_tokens_and_the_name_of_its_pools_own_protocol(feed, mined, pools):
    (whole, *_) = await feed(BlockInspector(), pools, mined(CYCLE))
    first, second = whole.data.swaps
    assert (first.protocol, second.protocol) == ("uniswap_v2", "sushiswap")
    assert [(swap.token_in, swap.token_out) for swap in whole.data.swaps] == [(A, B), (B, A)]


async def test_a_pool_is_named_by_what_it_is_and_not_by_what_its_log_looks_like(
    feed, mined, make_event
):
    known = make_event(DataType.POOLS, view_of(pool(P, protocol=Protocol.UNISWAP_V3)))
    (whole,) = await feed(BlockInspector(), known, mined(CYCLE[:1]))
    assert [swap.protocol for swap in whole.data.swaps] == ["uniswap_v3"]


async def test_of_pools_that_nobody_watches_nothing_is_known_beforehand(feed, mined, pools):
    """Nor of those that are watched no more."""
    (whole,) = await feed(BlockInspector(), mined(CYCLE))
    assert (whole.data.swaps, whole.data.opportunities) == ((), ())
    told = (sent(A, BOT, P, 1000), sent(B, P, BOT, 900), CYCLE[0])
    (whole,) = await feed(BlockInspector(), mined(told))
    assert [(one.token_in, one.protocol) for one in whole.data.swaps] == [(A, "uniswap_v2")]
    gone = pools.finding(view_of(), DataType.POOLS, EventPriority.HIGH)
    (whole,) = await feed(BlockInspector(), pools, gone, mined(CYCLE))
    assert whole.data.swaps == ()


def test_only_the_feeds_own_blocks_are_looked_at_but_pools_of_whoever_derives_them(
    mined, transaction, pools
):
    ours, others = BlockInspector(frozenset({"feed"})), BlockInspector(frozenset({"another"}))
    for event in (mined(CYCLE), transaction(0)):
        assert ours.admits(event)
        assert not others.admits(event)
        assert BlockInspector().admits(event)
    assert others.admits(pools)
