"""How many deliveries are under way in the whole stream; a tape waits for none."""

from __future__ import annotations

from typing import Protocol

import attrs
import trio

from ..model.event import DataEvent


class Room(Protocol):
    """Lanes that may make their producers wait."""

    def has_room(self, event: DataEvent) -> bool:
        """Whether nobody has to wait."""
        ...

    async def wait_room(self, event: DataEvent) -> None:
        """Return once there is room."""
        ...


@attrs.define(eq=False)
class Outstanding:
    """A count shared by every lane of a stream, and a way to wait for zero."""

    count: int = 0
    held: int = 0
    """Who waits for a turn that comes with the tape."""
    room: Room | None = None
    """Whether the lanes have room, where some make their producers wait."""
    _idle: trio.Event | None = None

    def done(self, count: int = 1) -> None:
        """Deliveries have left the stream, whatever became of them."""
        self.count -= count
        if not self.count and self._idle is not None:
            self._idle.set()
            self._idle = None

    async def wait_room(self, event: DataEvent) -> None:
        """Return once every lane that the event goes into has room."""
        if self.room is not None and not self.room.has_room(event):
            await self.room.wait_room(event)

    async def wait_idle(self) -> None:
        """Return once nothing is under way. Whoever feeds the stream bounds this wait."""
        while self.count:
            if self._idle is None:
                self._idle = trio.Event()
            await self._idle.wait()
