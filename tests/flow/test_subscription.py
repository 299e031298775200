"""Subscriptions: events by type for the code that embeds the stream."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.subscription import Subscription


async def test_it_yields_in_order_and_ends_when_its_lanes_are_closed(make_lanes, make_event):
    lanes = make_lanes()
    for number in range(3):
        lanes.put(make_event(number))
    lanes.close()
    assert [event.sequence async for event in Subscription(lanes, Outstanding())] == [0, 1, 2]
    assert lanes.balance().processed == 3
    assert lanes.balance().balanced


async def test_it_waits_for_what_comes_later(make_lanes, make_event):
    lanes = make_lanes()
    seen = []

    async def read():
        async for event in Subscription(lanes, Outstanding()):
            seen.append(event.sequence)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for number in range(3):
            await wait_all_tasks_blocked()
            lanes.put(make_event(number))
        await wait_all_tasks_blocked()
        lanes.close()
    assert seen == [0, 1, 2]


async def test_a_cancelled_reader_takes_nothing(make_lanes, make_event):
    lanes = make_lanes()
    lanes.put(make_event())
    subscription = Subscription(lanes, Outstanding())
    with trio.CancelScope() as scope:
        scope.cancel()
        await anext(subscription)
    assert scope.cancelled_caught
    assert lanes.balance().queued == 1
    assert lanes.balance().balanced


async def test_what_came_to_nothing_after_it_was_taken_is_lost(make_lanes, make_event):
    lanes = make_lanes()
    subscription = Subscription(lanes, Outstanding())
    for number in range(3):
        lanes.put(make_event(number))
    await subscription.take(3)
    subscription.lose("disk", 2)
    books = lanes.balance()
    assert (books.processed, books.lost, books.lost_by) == (1, 2, {"taken:disk": 2})
    assert books.balanced


async def test_leaving_it_counts_what_was_not_taken_and_tells_its_owner_once(
    make_lanes, make_event
):
    lanes = make_lanes()
    for number in range(3):
        lanes.put(make_event(number))
    closed = []
    async with Subscription(lanes, Outstanding(), closed.append) as events:
        assert (await anext(events)).sequence == 0
    events.close()
    assert closed == [events]
    assert dict(lanes.books.lost_by) == {"normal:unsubscribed": 2}
    assert lanes.balance().balanced
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_batch_is_what_is_there_up_to_the_limit(make_lanes, make_event):
    lanes = make_lanes()
    subscription = Subscription(lanes, Outstanding())
    for number in range(5):
        lanes.put(make_event(number))
    with trio.testing.assert_checkpoints():
        first = await subscription.take(3)
    assert [event.sequence for event in first] == [0, 1, 2]
    assert lanes.balance().processed == 3
    lanes.close()
    assert [event.sequence for event in await subscription.take(3)] == [3, 4]
    assert await subscription.take(3) == []
    assert lanes.balance().balanced


async def test_a_batch_waits_for_its_first_event(make_lanes, make_event):
    lanes = make_lanes()
    batches = []

    async def read():
        batches.append(await Subscription(lanes, Outstanding()).take(10))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        assert batches == []
        lanes.put(make_event(4))
    assert [event.sequence for event in batches[0]] == [4]


async def test_it_is_outstanding_from_the_first_event_that_is_taken(make_lanes, make_event):
    lanes, stream = make_lanes(), Outstanding()
    subscription = Subscription(lanes, stream)
    for number in range(3):
        lanes.put(make_event(number))
    assert stream.count == 0
    assert (await subscription.__anext__()).sequence == 0
    assert stream.count == 2
    lanes.put(make_event(3))
    assert stream.count == 3
    subscription.close()
    assert stream.count == 0


async def test_at_least_one_event_is_taken(make_lanes):
    with pytest.raises(ValueError, match="a limit of 0"):
        await Subscription(make_lanes(), Outstanding()).take(0)
