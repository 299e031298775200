"""The pump: one task that takes a consumer's events from its lanes, each under a deadline.

A cancel scope an event costs 5 µs. Here one scope lives as long as the pump, and its deadline is
moved only when it falls outside [due, due + 10 ms]; before the pump's own waits it is lifted.
A processor that is stuck is therefore cancelled between its deadline and 10 ms later.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs
import trio
from loguru import logger

from ..errors import ProcessingTimeoutError, ProcessorFailed
from ..model.event import DataEvent, DataType
from ..model.settings import StreamConfig
from .books import BooksSnapshot
from .lanes import Lanes, LaneSnapshot
from .processor import DataProcessor, Factory, Handler
from .timing import Timing, TimingSnapshot

BATCH = 64
SLACK = 0.010
REPORT_INTERVAL = 60.0
UNDYING = frozenset({DataType.BLOCK})
"""Types that never expire."""


@attrs.frozen
class ConsumerSnapshot:
    """A processor's or handler's figures."""

    name: str
    consumes: tuple[str, ...]
    books: BooksSnapshot
    timing: TimingSnapshot
    lanes: tuple[LaneSnapshot, ...]
    restarts: int
    """Times that it was made anew after failures in a row."""
    last_error: str | None


class Pump:
    """Runs one processor.

    Args:
        name: under which it is counted.
        factory: makes the processor.
        config: budget, deadlines, strictness.
        lanes: where its events come from.
        publish: takes what it emits.
        processor: the first instance, where it has been made already.
    """

    def __init__(
        self,
        name: str,
        factory: Factory,
        config: StreamConfig,
        lanes: Lanes,
        publish: Callable[[DataEvent], None],
        processor: DataProcessor | None = None,
    ) -> None:
        self.name = name
        self.lanes = lanes
        self.ended = trio.Event()
        self.timing = Timing()
        self.restarts = 0
        self.last_error: str | None = None
        self.processor = processor or factory()
        self.consumes = frozenset(self.processor.consumes)
        self._emits = frozenset(self.processor.emits)
        self._factory = factory
        self._config = config
        self._publish = publish
        self._failures_in_row = 0
        self._reported_at = float("-inf")
        self._scope = trio.CancelScope()
        self._whole = trio.CancelScope()
        self._reason = "cancelled"

    async def run(self) -> None:
        """Serve the lanes until they are closed and empty."""
        try:
            with self._whole:
                while not await self._serve():
                    pass
        finally:
            self.lanes.abandon(self._reason)
            self.ended.set()

    def cancel(self, reason: str) -> None:
        """End now; what is left is counted as lost for this reason."""
        self._reason = reason
        self._whole.cancel()

    async def _serve(self) -> bool:
        """True when the lanes have ended; False when the scope is spent."""
        lanes = self.lanes
        with trio.CancelScope() as self._scope:
            while True:
                if lanes.take(1):
                    await self._work()
                    if self._scope.cancel_called:
                        # A processor that shields itself, as a thread does, ended after its
                        # deadline: it is done, but the next event needs another scope.
                        return False
                    self._lift()
                    await trio.lowlevel.checkpoint()
                elif lanes.closed:
                    return True
                else:
                    self._lift()
                    await lanes.wait()
        self._timed_out()
        return False

    async def _work(self) -> None:
        """Process a batch of events, taken one by one: what is urgent overtakes the others."""
        lanes, books = self.lanes, self.lanes.books
        budget = self._config.budget
        start = time.perf_counter()
        for _ in range(BATCH):
            event = self._next()
            if event is None:
                return
            if not self._arm(event):
                lanes.expire()
                continue
            try:
                if not self.processor.admits(event):
                    books.filtered += 1
                    lanes.finish()
                    continue
                emitted = await self.processor.process_event(event)
                if emitted:
                    self._emit(emitted)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - around plug-ins
                self._failed(error)
            else:
                books.processed += 1
                self._failures_in_row = 0
                lanes.finish()
            now = time.perf_counter()
            self.timing.add(now - start, budget)
            start = now

    def _next(self) -> DataEvent | None:
        """The event to work on, if there is one and the scope is not spent."""
        if self._scope.cancel_called or not self.lanes.take(1):
            return None
        return self.lanes.hand[0]

    def _arm(self, event: DataEvent) -> bool:
        """Set the deadline for one event; False where it has passed already."""
        now = trio.current_time()
        due = now + self._config.budget
        if event.event_type not in UNDYING:
            expires = event.received_at + self._config.max_age
            if expires <= now:
                return False
            due = min(due, expires)
        if not due <= self._scope.deadline <= due + SLACK:
            self._scope.deadline = due + SLACK
        return True

    def _lift(self) -> None:
        if self._scope.deadline != math.inf:
            self._scope.deadline = math.inf

    def _emit(self, emitted: Iterable[DataEvent]) -> None:
        for ordinal, event in enumerate(emitted):
            if event.event_type not in self._emits:
                declared = ", ".join(sorted(t.value for t in self._emits)) or "nothing"
                raise ProcessorFailed(
                    f"{self.name} emitted {event.event_type.value}, its emits says {declared}"
                )
            self._publish(attrs.evolve(event, source=self.name, ordinal=ordinal))

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, BaseExceptionGroup) and not isinstance(error, Exception):
            # Cancelled, and failing on its way out: the cancellation is what counts.
            self._report("failed while it was cancelled", error)
            raise error.split(Exception)[1] or error from None
        self.lanes.books.failed += 1
        event = self.lanes.finish()
        self.last_error = f"{type(error).__name__}: {error}"
        if self._config.strict:
            raise ProcessorFailed(f"{self.name} failed on {event.event_type.value}") from error
        self._report("failed", error)
        self._count_failure()

    def _timed_out(self) -> None:
        self.lanes.books.failed += 1
        self.timing.timeouts += 1
        event = self.lanes.finish()
        limit = f"its deadline, at most {self._config.budget * 1000:.0f} ms from its start"
        self.last_error = f"ProcessingTimeoutError: {event.event_type.value} ran over {limit}"
        if self._config.strict:
            raise ProcessingTimeoutError(f"{self.name}: an event ran over {limit}")
        self._report(f"was cancelled: an event ran over {limit}", None)
        self._count_failure()

    def _report(self, what: str, error: BaseException | None) -> None:
        """Log the first failure, and then one a minute: a flood of them would hide the rest."""
        now = trio.current_time()
        if now - self._reported_at >= REPORT_INTERVAL:
            self._reported_at = now
            failed = self.lanes.books.failed
            logger.opt(exception=error).warning(
                "processor {} {}; {} failures so far", self.name, what, failed
            )

    def _count_failure(self) -> None:
        self._failures_in_row += 1
        if self._failures_in_row >= self._config.failures_before_restart:
            self._failures_in_row = 0
            self._make_anew()

    def _make_anew(self) -> None:
        try:
            self.processor = self._factory()
        except Exception as error:  # noqa: BLE001 - the factory is the plug-in's as well
            self.last_error = f"{type(error).__name__}: {error}"
            logger.opt(exception=error).warning("processor {} cannot be made anew", self.name)
            return
        self.restarts += 1
        logger.warning("processor {} is made anew", self.name)

    def snapshot(self) -> ConsumerSnapshot:
        """The figures now."""
        return ConsumerSnapshot(
            self.name,
            tuple(sorted(t.value for t in self.consumes)),
            self.lanes.balance(),
            self.timing.snapshot(),
            self.lanes.snapshots(),
            self.restarts,
            self.last_error,
        )


class HandlerProcessor(DataProcessor):
    """A function, sync or async, that is called with each event of one type."""

    consumes = frozenset()
    emits = frozenset()

    def __init__(self, event_type: DataType, handler: Handler) -> None:
        self.consumes = frozenset({event_type})  # type: ignore[misc]  # one type an instance
        self._handler = handler

    async def process_event(self, event: DataEvent) -> None:
        """Call the handler, and wait for it if it is to be waited for."""
        result: Any = self._handler(event)
        if inspect.isawaitable(result):
            await result
