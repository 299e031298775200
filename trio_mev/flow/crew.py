"""The crew: one task that serves one pump or several, each event under a deadline.

A cancel scope an event costs 5 µs. Here one scope lives as long as the crew, and its deadline is
moved only when it has come too near. A processor that is stuck is therefore cancelled between its
deadline and 10 ms later.

Processors that await nothing share one crew: one wake-up serves them all. Whether one awaits is
not declared but seen: at the first wait the others go on in another crew's task, and the one
that waits has this one for itself from then on.

Those that cannot wait need no task at all: few events that a feed puts while all are at rest are
served in the feed's own, at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

import trio

from ..model.event import DataEvent
from .clock import TapeClock
from .doorbell import Doorbell
from .waiting import go_on, in_own_task, watched

if TYPE_CHECKING:
    from .pump import Pump

BATCH = 64
SLACK = 0.005
SLICE = 0.005
"""Seconds of work after which other tasks get their turn."""
FRESH = 0.001
"""Seconds of work for which the time that was read is good."""

Start = Callable[["Crew"], None]
"""Starts a crew's task."""


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
        self._now = self._read = self._worked = -math.inf
        """The stream's time, and by the processor's clock when that was read and until when
        there has been work since."""
        self._lifts = False
        self._slice = SLICE
        self._begun: Coroutine[Any, Any, bool] | None = None
        """What was served at once until it had to wait."""
        self._raised: Exception | None = None
        """What was raised meanwhile, in another's task."""
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

    def hold(self) -> bool:
        """Whether it is at rest, and ``serve_at_once`` will be called after what is put now."""
        bell = self.bell
        if bell.waiter is None or bell.held or self._lifts:
            return False
        bell.held = True
        return True

    def serve_at_once(self) -> None:
        """Serve what has been put since ``hold``, in the task of whoever put it.

        That spares a switch of tasks, which costs more than what it is for. It is done for
        processors that cannot wait; the rest is left to the crew's own task.
        """
        try:
            if self.bell.rung and not self.bell.crowded:
                self.bell.rung = self._is_left()
        finally:
            self.bell.release()

    def _is_left(self) -> bool:
        """Serve whom it can; whether the crew's task has to do with it."""
        work = self._serve_prompt()
        try:
            work.send(None)
        except StopIteration as end:
            return bool(end.value)
        except Exception as error:  # noqa: BLE001 - it ends the crew, and not a feed
            self._raised = error
        else:
            self._begun = work
        return True

    async def _serve_prompt(self) -> bool:
        self.bell.rung = False
        self._read_clock()
        waiting = [pump for pump in self._pumps if pump.lanes.hand]
        for pump in waiting:
            if pump.prompt:
                await self._work(pump, BATCH)
            else:
                self.bell.rung = True
        return self.bell.rung

    async def run(self) -> None:
        """Serve the lanes until they are closed and empty."""
        clock = trio.lowlevel.current_clock()
        # The clock itself: asking Trio for the time costs twice as much.
        self._clock = clock.current_time
        # On a tape's clock a deadline that nobody waits for would still be one to go to.
        self._lifts = isinstance(clock, TapeClock)
        if self._lifts:
            # Who gets what first must not depend on how fast the machine is.
            self._slice = math.inf
        try:
            with self._whole:
                await watched(self._serve_on(), self._pausing)
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
        self._read = -math.inf  # by the clock any time may pass
        current.lanes.note(current.lanes.place + 1)
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
                self._now = self._clock()
                self._read = self._worked = time.perf_counter()
                waiting = [p for p in self._pumps if p.lanes.hand or p.lanes.waiting]
                if self.bell.crowded and len(waiting) > 1:
                    for pump in waiting:  # what is urgent to any comes before the rest of all
                        await self._work(pump, min(pump.lanes.urgent, BATCH))
                for pump in waiting:
                    await self._work(pump, BATCH)
                # Here it ends where the deadline has passed without an event to cancel: at rest,
                # or since a processor shielded itself, as a thread does. That one is done.
                await self._rest()
            return True
        self._cancelled()
        return False

    async def _take_over(self) -> None:
        """Go on from what was served at once."""
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if self._begun is not None:
            begun, self._begun = self._begun, None
            await go_on(begun)

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
        if self.bell.closing:
            for pump in [p for p in self._pumps if p.lanes.closed and not p.lanes.waiting]:
                self._pumps.remove(pump)
                pump.end()
        if self.bell.rung or not self._pumps:
            await trio.lowlevel.checkpoint()
            return
        if self._lifts:
            self._lift()
        # Nothing waits. Whoever closes lanes will say so; these that are closed have ended.
        self.bell.crowded = self.bell.closing = False
        try:
            await self.bell.wait()
        finally:  # also where it has been cancelled meanwhile, as by what was served at once
            await self._take_over()

    async def _work(self, pump: Pump, most: int) -> None:  # noqa: C901
        """Process up to so many events of one pump, the urgent ones first."""
        lanes, budget = pump.lanes, pump.config.budget
        if most <= 0 or not (lanes.hand or lanes.waiting) or pump not in self._pumps:
            return
        if lanes.desynchronised:
            pump.begin_anew()
        self._current = pump
        until = self._worked + self._slice
        while True:
            if self._worked > self._read + FRESH:
                self._read_clock()
            now = self._now
            if now >= self._deadline:  # the next event needs another scope
                break
            event = lanes.draw()
            drawn = lanes.drawn
            if drawn is None or drawn is lanes.vital:
                oldest = -math.inf
            else:  # who arrived before this has less than its budget left
                oldest = now + budget - pump.config.max_age
            if event.received_at >= oldest:
                due = now + budget
                if not due + SLACK <= self._deadline <= due + 2 * SLACK:
                    self._arm(due)
                end = min(len(lanes.hand), lanes.place + most)
                most -= await self._run(pump, end, oldest, until)
            else:
                await self._last_chance(pump, event, now)
                most -= 1
            if not lanes.hand and not (self.bell.crowded and lanes.waiting):
                self._current = None
                return
            if most <= 0 or self._worked > until:
                break
        self._current = None
        self.bell.rung = True  # there is more to do, after others had their turn

    def _read_clock(self) -> None:
        self._now = self._clock()
        self._read = self._worked = time.perf_counter()

    async def _last_chance(self, pump: Pump, event: DataEvent, now: float) -> None:
        """Process an event whose time runs out before its budget would, if it has not yet."""
        left = event.received_at + pump.config.max_age - now
        if left <= 0:
            pump.lanes.expire()
        else:
            self._arm(now + left)
            await self._run(pump, pump.lanes.place + 1, -math.inf, math.inf)

    async def _run(self, pump: Pump, end: int, oldest: float, until: float) -> int:  # noqa: C901
        """Process the hand from its place up to this end; how many events it was.

        The hot loop: every call and every look-up in it is paid for each event. It ends early
        where something came in between, an event failed or is old, or the slice is over.
        """
        lanes, timing = pump.lanes, pump.timing
        hand, begin = lanes.hand, lanes.place
        process, admits, budget = pump.process, pump.admits, pump.config.budget
        note, limit = timing.recent.append, timing.remarkable
        clock, start, place = time.perf_counter, self._worked, begin
        ended, total, left_out, more, failure = start, 0.0, 0, 0, None
        lanes.fresh, lanes.noted = False, begin
        try:
            for place in range(begin, end):
                event = hand[place]
                if event.received_at < oldest:
                    return place - begin
                if admits is not None and not admits(event):
                    lanes.books.filtered += 1
                    lanes.finish()
                    left_out += 1
                    ended = clock()
                else:
                    emitted = await process(event)
                    if emitted:
                        await pump.emit(emitted, self._lift)
                    lanes.place = place + 1
                    ended = clock()
                    spent = ended - start
                    note(spent)
                    total += spent
                    if spent > limit:
                        timing.remark(spent, budget)
                if lanes.fresh or ended > until:
                    break
                start = ended
            more = 1
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - around plug-ins
            ended = clock()
            timing.add(ended - start, budget)
            failure = error
        finally:
            self._worked = ended
            good = place + more - begin - left_out
            timing.count += good
            timing.total += total
            if good > 0:
                pump.failures_in_row = 0
                pump.last_processed_at = self._now
            lanes.note(lanes.place)
            lanes.enter()
            lanes.begun = False
        if failure is not None:
            await self._failed(pump, failure)
        return place + 1 - begin

    async def _failed(self, pump: Pump, failure: BaseException) -> None:
        pump.failed(failure)
        if not pump.prompt:  # perhaps another instance now, and of another kind
            await in_own_task()

    def _arm(self, due: float) -> None:
        """Set the scope's deadline 10 ms behind this; 5 ms behind it is as good."""
        self._deadline = self._scope.deadline = due + 2 * SLACK

    def _lift(self) -> None:
        if self._deadline != math.inf:
            self._deadline = self._scope.deadline = math.inf
