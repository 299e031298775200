"""One lane: a Trio memory channel with a count of its events and bytes beside it.

The counts are there so that an empty channel is never probed: an exception for every empty one
would cost more than all the rest.
"""

from __future__ import annotations

from typing import Any

import attrs
import trio

from ..model.event import DataEvent
from ..model.settings import Overflow


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
    """One bounded channel, first in, first out. Only ``Lanes`` touches it."""

    __slots__ = ("bytes", "capacity", "count", "name", "overflow", "peak", "receive", "send")

    def __init__(self, name: str, capacity: int, overflow: Overflow = "drop_oldest") -> None:
        self.name = name
        self.capacity = capacity
        self.overflow = overflow
        self.count = 0
        self.bytes = 0
        self.peak = 0
        send, receive = trio.open_memory_channel[Any](capacity)
        # Bound once: looking these up for every event is a tenth of the cost of a delivery.
        self.send = send.send_nowait
        self.receive = receive.receive_nowait

    def push(self, event: DataEvent) -> None:
        """Put an event at the end; there is room."""
        self.send(event)
        self.bytes += event.size
        count = self.count = self.count + 1
        self.peak = max(self.peak, count)

    def pop(self) -> DataEvent:
        """Take the oldest event; there is one."""
        event: DataEvent = self.receive()
        self.count -= 1
        self.bytes -= event.size
        return event

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
        self.bytes += event.size
        self.count += 1
        self.peak = max(self.peak, self.count)

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
