"""The Ethereum feed against a real node: nothing lost, nothing twice, nothing retracted stands."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from tests.devnet.node import Node, Options, anvil
from tests.devnet.rpc import Rpc
from tests.support.chains import Consumer
from trio_mev import DataProcessor
from trio_mev.errors import RpcFailed, RpcTimeout, StreamConnectionError
from trio_mev.feeds.ethereum import EthereumFeed, EthereumWebSocketClient
from trio_mev.feeds.websocket import dialer
from trio_mev.flow.status import FeedState
from trio_mev.model.chain import Gap, Life
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import (
    ConnectionSettings,
    EthereumSettings,
    LogFilter,
    NodeSettings,
)
from trio_mev.stream import RealtimeDataStream, open_stream

SENDER = "0x" + "5e" * 20
EMITTER = "0x" + "e1" * 20
OTHER = "0x" + "e2" * 20
TOPIC = "0x" + "70" * 32
# Three logs with one topic and 32 bytes of data each, then the end.
CODE = "0x" + ("7f" + TOPIC[2:] + "60206000a1") * 3 + "00"
QUICK = ConnectionSettings(
    first_delay=0.05, max_delay=0.1, subscribe_interval=0.0, confirm_timeout=5.0
)
FILTER = LogFilter((EMITTER,), (TOPIC,))
KINDS = (
    DataType.BLOCK,
    DataType.GAP,
    DataType.REORG,
    DataType.LOG,
    DataType.TRANSACTION,
    DataType.MEMPOOL,
)


class Line:
    """A way to the node that can be cut."""

    def __init__(self) -> None:
        self.up = True
        self._restored = trio.Event()
        self._streams: list[trio.abc.Stream] = []
        self.dials = 0

    async def dial(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.dials += 1
        if not self.up:
            await self._restored.wait()
        stream = await dialer()(endpoint)
        self._streams.append(stream)
        return stream

    async def cut(self) -> None:
        """End every connection; new ones wait."""
        self.up, self._restored = False, trio.Event()
        streams, self._streams = self._streams, []
        for stream in streams:
            await trio.aclose_forcefully(stream)

    def restore(self) -> None:
        self.up = True
        self._restored.set()


class Watch:
    """What a consumer holds of a stream, and waits for what it shall hold."""

    def __init__(self, stream: RealtimeDataStream) -> None:
        self.held = Consumer()
        self.events: list[DataEvent] = []
        self.lives: list[tuple[str, Life]] = []
        self.bodies: list[str] = []
        self._subscription = stream.subscribe(*KINDS)

    async def until(self, what: Callable[[], bool]) -> None:
        """Take events until something is so."""
        while not what():
            event = await anext(self._subscription)
            self.events.append(event)
            if event.event_type is DataType.MEMPOOL:
                self.lives.append((event.data.hash, event.data.life))
            elif event.event_type is DataType.TRANSACTION:
                self.bodies.append(event.data.hash)
            else:
                self.held.take(event.event_type, event.data)

    async def tip(self, rpc: Rpc) -> None:
        """Until the newest block is the node's."""
        latest = await rpc.call("eth_getBlockByNumber", "latest", False)
        await self.until(lambda: bool(self.held.chain) and self._is(latest["hash"]))

    def _is(self, block: str) -> bool:
        return self.held.chain[-1].hash == block

    async def agrees_with(self, rpc: Rpc) -> None:
        """What is held as final is the node's own final answer."""
        first = self.held.chain[0].number
        assert [b.number for b in self.held.chain] == list(
            range(first, await rpc.number("eth_blockNumber") + 1)
        )
        for block in self.held.chain:
            theirs = await rpc.call("eth_getBlockByNumber", hex(block.number), False)
            assert (block.hash, block.parent) == (theirs["hash"], theirs["parentHash"])
            assert list(block.transactions or ()) == theirs["transactions"]
            logs = await rpc.call(
                "eth_getLogs", {"blockHash": block.hash, "address": EMITTER, "topics": [TOPIC]}
            )
            assert block.complete
            assert [log.log_index for log in block.logs or ()] == [
                int(log["logIndex"], 16) for log in logs
            ]
        # Each log is told by itself, too, on a lane of its own, and once: the consumer insists.
        keys = {(b.hash, log.log_index) for b in self.held.chain for log in b.logs or ()}
        await self.until(lambda: keys <= self.held.logs.keys())


