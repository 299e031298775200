"""What a full lane does, and how a consumer hears of it."""

from __future__ import annotations

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.errors import DataStreamError
from trio_mev.flow.doorbell import Doorbell
from trio_mev.flow.lane import Run
from trio_mev.flow.lanes import Lanes
from trio_mev.flow.outstanding import Outstanding
from trio_mev.model.event import DataEvent, DataType, EventPriority, Lost
from trio_mev.model.settings import LaneSettings

SMALL = LaneSettings(3, 3, 3, 2**20)


@attrs.frozen
class Keyed:
    key: str | None


def lanes_of(overflow="drop_oldest", announce=False, **bounds):
    settings = attrs.evolve(SMALL, normal_overflow=overflow, **bounds)
    return Lanes(settings, Outstanding(), announce)


def taken(lanes):
    numbers = []
    while lanes.waiting:
        event = lanes.draw()
        numbers.append(event.data if event.event_type is DataType.LOST else event.sequence)
        lanes.books.processed += 1
        lanes.finish()
    assert lanes.balance().balanced
    assert lanes._outstanding.count == 0
    return numbers


def test_the_newest_can_be_refused(make_event):
    lanes = lanes_of("drop_newest")
    for number in range(5):
        lanes.put(make_event(number))
    assert taken(lanes) == [0, 1, 2]
    assert lanes.books.lost_by == {"normal:refused": 2}


def test_a_newer_one_takes_the_place_of_the_one_of_its_key(make_event):
    lanes = lanes_of("latest")
    for number, key in enumerate("abcab"):
        lanes.put(make_event(number, data=Keyed(key), size=number + 1))
    assert lanes.snapshots()[2].bytes == 4 + 5 + 3
    assert taken(lanes) == [3, 4, 2]
    assert lanes.books.lost_by == {"normal:coalesced": 2}
    assert lanes.snapshots()[2].bytes == 0


def test_without_a_waiting_one_of_its_key_the_oldest_goes(make_event):
    lanes = lanes_of("latest")
    for number, key in enumerate(["a", None, "a", "b", None]):
        lanes.put(make_event(number, data=Keyed(key)))
    assert taken(lanes) == [2, 3, 4]
    assert lanes.books.lost_by == {"normal:shed": 2}
    lanes.put(make_event(9, data=Keyed("a")))
    assert taken(lanes) == [9]


async def test_a_producer_can_be_made_to_wait(make_event):
    lanes = lanes_of("block")
    for number in range(3):
        assert lanes.has_room(make_event(number))
        lanes.put(make_event(number))
    with pytest.raises(DataStreamError, match="its producer did not wait"):
        lanes.put(make_event(3))
    assert lanes.balance().balanced
    passed = []

    async def produce(number):
        event = make_event(number)
        await lanes.wait_room(event)
        passed.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce, 3)
        await wait_all_tasks_blocked()
        assert passed == []
        lanes.draw()
        await wait_all_tasks_blocked()
        assert passed == [3]
        lanes.put(make_event(3))
        nursery.start_soon(produce, 4)
        nursery.start_soon(produce, 5)
        await wait_all_tasks_blocked()
        lanes.close()
    assert sorted(passed) == [3, 4, 5]
    lanes.books.processed += 1
    lanes.finish()
    assert taken(lanes) == [1, 2, 3]


def test_losses_are_announced_in_place_of_what_was_lost(make_event):
    lanes = lanes_of(announce=True)
    for number in range(8):
        lanes.put(make_event(number))
    lanes.put(make_event(9, EventPriority.LOW))
    assert taken(lanes) == [Lost("normal", 5, "feed#0.0", "feed#4.0"), 5, 6, 7, 9]
    assert lanes.books.received == 10
    for number in range(10, 14):
        lanes.put(make_event(number))
    assert taken(lanes) == [Lost("normal", 1, "feed#10.0", "feed#10.0"), 11, 12, 13]


def test_an_oversized_event_is_announced_too(make_event):
    lanes = lanes_of(announce=True, max_bytes=10)
    lanes.put(make_event(1, size=11))
    assert lanes.waiting
    assert taken(lanes) == [Lost("normal", 1, "feed#1.0", "feed#1.0")]


def test_blocks_are_never_shed_and_come_first(make_event):
    lanes = lanes_of()
    for number in range(3):
        lanes.put(make_event(number, EventPriority.HIGH))
        lanes.put(make_event(10 + number, EventPriority.LOW, DataType.BLOCK))
    assert not lanes.desynchronised
    assert taken(lanes) == [10, 11, 12, 0, 1, 2]


def test_too_many_blocks_desynchronise_their_consumer(make_event):
    lanes = lanes_of(announce=True)
    for number in range(4):
        lanes.put(make_event(number, kind=DataType.BLOCK))
    assert lanes.desynchronised
    assert lanes.books.lost_by == {"vital:desynchronised": 3}
    assert taken(lanes) == [Lost("vital", 3, "feed#0.0", "feed#2.0"), 3]


def test_an_unknown_priority_is_normal(make_event):
    lanes = lanes_of()
    lanes.put(make_event(1, priority=7))
    lanes.put(make_event(2, EventPriority.LOW))
    assert lanes.snapshots()[2].depth == 1
    lanes.abandon("drain")
    assert lanes.books.lost_by == {"normal:drain": 1, "low:drain": 1}


async def test_a_second_task_at_one_doorbell_is_refused():
    bell = Doorbell()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bell.wait)
        await wait_all_tasks_blocked()
        with pytest.raises(DataStreamError, match="another task takes events here"):
            await bell.wait()
        bell.ring()
    bell.ring()


def test_only_vital_events_and_losses_are_named_so():
    event = DataEvent(DataType.QUOTE, EventPriority.LOW, None, "f", 0.0, sequence=3, ordinal=2)
    assert event.name == "f#3.2"


def test_a_block_is_taken_whatever_its_size(make_event):
    lanes = lanes_of(max_bytes=10)
    lanes.put(make_event(1, kind=DataType.BLOCK, size=11))
    assert not lanes.desynchronised
    lanes.put(make_event(2, kind=DataType.BLOCK, size=1))
    assert lanes.desynchronised
    assert taken(lanes) == [2]
    assert lanes.books.lost_by == {"vital:desynchronised": 1}


async def test_who_sleeps_is_woken_to_hear_of_a_loss(make_event):
    lanes = lanes_of(announce=True, max_bytes=10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lanes.wait)
        await wait_all_tasks_blocked()
        lanes.put(make_event(1, size=11))
    assert taken(lanes) == [Lost("normal", 1, "feed#1.0", "feed#1.0")]


def test_after_an_expiry_what_is_urgent_comes_first(make_event):
    lanes = lanes_of()
    run = [make_event(number) for number in range(3)]
    lanes.put_run(Run(run, 3))
    lanes.draw()
    lanes.expire()
    lanes.put(make_event(9, EventPriority.HIGH))
    assert taken(lanes) == [9, 1, 2]


def test_a_newer_one_that_is_larger_sheds_what_is_over_the_bound(make_event):
    lanes = lanes_of("latest", max_bytes=10)
    for number, (key, size) in enumerate([("a", 4), ("b", 4), ("b", 8)]):
        lanes.put(make_event(number, data=Keyed(key), size=size))
    assert taken(lanes) == [2]
    assert lanes.books.lost_by == {"normal:coalesced": 1, "normal:shed": 1}
