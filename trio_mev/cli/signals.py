"""SIGINT and SIGTERM end a run after a drain, and other work after it is cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn

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


@contextmanager
def cleaned_up_on_signals() -> Iterator[None]:
    """A block without Trio that SIGTERM ends as SIGINT does: what it began is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a program's own thread, which gets no signal
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)