@pytest.fixture
async def emitting(rpc: Rpc) -> Rpc:
    """A node with a contract that emits logs, another whose logs nobody wants, and a sender."""
    await rpc.call("anvil_setBalance", SENDER, hex(10**24))
    await rpc.call("anvil_setCode", EMITTER, CODE)
    await rpc.call("anvil_setCode", OTHER, CODE)
    return rpc


async def send(rpc: Rpc, to: str = EMITTER, **fields: Any) -> str:
    return await rpc.call(
        "eth_sendTransaction", {"from": SENDER, "to": to, "gas": "0x30d40", **fields}
    )


async def mine(rpc: Rpc, blocks: int = 1) -> None:
    """Blocks, each with a transaction that emits and one that emits what nobody wants."""
    for _ in range(blocks):
        await send(rpc)
        await send(rpc, OTHER)
        await rpc.call("evm_mine")


def settings(node: Node, **changes: Any) -> EthereumSettings:
    given: dict[str, Any] = {
        "name": "node",
        "endpoint": Endpoint(node.ws_url),
        "logs": (FILTER,),
        "connection": QUICK,
        "chain_id": 1,
        **changes,
    }
    return EthereumSettings(**given)


@asynccontextmanager
async def watching(feed: Any, limit: float = 90.0) -> AsyncIterator[Watch]:
    """A stream of the feed, ready, and its watch."""
    with trio.fail_after(limit):
        async with open_stream([feed]) as stream:
            watch = Watch(stream)
            for status in feed.statuses:
                await status.wait_for(FeedState.READY, FeedState.REFUSED, FeedState.LOST)
            yield watch


async def test_blocks_come_whole_and_in_order(node: Node, emitting: Rpc):
    feed = EthereumWebSocketClient(settings(node))
    async with watching(feed) as watch:
        await mine(emitting, 5)
        await watch.tip(emitting)
        await watch.agrees_with(emitting)
    assert [len(b.logs) for b in watch.held.chain] == [3] * 5
    assert watch.held.gaps == watch.held.reorgs == []
    assert feed.status.refused == {}


async def test_what_was_mined_while_the_line_was_cut_is_told_as_a_gap_and_filled(
    node: Node, emitting: Rpc
):
    line = Line()
    feed = EthereumWebSocketClient(settings(node), line.dial, rng=random.Random(1))
    async with watching(feed) as watch:
        await mine(emitting, 2)
        await watch.tip(emitting)
        await line.cut()
        await mine(emitting, 7)
        line.restore()
        await watch.tip(emitting)
        await mine(emitting, 2)
        await watch.tip(emitting)
        await watch.agrees_with(emitting)
    assert watch.held.gaps == [Gap(3, 8, True)]
    assert len(watch.held.chain) == 11


@pytest.mark.parametrize("depth", range(1, 8))
async def test_a_reorganisation_of_any_depth(node: Node, emitting: Rpc, depth: int):
    feed = EthereumWebSocketClient(settings(node))
    async with watching(feed) as watch:
        await mine(emitting, 9)
        await watch.tip(emitting)
        before = list(watch.held.chain)
        await emitting.call("anvil_reorg", depth, [])
        await mine(emitting)
        await watch.tip(emitting)
        await watch.agrees_with(emitting)
    retracted = [block for reorg in watch.held.reorgs for block in reorg.retracted]
    assert before[: -depth - 1 : -1] == [b for b in retracted if b in before]
    assert min(reorg.ancestor for reorg in watch.held.reorgs) == 9 - depth


async def test_a_head_lower_than_the_last_is_a_reorganisation(node: Node, emitting: Rpc):
    snapshot = None
    async with watching(EthereumWebSocketClient(settings(node))) as watch:
        await mine(emitting, 2)
        snapshot = await emitting.call("evm_snapshot")
        await mine(emitting, 4)
        await watch.tip(emitting)
        await emitting.call("evm_revert", snapshot)
        await mine(emitting)
        await watch.tip(emitting)
        await watch.agrees_with(emitting)
    (reorg,) = watch.held.reorgs
    assert (reorg.ancestor, len(reorg.retracted), len(reorg.added)) == (2, 4, 1)


