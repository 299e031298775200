"""The pump: a processor, where its events come from, and what became of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import attrs
import msgspec
import trio
from loguru import logger

from ..errors import ProcessingTimeoutError, ProcessorFailed
from ..model.event import DataEvent, DataType
from ..model.health import HealthIssue
from ..model.settings import StreamConfig
from .books import BooksSnapshot
from .crew import Crew
from .decided import TIMED_OUT, DecidedLanes
from .lane import LaneSnapshot
from .lanes import Lanes
from .outstanding import Room
from .processor import DataProcessor, Factory, Handler
from .steps import besides, stepwise
from .timing import Timing, TimingSnapshot
from .waiting import cannot_wait, in_own_task

REPORT_INTERVAL = 60.0
ATTEND_AGAIN = 5.0
"""Seconds after which what a processor does besides its events is begun again, where it failed."""


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
    last_processed_at: float | None = None
    """Seconds of the stream's clock, to within a few milliseconds."""


class _DecidedLate(Exception):
    """The event ran over its deadline when the tape was recorded."""


class Pump:
    """One processor with its lanes and figures. A ``Crew`` runs it, alone or with others.

    Args:
        name: under which it is counted.
        factory: makes the processor.
        config: budget, deadlines, strictness.
        lanes: where its events come from.
        publish: takes what it emits.
        processor: the first instance, where it has been made already.
        room: says where a lane makes its producers wait; without it none does.
    """

    def __init__(
        self,
        name: str,
        factory: Factory,
        config: StreamConfig,
        lanes: Lanes,
        publish: Callable[[DataEvent], None],
        processor: DataProcessor | None = None,
        room: Room | None = None,
    ) -> None:
        self.name = name
        self.lanes = lanes
        self.config = config
        self.ended = trio.Event()
        self.timing = Timing()
        self.restarts = 0
        self.last_error: str | None = None
        self.last_processed_at: float | None = None
        self.reason = "cancelled"
        """Under which what is left at the end is lost."""
        self.processor = processor or factory()
        self.consumes = frozenset(self.processor.consumes)
        self._emits = frozenset(self.processor.emits)
        self._factory = factory
        self._publish = publish
        self._room = room
        self.crew = Crew([self])
        """Whoever runs it; alone, unless it is put into another."""
        self.failures_in_row = 0
        self._reported_at = float("-inf")
        self._replaced = trio.Event()
        self._attending = trio.CancelScope()
        self._bind()

    def _bind(self) -> None:
        """Look the processor's methods up once and not for every event."""
        self.process = self.processor.process_event
        self.prompt = _is_prompt(self.processor)
        """Whether it can be served in any task."""
        if isinstance(self.lanes, DecidedLanes):
            self.process = partial(self._as_decided, self.lanes)
            self.prompt = False
        plain = type(self.processor).admits is DataProcessor.admits
        self.admits = None if plain else self.processor.admits

    async def _as_decided(
        self, lanes: DecidedLanes, event: DataEvent
    ) -> Iterable[DataEvent] | None:
        """Process an event, unless the tape says that it ran over its deadline. Then it is given up
        where it waits, as it was; what it asks of a node takes as long as it took."""
        lanes.begins()
        if not lanes.was_late(event):
            return await self.processor.process_event(event)
        with trio.CancelScope() as scope:
            if self.processor.rpc is None:
                scope.cancel()
            await self.processor.process_event(event)
        raise _DecidedLate

    async def run(self) -> None:
        """Serve the lanes until they are closed and empty, together with the rest of its crew."""
        await self.crew.run()

    @property
    def attends(self) -> bool:
        """Whether the processor does something besides its events."""
        return type(self.processor).attend is not DataProcessor.attend

    async def attend(self) -> None:
        """Do what the processor does besides its events, for each instance in turn."""
        besides.set(True)
        while True:
            replaced = self._replaced
            with trio.CancelScope() as self._attending:
                try:
                    await stepwise(self.processor.attend(), self.lanes.step)
                    await replaced.wait()
                except Exception as error:  # noqa: BLE001 - it is the plug-in's code
                    self._failed_attending(error)
            if not replaced.is_set():
                await trio.sleep(ATTEND_AGAIN)
                self._make_anew()

    def _failed_attending(self, error: Exception) -> None:
        self.last_error = f"{type(error).__name__}: {error}"
        if self.config.strict:
            raise ProcessorFailed(f"{self.name} failed besides its events") from error
        self._report("failed besides its events", error)

    def cancel(self, reason: str) -> None:
        """End now; what is left is counted as lost for this reason."""
        self.reason = reason
        self.crew.dismiss(self)

    def begin_anew(self) -> None:
        """Something vital was lost: a new instance knows nothing that is no longer true."""
        self.lanes.desynchronised = False
        self.last_error = "desynchronised: its lane of blocks was full"
        self._make_anew()

    def end(self) -> None:
        """No more will be processed: count what is left."""
        self.lanes.abandon(self.reason)
        self.ended.set()

    async def emit(self, emitted: Iterable[DataEvent], lift: Callable[[], None]) -> None:
        """Publish what the processor made, waiting where a lane makes its producers wait."""
        self.lanes.note(self.lanes.place + 1)
        for ordinal, event in enumerate(emitted):
            if event.event_type not in self._emits:
                declared = ", ".join(sorted(t.value for t in self._emits)) or "nothing"
                raise ProcessorFailed(
                    f"{self.name} emitted {event.event_type.value}, its emits says {declared}"
                )
            made = msgspec.structs.replace(event, source=self.name, ordinal=ordinal)
            if self._room is not None and not self._room.has_room(made):
                lift()  # waiting for others is not this processor's time
                await in_own_task()
                await self._room.wait_room(made)
            self.lanes.made(made)
            self._publish(made)

    def failed(self, error: BaseException) -> None:
        """The event in hand failed."""
        if isinstance(error, BaseExceptionGroup) and not isinstance(error, Exception):
            # Cancelled, and failing on its way out: the cancellation is what counts.
            self._report("failed while it was cancelled", error)
            raise error.split(Exception)[1] or error from None
        self.lanes.note(self.lanes.place + 1)
        if isinstance(error, _DecidedLate):
            self.timed_out()
            return
        self.lanes.books.failed += 1
        event = self.lanes.finish()
        self.last_error = f"{type(error).__name__}: {error}"
        if self.config.strict:
            raise ProcessorFailed(f"{self.name} failed on {event.event_type.value}") from error
        self._report("failed", error)
        self._count_failure()

    def timed_out(self) -> None:
        """The event in hand was cancelled at its deadline."""
        self.lanes.note(self.lanes.place + 1)
        self.lanes.books.failed += 1
        self.timing.timeouts += 1
        event = self.lanes.finish()
        if self.lanes.on_loss is not None:
            self.lanes.on_loss("", TIMED_OUT, (event,))
        limit = f"its deadline, at most {self.config.budget * 1000:.0f} ms from its start"
        self.last_error = f"ProcessingTimeoutError: {event.event_type.value} ran over {limit}"
        if self.config.strict:
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

    def health(self, now: float) -> Iterator[HealthIssue]:
        """What the processor reports as wrong; a failure to report is one more."""
        try:
            yield from tuple(self.processor.health(now))
        except Exception as error:  # noqa: BLE001 - it is the plug-in's code
            yield HealthIssue("health_failed", self.name, f"{type(error).__name__}: {error}"[:200])

    def _count_failure(self) -> None:
        self.failures_in_row += 1
        if self.failures_in_row >= self.config.failures_before_restart:
            self.failures_in_row = 0
            self._make_anew()

    def _make_anew(self) -> None:
        try:
            self.processor = self._factory()
        except Exception as error:  # noqa: BLE001 - the factory is the plug-in's as well
            self.last_error = f"{type(error).__name__}: {error}"
            logger.opt(exception=error).warning("processor {} cannot be made anew", self.name)
            return
        self._bind()
        self._replaced.set()
        self._replaced = trio.Event()
        self._attending.cancel()
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
            self.last_processed_at,
        )


class HandlerProcessor(DataProcessor):
    """A function, sync or async, that is called with each event of one type."""

    consumes = frozenset()
    emits = frozenset()

    def __init__(self, event_type: DataType, handler: Handler) -> None:
        self.consumes = frozenset({event_type})  # type: ignore[misc]  # one type an instance
        self._handler = handler
        self.waits = inspect.iscoroutinefunction(handler)
        """Whether it is known beforehand that there is something to wait for."""

    async def process_event(self, event: DataEvent) -> None:
        """Call the handler, and wait for it if it is to be waited for."""
        result: Any = self._handler(event)
        if result is not None and inspect.isawaitable(result):
            await in_own_task()
            await result


def _is_prompt(processor: DataProcessor) -> bool:
    if isinstance(processor, HandlerProcessor):
        return not processor.waits
    return cannot_wait(processor.process_event)
