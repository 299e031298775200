"""Several ways to a chain at once: one late, one stalled, one that is on another chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import attrs
import pytest
import trio

from tests.devnet.answer import Answer, differences
from tests.devnet.chaos import Received, settings
from tests.devnet.ledger import Ledger, Watch
from tests.devnet.node import Node, Options, anvil
from tests.devnet.programme import EMITTER, TOPIC, Programme
from tests.devnet.relay import Relay, open_relay
from tests.devnet.rpc import Rpc
from tests.devnet.weather import Passing
from trio_mev.feeds.ethereum import EthereumFeed
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, NodeSettings
from trio_mev.stream import open_stream
from trio_mev.wire.tape import Direction

LATE = 0.06
"""Seconds by which a relay is late."""
SLOP = 0.04
"""Seconds by which a machine that has other things to do may distort that."""
BLOCK_TIME = 1.0
LIMIT = 120.0
CONNECTION = ConnectionSettings(
    ping_interval=0.1, pong_timeout=0.3, first_delay=0.1, max_delay=0.2, subscribe_interval=0.0
)


@attrs.frozen(eq=False)
class Setting:
    """A feed of several nodes, and everything around it."""

    feed: EthereumFeed
    relays: Sequence[Relay]
    watch: Watch
    received: dict[str, Received]
    """By alias."""
    node: Node
    rpc: Rpc
    at: dict[str, float]
    """Blocks and reorganisations, by the hash of the (first new) block, to when they were told."""

    async def tip(self) -> str:
        """Wait until the newest block is the node's; its hash."""
        latest = (await self.rpc.call("eth_getBlockByNumber", "latest", False))["hash"]
        assert await self.watch.until(lambda: self.watch.ledger.tip == latest, LIMIT)
        return latest

    async def agrees(self) -> None:
        """Nothing lost, nothing twice: all that is held is the node's answer."""
        for _ in range(20):
            # With a block a feed asks for what has waited: the node forgets some untold.
            await self.rpc.call("evm_mine")
            await self.tip()
            wanted = {"address": EMITTER, "topics": [TOPIC]}
            first = self.watch.ledger.chain[0].number
            answer = await Answer.of(self.node.http_url, first, wanted)
            if await self.watch.until(partial(self._told, answer), 0.2):
                break
        given = set().union(*(one.transactions for one in self.received.values()))
        assert differences(self.watch.ledger, answer, given) == []

    def _told(self, answer: Answer) -> bool:
        ledger = self.watch.ledger
        keys = {(b.hash, log.log_index) for b in ledger.chain for log in b.logs or ()}
        return keys <= ledger.logs.keys() and ledger.pending <= answer.pool


@asynccontextmanager
async def several(
    node: Node,
    rpc: Rpc,
    latencies: Sequence[Callable[[Passing], float]],
    *strangers: Node,
    **changes: Any,
) -> AsyncIterator[Setting]:
    """A feed of as many relays to the node, named a, b, c, and of other chains' nodes."""
    async with AsyncExitStack() as stack:
        stack.enter_context(trio.fail_after(LIMIT))
        relays = [
            await stack.enter_async_context(open_relay(node.ws_url, latency=latency))
            for latency in latencies
        ]
        urls = [relay.url for relay in relays] + [other.ws_url for other in strangers]
        nodes = tuple(
            NodeSettings(alias, Endpoint(url)) for alias, url in zip("abc", urls, strict=False)
        )
        ledger, at = Ledger(), {}
        received = {alias: Received(ledger) for alias in "abc"}

        def tap(name: str, direction: Direction, frame: bytes, *_: object) -> None:
            received[name].tap(name, direction, frame)

        feed = EthereumFeed(
            settings(
                None, "chain", nodes=nodes, connection=CONNECTION, fetch_timeout=2.0, **changes
            ),
            tap=tap,
        )
        stream = await stack.enter_async_context(open_stream([feed]))
        watch = Watch(stream, ledger)

        def each(event: Any) -> None:
            if event.event_type is DataType.BLOCK:
                at[event.data.hash] = trio.current_time()

        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(watch.run, each)
        for status in feed.statuses:
            await status.wait_for(FeedState.READY, FeedState.REFUSED)
        yield Setting(feed, relays, watch, received, node, rpc, at)
        nursery.cancel_scope.cancel()


