"""Bounded priority lanes: where events wait for one consumer.

A consumer has one lane a priority, one for what is vital, and one doorbell. Putting is
synchronous and never waits: a full lane does what its policy says, says so in the books, and
tells a consumer of LOST in its own stream.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import trio

from ..errors import DataStreamError
from ..model.event import VITAL, DataEvent, DataType, EventPriority, Lost
from ..model.settings import LaneSettings, Overflow
from .books import Books, BooksSnapshot
from .doorbell import Doorbell
from .lane import Lane, LaneSnapshot, LatestLane
from .outstanding import Outstanding


@attrs.define
class _Loss:
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

    The hand is the event that the consumer works on; it is still queued as far as the books go,
    so that a cancellation in the middle loses no counted event.

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
        self.hand: DataEvent | None = None
        self.drawn: Lane | None = None
        """Where the hand came from; None for the news of a loss."""
        self.fresh = False
        """Set by whatever changes the lanes from outside; whoever takes from a run clears it
        before, and goes no further in the run once it is set."""
        self.closed = False
        self.desynchronised = False
        """Whether something vital was lost; whoever serves the lanes begins anew and clears it."""
        self.bell = bell or Doorbell()
        self._max_bytes = settings.max_bytes
        self._outstanding = outstanding
        self._announce = announce
        self._losses: dict[str, _Loss] = {}
        self._room: trio.Event | None = None
        self.vital = Lane("vital", settings.high)
        self._by_priority = {
            EventPriority.HIGH: _lane("high", settings.high, settings.high_overflow),
            EventPriority.NORMAL: _lane("normal", settings.normal, settings.normal_overflow),
            EventPriority.LOW: _lane("low", settings.low, settings.low_overflow),
        }
        self._normal = self._by_priority[EventPriority.NORMAL]
        """What an event of an unknown priority takes."""
        self._high = self._by_priority[EventPriority.HIGH]
        self._low = self._by_priority[EventPriority.LOW]
        self._in_order = (self.vital, *self._by_priority.values())

    def attach(self, outstanding: Outstanding) -> None:
        """Count what is queued, and what comes, as outstanding here and nowhere else."""
        if outstanding is not self._outstanding:
            outstanding.count += self.queued
            self._outstanding = outstanding

    def _lane_of(self, event: DataEvent) -> Lane:
        if event.event_type in VITAL:
            return self.vital
        return self._by_priority.get(event.priority, self._normal)

    def put(self, event: DataEvent) -> None:
        """Queue an event; a full lane does what its policy says.

        Raises:
            DataStreamError: the lane is full and makes its producers wait; this one did not.
        """
        self.books.received += 1
        self.fresh = True
        lane = self._lane_of(event)
        if (
            self.closed or lane.count >= lane.capacity or lane.bytes + event.size > self._max_bytes
        ) and not self._make_room(lane, event):
            return
        self._outstanding.count += 1
        lane.push(event)
        if self.bell.waiter is not None:
            self.bell.ring()

    def put_run(self, run: Sequence[DataEvent], size: int) -> None:
        """Queue events of one type and priority that have so many bytes together.

        The same as putting them one by one; what is not to change is ``run`` itself.

        Raises:
            DataStreamError: as ``put``; those before are queued.
        """
        lane, count = self._lane_of(run[0]), len(run)
        if (
            self.closed
            or not lane.in_runs
            or lane.count + count > lane.capacity
            or lane.bytes + size > self._max_bytes
        ):
            for event in run:
                self.put(event)
            return
        self.books.received += count
        self.fresh = True
        self._outstanding.count += count
        lane.push_run(run, size)
        if self.bell.waiter is not None:
            self.bell.ring()

    def _make_room(self, lane: Lane, event: DataEvent) -> bool:
        """Whether the event can be queued after all."""
        if self.closed:
            self.books.lose(lane.name, "closed")
            return False
        if event.size > self._max_bytes:
            self._lose(lane, "oversized", event)
            return False
        if lane is self.vital:
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
        while self.vital.count:
            self._lose(self.vital, "desynchronised", self.vital.pop())
            self._outstanding.done()

    def _lose(self, lane: Lane, reason: str, event: DataEvent) -> None:
        self.books.lose(lane.name, reason)
        if self._announce:
            run = self._losses.get(lane.name)
            if run is None:
                self._losses[lane.name] = _Loss(1, event, event)
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
            self.fresh = True
            if self._room is None:
                self._room = trio.Event()
            await self._room.wait()

    def draw(self) -> DataEvent | None:
        """The event to work on: what is in the hand, or else the oldest of the highest lane."""
        if self.hand is not None:
            return self.hand
        if self._losses:
            self.drawn = None
            self.hand = self._told()
            return self.hand
        for lane in self._in_order:
            if lane.count:
                self.drawn = lane
                self.hand = lane.pop()
                if self._room is not None:
                    self._room.set()
                    self._room = None
                return self.hand
        return None

    def behind(self) -> tuple[Sequence[DataEvent], int, Lane]:
        """What waits behind the hand in the same run: the run, the place in it, the lane.

        Whoever takes an event from there moves the lane's place, count and bytes, and puts the
        event into the hand.
        """
        lane = self.drawn
        if lane is None or not lane.in_runs:
            return (), 0, self._normal
        return lane.run, lane.at, lane

    def _told(self) -> DataEvent:
        """The news of a loss, as an event."""
        name = next(iter(self._losses))
        loss = self._losses.pop(name)
        self.books.received += 1
        self._outstanding.count += 1
        return DataEvent(
            DataType.LOST,
            EventPriority.HIGH,
            Lost(name, loss.count, loss.first.name, loss.last.name),
            "lanes",
            loss.last.received_at,
            sequence=loss.last.sequence,
        )

    def finish(self) -> DataEvent:
        """Take the event out of the hand: the books' entry has been made for it."""
        event, self.hand = self.hand, None
        assert event is not None
        self.finished(1)
        return event

    def finished(self, count: int) -> None:
        """So many events have left the hand for good."""
        self._outstanding.done(count)

    def take(self, limit: int) -> list[DataEvent]:
        """Up to ``limit`` events, higher lanes first, each of them processed by being taken."""
        taken: list[DataEvent] = []
        while len(taken) < limit and (event := self.draw()) is not None:
            self.hand = None
            taken.append(event)
        self.books.processed += len(taken)
        self.finished(len(taken))
        return taken

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
        self.fresh = True
        if self.hand is not None:
            self.books.lose(self._lane_of(self.hand).name, reason)
            self.finish()
        self._losses.clear()
        for lane in self._in_order:
            while lane.count:
                lane.pop()
                self.books.lose(lane.name, reason)
                self._outstanding.done()

    def expire(self) -> None:
        """Count the event in the hand as lost: its deadline passed before its start."""
        event = self.finish()
        self._lose(self._lane_of(event), "expired", event)

    @property
    def waiting(self) -> bool:
        """Whether ``draw`` has something to give."""
        return bool(
            self._normal.count
            or self._high.count
            or self._low.count
            or self.vital.count
            or self.hand is not None
            or self._losses
        )

    @property
    def urgent(self) -> int:
        """Events that wait in the highest lanes, the vital one and HIGH."""
        return self.vital.count + self._high.count

    @property
    def queued(self) -> int:
        """Events in the lanes and in the hand."""
        return (self.hand is not None) + sum(lane.count for lane in self._in_order)

    def snapshots(self) -> tuple[LaneSnapshot, ...]:
        """Each lane's fill, the vital one first, then HIGH."""
        return tuple(lane.snapshot() for lane in self._in_order)

    def balance(self) -> BooksSnapshot:
        """The books now."""
        return self.books.snapshot(self.queued)
