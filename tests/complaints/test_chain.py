"""What users of other clients complain of where chains are followed, each as a test of its own."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from tests.support.chains import Consumer
from tests.support.peer import Peer
from tests.support.served import ADDRESS, TOPIC, ServedNode
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.venues import BinanceWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.chain import Gap
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import (
    ConnectionSettings,
    EthereumSettings,
    LogFilter,
    VenueSettings,
)
from trio_mev.stream import open_stream

from .scripted import answer, shake_hands, trade

ENDPOINT = Endpoint("ws://peer.test/ws")
AT_ONCE = ConnectionSettings(subscribe_interval=0, first_delay=1.0, max_delay=1.0)
KINDS = DataType.BLOCK, DataType.GAP, DataType.REORG, DataType.LOG


@asynccontextmanager
async def following(
    node: ServedNode, nursery: trio.Nursery, **settings: Any
) -> AsyncIterator[tuple[EthereumWebSocketClient, Consumer, Callable[..., Any]]]:
    """A feed of the node, what a consumer holds of it, and a way to take in what has come."""
    peer = Peer(nursery, node)
    given: dict[str, Any] = {
        "name": "node",
        "endpoint": ENDPOINT,
        "pending": "off",
        "logs": (LogFilter((ADDRESS,), (TOPIC,)),),
        "connection": AT_ONCE,
        **settings,
    }
    feed = EthereumWebSocketClient(EthereumSettings(**given), peer.dial, rng=random.Random(1))
    consumer = Consumer()
    async with open_stream([feed]) as stream:
        events = stream.subscribe(*KINDS)

        async def take(until: Callable[[], bool]) -> None:
            while not until():
                event = await anext(events)
                consumer.take(event.event_type, event.data)

        await feed.status.wait_for(FeedState.READY)
        yield feed, consumer, take


def held(consumer: Consumer, node: ServedNode) -> Callable[[], bool]:
    """Whether the consumer holds the node's newest block, and all logs of what it holds."""

    def is_so() -> bool:
        chain = consumer.chain
        return (
            bool(chain)
            and chain[-1].hash == node.chain[-1]["hash"]
            and all(
                (block.hash, int(log["logIndex"], 16)) in consumer.logs
                for block in chain
                for log in node.logs[block.hash]
            )
        )

    return is_so


def assert_final(consumer: Consumer, node: ServedNode) -> None:
    """What is held is the node's own final answer, each log once."""
    assert [b.hash for b in consumer.chain] == [b["hash"] for b in node.chain]
    assert all(b.complete for b in consumer.chain)
    final = {b["hash"] for b in node.chain}
    assert {key for key in consumer.logs if key[0] in final} == {
        (log["blockHash"], int(log["logIndex"], 16)) for block in final for log in node.logs[block]
    }


async def test_blocks_of_the_time_without_a_connection_are_not_lost(nursery, autojump_clock):
    """web3.js 3491: what was mined during the delay before a reconnect was lost."""
    node = ServedNode()
    async with following(node, nursery) as (feed, consumer, take):
        await node.announce(*node.grow(3))
        await take(held(consumer, node))
        await node.cut()
        await feed.status.wait_for(FeedState.WAITING)
        node.grow(6)
        await feed.status.wait_for(FeedState.READY)
        await take(held(consumer, node))
    assert_final(consumer, node)  # 0 lost, 0 twice
    assert consumer.gaps == [Gap(103, 107, True)]


async def test_live_events_wait_until_the_gap_is_filled(nursery, autojump_clock):
    """ethers.js 4721: after a reconnect live events came before those that had been missed."""
    node = ServedNode()
    async with following(node, nursery, held_logs=3) as (feed, consumer, take):
        await node.announce(*node.grow(2))
        await take(held(consumer, node))
        await node.cut()
        await feed.status.wait_for(FeedState.WAITING)
        node.grow(5)
        node.bend = lambda method, params: (  # the logs of the gap take their time
            {"error": {"code": 429, "message": "slow down"}} if method == "eth_getLogs" else None
        )
        await feed.status.wait_for(FeedState.READY)
        await trio.testing.wait_all_tasks_blocked()
        (live,) = node.grow(1, logs=5)
        await node.notify("logs", *node.logs[live["hash"]])
        await node.announce(live)
        await trio.testing.wait_all_tasks_blocked()
        assert consumer.chain[-1].number == 101
        assert not any(block == live["hash"] for block, _ in consumer.logs)
        # The buffer takes three; the block brings all five, so the oldest two can be dropped.
        assert feed.status.ignored["held_log_dropped"] == 2
        node.bend = lambda method, params: None
        await take(held(consumer, node))
    assert_final(consumer, node)


