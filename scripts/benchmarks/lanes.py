"""Priorities: how long an event of one lane waits because of the others.

Every consumer gets both the urgent events and the flood: three processors and the handler that
takes the time. The time runs from the call that emits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import trio

from trio_mev import DataEvent, DataType, EventPriority, RealtimeDataStream, open_stream

from .ours import LIMIT, Over, transaction
from .tally import READS

PORTION = 64
"""Events of LOW between two checkpoints of the flood."""


def _event(priority: EventPriority) -> DataEvent:
    kind = DataType.TRANSACTION
    return DataEvent(kind, priority, transaction(0), "bench", trio.current_time())


class Watch:
    """A handler that times the events of one priority, one at a time."""

    def __init__(self, priority: EventPriority) -> None:
        self.delays: list[float] = []
        """Seconds."""
        self._priority = priority
        self._start = 0.0
        self._seen = trio.Event()

    def handle(self, event: DataEvent) -> None:
        if event.priority is self._priority:
            self.delays.append(time.perf_counter() - self._start)
            self._seen.set()

    async def run(self, emit: Callable[[DataEvent], None], count: int) -> None:
        """Emit so many events, each when the one before has been handled."""
        for number in range(count):
            await trio.sleep(0.001 + 0.0003 * (number % 5))
            self._seen = trio.Event()
            event = _event(self._priority)
            self._start = time.perf_counter()
            emit(event)
            await self._seen.wait()


async def _flood(stream: RealtimeDataStream) -> None:
    portion = [_event(EventPriority.LOW)] * PORTION
    while True:
        stream.emit_events(portion)
        await trio.lowlevel.checkpoint()


async def _measure(priority: EventPriority, count: int, flooded: bool) -> list[float]:
    watch = Watch(priority)
    factories = [partial(Over, *read) for read in READS["transaction"]]
    with trio.fail_after(LIMIT):
        async with open_stream([], factories) as stream, trio.open_nursery() as nursery:
            stream.add_event_handler(DataType.TRANSACTION, watch.handle)
            if flooded:
                nursery.start_soon(_flood, stream)
                await trio.sleep(0.3)
            await watch.run(stream.emit_event, count)
            nursery.cancel_scope.cancel()
    return watch.delays


def lower(priority: str, count: int) -> list[float]:
    """Milliseconds to the handler of single events of a lane, the higher ones empty."""
    delays = trio.run(_measure, EventPriority[priority], count, False)
    return [delay * 1e3 for delay in delays]


def high(flooded: bool, count: int) -> list[float]:
    """Microseconds to the handler of events of HIGH, LOW's lanes being empty or over-full."""
    delays = trio.run(_measure, EventPriority.HIGH, count, flooded)
    return [delay * 1e6 for delay in delays]
