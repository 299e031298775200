"""The clock of replays: time that the tape moves, at once or at a pace."""

from __future__ import annotations

import math
import time
from typing import Protocol

import trio
import trio.testing

from .outstanding import Outstanding

_NEVER = 999_999_999.0
_PATIENCE = 20
"""Turns that the stream gets before it is asked whether it waits for time."""
_CUSHION = 0.001
_MOST_STOPS = 10_000
"""Deadlines of others on the way to one moment."""


class Calls(Protocol):
    """What processors have asked a node that is played from a tape."""

    async def rest(self) -> None:
        """Return once everybody is blocked, and nothing is on its way from one to another."""
        ...

    @property
    def owed(self) -> bool:
        """Whether somebody waits for what the tape will come to."""
        ...

    def match(self) -> bool:
        """Look at what was asked since the last time; whether somebody can go on at once."""
        ...


class TapeClock(trio.abc.Clock):
    """Virtual time: it goes to where the tape is, and stands still there.

    Args:
        rate: how many times as fast as real time it goes there; None is at once.
    """

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate
        self._now = 0.0
        self._limit = 0.0
        self._mark = 0.0

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """Virtual seconds."""
        if self.rate is None or self._now >= self._limit:
            return self._now
        gone = (time.perf_counter() - self._mark) * self.rate
        return min(self._now + gone, self._limit)

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Real seconds until a deadline; for ever where time does not go that far yet."""
        now = self.current_time()
        if deadline <= now:
            return 0.0
        if self.rate is None or deadline > self._limit:
            return _NEVER
        return (deadline - now) / self.rate

    def advance_to(self, when: float) -> None:
        """Move time forward at once; never back."""
        self._now = self._limit = max(self.current_time(), when)

    async def go_to(self, when: float) -> None:
        """Let time pass up to a moment, at the clock's rate.

        Whoever waits for a time before it has gone on, and is at rest again, when it is reached:
        what is due earlier happens earlier, however fast time passes. Where a tape has nothing for
        days, what is done now and then is done often, and not each time.
        """
        for _ in range(_MOST_STOPS):
            now = self.current_time()
            due = now + _to_deadline()
            if due >= when:
                break
            await self._pass(max(due, now))
            await trio.testing.wait_all_tasks_blocked()
        await self._pass(when)

    async def _pass(self, when: float) -> None:
        if self.rate is not None:
            self._now = self.current_time()
            self._mark = time.perf_counter()
            self._limit = max(self._now, when)
            await trio.sleep_until(when)
        self.advance_to(when)


def replay_clock(speed: float | None) -> TapeClock:
    """The clock to pass to ``trio.run`` for a replay: None is as fast as it goes."""
    return TapeClock(speed)


async def settle(outstanding: Outstanding, calls: Calls | None = None) -> None:
    """Return once nothing is outstanding, or only the tape can bring what it waits for.

    On a tape's clock a processor that waits for time would wait for ever: once everybody is
    blocked, time moves on to the next deadline. A job in a thread is waited for as it is.

    Args:
        outstanding: what the stream has not finished.
        calls: what is asked of a node that the tape plays. With it everybody is blocked in the
            end, whoever has nothing outstanding too.
    """
    if calls is not None:
        await _settle_calls(outstanding, calls)
        return
    clock = trio.lowlevel.current_clock()
    if not isinstance(clock, TapeClock):
        await outstanding.wait_idle()
        return
    for _ in range(_PATIENCE):
        if not outstanding.count:
            return
        await trio.lowlevel.checkpoint()
    await _settle_in_time(outstanding, clock)


async def _settle_in_time(outstanding: Outstanding, clock: TapeClock) -> None:
    while outstanding.count:
        await trio.testing.wait_all_tasks_blocked()
        if outstanding.held:
            if not _in_threads():
                return
            await trio.testing.wait_all_tasks_blocked(_CUSHION)
        elif outstanding.count and not _to_next_deadline(clock):
            await outstanding.wait_idle()


async def _settle_calls(outstanding: Outstanding, calls: Calls) -> None:
    clock = trio.lowlevel.current_clock()
    while True:
        await calls.rest()
        if calls.match():
            continue
        if not outstanding.count:
            return
        held_up = calls.owed or outstanding.held
        if _in_threads() and held_up:
            # It may be for what is outstanding, and then the tape must wait for it.
            await trio.testing.wait_all_tasks_blocked(_CUSHION)
        elif held_up:
            return
        elif not isinstance(clock, TapeClock) or not _to_next_deadline(clock):
            await outstanding.wait_idle()


async def run_down() -> None:
    """Let time pass, deadline by deadline, while everybody is blocked: the tape is over.

    While a job in a thread is waited for, time passes as it really does. Does nothing on any
    other clock. Whoever starts it cancels it.
    """
    clock = trio.lowlevel.current_clock()
    while isinstance(clock, TapeClock):
        before = time.perf_counter()
        await trio.testing.wait_all_tasks_blocked(_CUSHION)
        if not _to_next_deadline(clock):
            clock.advance_to(clock.current_time() + time.perf_counter() - before)


def _in_threads() -> bool:
    return bool(trio.to_thread.current_default_thread_limiter().borrowed_tokens)


def _to_deadline() -> float:
    """Seconds to the next deadline of any task."""
    return trio.lowlevel.current_statistics().seconds_to_next_deadline


def _to_next_deadline(clock: TapeClock) -> bool:
    """Move time to the next deadline of any task; False where there is none to wait for."""
    if _in_threads():
        return False
    seconds = _to_deadline()
    if math.isinf(seconds):
        return False
    clock.advance_to(clock.current_time() + max(0.0, seconds))
    return True