async def test_a_node_of_another_chain_is_refused(emitting: Rpc):
    async with anvil(Options(chain_id=5)) as other:
        feed = EthereumWebSocketClient(settings(other))
        async with watching(feed):
            assert feed.status.state is FeedState.REFUSED
            assert feed.status.detail == "the node is on chain 5, and 1 is configured"


async def test_the_life_of_pending_transactions(node: Node, emitting: Rpc):
    async with watching(EthereumWebSocketClient(settings(node))) as watch:
        gwei = 10**9
        await emitting.call("evm_mine")
        first = await send(emitting, nonce="0x0", gasPrice=hex(3 * gwei))
        second = await send(emitting, nonce="0x0", gasPrice=hex(5 * gwei))
        await watch.until(lambda: (first, Life.REPLACED) in watch.lives)
        await emitting.call("evm_mine")
        await watch.until(lambda: (second, Life.INCLUDED) in watch.lives)
        assert watch.bodies == [first, second]
        await emitting.call("anvil_reorg", 1, [])
        await watch.until(lambda: (second, Life.RETURNED) in watch.lives)


async def test_what_the_node_dropped_is_asked_for_and_dropped(node: Node, emitting: Rpc):
    feed = EthereumWebSocketClient(settings(node, ask_pending_after=1e-6))
    async with watching(feed) as watch:
        dropped = await send(emitting)
        await watch.until(lambda: watch.bodies == [dropped])
        await emitting.call("anvil_dropTransaction", dropped)
        await emitting.call("evm_mine")
        await watch.until(lambda: (dropped, Life.DROPPED) in watch.lives)


async def test_calls_pass_by_the_same_socket(node: Node, emitting: Rpc):
    feed = EthereumWebSocketClient(settings(node))
    async with watching(feed):
        assert await feed.rpc.call("eth_chainId", kind=str) == "0x1"
        with pytest.raises(RpcFailed) as refused:
            await feed.rpc.call("eth_nonsense")
        assert refused.value.code == -32602
        found = await feed.rpc.batch([("eth_chainId", ()), ("eth_no", ()), ("eth_blockNumber", ())])
        assert (found[0], found[2]) == ("0x1", "0x0")
        assert isinstance(found[1], RpcFailed)
        assert await feed.rpc.batch([]) == []
        node.stop()
        with pytest.raises(RpcTimeout, match=r"eth_chainId: no answer within 0\.05 s"):
            await feed.rpc.call("eth_chainId", within=0.05)
        with trio.move_on_after(0.05):
            await feed.rpc.call("eth_blockNumber")
        node.cont()
        assert await feed.rpc.call("eth_chainId") == "0x1"
        assert feed.status.ignored["late_reply"] == 2
    with pytest.raises(StreamConnectionError, match="there is no connection"):
        await feed.rpc.call("eth_chainId")


async def test_a_call_ends_with_its_connection(node: Node, emitting: Rpc):
    line = Line()
    feed = EthereumWebSocketClient(settings(node), line.dial)
    async with watching(feed):
        node.stop()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def call() -> None:
                with pytest.raises(StreamConnectionError, match="lost before the answer"):
                    await feed.rpc.call("eth_chainId")

            await trio.testing.wait_all_tasks_blocked(0.01)
            await line.cut()
        node.cont()


async def test_a_new_connection_takes_over_before_the_old_one_ends(node: Node, emitting: Rpc):
    rotating = attrs.evolve(QUICK, rotate_after=0.4)
    line = Line()
    feed = EthereumWebSocketClient(settings(node, connection=rotating), line.dial)
    async with watching(feed) as watch:
        while line.dials < 4:
            await mine(emitting)
            await watch.tip(emitting)
        await watch.agrees_with(emitting)
        assert feed.status.failures == 0
        assert feed.status.connections >= 3
    assert watch.held.gaps == watch.held.reorgs == []
    assert len(set(watch.bodies)) == len(watch.bodies)


