"""Silence: a subscription with a natural period must be heard within its limit."""

from __future__ import annotations

import attrs
import trio

from ..errors import HeartbeatLost


@attrs.define(eq=False)
class Watchdog:
    """Barks when a subscription was silent for too long.

    Only what belongs to the subscription pushes it: a healthy socket whose subscription is dead
    is caught by nothing else. It sleeps until its deadline and does not poll.
    """

    name: str
    limit: float
    """Seconds."""
    last: float = 0.0
    """When it was last heard, on Trio's clock."""

    async def run(self) -> None:
        """Watch from now on.

        Raises:
            HeartbeatLost: nothing was heard for ``limit`` seconds.
        """
        self.last = max(self.last, trio.current_time())
        while trio.current_time() < self.last + self.limit:
            await trio.sleep_until(self.last + self.limit)
        raise HeartbeatLost(f"{self.name} was silent for {self.limit:g} s")
