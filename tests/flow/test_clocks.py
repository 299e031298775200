"""The clock of replays: time that the tape moves."""

from __future__ import annotations

import os
import threading
import time

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.clock import TapeClock, replay_clock, run_down, settle
from trio_mev.flow.outstanding import Outstanding


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


def test_time_goes_to_where_the_tape_is_at_its_rate_and_stands_still_there():
    async def main():
        await clock.go_to(1000.0)
        arrived = trio.current_time()
        await trio.testing.wait_all_tasks_blocked(0.002)
        return arrived, trio.current_time()

    clock = replay_clock(1e5)
    start = time.perf_counter()
    assert trio.run(main, clock=clock) == (1000.0, 1000.0)
    assert time.perf_counter() - start >= 0.01


def test_the_real_time_until_a_deadline_is_divided_by_the_rate():
    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clock.go_to, 1000.0)
            await trio.testing.wait_all_tasks_blocked()
            left = clock.deadline_to_sleep_time(clock.current_time() + 400)
            nursery.cancel_scope.cancel()
        return left, clock.deadline_to_sleep_time(1001.0), clock.deadline_to_sleep_time(0.0)

    clock = TapeClock(4.0)
    left, beyond, past = trio.run(main, clock=clock)
    assert left == pytest.approx(100, abs=0.1)
    assert beyond > 10**8
    assert past == 0


def test_a_replay_without_a_speed_is_as_fast_as_it_goes():
    assert replay_clock(None).rate is None
    assert replay_clock(2.5).rate == 2.5


def test_while_a_thread_works_time_passes_as_it_really_does():
    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_down)
            release = threading.Event()
            with trio.move_on_after(0.02) as scope:
                await trio.to_thread.run_sync(release.wait, abandon_on_cancel=True)
            release.set()
            nursery.cancel_scope.cancel()
        return scope.cancelled_caught

    start = time.perf_counter()
    assert trio.run(main, clock=TapeClock())
    assert time.perf_counter() - start >= 0.02


def test_on_any_other_clock_nothing_moves_time():
    trio.run(run_down)


def run_settling(work, clock):
    """Settle while ``work`` is outstanding; whether it was done by then."""
    done = []

    async def finish(outstanding):
        await work()
        done.append(True)
        outstanding.done()

    async def main():
        outstanding = Outstanding(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finish, outstanding)
            await settle(outstanding)
            return bool(done)

    return trio.run(main, clock=clock)


async def in_a_thread():
    await trio.to_thread.run_sync(time.sleep, 0.01)


async def at_a_socket():
    """What no deadline bounds: another program writes to a pipe."""
    ours, theirs = os.pipe()
    timer = threading.Timer(0.01, os.write, (theirs, b"x"))
    timer.start()
    await trio.lowlevel.wait_readable(ours)
    timer.join()
    os.close(ours)
    os.close(theirs)


async def for_time():
    await trio.sleep(1000)


@pytest.mark.parametrize("work", [in_a_thread, at_a_socket, for_time])
def test_what_is_outstanding_is_waited_for_in_its_own_way(work):
    assert run_settling(work, TapeClock())


def test_on_any_other_clock_it_is_just_waited_for():
    assert run_settling(in_a_thread, None)


@pytest.mark.parametrize("clock", [TapeClock(), TapeClock(1e5)])
def test_on_the_way_whoever_waits_for_an_earlier_time_goes_on_first(clock):
    woken = []

    async def often():
        for _ in range(3):
            await trio.sleep(2)
            woken.append(round(trio.current_time(), 6))

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(often)
            await wait_all_tasks_blocked()
            await clock.go_to(5.0)
            there = list(woken), trio.current_time()
            await clock.go_to(4.0)
            nursery.cancel_scope.cancel()
        return there

    assert trio.run(main, clock=clock) == ([2.0, 4.0], 5.0)


class Asked:
    """What a tape brings: nothing, until it is played."""

    def __init__(self, owed, at_once=0):
        self.owed, self.at_once, self.rests = owed, at_once, 0

    async def rest(self):
        self.rests += 1
        await wait_all_tasks_blocked()

    def match(self):
        self.at_once -= 1
        return self.at_once >= 0


def settled(calls, work, clock):
    """Settle while ``work`` is outstanding; what is, afterwards."""

    async def finish(outstanding):
        await work()
        outstanding.done()

    async def main():
        outstanding = Outstanding(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finish, outstanding)
            await settle(outstanding, calls)
            left = outstanding.count
            nursery.cancel_scope.cancel()
        return left

    return trio.run(main, clock=clock)


@pytest.mark.parametrize("clock", [TapeClock(), None])
def test_for_what_only_the_tape_brings_nobody_waits(clock):
    calls = Asked(owed=True, at_once=2)
    assert settled(calls, trio.sleep_forever, clock) == 1
    assert calls.rests == 3


@pytest.mark.parametrize("work", [in_a_thread, for_time])
@pytest.mark.parametrize("owed", [False, True])
def test_a_thread_is_waited_for_and_time_passes_where_no_call_is_awaited(work, owed):
    left = settled(Asked(owed), work, TapeClock())
    assert left == (1 if owed and work is for_time else 0)


def test_on_any_other_clock_what_is_outstanding_is_waited_for_all_the_same():
    assert settled(Asked(owed=False), in_a_thread, None) == 0
    assert settled(Asked(owed=False), at_a_socket, TapeClock()) == 0


async def test_with_nothing_outstanding_everybody_is_at_rest():
    calls = Asked(owed=True)
    await settle(Outstanding(), calls)
    assert calls.rests == 1


def test_on_a_long_way_there_is_an_end_to_who_wakes_again_and_again():
    woken = []

    async def often():
        while True:
            await trio.sleep(1)
            woken.append(trio.current_time())

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(often)
            await wait_all_tasks_blocked()
            await clock.go_to(1e9)
            nursery.cancel_scope.cancel()

    clock = TapeClock()
    trio.run(main, clock=clock)
    assert len(woken) == 10_000
    assert clock.current_time() == 1e9


@pytest.mark.parametrize("work", [in_a_thread, for_time])
@pytest.mark.parametrize("calls", [None, Asked(owed=False)])
def test_for_a_turn_that_the_tape_brings_nobody_waits_but_for_a_thread(work, calls):
    async def finish(outstanding):
        await work()
        outstanding.done()

    async def main():
        outstanding = Outstanding(count=2, held=1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finish, outstanding)
            await settle(outstanding, calls)
            left = outstanding.count
            nursery.cancel_scope.cancel()
        return left

    assert trio.run(main, clock=TapeClock()) == (1 if work is in_a_thread else 2)
