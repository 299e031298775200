"""The sink that stores a stream: what it takes is written together, in a thread.

It outlives the processors, and the stream never waits for it: it has its own lanes, and what is
not written in the end is lost in the books.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import attrs
import trio
from loguru import logger

from ..flow.backoff import Backoff
from ..flow.clock import TapeClock
from ..flow.subscription import Subscription
from ..model.event import DataEvent, DataType
from ..model.settings import LaneSettings
from .daystore import DayStore
from .told_rows import KINDS

LANES = LaneSettings(high=10_000, normal=50_000, low=50_000)
"""While a file is being written, all that comes must find a place."""
BATCH = 1024
LONGEST_PAUSE = 60.0
"""Seconds between two tries, where the disk takes nothing."""
PATIENCE = 10.0
"""Seconds for the last rows."""


@attrs.define(eq=False)
class StreamStore:
    """Stores what a subscription brings; ``stream.add_sink(store.run, *store.kinds)``.

    Args:
        store: the folder; ``begin`` has been called.
        epoch: the wall clock's nanoseconds where the stream's clock is zero.
        rng: of the pauses between tries.
    """

    store: DayStore
    epoch: int = 0
    rng: random.Random = attrs.Factory(random.Random)
    _events: list[DataEvent] = attrs.Factory(list)
    _size: int = 0
    _due: float = math.inf
    """When what waits is to be written; never, where nothing does."""
    _again: float = -math.inf
    """Before this nothing is tried, since the last try failed."""
    _told: Counter[str] = attrs.Factory(Counter)
    """Losses that are in the books."""
    _handed: int = 0
    """Events that a thread has been given, and has not made rows of yet."""
    _turn: threading.Lock = attrs.Factory(threading.Lock)
    _backoff: Backoff = attrs.field(init=False)
    _now: Callable[[], float] = time.monotonic

    def __attrs_post_init__(self) -> None:
        first = self.store.settings.flush_seconds
        self._backoff = Backoff(first, 2.0, max(first, LONGEST_PAUSE), self.rng)

    @property
    def kinds(self) -> frozenset[DataType]:
        """What it is to be subscribed to."""
        wanted = [KINDS[name] for name in self.store.settings.datasets]
        return frozenset[DataType]().union(*wanted)

    async def run(self, events: Subscription) -> None:
        """Store everything until it ends; cancelled, what was taken is written all the same."""
        # A tape's time may fly, and a pause on it be long: the time between two writes is real.
        on_tape = isinstance(trio.lowlevel.current_clock(), TapeClock)
        self._now = time.monotonic if on_tape else trio.current_time
        try:
            while (batch := await self._next(events, on_tape)) is not None:
                self._add(batch)
                if self._full or self._now() >= self._due:
                    await self._write(events)
        finally:
            await self._end(events)

    async def _next(self, events: Subscription, on_tape: bool) -> list[DataEvent] | None:
        """What comes next; nothing where it is time to write, None at the end."""
        with trio.move_on_after(math.inf if on_tape else max(0.0, self._due - self._now())):
            room = max(1, self.store.settings.flush_rows - len(self._events))
            return await events.take(min(BATCH, room)) or None
        return []

    @property
    def _full(self) -> bool:
        settings = self.store.settings
        return len(self._events) >= settings.flush_rows or self._size >= settings.flush_bytes

    def _add(self, batch: list[DataEvent]) -> None:
        if batch and self._due == math.inf:
            self._due = self._now() + self.store.settings.flush_seconds
        self._events += batch
        self._size += sum(event.size for event in batch)

    async def _write(self, events: Subscription) -> None:
        tries = self._now() >= self._again
        taken = self._taken()
        self._handed = len(taken)
        done = await trio.to_thread.run_sync(self._work, taken, tries, abandon_on_cancel=True)
        self._account(events)
        if not tries:
            return
        if done:
            if self._backoff.attempts:
                logger.info("{}: it can be written to again", self.store.folder)
            self._backoff.reset()
            self._again, self._due = -math.inf, math.inf
            return
        pause = self._backoff.next_delay()
        self._again = self._due = self._now() + pause
        logger.error(
            "{}: it cannot be written to, and is tried again in {:.0f} s: {}",
            self.store.folder,
            pause,
            self.store.error,
        )

    def _taken(self) -> list[DataEvent]:
        taken, self._events, self._size = self._events, [], 0
        return taken

    def _work(self, events: list[DataEvent], tries: bool) -> bool:
        with self._turn:  # the one before may have been left to itself
            self.store.take(events, self.epoch)
            self._handed = 0
            return self.store.flush() if tries else False

    def _account(self, events: Subscription) -> None:
        """What is lost is so in the books."""
        for reason, count in (self.store.lost - self._told).items():
            events.lose(reason, count)
        self._told = self.store.lost.copy()

    async def _end(self, events: Subscription) -> None:
        """One more try, however the stream ends; then what is not written is lost."""
        taken = self._taken()
        left = self._handed + len(taken) + self.store.waiting
        with trio.move_on_after(PATIENCE, shield=True) as scope:
            await trio.to_thread.run_sync(self._finish, taken, abandon_on_cancel=True)
        lost, why = self.store.lost.total(), self.store.error
        if scope.cancelled_caught:  # the thread may still be writing, and is left to itself
            events.lose("disk", left)
            lost, why = lost + left, OSError("it takes too long")
        else:
            self._account(events)
        if lost:
            logger.error(
                "{}: of {} events nothing is stored{}",
                self.store.folder,
                lost,
                f": {why}" if why is not None else "",
            )

    def _finish(self, events: list[DataEvent]) -> None:
        if not self._work(events, tries=True):
            self.store.abandon()
