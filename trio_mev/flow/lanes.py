"""Bounded priority lanes: where events wait for one consumer.

A consumer has one lane a priority, one for what is vital, and one doorbell. Putting is
synchronous and never waits: a full lane does what its policy says, says so in the books, and
tells a consumer of LOST in its own stream.
"""

from __future__ import annotations

from collections import deque

import attrs
import trio

from ..errors import DataStreamError
from ..model.event import VITAL, DataEvent, DataType, EventPriority, Lost
from ..model.settings import LaneSettings, Overflow
from .books import Books, BooksSnapshot
from .lane import Lane, LaneSnapshot, LatestLane
from .outstanding import Outstanding


@attrs.define(eq=False)
class Doorbell:
    """Wakes the one task that waits at it."""

    waiter: trio.Event | None = None

    def ring(self) -> None:
        """Wake the task, if it waits."""
        if self.waiter is not None:
            self.waiter.set()

    async def wait(self) -> None:
        """Sleep until somebody rings.

        Raises:
            DataStreamError: another task waits already.
        """
        if self.waiter is not None:
            raise DataStreamError("another task takes events here already; each needs its own")
        self.waiter = trio.Event()
        try:
            await self.waiter.wait()
        finally:
            self.waiter = None


@attrs.define
class _Run:
    """Losses since the consumer was last told."""

    count: int
    first: DataEvent
    last: DataEvent


def _lane(name: str, capacity: int, overflow: Overflow) -> Lane:
    if overflow == "latest":
        return LatestLane(name, capacity)
    return Lane(name, capacity, overflow)


