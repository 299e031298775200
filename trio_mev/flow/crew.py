"""The crew: one task that serves one pump or several, each event under a deadline.

A cancel scope an event costs 5 µs. Here one scope lives as long as the crew, and its deadline is
moved only when it has come too near. A processor that is stuck is therefore cancelled between its
deadline and 10 ms later.

Processors that await nothing share one crew: one wake-up serves them all. Whether one awaits is
not declared but seen: at the first wait the others go on in another crew's task, and the one
that waits has this one for itself from then on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from types import coroutine
from typing import TYPE_CHECKING, Any

import trio

from ..model.event import DataEvent
from .clock import TapeClock
from .doorbell import Doorbell

if TYPE_CHECKING:
    from .pump import Pump

BATCH = 64
SLACK = 0.005
SLICE = 0.005
"""Seconds of work after which other tasks get their turn, and the time is read again: so far may
an event begin behind the time that its deadline is reckoned from."""

Start = Callable[["Crew"], None]
"""Starts a crew's task."""


@coroutine
def _watched(work: Any, pausing: Callable[[], None]) -> Generator[Any, Any, None]:
    """Run a coroutine, saying so each time before it gives way to other tasks."""
    resume, value = work.send, None
    while True:
        try:
            pause = resume(value)
        except StopIteration:
            return
        pausing()
        try:
            value = yield pause
            resume = work.send
        except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
            resume, value = work.throw, error