async def test_a_connection_is_replaced_before_the_server_ends_it(nursery, autojump_clock):
    """Binance's 24 hours: the new connection is ready before the old one is closed, and what
    both bring counts once."""
    lives, log = 0, []

    async def exchange(peer: Any) -> None:
        nonlocal lives
        lives += 1
        mine = lives
        await shake_hands(peer)
        await answer(peer, None)
        log.append(f"{mine} up")
        async with trio.open_nursery() as talk:
            talk.start_soon(trades, peer)
            await peer.hold()
            talk.cancel_scope.cancel()
        log.append(f"{mine} down")

    async def trades(peer: Any) -> None:
        while True:  # every connection tells every trade, at the same times
            now = trio.current_time()
            number = int(now // 1.0) + 1
            await trio.sleep_until(number)
            await peer.send(trade(number, number * 1000))

    settings = VenueSettings(
        kind="binance",
        name="binance",
        endpoint=ENDPOINT,
        instruments=(Instrument("ETH", "USDT"),),
        channels=("aggTrade",),
        connection=attrs.evolve(AT_ONCE, rotate_after=23.5),
    )
    peer = Peer(nursery, exchange)
    feed = BinanceWebSocketClient(settings, peer.dial, rng=random.Random(1))
    async with open_stream([feed]) as stream:
        events = stream.subscribe(DataType.TRADE)
        numbers = [int((await anext(events)).data.trade_id) for _ in range(80)]
    assert numbers == list(range(1, 81))
    assert log[:5] == ["1 up", "2 up", "1 down", "3 up", "2 down"]
    assert feed.status.failures == 0


@pytest.mark.parametrize("removed", ["before", "late", "twice", "never"])
async def test_removed_logs_are_hints_and_the_parents_decide(nursery, autojump_clock, removed):
    """geth 16190, web3.js 1766: removed logs came out of order, twice, or never."""
    node = ServedNode()
    async with following(node, nursery) as (feed, consumer, take):
        blocks = node.grow(4)
        for block in blocks:
            await node.notify("logs", *node.logs[block["hash"]])
            await node.announce(block)
        await take(held(consumer, node))
        gone = node.revert(2)
        words = [log | {"removed": True} for block in gone for log in node.logs[block["hash"]]]
        if removed == "before":
            await node.notify("logs", *words)
        for block in node.grow(3, branch=1):
            await node.announce(block)
            await node.notify("logs", *node.logs[block["hash"]])
        if removed in {"late", "twice"}:
            await node.notify("logs", *words)
        if removed == "twice":
            await node.notify("logs", *words)
        await take(held(consumer, node))
    assert_final(consumer, node)
    assert [(r.ancestor, len(r.retracted)) for r in consumer.reorgs] == [(101, 2)]
    assert feed.trunk.book.counts.removed == (0 if removed == "never" else 4)
    assert feed.trunk.book.counts.removed_unknown == (4 if removed == "twice" else 0)


async def test_a_head_is_not_told_before_its_logs(nursery, autojump_clock):
    """degenbot: the head came before the logs, and a solver ran on half a state."""
    node = ServedNode()
    async with following(node, nursery) as (_, consumer, take):
        (block,) = node.grow(1, logs=5)
        await node.notify("logs", node.logs[block["hash"]][0])
        await node.announce(block)
        await take(lambda: bool(consumer.chain))
        (told,) = consumer.chain
        assert told.complete
        assert len(told.logs) == 5
        assert {log.block_hash for log in told.logs} == {block["hash"]}
        await take(held(consumer, node))
    hinted = [log for log in consumer.logs.values() if not log.complete]
    assert [log.log_index for log in hinted] == [0]


SHAPES = [
    {"code": -32005, "message": "query returned more than 10000 results"},
    {"code": -32602, "message": "range 1000000 exceeds limit of 10000"},
    {"code": -32602, "message": "Log response size exceeded. this block range should work: [0x1]"},
    {"code": -32600, "message": "You can make eth_getLogs requests with up to a 500 block range."},
    {"code": -32614, "message": "eth_getLogs is limited to a 10,000 range"},
    {"code": -32000, "message": "exceed maximum block range: 5000"},
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape["code"]))
async def test_limits_of_every_shape_halve_the_range(nursery, autojump_clock, shape):
    """INFURA 237 and others: limits in many shapes."""
    node = ServedNode()

    def limited(method: str, params: list[Any]) -> dict[str, Any] | None:
        if method == "eth_getLogs" and "fromBlock" in params[0]:
            first, last = (int(params[0][key], 16) for key in ("fromBlock", "toBlock"))
            if last - first >= 3:
                return {"error": shape}
        return None

    node.bend = limited
    async with following(node, nursery) as (feed, consumer, take):
        await node.announce(*node.grow(1))
        await take(held(consumer, node))
        await node.announce(node.grow(17)[-1])
        await take(held(consumer, node))
    assert_final(consumer, node)
    asked = [str(params) for method, params in node.requests if method == "eth_getLogs"]
    assert len(asked) == len(set(asked))
    assert feed.status.failures == 0


