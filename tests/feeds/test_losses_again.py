"""What a live run lost, its replay loses; lives that ended end again."""

from __future__ import annotations

import json
import random

import trio

from tests.support.again import played_directly, played_over_sockets
from tests.support.peer import Peer
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.venues import VenueClient
from trio_mev.flow.clock import replay_clock
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import ConnectionSettings, LaneSettings, StreamConfig, VenueSettings
from trio_mev.stream import open_stream
from trio_mev.wire.tape import Direction, Record, encode_record, packed

SETTINGS = VenueSettings(
    kind="binance",
    name="b",
    endpoint=Endpoint("ws://peer.test"),
    instruments=(Instrument("ETH", "USDT"),),
    connection=ConnectionSettings(first_delay=0.01, max_delay=0.01),
)
CONFIG = StreamConfig(budget=0.2, max_age=0.1)
STUCK = 2
"""The quote at which the processor was stuck when it was recorded."""


class Slow(DataProcessor):
    """A finding for each quote; live it is stuck at one of them."""

    consumes = frozenset({DataType.QUOTE})
    lanes = LaneSettings(normal=4)
    live = False

    async def process_event(self, event):
        if self.live and event.data.sequence == STUCK:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return [event.finding({"quote": event.data.sequence})]


class Live(Slow):
    live = True


Live.__name__ = "Slow"


def book(number):
    data = {"u": number, "s": "ETHUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}
    return json.dumps({"stream": "ethusdt@bookTicker", "data": data})


class Venue:
    """Confirms, and sends what it is told to."""

    def __init__(self):
        self.peer = None

    async def __call__(self, peer):
        await peer.accept()
        text = await peer.receive()
        await peer.send(json.dumps({"result": None, "id": json.loads(text)["id"]}))
        self.peer = peer
        await peer.hold()

    async def say(self, *numbers):
        await self.peer.send(*map(book, numbers))


async def record(path):
    """Quotes of which some are shed, some expire and one is late, in two lives."""
    venue = Venue()
    async with (
        trio.open_nursery() as nursery,
        open_recorder(path, tape_header([SETTINGS])) as recorder,
    ):
        feed = VenueClient(SETTINGS, Peer(nursery, venue).dial, recorder.tap, random.Random(1))

        def prepare(stream):
            stream.record_losses(recorder.tap)

        async with open_stream([feed], [Live], CONFIG, prepare) as stream:
            await feed.status.wait_for(FeedState.READY)
            await venue.say(1)
            await idle(stream, 1)
            await venue.say(STUCK)
            await arrived(stream, 2)
            await venue.say(*range(3, 23))
            await arrived(stream, 22)
            await idle(stream, 22)
            await trio.aclose_forcefully(venue.peer.stream)
            await feed.status.wait_for(FeedState.WAITING)
            await feed.status.wait_for(FeedState.READY)
            await venue.say(30, 31)
            await idle(stream, 24)
        nursery.cancel_scope.cancel()
    return stream.get_stats()


async def arrived(stream, count):
    while stream.get_stats().events.get("quote", 0) < count:
        await trio.testing.wait_all_tasks_blocked(0.001)


async def idle(stream, count):
    await arrived(stream, count)
    await stream.outstanding.wait_idle()


async def replay(path):
    return (await played_directly(path, [Slow], CONFIG)).get_stats()


async def over_sockets(path):
    return (await played_over_sockets(path, [Slow], CONFIG)).get_stats()


def fate(stats):
    """What became of the processor's deliveries."""
    (consumer,) = stats.consumers
    books = consumer.books
    return dict(books.lost_by), books.failed, books.processed, consumer.timing.timeouts


def test_losses_deadlines_and_lives_of_a_live_run_happen_again(tmp_path):
    path = tmp_path / "a.tape"
    live = trio.run(record, path)
    assert fate(live) == ({"normal:shed": 16, "normal:expired": 4}, 1, 3, 1)
    again = trio.run(replay, path, clock=replay_clock(None))
    assert fate(again) == fate(live)
    assert (again.digest, again.findings) == (live.digest, live.findings)
    assert [feed.connections for feed in again.feeds] == [2]
    assert again.feeds[0].ignored == live.feeds[0].ignored
    sockets = trio.run(over_sockets, path, clock=replay_clock(None))
    assert fate(sockets) == fate(live)


def test_decisions_of_what_never_comes_and_damaged_ones_are_counted(tmp_path):
    path = tmp_path / "a.tape"
    gone = b'{"consumer":"Slow","lane":"normal","reason":"shed","events":["quote:b#9.0"]}'
    records = [
        Record(0, 0, "b", Direction.IN, book(1).encode()),
        Record(0, 1, "b", Direction.DECISION, gone),
        Record(0, 2, "b", Direction.DECISION, b"junk"),
        Record(0, 3, "b", Direction.IN, book(2).encode()),
    ]
    header = tape_header([SETTINGS])
    path.write_bytes(b"".join(packed(header, map(encode_record, records))))
    stats = trio.run(replay, path, clock=replay_clock(None))
    assert fate(stats) == ({}, 0, 2, 0)
    assert stats.feeds[0].refused == {"bad_decision": 1}
    assert stats.feeds[0].ignored == {"decision_unused": 1}
    assert fate(trio.run(over_sockets, path, clock=replay_clock(None))) == ({}, 0, 2, 0)


async def test_without_feeds_there_is_nowhere_to_record_losses():
    async with open_stream(processors=[Slow]) as stream:
        stream.record_losses(lambda *_: None)
        stream.add_processor(Slow)
    assert stream.get_stats().books.balanced
