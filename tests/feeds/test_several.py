"""Several nodes of one chain: who stalls, is late, or lies; each thing once, and who was first."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from tests.support.chains import Consumer
from tests.support.peer import Peer
from tests.support.served import ADDRESS, TOPIC, ServedNode, hash_of
from trio_mev.errors import ConfigError, RestartLimitReached
from trio_mev.feeds.ethereum import EthereumFeed, EthereumWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import (
    ConnectionSettings,
    EthereumSettings,
    LogFilter,
    NodeSettings,
)
from trio_mev.stream import open_stream

KINDS = DataType.BLOCK, DataType.GAP, DataType.REORG, DataType.LOG
BODY = {
    "from": ADDRESS,
    "to": ADDRESS,
    "value": "0x0",
    "gas": "0x5208",
    "gasPrice": "0x1",
    "input": "0x",
}


def body(number: int) -> dict[str, Any]:
    return BODY | {"hash": hash_of(number, 77), "nonce": hex(number)}


def settings(*aliases: str, **changes: Any) -> EthereumSettings:
    return EthereumSettings(
        name="chain",
        nodes=tuple(NodeSettings(alias, Endpoint(f"ws://{alias}.test/key")) for alias in aliases),
        logs=(LogFilter((ADDRESS,), (TOPIC,)),),
        connection=ConnectionSettings(subscribe_interval=0, silence=600.0),
        **changes,
    )


class Watched:
    """A feed of several nodes and what a consumer holds of it."""

    def __init__(self, feed: EthereumFeed, stream: Any) -> None:
        self.feed = feed
        self.held = Consumer()
        self.events: list[DataEvent] = []
        self._chain = stream.subscribe(*KINDS)
        self.bodies = stream.subscribe(DataType.TRANSACTION)

    async def until(self, what: Callable[[], bool]) -> None:
        while not what():
            event = await anext(self._chain)
            self.events.append(event)
            self.held.take(event.event_type, event.data)

    async def tip(self, block: dict[str, Any]) -> None:
        await self.until(
            lambda: bool(self.held.chain) and self.held.chain[-1].hash == block["hash"]
        )


@asynccontextmanager
async def watching(
    nursery: trio.Nursery, nodes: dict[str, ServedNode], **changes: Any
) -> AsyncIterator[Watched]:
    peers = {alias: Peer(nursery, node) for alias, node in nodes.items()}

    async def dial(endpoint: Endpoint) -> trio.abc.Stream:
        return await peers[endpoint.host.removesuffix(".test")].dial(endpoint)

    feed = EthereumFeed(settings(*nodes, **changes), dial, rng=random.Random(1))
    async with open_stream([feed]) as stream:
        watched = Watched(feed, stream)
        for status in feed.statuses:
            await status.wait_for(FeedState.READY, FeedState.REFUSED)
        yield watched


@pytest.fixture
def nodes() -> dict[str, ServedNode]:
    """Three nodes of one chain."""
    first = ServedNode()
    made = {"a": first, "b": ServedNode(), "c": ServedNode()}
    for node in made.values():
        node.chain, node.logs = first.chain, first.logs
    return made


async def test_each_block_comes_once_and_the_shares_follow_the_delays(
    nursery, nodes, autojump_clock
):
    """a is 0.2 s behind b for every block, and c 0.7 s; of every fifth block a is first."""
    async with watching(nursery, nodes) as watched:
        for number in range(20):
            (block,) = nodes["a"].grow()
            order = [("b", 0.0), ("a", 0.2), ("c", 0.5)]
            if number % 5 == 0:
                order = [("a", 0.0), ("b", 0.2), ("c", 0.5)]
            for alias, later in order:
                await trio.sleep(later)
                await nodes[alias].announce(block)
            await trio.sleep(11.0)
        await watched.tip(nodes["a"].chain[-1])
        figures = watched.feed.figures()
    assert [b.hash for b in watched.held.chain] == [b["hash"] for b in nodes["a"].chain]
    assert all(b.complete for b in watched.held.chain)
    shares = {alias: figures[alias, "block"].first for alias in "abc"}
    assert shares == {"a": 4, "b": 16, "c": 0}
    assert figures["a", "block"].median_lag == pytest.approx(0.2)
    assert figures["c", "block"].median_lag == pytest.approx(0.7)
    assert figures["c", "block"].longest_lag == pytest.approx(0.7)
    assert {f.missed for f in figures.values()} == {0}


async def test_one_that_stalls_delays_nothing_and_is_believed_no_longer(
    nursery, nodes, autojump_clock
):
    async with watching(nursery, nodes) as watched:
        feed = watched.feed
        for _ in range(3):
            (block,) = nodes["a"].grow()
            for node in nodes.values():
                await node.announce(block)
            await watched.tip(block)
            await trio.sleep(12)
        believed = feed.current
        nodes[believed].silent = True
        others = [node for alias, node in nodes.items() if alias != believed]
        (block,) = nodes["a"].grow()
        for node in others:
            await node.announce(block)
        start = trio.current_time()
        await watched.tip(block)
        assert trio.current_time() == start  # nobody waits for the one that stalls
        await trio.sleep(12)
        assert feed.current != believed
        assert feed.trunk.changes["stalled"] == 1
        # The others' branch is the chain now.
        nodes["a"].revert(1)
        for block in nodes["a"].grow(2, branch=1):
            for node in others:
                await node.announce(block)
        await watched.tip(nodes["a"].chain[-1])
    assert [r.ancestor for r in watched.held.reorgs] == [102]
    assert [b.hash for b in watched.held.chain] == [b["hash"] for b in nodes["a"].chain]


async def test_the_believed_one_goes_down_and_the_next_fills_what_is_missing(
    nursery, nodes, autojump_clock
):
    async with watching(nursery, {"a": nodes["a"], "b": nodes["b"]}) as watched:
        (block,) = nodes["a"].grow()
        for node in nodes.values():
            await node.announce(block)
        await watched.tip(block)
        believed = watched.feed.current
        other = "b" if believed == "a" else "a"
        nodes[believed].silent = True
        await nodes[believed].cut()
        nodes["a"].grow(3)
        await nodes[other].announce(nodes["a"].chain[-1])
        await watched.tip(nodes["a"].chain[-1])
        assert watched.feed.current == other
    assert [b.number for b in watched.held.chain] == [100, 101, 102, 103]
    assert [(g.first, g.last, g.filled) for g in watched.held.gaps] == [(101, 102, True)]


async def test_one_on_another_chain_is_refused_and_the_others_go_on(nursery, nodes, autojump_clock):
    nodes["b"].bend = lambda method, params: {"result": "0x5"} if method == "eth_chainId" else None
    async with watching(nursery, nodes, chain_id=1) as watched:
        for _ in range(3):
            (block,) = nodes["a"].grow()
            for alias in "ac":
                await nodes[alias].announce(block)
        await watched.tip(block)
        states = {s.name: s.state for s in watched.feed.statuses}
        assert states == {
            "a": FeedState.READY,
            "b": FeedState.REFUSED,
            "c": FeedState.READY,
        }
    assert {event.source for event in watched.events} <= {"a", "c"}


@pytest.mark.parametrize("pinned", [True, False])
async def test_one_that_lies_about_its_chain_changes_nothing(
    nursery, nodes, autojump_clock, pinned
):
    """It says that it is on chain 1, and its blocks are of another. Where the first block is
    configured it is refused for that, else for contradicting the first that answered."""
    liar = ServedNode()
    first = {"parentHash": hash_of(0), "timestamp": "0x0", "gasLimit": "0x0", "gasUsed": "0x0"}
    nodes["a"].genesis = {"number": "0x0", "hash": hash_of(0, 1), **first}
    liar.genesis = {"number": "0x0", "hash": hash_of(0, 2), **first}
    changes = {"genesis": hash_of(0, 1)} if pinned else {}
    both = {"a": nodes["a"], "liar": liar}
    async with watching(nursery, both, chain_id=1, **changes) as watched:
        states = {status.state for status in watched.feed.statuses}
        assert states == {FeedState.READY, FeedState.REFUSED}
        (refused,) = [s for s in watched.feed.statuses if s.state is FeedState.REFUSED]
        sound = next(node for name, node in both.items() if name != refused.name)
        for _ in range(3):
            (block,) = sound.grow()
            await sound.announce(block)
        await watched.tip(block)
        assert watched.feed.current != refused.name
        if pinned:
            assert refused.name == "liar"
            assert "is configured" in refused.detail
        else:
            assert "otherwise than that of" in refused.detail
    assert watched.held.reorgs == []


async def test_pending_transactions_come_once_from_whoever_is_first(nursery, nodes, autojump_clock):
    async with watching(nursery, nodes) as watched:
        for number in range(10):
            for alias in random.Random(number).sample("abc", 3):
                await nodes[alias].notify("newPendingTransactions", body(number))
                await trio.sleep(0.01)
        seen = [(await anext(watched.bodies)).data.nonce for _ in range(10)]
        figures = watched.feed.figures()
    assert seen == list(range(10))
    assert sum(figures[alias, "transaction"].first for alias in "abc") == 10
    assert sum(figures[alias, "transaction"].seen for alias in "abc") == 30


async def test_a_required_feed_ends_the_stream_when_all_its_nodes_are_refused(
    nursery, nodes, autojump_clock
):
    for node in nodes.values():
        node.bend = lambda method, params: {"result": "0x5"} if method == "eth_chainId" else None
    with pytest.raises(RestartLimitReached, match="feed chain: every node is refused"):
        async with watching(nursery, nodes, chain_id=1, required=True):
            await trio.sleep_forever()


def test_an_alias_and_never_a_url_names_a_node(nodes):
    feed = EthereumFeed(settings("a", "b"))
    assert [status.name for status in feed.statuses] == ["a", "b"]
    assert "key" not in json.dumps([str(s.snapshot()) for s in feed.statuses])


def test_one_node_and_several_are_not_mixed_up():
    with pytest.raises(ConfigError, match="has several nodes"):
        EthereumWebSocketClient(settings("a"))
    with pytest.raises(ConfigError, match="has no nodes"):
        EthereumFeed(EthereumSettings(name="x", endpoint=Endpoint("ws://a.test")))
    with pytest.raises(ValueError, match="two nodes are named a"):
        settings("a", "a")
    with pytest.raises(ValueError, match="both an endpoint and nodes"):
        EthereumSettings(
            name="x",
            endpoint=Endpoint("ws://a.test"),
            nodes=(NodeSettings("a", Endpoint("ws://a.test")),),
        )
