"""Outstanding: a tape waits until nothing is under way."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.outstanding import Outstanding


async def test_nothing_under_way_is_no_wait():
    with trio.testing.assert_no_checkpoints():
        await Outstanding().wait_idle()


async def test_all_waiters_are_woken_by_the_last_delivery_only():
    outstanding = Outstanding(count=3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outstanding.wait_idle)
        nursery.start_soon(outstanding.wait_idle)
        await wait_all_tasks_blocked()
        outstanding.done(2)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 2
        outstanding.done()


async def test_a_waiter_waits_on_if_more_came_in_the_meantime():
    outstanding = Outstanding(count=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outstanding.wait_idle)
        await wait_all_tasks_blocked()
        outstanding.done()
        outstanding.count += 1
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        outstanding.done()


async def test_who_has_to_wait_for_room_waits_and_nobody_else_does(make_event):
    class Room:
        waited = 0

        def has_room(self, event):
            return event.sequence < 2

        async def wait_room(self, event):
            self.waited += 1

    outstanding = Outstanding()
    await outstanding.wait_room(make_event(5))
    outstanding.room = Room()
    for number in range(4):
        await outstanding.wait_room(make_event(number))
    assert outstanding.room.waited == 2