async def test_a_reply_too_large_for_the_socket_is_split_and_never_asked_for_again(
    node: Node, emitting: Rpc
):
    line, frames = Line(), []

    def tap(name: str, direction: Any, frame: bytes, *_: Any) -> None:
        if b"eth_getLogs" in frame:
            frames.append(frame)

    # One block's logs are 1.6 kB; those of three do not fit.
    small = attrs.evolve(QUICK, max_message=4500)
    feed = EthereumWebSocketClient(settings(node, connection=small, pending="off"), line.dial, tap)
    async with watching(feed, 30) as watch:
        await mine(emitting)
        await watch.tip(emitting)
        await line.cut()
        await mine(emitting, 8)
        line.restore()
        await watch.tip(emitting)
        await watch.agrees_with(emitting)
    assert feed.status.refused["oversized"] >= 1
    asked = [frame.partition(b'"params"')[2] for frame in frames if b"fromBlock" in frame]
    assert len(asked) == len(set(asked))


def several(*nodes: tuple[str, Node], **changes: Any) -> EthereumSettings:
    return EthereumSettings(
        name="chain",
        nodes=tuple(NodeSettings(alias, Endpoint(node.ws_url)) for alias, node in nodes),
        logs=(FILTER,),
        connection=QUICK,
        chain_id=1,
        **changes,
    )


async def test_several_nodes_one_of_them_on_another_chain_and_one_stalled(
    node: Node, emitting: Rpc
):
    async with anvil(Options(chain_id=5)) as stranger:
        feed = EthereumFeed(several(("a", node), ("b", node), ("stranger", stranger)))
        async with watching(feed) as watch:
            await mine(emitting, 5)
            await watch.tip(emitting)
            await watch.agrees_with(emitting)
            assert {s.name: s.state for s in feed.statuses} == {
                "a": FeedState.READY,
                "b": FeedState.READY,
                "stranger": FeedState.REFUSED,
            }
            assert feed.current in {"a", "b"}
            figures = feed.figures()
            assert figures["a", "block"].first + figures["b", "block"].first == 5
            assert await feed.rpc.call("eth_blockNumber") == "0x5"
        assert {event.source for event in watch.events} <= {"a", "b"}
        assert len(set(watch.bodies)) == len(watch.bodies) == 10


async def test_a_processor_calls_the_node_that_its_events_come_from(node: Node, emitting: Rpc):
    class Balances(DataProcessor):
        consumes = frozenset({DataType.BLOCK})

        async def process_event(self, event: DataEvent):
            assert self.rpc is not None
            balance = await self.rpc.call("eth_getBalance", [SENDER, event.data.hash], kind=str)
            return [event.finding(int(balance, 16))]

    with trio.fail_after(90):
        async with open_stream([EthereumWebSocketClient(settings(node))], [Balances]) as stream:
            (status,) = stream.manager.statuses
            await status.wait_for(FeedState.READY)
            await mine(emitting)
            found = await anext(aiter(stream.findings))
    theirs = await emitting.call("eth_getBalance", SENDER, "latest")
    assert found.data == int(theirs, 16) < 10**24


def test_without_a_node_there_are_no_calls():
    async def main() -> None:
        async with open_stream() as stream:
            assert stream.rpc is None

    trio.run(main)


@pytest.mark.parametrize("seed", range(6))
async def test_any_course_of_blocks_reorganisations_reverts_and_cuts(
    node: Node, emitting: Rpc, seed: int
):
    """What is held at the end is the node's own final answer, with every gap told."""
    rng = random.Random(seed)
    line = Line()
    feed = EthereumWebSocketClient(settings(node), line.dial, rng=random.Random(seed))
    async with watching(feed, 60) as watch:
        await mine(emitting, 2)
        await watch.tip(emitting)
        for _ in range(12):
            what = rng.choice(["mine", "mine", "reorg", "revert", "cut"])
            if what == "mine":
                await mine(emitting, rng.randint(1, 4))
            elif what == "reorg":
                await mine(emitting, 3)
                await emitting.call("anvil_reorg", rng.randint(1, 3), [])
            elif what == "revert":
                snapshot = await emitting.call("evm_snapshot")
                await mine(emitting, rng.randint(1, 5))
                await emitting.call("evm_revert", snapshot)
            else:
                await line.cut()
                await mine(emitting, rng.randint(1, 6))
                line.restore()
        await mine(emitting)
        await watch.tip(emitting)
        await watch.agrees_with(emitting)
    assert len(set(watch.bodies)) == len(watch.bodies)
