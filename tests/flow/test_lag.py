"""The lateness of the event loop."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.lag import LagSnapshot, LoopLag


def test_the_worst_is_kept_of_all_and_since_the_last_look():
    lag = LoopLag()
    for seconds in (0.2, 0.5, 0.1):
        lag.note(seconds)
    lag.recent = 0.0
    lag.note(0.3)
    assert lag.snapshot() == LagSnapshot(0.3, 0.3, 0.5)


async def test_who_wakes_after_its_time_is_late_by_so_much(mock_clock):
    lag = LoopLag()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.run, 5.0)
        await wait_all_tasks_blocked()
        for seconds in (5.0, 5.25, 5.125):
            mock_clock.jump(seconds)  # as a step does that takes as long
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert lag.snapshot() == LagSnapshot(0.125, 0.25, 0.25)
