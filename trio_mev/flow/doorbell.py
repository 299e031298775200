"""A doorbell: wakes the one task that waits at it."""

from __future__ import annotations

import attrs
import trio

from ..errors import DataStreamError


@attrs.define(eq=False)
class Doorbell:
    """Wakes the one task that waits at it; rung in vain where none does.

    A ``trio.Event`` for each wait costs twice as much.
    """

    rung: bool = False
    """Since this was last cleared, by whoever waits here."""
    crowded: bool = True
    """Whether anything may wait in a lane, since this was last cleared."""
    closing: bool = True
    """Whether lanes may have been closed, since this was last cleared."""
    held: bool = False
    """Whether somebody else does what waits; if that is not all, ``release`` wakes the task."""
    waiter: trio.lowlevel.Task | None = None

    def ring(self) -> None:
        """Wake the task, if it waits."""
        self.rung = True
        if self.waiter is not None and not self.held:
            waiter, self.waiter = self.waiter, None
            trio.lowlevel.reschedule(waiter)

    def release(self) -> None:
        """Hold it no longer, and wake the task if there is something to do."""
        self.held = False
        if self.rung or self.crowded or self.closing:
            self.ring()

    async def wait(self) -> None:
        """Sleep until somebody rings.

        Raises:
            DataStreamError: another task waits already.
        """
        if self.waiter is not None:
            raise DataStreamError("another task takes events here already; each needs its own")
        self.waiter = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._leave)

    def _leave(self, _: object) -> trio.lowlevel.Abort:
        self.waiter = None
        return trio.lowlevel.Abort.SUCCEEDED
