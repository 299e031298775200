"""A tape of a chain that was followed: live, replayed and over sockets it tells the same."""

from __future__ import annotations

import random
import time
from pathlib import Path

import trio

from tests.support.chains import Consumer
from tests.support.peer import Peer
from tests.support.served import ADDRESS, TOPIC, ServedNode
from trio_mev import DataProcessor, replay_clock
from trio_mev.cli.demo import conductor
from trio_mev.config import played_by
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.replay import ReplayFeed
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.status import FeedState
from trio_mev.loopback.servers import open_loopback
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings, LogFilter
from trio_mev.stream import open_stream

KINDS = frozenset({DataType.BLOCK, DataType.GAP, DataType.REORG})


class Telling(DataProcessor):
    """A finding for whatever the chain does."""

    consumes = KINDS

    async def process_event(self, event: DataEvent):
        return [event.finding(event.data)]


def told(findings) -> list[object]:
    return [finding.data for finding in findings]


async def record(path: Path, nursery: trio.Nursery) -> list[object]:
    """A gap, a reorganisation and an answer that had to be halved, on a tape; what was found."""
    node = ServedNode()
    settings = EthereumSettings(
        name="node",
        endpoint=Endpoint("ws://peer.test"),
        pending="off",
        logs=(LogFilter((ADDRESS,), (TOPIC,)),),
        connection=ConnectionSettings(subscribe_interval=0),
    )
    consumer = Consumer()

    def limited(method, params):
        wanted = params[0] if method == "eth_getLogs" else {}
        if "fromBlock" in wanted and int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) > 3:
            return {"error": {"code": -32602, "message": "range 9 exceeds limit of 4"}}
        return None

    node.bend = limited
    async with open_recorder(path, tape_header([settings])) as recorder:
        feed = EthereumWebSocketClient(
            settings, Peer(nursery, node).dial, recorder.tap, random.Random(1)
        )
        async with open_stream([feed], [Telling]) as stream:
            findings = stream.findings
            events = stream.subscribe(*KINDS)
            await feed.status.wait_for(FeedState.READY)

            async def arrive() -> None:
                while not (consumer.chain and consumer.chain[-1].hash == node.chain[-1]["hash"]):
                    event = await anext(events)
                    consumer.take(event.event_type, event.data)

            await node.announce(*node.grow(2))
            await arrive()
            await node.announce(node.grow(8)[-1])
            await arrive()
            node.revert(3)
            for block in node.grow(4, branch=1):
                await node.announce(block)
            await arrive()
            await stream.outstanding.wait_idle()
            count = len(consumer.chain) + len(consumer.gaps) + len(consumer.reorgs) + 3
            return [(await anext(findings)).data for _ in range(count)]


async def replay(path: Path) -> tuple[list[object], str]:
    async with open_stream([ReplayFeed([path])], [Telling]) as stream:
        found = [finding async for finding in stream.findings]
    return told(found), stream.get_stats().digest


async def over_sockets(path: Path) -> tuple[list[object], str]:
    async with open_loopback([Tape(path)], speed=float("inf")) as servers:
        feeds = played_by(servers.wall, servers.settings())
        begin = conductor(servers)
        found: list[DataEvent] = []

        async def keep(subscription) -> None:
            async for finding in subscription:
                found.append(finding)

        def prepare(stream) -> None:
            stream.add_sink(keep, DataType.FINDING)

        async with open_stream(feeds, [Telling], prepare=prepare) as stream:
            servers.outstanding = stream.outstanding
            async with trio.open_nursery() as nursery:
                nursery.start_soon(begin, stream)
                await stream.ended.wait()
    return told(found), stream.get_stats().digest


def test_a_followed_chain_is_told_alike_live_replayed_and_over_sockets(tmp_path):
    path = tmp_path / "chain.tape"

    async def live() -> list[object]:
        async with trio.open_nursery() as nursery:
            found = await record(path, nursery)
            nursery.cancel_scope.cancel()
        return found

    start = time.monotonic()
    found = trio.run(live)
    assert time.monotonic() - start < 20
    again, digest = trio.run(replay, path, clock=replay_clock(None))
    assert again == found
    twice, same = trio.run(replay, path, clock=replay_clock(None))
    assert (twice, same) == (found, digest)
    sockets, theirs = trio.run(over_sockets, path)
    assert sockets == found
    assert int(digest, 16) != 0
    assert len(theirs) == len(digest)
