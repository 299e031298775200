"""What a receiver's handler does, and what is measured with it; the same for every pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW = 256
"""Frames in one write of a flood."""
AHEAD = 3
"""Windows that a flood's sender is ahead by: 768 events fit into every pipeline's lanes."""
BUDGET = 0.1
"""Seconds that a processor may take."""

READS: dict[str, tuple[tuple[str, Any], ...]] = {
    "transaction": (("value", 10**18), ("gas", 100_000), ("nonce", 10_000)),
    "quote": (("bid", 3000), ("ask", 3000), ("sequence", 10**15 + 10**12)),
}
"""By kind, what the three processors look at: each counts the events with its field over this."""


class Tally:
    """Counts in the handler, acknowledges windows, and notes the processor's time at marks.

    Args:
        marks: counts of events at which the time is noted; the last one ends the run.
        every: counts between looks at the marks.
        stamp: reads the time that an event was due; None in a flood.
    """

    def __init__(
        self, marks: Iterable[int], every: int, stamp: Callable[[Any], int] | None = None
    ) -> None:
        self.marks = tuple(marks)
        self.total = self.marks[-1]
        self.count = 0
        self.cpu: list[float] = []
        self.delays: list[int] = []
        self.on_done: Callable[[], object] = lambda: None
        self.acknowledge: Callable[[], object] = lambda: None
        self.handle = self._count if stamp is None else self._measure
        self._every = every
        self._stamp = stamp

    def _count(self, event: Any) -> None:
        self.count += 1
        if not self.count % self._every:
            self._look()

    def _measure(self, event: Any) -> None:
        assert self._stamp is not None
        self.delays.append(time.monotonic_ns() - self._stamp(event))
        self._count(event)

    def _look(self) -> None:
        self.acknowledge()
        if self.count in self.marks:
            self.cpu.append(time.process_time())
            if self.count == self.total:
                self.on_done()

    def settle(self) -> None:
        """Everything is done, not only what the handler does: this is when the clock stops."""
        self.cpu[-1] = time.process_time()


class Acknowledges(Protocol):
    """Says to the sender of a flood that a window is finished with."""

    acknowledge: Callable[[], object]


@contextmanager
def sender(orders: dict[str, Any], tally: Acknowledges | None = None) -> Iterator[int]:
    """The sender's process; yields its port."""
    command = [sys.executable, "-m", "benchmarks.sender", json.dumps(orders)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:  # noqa: S603 - our own
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if tally is not None and orders["mode"] == "flood":
                windows = process.stdin.fileno()
                tally.acknowledge = lambda: os.write(windows, b".")
            yield int(process.stdout.readline())
            process.stdin.close()
            process.wait(10)
        finally:
            if process.poll() is None:
                process.kill()
