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
NOTHING: tuple[DataEvent, ...] = ()


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


class Run:
    """Events of one type and priority that came together; several lanes may hold the same."""

    __slots__ = ("events", "size")

    def __init__(self, events: list[DataEvent], size: int) -> None:
        self.events = events
        self.size = size
        """Their bytes."""


class Lane:
    """One bounded channel, first in, first out. Only ``Lanes`` touches it."""

    __slots__ = (
        "_at",
        "_front",
        "_open",
        "bytes",
        "capacity",
        "count",
        "name",
        "overflow",
        "peak",
        "receive",
        "send",
    )

    in_runs = True
    """Whether runs can be put as they are."""

    def __init__(self, name: str, capacity: int, overflow: Overflow = "drop_oldest") -> None:
        self.name = name
        self.capacity = capacity
        self.overflow = overflow
        self.count = 0
        self.bytes = 0
        self.peak = 0
        self._front: Sequence[DataEvent] = NOTHING
        """The rest of a run that was begun, from ``_at`` on; older than all in the channel."""
        self._at = 0
        self._open: Run | None = None
        """The last run in the channel, while more may be added to it."""
        # As many runs as events: each may be of one event.
        send, receive = trio.open_memory_channel[Any](capacity)
        # Bound once: looking these up for every event is a tenth of the cost of a delivery.
        self.send = send.send_nowait
        self.receive = receive.receive_nowait

    def push(self, event: DataEvent) -> None:
        """Put an event at the end; there is room."""
        run = self._open
        if run is not None and len(run.events) < LONGEST_RUN:
            run.events.append(event)
            run.size += event.size
        else:
            self._open = run = Run([event], event.size)
            self.send(run)
        self.bytes += event.size
        count = self.count = self.count + 1
        if count > self.peak:  # noqa: PLR1730 - a call of max costs more than all of this
            self.peak = count

    def push_run(self, run: Run) -> None:
        """Put events at the end; there is room."""
        self._open = None
        self.send(run)
        self._add(len(run.events), run.size)

    def _add(self, count: int, size: int) -> None:
        self.bytes += size
        count = self.count = self.count + count
        if count > self.peak:  # noqa: PLR1730
            self.peak = count

    def take_run(self) -> Sequence[DataEvent]:
        """Take what came together with the oldest event, that one first; there is one."""
        if self._at == len(self._front):
            run: Run = self.receive()
            if run is self._open:
                self._open = None
            events = run.events
            self.count -= len(events)
            self.bytes -= run.size
            return events
        rest = self._front[self._at :]
        self._front, self._at = NOTHING, 0
        self._add(-len(rest), -sum(event.size for event in rest))
        return rest

    def take_oldest(self, count: int) -> Sequence[DataEvent]:
        """Take some of the oldest events, so many at most; there is one."""
        if self._at == len(self._front):
            self._front, self._at = self._next().events, 0
        begin = self._at
        taken = self._front[begin : begin + count]
        self._at = begin + len(taken)
        self._add(-len(taken), -sum([event.size for event in taken]))
        return taken

    def _next(self) -> Run:
        run: Run = self.receive()
        if run is self._open:
            self._open = None
        return run

    def give_back(self, events: Sequence[DataEvent]) -> None:
        """Put the end of a run that was taken back to where it was; nothing was taken since."""
        self._front, self._at = events, 0
        self._add(len(events), sum(event.size for event in events))

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

    def take_run(self) -> Sequence[DataEvent]:
        """Take the oldest event; there is one."""
        cell: list[DataEvent] = self.receive()
        event = cell[0]
        key = getattr(event.data, "key", None)
        if self._cells.get(key) is cell:
            del self._cells[key]
        self._add(-1, -event.size)
        return cell

    def take_oldest(self, count: int) -> Sequence[DataEvent]:
        """Take the oldest event; there is one."""
        return self.take_run()

    def replace(self, event: DataEvent) -> DataEvent | None:
        """Let an event take the place of the one of its key; that one, or None."""
        cell = self._cells.get(getattr(event.data, "key", None))
        if cell is None:
            return None
        old, cell[0] = cell[0], event
        self.bytes += event.size - old.size
        return old
