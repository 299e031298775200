"""Clocks of replays: one that the tape moves, one that runs faster."""

from __future__ import annotations

import time

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.clock import PacedClock, TapeClock, replay_clock


def test_time_stands_still_until_the_tape_moves_it():
    woken = []

    async def sleeper(seconds):
        await trio.sleep(seconds)
        woken.append((seconds, trio.current_time()))

    async def main():
        async with trio.open_nursery() as nursery:
            for seconds in (1, 5, 10):
                nursery.start_soon(sleeper, seconds)
            await wait_all_tasks_blocked()
            assert woken == []
            for moment in (1.0, 7.0, 10.0):
                clock.advance_to(moment)
                await trio.lowlevel.checkpoint()
                await wait_all_tasks_blocked()

    clock = TapeClock()
    trio.run(main, clock=clock)
    assert woken == [(1, 1.0), (5, 7.0), (10, 10.0)]


def test_time_never_goes_back():
    clock = TapeClock()
    clock.advance_to(5.0)
    clock.advance_to(3.0)
    assert clock.current_time() == 5.0


def test_a_sleep_takes_its_share_of_real_time():
    async def main():
        await trio.sleep(1000)
        return trio.current_time()

    start = time.perf_counter()
    assert 1000 <= trio.run(main, clock=replay_clock(1e6)) < 1e6 * 10
    assert time.perf_counter() - start >= 0.001


def test_the_real_time_until_a_deadline_is_divided_by_the_rate():
    clock = PacedClock(4.0)
    clock.start_clock()
    left = clock.deadline_to_sleep_time(clock.current_time() + 400)
    assert left == pytest.approx(100, abs=0.1)


def test_a_replay_without_a_speed_is_as_fast_as_it_goes():
    assert isinstance(replay_clock(None), TapeClock)
    assert replay_clock(2.5).rate == 2.5
