"""How many deliveries are under way in the whole stream; a tape waits for none."""

from __future__ import annotations

import attrs
import trio


@attrs.define(eq=False)
class Outstanding:
    """A count shared by every lane of a stream, and a way to wait for zero."""

    count: int = 0
    _idle: trio.Event | None = None

    def done(self, count: int = 1) -> None:
        """Deliveries have left the stream, whatever became of them."""
        self.count -= count
        if self._idle is not None and self.count == 0:
            self._idle.set()
            self._idle = None

    async def wait_idle(self) -> None:
        """Return once nothing is under way. Whoever feeds the stream bounds this wait."""
        while self.count:
            if self._idle is None:
                self._idle = trio.Event()
            await self._idle.wait()
