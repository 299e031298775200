"""How late the event loop is: by how much a timer wakes after its time."""

from __future__ import annotations

import attrs
import trio


@attrs.frozen
class LagSnapshot:
    """Seconds."""

    last: float
    """Of the latest sample."""
    recent: float
    """The worst since the last look at the health."""
    longest: float
    """The worst of all."""


@attrs.define(eq=False)
class LoopLag:
    """Samples the lateness now and then.

    A single long step of a task is caught only if a sample falls into it; a loop that is
    overloaded is late at every one.
    """

    last: float = 0.0
    recent: float = 0.0
    longest: float = 0.0

    def note(self, lag: float) -> None:
        """Take a sample in."""
        self.last = lag
        self.recent = max(self.recent, lag)
        self.longest = max(self.longest, lag)

    async def run(self, interval: float) -> None:
        """Take a sample every so many seconds, until cancelled."""
        while True:
            due = trio.current_time() + interval
            await trio.sleep_until(due)
            self.note(trio.current_time() - due)

    def snapshot(self) -> LagSnapshot:
        """The figures now."""
        return LagSnapshot(self.last, self.recent, self.longest)
