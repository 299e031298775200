"""One lane: a Trio memory channel with a count of its events and bytes beside it.

What travels through the channel are runs, lists of events that came together, since an operation
of the channel costs as much as all the rest of a delivery. The counts are there so that an empty
channel is never probed: an exception for every empty one would cost more still.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import trio

from ..model.event import DataEvent
from ..model.settings import Overflow

LONGEST_RUN = 64
"""Events that come one by one and are put together while the run's turn has not come."""
_NONE: tuple[DataEvent, ...] = ()


@attrs.frozen
class LaneSnapshot:
    """One lane's fill."""

    lane: str
    depth: int
    """Events waiting."""
    capacity: int
    peak: int
    """Largest depth so far."""
    bytes: int
    """Of the events waiting."""


class Lane:
    """One bounded channel, first in, first out. ``Lanes`` writes it, and the crew takes from it."""

    __slots__ = (
        "_open",
        "at",
        "bytes",
        "capacity",
        "count",
        "name",
        "overflow",
        "peak",
        "receive",
        "run",
        "send",
    )

    in_runs = True
    """Whether whole runs can be put, and taken from event by event."""

    def __init__(self, name: str, capacity: int, overflow: Overflow = "drop_oldest") -> None:
        self.name = name
        self.capacity = capacity
        self.overflow = overflow
        self.count = 0
        self.bytes = 0
        self.peak = 0
        self.run: Sequence[DataEvent] = _NONE
        """Being taken from, other lanes may hold it too; from ``at`` on it still waits."""
        self.at = 0
        self._open: list[DataEvent] | None = None
        """The last run in the channel, while more may be added to it."""
        # As many runs as events: each may be of one event.
        send, receive = trio.open_memory_channel[Any](capacity)
        # Bound once: looking these up for every event is a tenth of the cost of a delivery.
        self.send = send.send_nowait
        self.receive = receive.receive_nowait

    def push(self, event: DataEvent) -> None:
        """Put an event at the end; there is room."""
        run = self._open
        if run is not None and len(run) < LONGEST_RUN:
            run.append(event)
        else:
            self._open = run = [event]
            self.send(run)
        self._add(1, event.size)

    def push_run(self, run: Sequence[DataEvent], size: int) -> None:
        """Put events at the end, which have so many bytes together; there is room."""
        self._open = None
        self.send(run)
        self._add(len(run), size)

    def _add(self, count: int, size: int) -> None:
        self.bytes += size
        count = self.count = self.count + count
        self.peak = max(self.peak, count)

    def pop(self) -> DataEvent:
        """Take the oldest event; there is one."""
        run, at = self.run, self.at
        if at == len(run):
            run, at = self.receive(), 0
            if run is self._open:
                self._open = None
            self.run = run
        event = run[at]
        self.at = at + 1
        self.count -= 1
        self.bytes -= event.size
        self.let_go()
        return event

    def let_go(self) -> None:
        """Forget a run that has been taken whole: its events need not live on here."""
        if self.at == len(self.run):
            self.run, self.at = _NONE, 0

    def replace(self, event: DataEvent) -> DataEvent | None:
        """Let an event take the place of the one of its key; that one, or None."""
        return None

    def snapshot(self) -> LaneSnapshot:
        """The fill now."""
        return LaneSnapshot(self.name, self.count, self.capacity, self.peak, self.bytes)


class LatestLane(Lane):
    """A lane in which a newer event can replace the waiting one of the same key.

    What travels through the channel are cells of one event, so that a replacement keeps the
    place of what it replaces.
    """

    __slots__ = ("_cells",)

    in_runs = False

    def __init__(self, name: str, capacity: int) -> None:
        super().__init__(name, capacity, "latest")
        self._cells: dict[Any, list[DataEvent]] = {}

    def push(self, event: DataEvent) -> None:
        """Put an event at the end; there is room."""
        cell = [event]
        key = getattr(event.data, "key", None)
        if key is not None:
            self._cells[key] = cell
        self.send(cell)
        self._add(1, event.size)

    def pop(self) -> DataEvent:
        """Take the oldest event; there is one."""
        cell: list[DataEvent] = self.receive()
        event = cell[0]
        key = getattr(event.data, "key", None)
        if self._cells.get(key) is cell:
            del self._cells[key]
        self.count -= 1
        self.bytes -= event.size
        return event

    def replace(self, event: DataEvent) -> DataEvent | None:
        """Let an event take the place of the one of its key; that one, or None."""
        cell = self._cells.get(getattr(event.data, "key", None))
        if cell is None:
            return None
        old, cell[0] = cell[0], event
        self.bytes += event.size - old.size
        return old
