"""Bounded priority lanes: where events wait for one consumer.

A lane is a Trio memory channel with a count of its events and bytes beside it, so that an empty
channel is never probed; a consumer has one lane a priority and one doorbell. Putting is
synchronous and never waits: a full lane sheds its own oldest event and says so in the books.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import attrs
import trio

from ..model.event import DataEvent, EventPriority
from ..model.settings import LaneSettings
from .books import Books, BooksSnapshot
from .outstanding import Outstanding


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
    """One bounded channel. Only ``Lanes`` touches it."""

    __slots__ = ("_receive", "_send", "bytes", "capacity", "count", "name", "peak")

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self.count = 0
        self.bytes = 0
        self.peak = 0
        self._send, self._receive = trio.open_memory_channel[DataEvent](capacity)

    def push(self, event: DataEvent) -> None:
        self._send.send_nowait(event)
        self.bytes += event.size
        self.count += 1
        self.peak = max(self.peak, self.count)

    def pop(self) -> DataEvent:
        event = self._receive.receive_nowait()
        self.count -= 1
        self.bytes -= event.size
        return event

    def snapshot(self) -> LaneSnapshot:
        return LaneSnapshot(self.name, self.count, self.capacity, self.peak, self.bytes)

    def close(self) -> None:
        self._send.close()
        self._receive.close()


class Lanes:
    """One consumer's three lanes, its hand, and its books.

    The hand is the batch that the consumer works on; what is in it is still queued as far as the
    books go, so that a cancellation in the middle loses no counted event.
    """

    def __init__(self, settings: LaneSettings, outstanding: Outstanding) -> None:
        self.books = Books()
        self.hand: deque[DataEvent] = deque()
        self.closed = False
        self._max_bytes = settings.max_bytes
        self._outstanding = outstanding
        self._bell: trio.Event | None = None
        self._by_priority = {
            EventPriority.HIGH: Lane("high", settings.high),
            EventPriority.NORMAL: Lane("normal", settings.normal),
            EventPriority.LOW: Lane("low", settings.low),
        }
        self._in_order = tuple(self._by_priority.values())

    def attach(self, outstanding: Outstanding) -> None:
        """Count what is queued, and what comes, as outstanding here and nowhere else."""
        if outstanding is not self._outstanding:
            outstanding.count += self.queued
            self._outstanding = outstanding

    def put(self, event: DataEvent) -> None:
        """Queue an event, shedding the oldest of its lane where there is no room."""
        self.books.received += 1
        lane = self._by_priority[event.priority]
        if self.closed:
            self.books.lose(lane.name, "closed")
            return
        if event.size > self._max_bytes:
            self.books.lose(lane.name, "oversized")
            return
        while lane.count >= lane.capacity or lane.bytes + event.size > self._max_bytes:
            lane.pop()
            self.books.lose(lane.name, "shed")
            self._outstanding.done()
        self._outstanding.count += 1
        lane.push(event)
        if self._bell is not None:
            self._bell.set()

    def take(self, limit: int) -> bool:
        """Fill the hand up to ``limit`` events, higher lanes first; False if there is none."""
        hand = self.hand
        room = limit - len(hand)
        for lane in self._in_order:
            while lane.count and room > 0:
                hand.append(lane.pop())
                room -= 1
        return bool(hand)

    def finish(self) -> DataEvent:
        """Take the first event out of the hand: the books' entry has been made for it."""
        self._outstanding.done()
        return self.hand.popleft()

    async def wait(self) -> None:
        """Sleep until something was put or the lanes were closed. One waiter at a time."""
        if self.closed or any(lane.count for lane in self._in_order):
            await trio.lowlevel.checkpoint()
            return
        self._bell = trio.Event()
        try:
            await self._bell.wait()
        finally:
            self._bell = None

    def close(self) -> None:
        """Refuse what comes from now on; what is queued can still be taken."""
        self.closed = True
        if self._bell is not None:
            self._bell.set()

    def abandon(self, reason: str) -> None:
        """Close, and count all that is left as lost."""
        self.close()
        for event in self.hand:
            self.books.lose(self._by_priority[event.priority].name, reason)
        self._outstanding.done(len(self.hand))
        self.hand.clear()
        for lane in self._in_order:
            while lane.count:
                lane.pop()
                self.books.lose(lane.name, reason)
                self._outstanding.done()
            lane.close()

    def expire(self) -> None:
        """Count the first event of the hand as lost: its deadline passed before its start."""
        event = self.finish()
        self.books.lose(self._by_priority[event.priority].name, "expired")

    @property
    def queued(self) -> int:
        """Events in the lanes and in the hand."""
        return len(self.hand) + sum(lane.count for lane in self._in_order)

    def snapshots(self) -> tuple[LaneSnapshot, ...]:
        """Each lane's fill, HIGH first."""
        return tuple(lane.snapshot() for lane in self._in_order)

    def balance(self) -> BooksSnapshot:
        """The books now."""
        return self.books.snapshot(self.queued)


@attrs.define(eq=False)
class Subscription:
    """Events by type, for the code that embeds the stream: ``async for event in subscription``.

    Bounded like every consumer; ends when the stream has ended. Leaving its ``async with``
    counts what was not taken as lost. A tape waits for it from the first event that is taken:
    one that nobody reads holds up nothing, and sheds what is old.
    """

    lanes: Lanes
    """Whose books say what was taken and what was lost."""
    outstanding: Outstanding
    """The stream's."""
    on_close: Callable[[Subscription], None] | None = None

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> DataEvent:
        for event in await self.take(1):
            return event
        raise StopAsyncIteration

    async def take(self, limit: int) -> list[DataEvent]:
        """At least one event and at most ``limit``, once there is one; none at the end."""
        await trio.lowlevel.checkpoint()
        self.lanes.attach(self.outstanding)
        while not self.lanes.take(limit):
            if self.lanes.closed:
                return []
            await self.lanes.wait()
        taken = len(self.lanes.hand)
        self.lanes.books.processed += taken
        return [self.lanes.finish() for _ in range(taken)]

    def close(self) -> None:
        """Take no more; what waits is counted as lost."""
        self.lanes.abandon("unsubscribed")
        if self.on_close is not None:
            self.on_close(self)
            self.on_close = None

    async def __aenter__(self) -> Subscription:
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await trio.lowlevel.cancel_shielded_checkpoint()
