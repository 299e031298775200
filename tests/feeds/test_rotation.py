"""A new connection takes over from the old one; where it cannot, the old one goes on."""

from __future__ import annotations

import random
from pathlib import Path

import attrs
import trio
import trio.testing

from tests.support.chains import Consumer
from tests.support.peer import Peer, PeerConnection
from tests.support.served import ADDRESS, TOPIC, ServedNode
from trio_mev import ReplayFeed, replay_clock
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint
from trio_mev.model.settings import ConnectionSettings, EthereumSettings, LogFilter
from trio_mev.stream import open_stream

KINDS = DataType.BLOCK, DataType.GAP, DataType.REORG


def settings(**connection: float) -> EthereumSettings:
    return EthereumSettings(
        name="node",
        endpoint=Endpoint("ws://peer.test"),
        pending="off",
        logs=(LogFilter((ADDRESS,), (TOPIC,)),),
        connection=ConnectionSettings(
            subscribe_interval=0.0, rotate_after=100.0, silence=1e6, **connection
        ),
    )


async def take(events, consumer: Consumer, node: ServedNode) -> None:
    while not consumer.chain or consumer.chain[-1].hash != node.chain[-1]["hash"]:
        event = await anext(events)
        consumer.take(event.event_type, event.data)


async def test_the_old_connection_goes_on_while_no_new_one_can_be_made(nursery, autojump_clock):
    node = ServedNode()
    peer = Peer(nursery, node)
    feed = EthereumWebSocketClient(settings(first_delay=7.0), peer.dial, rng=random.Random(1))
    consumer = Consumer()
    async with open_stream([feed]) as stream:
        events = stream.subscribe(*KINDS)
        await feed.status.wait_for(FeedState.READY)
        peer.up = False
        await trio.sleep(120)
        assert peer.dials >= 3
        assert feed.status.connections == 1
        await node.announce(*node.grow(2))
        await take(events, consumer, node)
        peer.up = True
        await trio.sleep(10)
        assert feed.status.connections == 2
        assert len(node.peers) == 1
        await node.announce(*node.grow(2))
        await take(events, consumer, node)
        assert feed.status.failures == 0
    assert [b.number for b in consumer.chain] == [100, 101, 102, 103]
    assert consumer.gaps == []


async def test_one_that_does_not_confirm_takes_nothing_over(nursery, autojump_clock):
    node = ServedNode()

    async def script(peer: PeerConnection) -> None:
        if node.lives:
            await peer.accept()
            await peer.hold()  # it answers nothing
        else:
            await node(peer)

    feed = EthereumWebSocketClient(
        settings(confirm_timeout=5.0), Peer(nursery, script).dial, rng=random.Random(1)
    )
    consumer = Consumer()
    async with open_stream([feed]) as stream:
        events = stream.subscribe(*KINDS)
        await feed.status.wait_for(FeedState.READY)
        await trio.sleep(130)
        assert feed.status.connections >= 2
        await node.announce(*node.grow(2))
        await take(events, consumer, node)
        assert feed.status.failures == 0


async def test_the_one_that_counts_ends_the_life_when_it_is_lost(nursery, autojump_clock):
    node = ServedNode()
    feed = EthereumWebSocketClient(settings(), Peer(nursery, node).dial, rng=random.Random(1))
    consumer = Consumer()
    async with open_stream([feed]) as stream:
        events = stream.subscribe(*KINDS)
        await feed.status.wait_for(FeedState.READY)
        await node.announce(*node.grow(2))
        await take(events, consumer, node)
        await trio.sleep(150)
        await node.cut()
        node.grow(3)
        await take(events, consumer, node)
        assert feed.status.failures == 1
    assert [(g.first, g.last) for g in consumer.gaps] == [(102, 103)]


def test_a_tape_of_a_rotation_replays_alike(tmp_path: Path):
    path = tmp_path / "rotation.tape"
    consumer = Consumer()

    async def record() -> None:
        node = ServedNode()
        made = settings()
        async with trio.open_nursery() as nursery, open_recorder(path, tape_header([made])) as tape:
            feed = EthereumWebSocketClient(
                made, Peer(nursery, node).dial, tape.tap, random.Random(1)
            )
            async with open_stream([feed]) as stream:
                events = stream.subscribe(*KINDS)
                await feed.status.wait_for(FeedState.READY)
                for _ in range(5):
                    await node.announce(*node.grow(2))
                    await take(events, consumer, node)
                    await trio.sleep(40)
                assert feed.status.connections >= 2
            nursery.cancel_scope.cancel()

    again = Consumer()

    async def replay() -> None:
        async with open_stream([ReplayFeed([path])]) as stream:
            async for event in stream.subscribe(*KINDS):
                again.take(event.event_type, event.data)

    trio.run(record, clock=trio.testing.MockClock(autojump_threshold=0.01))
    trio.run(replay, clock=replay_clock(None))
    assert again.chain == consumer.chain
    assert attrs.asdict(again)["gaps"] == []
