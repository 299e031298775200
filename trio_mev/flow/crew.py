"""The crew: one task that serves one pump or several, each event under a deadline.

A cancel scope an event costs 5 µs. Here one scope lives as long as the crew, and its deadline is
moved only when it falls outside [due, due + 10 ms]; before the crew's own waits it is lifted.
A processor that is stuck is therefore cancelled between its deadline and 10 ms later.

Processors that await nothing can share a crew: one wake-up then serves them all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from ..model.event import VITAL, DataEvent
from .lanes import Doorbell

if TYPE_CHECKING:
    from .pump import Pump

BATCH = 64
SLACK = 0.010
SLICE = 0.010
"""Seconds of synchronous work after which other tasks get their turn."""


class Crew:
    """Runs its pumps until their lanes are closed and empty."""

    def __init__(self, pumps: Sequence[Pump]) -> None:
        self.bell = Doorbell()
        self._pumps = list(pumps)
        for pump in self._pumps:
            pump.lanes.bell = self.bell
        self._current: Pump | None = None
        self._dismissed: Pump | None = None
        self._scope = trio.CancelScope()
        self._whole = trio.CancelScope()
        self._deadline = math.inf
        self._clock: Callable[[], float] = trio.current_time

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
        # The clock itself: asking Trio for the time costs twice as much.
        self._clock = trio.lowlevel.current_clock().current_time
        try:
            with self._whole:
                while not await self._serve():
                    pass
        finally:
            for pump in self._pumps:
                pump.end()
            self._pumps.clear()

    async def _serve(self) -> bool:
        """True when every pump has ended; False when the scope is spent."""
        with trio.CancelScope() as self._scope:
            self._deadline = math.inf
            while self._pumps:
                for pump in [p for p in self._pumps if p.lanes.waiting]:
                    self._current = pump
                    await self._work(pump)
                    self._current = None
                    if self._clock() >= self._deadline:
                        # A processor that shields itself, as a thread does, ended after its
                        # deadline: it is done, but the next event needs another scope.
                        return False
                self._lift()
                await self._rest()
            return True
        self._cancelled()
        return False

    def _cancelled(self) -> None:
        """The event in hand ran out of its time, or its pump is to end now."""
        current, dismissed = self._current, self._dismissed
        self._current = self._dismissed = None
        if dismissed is not None:
            self._pumps.remove(dismissed)
            dismissed.end()
        else:
            assert current is not None  # at rest the deadline is lifted
            current.timed_out()

    async def _rest(self) -> None:
        """Let other tasks have their turn, or wait until there is something to do."""
        for pump in [p for p in self._pumps if p.lanes.closed and not p.lanes.waiting]:
            self._pumps.remove(pump)
            pump.end()
        if any(pump.lanes.waiting for pump in self._pumps) or not self._pumps:
            await trio.lowlevel.checkpoint()
        else:
            await self.bell.wait()

    async def _work(self, pump: Pump) -> None:  # noqa: C901 - the hot loop: a call is a tenth
        """Process events of one pump, taken one by one: what is urgent overtakes the others."""
        lanes, timing = pump.lanes, pump.timing
        budget, max_age = pump.config.budget, pump.config.max_age
        if lanes.desynchronised:
            pump.begin_anew()
        begun = start = time.perf_counter()
        for _ in range(BATCH):
            event = lanes.next()
            if event is None:
                return
            now = self._clock()
            if now >= self._deadline:
                return
            left = event.received_at + max_age - now
            if left < budget and event.event_type not in VITAL:
                if left <= 0:
                    lanes.expire()
                    continue
                due = now + left
            else:
                due = now + budget
            if not due <= self._deadline <= due + SLACK:
                self._deadline = self._scope.deadline = due + SLACK
            tried = await self._one(pump, event)
            ended = time.perf_counter()
            if tried:
                timing.add(ended - start, budget)
            if ended - begun > SLICE:
                return
            start = ended

    async def _one(self, pump: Pump, event: DataEvent) -> bool:
        """One event, under the deadline that is set; False where it is of no interest."""
        try:
            if pump.admits is not None and not pump.admits(event):
                pump.lanes.books.filtered += 1
                pump.lanes.finish()
                return False
            emitted = await pump.process(event)
            if emitted:
                await pump.emit(emitted, self._lift)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - around plug-ins
            pump.failed(error)
        else:
            pump.succeeded()
        return True

    def _lift(self) -> None:
        if self._deadline != math.inf:
            self._deadline = self._scope.deadline = math.inf