def at_once(passing: Passing) -> float:
    return 0.0


def late(passing: Passing) -> float:
    return LATE


def number(passing: Passing) -> int | None:
    """Of the head that a frame announces."""
    if passing.kind != "newHeads":
        return None
    return int(passing.json["params"]["result"]["number"], 16)


@pytest.fixture
async def programme(rpc: Rpc) -> Programme:
    made = Programme(rpc, 3)
    await made.prepare(1)
    return made


async def grow(programme: Programme, setting: Setting, blocks: int) -> None:
    """Blocks with transactions, each told before the next is made."""
    for _ in range(blocks):
        await programme.send(3)
        await setting.rpc.call("evm_mine")
        await setting.tip()


async def test_of_two_one_is_late_and_the_table_says_by_how_much(node, rpc, programme):
    async with several(node, rpc, [at_once, late]) as setting:
        await grow(programme, setting, 8)
        await setting.agrees()
        blocks = len(setting.watch.ledger.chain)
        table = setting.feed.figures
        await programme.send(1)  # b is in order, so that it has told of every block by then
        before = table()["b", "transaction"].seen
        assert await setting.watch.until(lambda: table()["b", "transaction"].seen > before, 0.2)
        for kind in ("block", "transaction"):
            first, second = table()["a", kind], table()["b", kind]
            assert (first.first, second.first) == (first.seen, 0)
            assert second.median_lag == pytest.approx(LATE, abs=SLOP)
        assert table()["a", "block"].seen == table()["b", "block"].seen == blocks
        assert table()["a", "block"].median_lag is None
        assert setting.feed.current == "a"


async def test_shares_follow_from_who_is_late_for_which(node, rpc, programme):
    def every_third(passing: Passing) -> float:
        at = number(passing)
        return LATE if at is not None and at % 3 == 0 else 0.0

    def the_others(passing: Passing) -> float:
        at = number(passing)
        return LATE if at is not None and at % 3 else 0.0

    async with several(node, rpc, [every_third, the_others], pending="off") as setting:
        start = await rpc.number("eth_blockNumber")
        for _ in range(9):
            await rpc.call("evm_mine")
            await setting.tip()
        numbers = range(start + 1, start + 10)
        thirds = sum(n % 3 == 0 for n in numbers)
        figures = setting.feed.figures()
        shares = figures["a", "block"].first, figures["b", "block"].first
        assert shares == (9 - thirds, thirds)
        await setting.agrees()


async def test_of_three_one_stalls_one_is_late_and_one_is_on_another_chain(node, rpc, programme):
    """Who stalled was believed: a reorganisation that only the late one tells of is believed
    within a block's time."""
    async with anvil(Options(chain_id=5)) as stranger:
        async with several(node, rpc, [at_once, late], stranger, patience=0.5) as setting:
            await grow(programme, setting, 5)
            states = {status.name: status.state for status in setting.feed.statuses}
            assert states == {
                "a": FeedState.READY, "b": FeedState.READY, "c": FeedState.REFUSED,
            }  # fmt: skip
            assert setting.feed.current == "a"
            setting.relays[0].stall()
            begun = trio.current_time()
            await rpc.call("anvil_reorg", 3, [])
            await rpc.call("evm_mine")
            newest = await setting.tip()
            assert setting.at[newest] - begun < BLOCK_TIME
            assert setting.feed.current == "b"
            assert sum(len(r.retracted) for r in setting.watch.ledger.reorgs) >= 3
            await grow(programme, setting, 3)
            await setting.agrees()
            assert setting.watch.ledger.gaps == []


async def test_a_stalled_one_that_comes_back_tells_nothing_twice(node, rpc, programme):
    async with several(node, rpc, [at_once, at_once]) as setting:
        await grow(programme, setting, 3)
        setting.relays[0].stall()
        await grow(programme, setting, 3)
        status = setting.feed.statuses[0]
        await status.wait_for(FeedState.WAITING, FeedState.CONNECTING)
        await status.wait_for(FeedState.READY)
        assert setting.relays[0].lives >= 2
        await grow(programme, setting, 3)
        await setting.agrees()
        assert setting.watch.ledger.gaps == setting.watch.ledger.reorgs == []