class Lanes:
    """One consumer's lanes, its hand, and its books.

    The hand is what the consumer works on; it is still queued as far as the books go, so that a
    cancellation in the middle loses no counted event.

    Args:
        settings: bounds and policies.
        outstanding: where what is queued is counted for the whole stream.
        announce: whether the consumer wants to be told of losses, as LOST events.
        bell: rung when something was put; several lanes may share one.
    """

    def __init__(
        self,
        settings: LaneSettings,
        outstanding: Outstanding,
        announce: bool = False,
        bell: Doorbell | None = None,
    ) -> None:
        self.settings = settings
        self.books = Books()
        self.hand: deque[DataEvent] = deque()
        self.closed = False
        self.desynchronised = False
        """Whether something vital was lost; whoever serves the lanes begins anew and clears it."""
        self.bell = bell or Doorbell()
        self._max_bytes = settings.max_bytes
        self._outstanding = outstanding
        self._announce = announce
        self._runs: dict[str, _Run] = {}
        self._room: trio.Event | None = None
        self._vital = Lane("vital", settings.high)
        self._by_priority = {
            EventPriority.HIGH: _lane("high", settings.high, settings.high_overflow),
            EventPriority.NORMAL: _lane("normal", settings.normal, settings.normal_overflow),
            EventPriority.LOW: _lane("low", settings.low, settings.low_overflow),
        }
        self._normal = self._by_priority[EventPriority.NORMAL]
        """What an event of an unknown priority takes."""
        self._in_order = (self._vital, *self._by_priority.values())

    def attach(self, outstanding: Outstanding) -> None:
        """Count what is queued, and what comes, as outstanding here and nowhere else."""
        if outstanding is not self._outstanding:
            outstanding.count += self.queued
            self._outstanding = outstanding

    def _lane_of(self, event: DataEvent) -> Lane:
        if event.event_type in VITAL:
            return self._vital
        return self._by_priority.get(event.priority, self._normal)

    def put(self, event: DataEvent) -> None:
        """Queue an event; a full lane does what its policy says.

        Raises:
            DataStreamError: the lane is full and makes its producers wait; this one did not.
        """
        self.books.received += 1
        if event.event_type in VITAL:
            lane = self._vital
        else:
            lane = self._by_priority.get(event.priority, self._normal)
        if (
            self.closed or lane.count >= lane.capacity or lane.bytes + event.size > self._max_bytes
        ) and not self._make_room(lane, event):
            return
        self._outstanding.count += 1
        lane.push(event)
        if self.bell.waiter is not None:
            self.bell.waiter.set()

    def _make_room(self, lane: Lane, event: DataEvent) -> bool:
        """Whether the event can be queued after all."""
        if self.closed:
            self.books.lose(lane.name, "closed")
            return False
        if event.size > self._max_bytes:
            self._lose(lane, "oversized", event)
            return False
        if lane is self._vital:
            self._desynchronise()
            return True
        return self._overflow(lane, event)

    def _overflow(self, lane: Lane, event: DataEvent) -> bool:
        if lane.overflow == "block":
            self.books.received -= 1
            raise DataStreamError(f"the lane {lane.name} is full and its producer did not wait")
        if lane.overflow == "drop_newest":
            self._lose(lane, "refused", event)
            return False
        replaced = lane.replace(event)
        if replaced is not None:
            self._lose(lane, "coalesced", replaced)
            return False
        while lane.count >= lane.capacity or lane.bytes + event.size > self._max_bytes:
            self._lose(lane, "shed", lane.pop())
            self._outstanding.done()
        return True

    def _desynchronise(self) -> None:
        """Give up what is vital: the consumer cannot go on from what it knows."""
        self.desynchronised = True
        while self._vital.count:
            self._lose(self._vital, "desynchronised", self._vital.pop())
            self._outstanding.done()

    def _lose(self, lane: Lane, reason: str, event: DataEvent) -> None:
        self.books.lose(lane.name, reason)
        if self._announce:
            run = self._runs.get(lane.name)
            if run is None:
                self._runs[lane.name] = _Run(1, event, event)
            else:
                run.count += 1
                run.last = event

    def has_room(self, event: DataEvent) -> bool:
        """Whether ``put`` would take the event at once; always, where nobody has to wait."""
        lane = self._lane_of(event)
        if lane.overflow != "block" or self.closed or event.size > self._max_bytes:
            return True
        return lane.count < lane.capacity and lane.bytes + event.size <= self._max_bytes

    async def wait_room(self, event: DataEvent) -> None:
        """Return once there is room for the event. Whoever serves the lanes bounds the wait."""
        while not self.has_room(event):
            if self._room is None:
                self._room = trio.Event()
            await self._room.wait()

    def next(self) -> DataEvent | None:
        """The event to work on: what is in the hand, or the oldest of the highest lane."""
        hand = self.hand
        return hand[0] if hand else self._draw()

    def _draw(self) -> DataEvent | None:
        """Move one event into the hand."""
        if self._runs:
            return self._told()
        for lane in self._in_order:
            if lane.count:
                event = lane.pop()
                self.hand.append(event)
                if self._room is not None:
                    self._room.set()
                    self._room = None
                return event
        return None

    def _told(self) -> DataEvent:
        """The news of a loss, in the hand."""
        name = next(iter(self._runs))
        run = self._runs.pop(name)
        event = DataEvent(
            DataType.LOST,
            EventPriority.HIGH,
            Lost(name, run.count, run.first.name, run.last.name),
            "lanes",
            run.last.received_at,
            sequence=run.last.sequence,
        )
        self.books.received += 1
        self._outstanding.count += 1
        self.hand.append(event)
        return event

    def take(self, limit: int) -> bool:
        """Fill the hand up to ``limit`` events, higher lanes first; False if there is none."""
        while len(self.hand) < limit and self._draw() is not None:
            pass
        return bool(self.hand)

    def finish(self) -> DataEvent:
        """Take the first event out of the hand: the books' entry has been made for it."""
        outstanding = self._outstanding
        outstanding.count -= 1
        if not outstanding.count:
            outstanding.done(0)
        return self.hand.popleft()

    async def wait(self) -> None:
        """Sleep until something was put or the lanes were closed. One waiter at a time."""
        if self.closed or self.waiting:
            await trio.lowlevel.checkpoint()
            return
        await self.bell.wait()

    def close(self) -> None:
        """Refuse what comes from now on; what is queued can still be taken."""
        self.closed = True
        self.bell.ring()
        if self._room is not None:
            self._room.set()
            self._room = None

    def abandon(self, reason: str) -> None:
        """Close, and count all that is left as lost."""
        self.close()
        for event in self.hand:
            self.books.lose(self._lane_of(event).name, reason)
        self._outstanding.done(len(self.hand))
        self.hand.clear()
        self._runs.clear()
        for lane in self._in_order:
            while lane.count:
                lane.pop()
                self.books.lose(lane.name, reason)
                self._outstanding.done()

    def expire(self) -> None:
        """Count the first event of the hand as lost: its deadline passed before its start."""
        event = self.finish()
        self._lose(self._lane_of(event), "expired", event)

    @property
    def waiting(self) -> bool:
        """Whether ``next`` has something to give."""
        return bool(self.hand or self._runs or any(lane.count for lane in self._in_order))

    @property
    def queued(self) -> int:
        """Events in the lanes and in the hand."""
        return len(self.hand) + sum(lane.count for lane in self._in_order)

    def snapshots(self) -> tuple[LaneSnapshot, ...]:
        """Each lane's fill, the vital one first, then HIGH."""
        return tuple(lane.snapshot() for lane in self._in_order)

    def balance(self) -> BooksSnapshot:
        """The books now."""
        return self.books.snapshot(self.queued)
