"""What processors took in another order than it came, they take in that order in a replay, too."""

from __future__ import annotations

import random

import pytest
import trio

from tests.feeds.test_losses_again import SETTINGS, Venue, arrived, idle
from tests.support.again import played_directly, played_over_sockets
from tests.support.peer import Peer
from trio_mev.feeds.record import open_recorder, tape_header
from trio_mev.feeds.tapes import Tape
from trio_mev.feeds.venues import VenueClient
from trio_mev.flow.clock import replay_clock
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType, EventPriority
from trio_mev.stream import open_stream
from trio_mev.wire.order import parse_taken
from trio_mev.wire.tape import Direction, Record, encode_record, packed


class Finds(DataProcessor):
    """Something urgent for each quote."""

    consumes = frozenset({DataType.QUOTE})

    async def process_event(self, event):
        return [event.finding({"quote": event.data.sequence}, priority=EventPriority.HIGH)]


class Sums(DataProcessor):
    """What it has heard so far, each time that it hears of what another found."""

    consumes = frozenset({DataType.QUOTE, DataType.FINDING})
    emits = frozenset({DataType.VERDICT})

    def __init__(self):
        self.heard = ""
        self.looked = 0
        self.moved = trio.Event()

    async def process_event(self, event):
        if event.event_type is DataType.QUOTE:
            self.heard += f"q{event.data.sequence} "
            self.moved.set()
            return ()
        self.heard += f"f{event.data['quote']} "
        return [event.finding({"heard": self.heard, "looked": self.looked}, DataType.VERDICT)]

    async def attend(self):
        """Looks at what it has heard, when Trio lets it."""
        while True:
            await self.moved.wait()
            self.moved = trio.Event()
            await trio.lowlevel.checkpoint()
            self.looked = len(self.heard)


PROCESSORS = [Finds, Sums]


async def record(path):
    venue = Venue()
    async with (
        trio.open_nursery() as nursery,
        open_recorder(path, tape_header([SETTINGS])) as recorder,
    ):
        feed = VenueClient(SETTINGS, Peer(nursery, venue).dial, recorder.tap, random.Random(1))

        def prepare(stream):
            stream.record_losses(recorder.tap)

        async with open_stream([feed], PROCESSORS, prepare=prepare) as stream:
            await feed.status.wait_for(FeedState.READY)
            for begin in range(1, 13, 4):
                await venue.say(*range(begin, begin + 4))
                await arrived(stream, begin + 3)
            await idle(stream, 12)
        nursery.cancel_scope.cancel()
    return stream.get_stats()


async def replay(path):
    return (await played_directly(path, PROCESSORS)).get_stats()


async def over_sockets(path):
    return (await played_over_sockets(path, PROCESSORS)).get_stats()


def without(path, direction):
    """The same tape without some of its records."""
    tape = Tape(path)
    kept = [one for one in tape.records() if one.direction is not direction]
    other = path.with_name("without.tape")
    other.write_bytes(b"".join(packed(tape.header, map(encode_record, kept))))
    return other


def test_processors_take_what_comes_in_the_order_of_the_live_run(tmp_path):
    path = tmp_path / "a.tape"
    live = trio.run(record, path)
    bodies = [one.frame for one in Tape(path).records() if one.direction is Direction.TAKEN]
    assert {parse_taken(body).consumer for body in bodies} == {"Finds", "Sums"}
    for way in (replay, over_sockets):
        again = trio.run(way, path, clock=replay_clock(None))
        assert (again.digest, again.findings) == (live.digest, live.findings)
        assert "taken_unused" not in again.feeds[0].ignored
    bare = trio.run(replay, without(path, Direction.TAKEN), clock=replay_clock(None))
    assert bare.digest != live.digest
    assert bare.findings == live.findings


@pytest.mark.parametrize("speed", [50, None])
def test_what_never_comes_is_not_waited_for_and_damaged_records_are_counted(tmp_path, speed):
    path = tmp_path / "a.tape"
    trio.run(record, path)
    tape = Tape(path)
    taken = [
        b'{"consumer":"Sums","taken":["","quote:gone#1.0","quote:b#1.0"]}',
        b'{"consumer":"Nobody","taken":["a","b"]}',
        b"junk",
    ]
    frames = [one for one in tape.records() if one.direction is not Direction.TAKEN]
    added = [
        Record(one.wall, one.mono, "b", Direction.TAKEN, one_of)
        for one_of, one in zip(taken, frames[-4:], strict=False)
    ]
    records = sorted([*frames, *added], key=lambda one: one.mono)
    path.write_bytes(b"".join(packed(tape.header, map(encode_record, records))))
    stats = trio.run(replay, path, clock=replay_clock(speed))
    assert stats.books.processed > 24
    assert stats.feeds[0].ignored["taken_unused"] == 2
    assert stats.feeds[0].refused == {"bad_taken": 1}
    again = trio.run(over_sockets, path, clock=replay_clock(None))
    assert again.findings == stats.findings
