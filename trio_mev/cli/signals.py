"""SIGINT and SIGTERM end a run after a drain."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio


@attrs.define(eq=False)
class Stop:
    """Why a run ends."""

    scope: trio.CancelScope
    """Cancelled when a signal comes."""
    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """0, or 128 and the signal's number."""
        return 0 if self.signal is None else 128 + self.signal


@asynccontextmanager
async def stop_on_signals(seconds: float | None) -> AsyncIterator[Stop]:
    """A block that ends at its end, at a signal, or after so many seconds."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                if seconds is not None:
                    scope.deadline = trio.current_time() + seconds
                stop = Stop(scope)

                async def watch() -> None:
                    async for number in signals:
                        stop.signal = number
                        scope.cancel()
                        return

                nursery.start_soon(watch)
                yield stop
            nursery.cancel_scope.cancel()