async def test_a_spent_quota_is_waited_for_and_splits_nothing(nursery, autojump_clock):
    """-32005 is too many results and too many requests, too."""
    node = ServedNode()
    refusals = iter([{"code": -32005, "message": "project ID request rate exceeded"}] * 3)

    def tired(method: str, params: list[Any]) -> dict[str, Any] | None:
        if method == "eth_getLogs" and (error := next(refusals, None)) is not None:
            return {"error": error}
        return None

    node.bend = tired
    async with following(node, nursery) as (_, consumer, take):
        start = trio.current_time()
        await node.announce(*node.grow(1))
        await take(held(consumer, node))
        assert 1.75 <= trio.current_time() - start <= 3.5
    assert_final(consumer, node)
    asked = [params for method, params in node.requests if method == "eth_getLogs"]
    assert asked == [asked[0]] * 4


@pytest.mark.parametrize("who", ["we", "the peer"])
async def test_a_reply_too_large_for_the_socket_is_not_asked_for_again(
    nursery, autojump_clock, who
):
    """degenbot: an oversized reply closed the socket, the reconnect asked again, for ever."""
    node = ServedNode()

    def boast(method: str, params: list[Any]) -> dict[str, Any] | None:
        if method != "eth_getLogs" or "fromBlock" not in params[0]:
            return None
        first, last = (int(params[0][key], 16) for key in ("fromBlock", "toBlock"))
        if last - first < 2:
            return None
        if who == "we":
            return {"result": "x" * 9000}
        return {"close": 1009}

    node.bend = boast
    settings = attrs.evolve(AT_ONCE, max_message=8000)
    async with following(node, nursery, connection=settings) as (feed, consumer, take):
        await node.announce(*node.grow(1))
        await take(held(consumer, node))
        await node.announce(node.grow(9)[-1])
        await take(held(consumer, node))
        assert feed.status.failures >= 1
    assert_final(consumer, node)
    ranges = [str(p) for m, p in node.requests if m == "eth_getLogs" and "fromBlock" in p[0]]
    assert len(ranges) == len(set(ranges))


async def test_a_single_block_that_is_too_large_is_told_incomplete(nursery, autojump_clock):
    node = ServedNode()
    node.bend = lambda method, params: (
        {"error": {"code": -32005, "message": "query returned more than 10000 results"}}
        if method == "eth_getLogs"
        else None
    )
    async with following(node, nursery) as (feed, consumer, take):
        await node.announce(*node.grow(1))
        await take(lambda: bool(consumer.chain))
    assert [(b.complete, b.logs) for b in consumer.chain] == [(False, None)]
    assert feed.status.refused["logs_not_available"] == 1
