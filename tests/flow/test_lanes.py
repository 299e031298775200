"""One consumer's lanes: bounds, order, and what is lost for which reason."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.lane import LaneSnapshot
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.rpc import Question
from trio_mev.model.event import EventPriority

HIGH, NORMAL, LOW = EventPriority.HIGH, EventPriority.NORMAL, EventPriority.LOW


def taken(lanes):
    """Take everything; the sequence numbers in the order of service."""
    return [event.sequence for event in lanes.take(1000)]


def test_higher_lanes_are_served_first_and_each_lane_in_its_order(make_lanes, make_event):
    lanes = make_lanes()
    for number, priority in enumerate([LOW, NORMAL, LOW, HIGH, NORMAL, HIGH]):
        lanes.put(make_event(number, priority))
    assert taken(lanes) == [3, 5, 1, 4, 0, 2]
    assert lanes.balance().balanced
    assert lanes.balance().processed == 6


def test_a_full_lane_sheds_its_own_oldest_event_and_keeps_the_new_one(make_lanes, make_event):
    lanes = make_lanes(high=2)
    lanes.put(make_event(0, LOW))
    lanes.put(make_event(1, NORMAL))
    for number in (10, 11, 12):
        lanes.put(make_event(number, HIGH))
    assert dict(lanes.books.lost_by) == {"high:shed": 1}
    assert taken(lanes) == [11, 12, 1, 0]
    assert lanes.balance().received == 5
    assert lanes.balance().balanced


def test_bytes_bound_a_lane_as_well_as_events(make_lanes, make_event):
    lanes = make_lanes(max_bytes=10)
    for number, size in enumerate([4, 4, 2, 5]):
        lanes.put(make_event(number, size=size))
    assert lanes.snapshots()[2].bytes == 7
    assert taken(lanes) == [2, 3]
    assert dict(lanes.books.lost_by) == {"normal:shed": 2}


def test_the_bytes_of_one_lane_leave_room_in_another(make_lanes, make_event):
    lanes = make_lanes(max_bytes=10)
    lanes.put(make_event(0, LOW, size=10))
    lanes.put(make_event(1, HIGH, size=10))
    assert lanes.queued == 2
    assert lanes.balance().lost == 0


def test_an_event_over_the_bound_sheds_nothing_and_is_counted_as_oversized(make_lanes, make_event):
    lanes = make_lanes(max_bytes=10)
    lanes.put(make_event(0, size=10))
    lanes.put(make_event(1, size=11))
    assert dict(lanes.books.lost_by) == {"normal:oversized": 1}
    assert taken(lanes) == [0]


def test_what_comes_after_the_close_is_lost_and_what_came_before_is_served(make_lanes, make_event):
    lanes = make_lanes()
    lanes.put(make_event(0))
    lanes.close()
    lanes.put(make_event(1, LOW))
    assert taken(lanes) == [0]
    assert dict(lanes.books.lost_by) == {"low:closed": 1}


def test_abandoning_counts_the_hand_and_every_lane_under_the_reason(make_lanes, make_event):
    outstanding = Outstanding()
    lanes = make_lanes(outstanding=outstanding)
    for number, priority in enumerate([HIGH, NORMAL, NORMAL, LOW]):
        lanes.put(make_event(number, priority))
    assert lanes.draw().sequence == 0
    lanes.abandon("drain")
    lanes.abandon("drain")
    assert dict(lanes.books.lost_by) == {"high:drain": 1, "normal:drain": 2, "low:drain": 1}
    assert lanes.queued == 0
    assert outstanding.count == 0
    assert lanes.balance().balanced
    lanes.put(make_event(5))
    assert lanes.books.lost_by["normal:closed"] == 1


def test_an_expired_event_leaves_the_hand_as_lost(make_lanes, make_event):
    outstanding = Outstanding()
    lanes = make_lanes(outstanding=outstanding)
    lanes.put(make_event(0, LOW))
    lanes.draw()
    lanes.expire()
    assert dict(lanes.books.lost_by) == {"low:expired": 1}
    assert outstanding.count == 0
    assert lanes.balance().balanced


def test_as_many_are_taken_as_the_limit_says_and_what_is_in_the_hand_is_queued(
    make_lanes, make_event
):
    lanes = make_lanes()
    assert lanes.take(2) == []
    for number in range(4):
        lanes.put(make_event(number))
    assert [event.sequence for event in lanes.take(2)] == [0, 1]
    assert lanes.draw() is lanes.draw()
    assert lanes.draw().sequence == 2
    assert (lanes.queued, lanes.balance().processed) == (2, 2)
    assert lanes.balance().balanced


def test_the_peak_is_the_largest_depth_so_far(make_lanes, make_event):
    lanes = make_lanes(normal=5)
    for number in range(4):
        lanes.put(make_event(number, size=3))
    lanes.take(3)
    lanes.put(make_event(9, size=3))
    assert lanes.snapshots()[1:] == (
        LaneSnapshot("high", 0, 1000, 0, 0),
        LaneSnapshot("normal", 2, 5, 4, 6),
        LaneSnapshot("low", 0, 1000, 0, 0),
    )


def test_outstanding_counts_what_is_queued_and_not_what_was_shed(make_lanes, make_event):
    outstanding = Outstanding()
    lanes = make_lanes(normal=2, outstanding=outstanding)
    for number in range(5):
        lanes.put(make_event(number))
    assert outstanding.count == 2


async def test_a_put_wakes_the_waiter(make_lanes, make_event, autojump_clock):
    lanes = make_lanes()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lanes.wait)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        lanes.put(make_event())
    assert trio.current_time() == 0.0


async def test_a_close_wakes_the_waiter(make_lanes):
    lanes = make_lanes()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lanes.wait)
        await wait_all_tasks_blocked()
        lanes.close()
    assert lanes.closed


@pytest.mark.parametrize("state", ["closed", "filled"])
async def test_waiting_for_what_is_there_already_is_a_checkpoint(make_lanes, make_event, state):
    lanes = make_lanes()
    if state == "closed":
        lanes.close()
    else:
        lanes.put(make_event())
    with trio.testing.assert_checkpoints():
        await lanes.wait()


async def test_a_cancelled_waiter_leaves_no_bell_behind(make_lanes, make_event):
    lanes = make_lanes()
    with trio.move_on_after(0):
        await lanes.wait()
    lanes.put(make_event(7))
    await lanes.wait()
    assert taken(lanes) == [7]


async def test_an_event_behind_empty_higher_lanes_is_taken_without_any_wait(
    make_lanes, make_event, autojump_clock
):
    lanes = make_lanes()
    served = []

    async def serve():
        while len(served) < 100:
            await lanes.wait()
            served.extend(taken(lanes))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        for number in range(100):
            await wait_all_tasks_blocked()
            lanes.put(make_event(number, LOW))
    assert served == list(range(100))
    assert trio.current_time() == 0.0


async def test_without_a_journal_nothing_is_written_of_what_is_asked(make_lanes):
    """It may have been closed while somebody waited for an answer."""
    lanes, question = make_lanes(), Question("answer:a", lambda *_: None)
    assert not lanes.in_turn
    lanes.asked(question, "feed", 1)
    await lanes.answered(question, besides=True)
    await lanes.step()
    assert lanes.steps == 1