class Crew:
    """Runs its pumps until their lanes are closed and empty.

    Args:
        pumps: whom it serves.
        start: starts the task of another crew; without it a pump that waits holds up the others.
    """

    def __init__(self, pumps: Iterable[Pump], start: Start | None = None) -> None:
        self.bell = Doorbell()
        self.start = start
        self.closed = False
        """Whether it takes no more pumps, since a processor of it has waited, or it has ended."""
        self._pumps: list[Pump] = []
        self._current: Pump | None = None
        self._dismissed: Pump | None = None
        self._scope = trio.CancelScope()
        self._whole = trio.CancelScope()
        self._deadline = math.inf
        self._clock: Callable[[], float] = trio.current_time
        self._lifts = False
        for pump in pumps:
            self.join(pump)

    def join(self, pump: Pump) -> None:
        """Take one more pump in."""
        self._pumps.append(pump)
        pump.lanes.bell = self.bell
        pump.crew = self
        self.bell.ring()

    def dismiss(self, pump: Pump) -> None:
        """End one pump now; the others go on."""
        if pump not in self._pumps:
            return
        if self._pumps == [pump]:
            self._whole.cancel()
        elif pump is self._current:
            self._dismissed = pump
            self._scope.cancel()
        else:
            self._pumps.remove(pump)
            pump.end()

    async def run(self) -> None:
        """Serve the lanes until they are closed and empty."""
        clock = trio.lowlevel.current_clock()
        # The clock itself: asking Trio for the time costs twice as much.
        self._clock = clock.current_time
        # On a tape's clock a deadline that nobody waits for would still be one to go to.
        self._lifts = isinstance(clock, TapeClock)
        try:
            with self._whole:
                await _watched(self._serve_on(), self._pausing)
        finally:
            self.closed = True
            for pump in self._pumps:
                pump.end()
            self._pumps.clear()

    def _pausing(self) -> None:
        """The task gives way: if it is for a processor, the other pumps must not wait for it."""
        current = self._current
        if current is None:
            return
        current.lanes.fresh = True
        self.closed = True
        if len(self._pumps) > 1 and self.start is not None:
            others = [pump for pump in self._pumps if pump is not current]
            self._pumps = [current]
            self.start(Crew(others, self.start))

    async def _serve_on(self) -> None:
        while not await self._serve():
            pass

    async def _serve(self) -> bool:
        """True when every pump has ended; False when the scope is spent."""
        with trio.CancelScope() as self._scope:
            self._deadline = math.inf
            while self._pumps:
                self.bell.rung = False
                for pump, most in self._turns():
                    self._current = pump
                    await self._work(pump, most)
                    self._current = None
                # Here it ends where the deadline has passed without an event to cancel: at rest,
                # or since a processor shielded itself, as a thread does. That one is done.
                await self._rest()
            return True
        self._cancelled()
        return False

    def _turns(self) -> Iterator[tuple[Pump, int]]:
        """Who is served next and how many events: what is urgent to any, then a batch of each."""
        waiting = [pump for pump in self._pumps if pump.lanes.waiting]
        if len(waiting) > 1:
            for pump in waiting:
                if (urgent := pump.lanes.urgent) and pump in self._pumps:
                    yield pump, min(urgent, BATCH)
        for pump in waiting:
            if pump.lanes.waiting and pump in self._pumps:
                yield pump, BATCH

    def _cancelled(self) -> None:
        """An event ran out of its time, or its pump is to end now, or all were at rest."""
        current, dismissed = self._current, self._dismissed
        self._current = self._dismissed = None
        if dismissed is not None:
            self._pumps.remove(dismissed)
            dismissed.end()
        elif current is not None:
            current.timed_out()

    async def _rest(self) -> None:
        """Let other tasks have their turn, or wait until there is something to do."""
        for pump in tuple(self._pumps):
            if pump.lanes.closed and not pump.lanes.waiting:
                self._pumps.remove(pump)
                pump.end()
        if self.bell.rung or not self._pumps:
            await trio.lowlevel.checkpoint()
            return
        if self._lifts:
            self._lift()
        await self.bell.wait()

    async def _work(self, pump: Pump, most: int) -> None:
        """Process ``most`` events of one pump or up to a batch more; the urgent ones first."""
        lanes, budget = pump.lanes, pump.config.budget
        if lanes.desynchronised:
            pump.begin_anew()
        until = time.perf_counter() + SLICE
        while True:
            now = self._clock()
            if now >= self._deadline:  # the next event needs another scope
                self.bell.rung = True
                return
            event = lanes.draw()
            vital = lanes.drawn is None or lanes.drawn is lanes.vital
            # Who arrived before this has less than its budget left.
            oldest = -math.inf if vital else now + budget - pump.config.max_age
            if event.received_at >= oldest:
                self._arm(now + budget)
                most -= await self._run(pump, oldest, until, BATCH)
            else:
                await self._last_chance(pump, event, now)
                most -= 1
            if not lanes.waiting:
                return
            if most <= 0 or time.perf_counter() > until:
                self.bell.rung = True  # there is more to do, after others had their turn
                return

    async def _last_chance(self, pump: Pump, event: DataEvent, now: float) -> None:
        """Process an event whose time runs out before its budget would, if it has not yet."""
        left = event.received_at + pump.config.max_age - now
        if left <= 0:
            pump.lanes.expire()
        else:
            self._arm(now + left)
            await self._run(pump, -math.inf, math.inf, 1)

    async def _run(self, pump: Pump, oldest: float, until: float, most: int) -> int:  # noqa: C901
        """Process up to so many events of the hand, from its place on; how many it was.

        The hot loop: every call and every look-up in it is paid for each event. It ends early
        where something came in between, an event failed or is old, or the slice is over.
        """
        lanes, timing = pump.lanes, pump.timing
        hand, begin = lanes.hand, lanes.place
        process, admits, budget = pump.process, pump.admits, pump.config.budget
        note, limit = timing.recent.append, min(timing.longest, budget)
        clock, start, place = time.perf_counter, time.perf_counter(), begin
        timed, total = 0, 0.0
        lanes.fresh = False
        try:
            for place in range(begin, min(len(hand), begin + most)):
                event = hand[place]
                if event.received_at < oldest:
                    return place - begin
                if admits is not None and not admits(event):
                    lanes.books.filtered += 1
                    lanes.finish()
                    ended = clock()
                else:
                    emitted = await process(event)
                    if emitted:
                        await pump.emit(emitted, self._lift)
                    lanes.place = place + 1
                    if pump.failures_in_row:
                        pump.failures_in_row = 0
                    ended = clock()
                    spent = ended - start
                    note(spent)
                    timed += 1
                    total += spent
                    if spent > limit:
                        timing.remark(spent, budget)
                if lanes.fresh or ended > until:
                    break
                start = ended
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - around plug-ins
            spent = clock() - start
            note(spent)
            timing.remark(spent, budget)
            timed += 1
            total += spent
            pump.failed(error)
        finally:
            timing.add(timed, total)
            lanes.enter()
        return place + 1 - begin

    def _arm(self, due: float) -> None:
        """See that the scope's deadline is 5 to 10 ms behind this."""
        if not due + SLACK <= self._deadline <= due + 2 * SLACK:
            self._deadline = self._scope.deadline = due + 2 * SLACK

    def _lift(self) -> None:
        if self._deadline != math.inf:
            self._deadline = self._scope.deadline = math.inf
