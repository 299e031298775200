"""Text to a descriptor in threads that may be left behind: a reader that stops holds up nothing."""

from __future__ import annotations

import errno
import os
import select
import threading
from collections import deque
from typing import TextIO

import trio

PATIENCE = 2.0
"""Real seconds for the last words."""
MOST = 64
"""Texts that may wait; only who is cancelled leaves one behind."""


class Output:
    """Writes whole texts, one after the other, past the stream's own buffer and its lock.

    They are written in the order of the calls, whichever thread comes first: each writes what
    waits, its own text among it.

    Args:
        stream: None, as of a process without one, counts as a reader that has gone away.
        limiter: of the threads; the default one makes a tape's clock wait for the writing.
    """

    def __init__(self, stream: TextIO | None, limiter: trio.CapacityLimiter | None = None) -> None:
        self._stream = stream
        self._limiter = limiter
        self._descriptor = _descriptor(stream)
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque()
        self._stalled = False
        self.error: OSError | None = None if stream is not None else _error(errno.EPIPE)
        """Why nothing can be written any more; EPIPE where the reader has gone away."""

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self.error is not None

    async def write(self, text: str) -> None:
        """Write a text; cancelled, it leaves that to the thread, or to whoever writes next.

        Where too much has been left behind it is waited for first; cancelled then, this text is
        not taken.
        """
        while len(self._waiting) >= MOST:
            await self._in_thread()
        self._waiting.append(text)
        await self._in_thread()

    async def _in_thread(self) -> None:
        await trio.to_thread.run_sync(
            self._write_waiting, abandon_on_cancel=True, limiter=self._limiter
        )

    async def write_within(self, text: str, seconds: float = PATIENCE) -> None:
        """Write a text if that takes no longer; the seconds are real, whatever the clock is.

        Where it did take longer, and still does, the next one does not wait again.
        """
        if self._stalled and self._lock.locked():
            await trio.lowlevel.checkpoint()
            return
        self._waiting.append(text)
        await trio.to_thread.run_sync(
            self._write_within,
            seconds,
            abandon_on_cancel=True,
            limiter=trio.CapacityLimiter(1),
        )

    def _write_within(self, seconds: float) -> None:
        thread = threading.Thread(target=self._write_waiting, daemon=True)
        thread.start()
        thread.join(seconds)
        self._stalled = thread.is_alive()

    def _write_waiting(self) -> None:
        with self._lock:
            # What comes meanwhile has a thread of its own.
            for _ in range(len(self._waiting)):
                self._put(self._waiting.popleft())

    def _put(self, text: str) -> None:
        if self.closed or not text:
            return
        try:
            self._write(text)
        except OSError as error:
            self.error = error
        except ValueError as error:  # the stream has been closed
            self.error = OSError(errno.EBADF, str(error))

    def _write(self, text: str) -> None:
        assert self._stream is not None
        if self._descriptor is None:
            self._stream.write(text)
            self._stream.flush()
            return
        self._stream.flush()  # what somebody else wrote comes first
        rest = memoryview(text.encode(self._encoding, "backslashreplace"))
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return None if stream is None else stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
