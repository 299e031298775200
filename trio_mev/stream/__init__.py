"""The stream: draws the nursery tree and routes events; what they mean is decided elsewhere.

::

    open_stream
    └─ nursery
       └─ conduct
          ├─ sinks, which end last
          ├─ pumps: processors and handlers, each with its own lanes
          ├─ health and metrics
          └─ feeds, cancelled first
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

import attrs
import trio
from loguru import logger

from ..errors import ConfigError, DataStreamError
from ..feeds.life import Tap
from ..feeds.manager import WebSocketStreamManager
from ..flow.books import BooksSnapshot
from ..flow.clock import run_down
from ..flow.crew import Crew
from ..flow.decided import Decisions
from ..flow.feed import Feed
from ..flow.health import HealthSnapshot, HealthWatch
from ..flow.journal import Journal
from ..flow.lanes import Lanes, OnLoss
from ..flow.processor import DataProcessor, Factory, Handler, check_stages
from ..flow.pump import ConsumerSnapshot, HandlerProcessor, Pump
from ..flow.rpc import Rpc
from ..flow.subscription import Subscription
from ..flow.supervise import leaves
from ..model.event import FINDINGS, DataEvent, DataType
from ..model.health import HealthIssue
from ..model.settings import LaneSettings, StreamConfig
from ..wire.decisions import encode_decision
from ..wire.order import encode_taken
from ..wire.tape import Direction
from .asking import ConsumerRpc
from .router import Router
from .stats import StreamStats

__all__ = ["RealtimeDataStream", "Sink", "StreamStats", "open_stream"]

Sink = Callable[[Subscription], Awaitable[None]]
"""Consumes a subscription until it ends."""


class RealtimeDataStream:
    """A running stream. ``open_stream`` makes it and ends it.

    Events come from feeds or ``emit_event``, go through every consumer's own lanes, and what
    processors make of them goes the same way, one stage further.
    """

    def __init__(
        self,
        feeds: Iterable[Feed],
        processors: Iterable[Factory],
        config: StreamConfig,
        decisions: Decisions | None = None,
    ) -> None:
        self.config = config
        self.manager = WebSocketStreamManager(feeds)
        """The feeds."""
        self.router = Router(config)
        known = (getattr(feed, "decisions", None) for feed in self.manager.feeds)
        self.router.decisions = decisions or next((one for one in known if one is not None), None)
        self.outstanding = self.router.outstanding
        """Deliveries under way; a tape waits until there is none."""
        self._pumps: list[Pump] = []
        self._findings: Subscription | None = None
        self._handlers: Counter[DataType] = Counter()
        self._shared: Crew | None = None
        """Whom the next pump joins."""
        self._nursery: trio.Nursery | None = None
        self._helpers: trio.Nursery | None = None
        self._feeds_scope = trio.CancelScope()
        self._sinks: list[tuple[Sink, Subscription]] = []
        self.ended = trio.Event()
        """Set when the feeds have ended and the lanes have run empty."""
        self._health = HealthWatch(
            config, self._consumers, self.manager.snapshots, self._tell_health, self._reports
        )
        self._reporters: list[Callable[[float], Iterable[HealthIssue]]] = []
        self._draining = False
        self._tap: Tap | None = None
        self._started_at = 0.0
        self._stopped_at: float | None = None
        for factory in processors:
            self.add_processor(factory)

    def emit_event(self, event: DataEvent) -> None:
        """Put an event into the lanes of everyone who consumes its type. Never waits."""
        self.router.emit(event)

    def emit_events(self, events: Sequence[DataEvent]) -> None:
        """Put events that came together into the lanes: ``emit_event`` for each costs more."""
        self.router.emit_batch(events)

    async def emit(self, event: DataEvent) -> None:
        """As ``emit_event``, but waits for lanes whose policy is to make producers wait."""
        await trio.lowlevel.checkpoint()
        await self.router.wait_room(event)
        self.router.emit(event)

    def add_processor(self, factory: Factory) -> None:
        """Add a processor; a class whose instances need no arguments is a factory too.

        Raises:
            ConfigError: it consumes nothing, or emits a stage that is not later than what it
                consumes.
        """
        processor = factory()
        check_stages(processor)
        self._start_pump(type(processor).__name__, lambda: processor, factory)

    def _supplied(self, factory: Factory, lanes: Lanes) -> Factory:
        """A factory whose processors can call a node, where there is one."""

        def make() -> DataProcessor:
            processor = factory()
            if (rpc := self.rpc) is not None:
                processor.rpc = ConsumerRpc(rpc, lanes)
            return processor

        return make

    @property
    def rpc(self) -> Rpc | None:
        """Calls to the node of the first feed that is one; None where none is."""
        found = (getattr(feed, "rpc", None) for feed in self.manager.feeds)
        return next((rpc for rpc in found if rpc is not None), None)

    def add_event_handler(self, event_type: DataType, handler: Handler) -> None:
        """Call a function, sync or async, with every event of a type.

        Handlers have lanes and a budget of their own: a slow or failing one harms no other.
        """
        name = f"{getattr(handler, '__name__', 'handler')}({event_type.value})"
        self._start_pump(name, lambda: HandlerProcessor(event_type, handler))
        self._handlers[event_type] += 1

    def _start_pump(self, name: str, first: Factory, factory: Factory | None = None) -> None:
        if self._draining:
            raise DataStreamError("the stream has ended")
        same = sum(p.name.partition("#")[0] == name for p in self._pumps)
        processor = first()
        budget = self.config.budget if processor.budget is None else processor.budget
        name = f"{name}#{same + 1}" if same else name
        lanes = self.router.new_lanes(
            frozenset(processor.consumes), self.outstanding, processor.lanes, name
        )
        pump = Pump(
            name,
            self._supplied(factory or first, lanes),
            attrs.evolve(self.config, budget=budget),
            lanes,
            self.router.publish,
            self._supplied(lambda: processor, lanes)(),
            self.router,
        )
        self._record_of(pump)
        self._pumps.append(pump)
        if self._helpers is not None and pump.attends:
            self._helpers.start_soon(pump.attend)
        if self._shared is None or self._shared.closed:
            self._start_crew(Crew([pump], self._start_crew))
        else:
            self._shared.join(pump)

    def record_losses(self, tap: Tap | None) -> None:
        """Put on a tape, beside the frames of the feeds, what processors and handlers lose or do
        not finish in time from now on, and in which order processors take what comes where that
        is not the order of the tape: so a replay of the tape loses the same and finds the same.

        Args:
            tap: the recorder's, as the feeds have it; None to put no more on it.
        """
        self._tap = tap
        for pump in self._pumps:
            self._record_of(pump)

    def _record_of(self, pump: Pump) -> None:
        pump.lanes.on_loss, pump.lanes.journal = self._on_loss(pump.name), None
        tap, statuses = self._tap, self.manager.statuses
        if tap is None or not statuses or not pump.processor.emits:
            return  # of who finds nothing the order is no matter
        name, first = pump.name, statuses[0].name

        def took(names: Sequence[str], feed: str | None, number: int | None) -> None:
            tap(feed or first, Direction.TAKEN, encode_taken(name, names, number))

        pump.lanes.journal = Journal(self.router.made, took)

    def _on_loss(self, consumer: str) -> OnLoss | None:
        tap, feeds = self._tap, [status.name for status in self.manager.statuses]
        made = self.router.made
        if tap is None or not feeds:
            return None

        def lost(lane: str, reason: str, events: Sequence[DataEvent]) -> None:
            body = encode_decision(consumer, lane, reason, list(map(made.name, events)))
            feed = events[0].source if events[0].source in feeds else feeds[0]
            tap(feed, Direction.DECISION, body)

        return lost

    def _start_crew(self, crew: Crew) -> None:
        """Have those served, from now on if the stream runs, whom no other's wait holds up."""
        self._shared = self.router.crew = crew
        if self._nursery is not None:
            self._nursery.start_soon(crew.run)

    def subscribe(self, *event_types: DataType, lanes: LaneSettings | None = None) -> Subscription:
        """Events of these types from now on: ``async with stream.subscribe(...) as events``.

        Args:
            event_types: with LOST among them, it is told what its own lanes lost.
            lanes: bounds and policies, where they are not the stream's.
        """
        return self.router.subscribe(frozenset(event_types), lanes)

    def add_sink(
        self, run: Sink, *event_types: DataType, lanes: LaneSettings | None = None
    ) -> None:
        """Run a function with a subscription; call it before the stream runs.

        Sinks end last: when everything else has, they take what is left, within
        ``drain_timeout``.
        """
        self._sinks.append((run, self.subscribe(*event_types, lanes=lanes)))

    @property
    def findings(self) -> Subscription:
        """What processors find, from the first use of this attribute on.

        What is used right after ``open_stream`` misses nothing: feeds begin after that.
        """
        if self._findings is None:
            self._findings = self.subscribe(*FINDINGS)
        return self._findings

    def check(self) -> None:
        """Refuse what cannot run.

        Raises:
            ConfigError: a lane that sockets feed makes its producers wait.
        """
        if self.router.holds_up_feeds and not all(
            getattr(feed, "waits", False) for feed in self.manager.feeds
        ):
            raise ConfigError(
                "a lane with overflow = 'block' is fed by a socket, which cannot wait; "
                "block is for tapes and sinks"
            )

    async def conduct(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run feeds and pumps; when the feeds have ended, drain. ``open_stream`` runs it."""
        self._started_at = trio.current_time()
        try:
            async with trio.open_nursery() as time:
                await self._run_sinks_around(task_status, time)
                time.cancel_scope.cancel()
        finally:
            self._draining = True
            self.router.close()
            self._stopped_at = trio.current_time()
            self.ended.set()

    async def _run_sinks_around(
        self, task_status: trio.TaskStatus[None], time: trio.Nursery
    ) -> None:
        async with trio.open_nursery() as sinks:
            for run, subscription in self._sinks:
                sinks.start_soon(_run_sink, run, subscription)
            async with trio.open_nursery() as self._nursery:
                for crew in {id(pump.crew): pump.crew for pump in self._pumps}.values():
                    self._nursery.start_soon(crew.run)
                await self._run_feeds(task_status)
                time.start_soon(run_down)
                await self._drain()
            self.router.close()
            sinks.cancel_scope.deadline = trio.current_time() + self.config.drain_timeout

    async def _run_feeds(self, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as self._helpers:
            helpers = self._helpers
            helpers.start_soon(self._health.run)
            helpers.start_soon(self._health.lag.run, self.config.lag_interval)
            helpers.start_soon(self._log_metrics)
            for pump in self._pumps:
                if pump.attends:
                    helpers.start_soon(pump.attend)
            with self._feeds_scope:
                task_status.started()
                # The body runs next; what it subscribes to at once misses no event.
                await trio.lowlevel.checkpoint()
                await trio.lowlevel.checkpoint()
                # Without feeds, events come from whoever embeds the stream.
                by_hand = not self.manager.statuses
                await self.manager.run(self.router.emit_at_once, self.outstanding, by_hand)
            self._helpers = None
            helpers.cancel_scope.cancel()

    async def _drain(self) -> None:
        """Close the lanes stage by stage, each when all its producers have ended."""
        self._draining = True
        deadline = trio.current_time() + self.config.drain_timeout
        by_stage: dict[int, list[Pump]] = {}
        for pump in self._pumps:
            by_stage.setdefault(max(t.stage for t in pump.consumes), []).append(pump)
        for left, stage in zip(range(len(by_stage), 0, -1), sorted(by_stage), strict=True):
            share = max(0.0, deadline - trio.current_time()) / left
            for pump in by_stage[stage]:
                pump.lanes.close()
            with trio.move_on_after(share):
                for pump in by_stage[stage]:
                    await pump.ended.wait()
            for pump in by_stage[stage]:
                pump.cancel("drain")
                await pump.ended.wait()

    def leave(self) -> None:
        """Cancel the feeds; ``conduct`` drains and ends. ``open_stream`` calls it."""
        self._feeds_scope.cancel()

    async def _log_metrics(self) -> None:
        while True:
            await trio.sleep(self.config.log_interval)
            stats = self.get_stats()
            logger.info(
                "{} events, {} deliveries: {} processed, {} lost, {} failed, {} waiting",
                stats.total_events,
                stats.books.received,
                stats.books.processed,
                stats.books.lost,
                stats.books.failed,
                stats.books.queued,
            )

    def get_stats(self) -> StreamStats:
        """Everything that is counted, as of now; also after the stream has ended."""
        consumers = self._consumers()
        depths: Counter[str] = Counter()
        for consumer in consumers:
            for lane in consumer.lanes:
                depths[lane.lane] += lane.depth
        books = [c.books for c in consumers]
        until = self._stopped_at if self._stopped_at is not None else trio.current_time()
        return StreamStats(
            self.config.name,
            until - self._started_at,
            self.router.events.total(),
            {kind.value: count for kind, count in self.router.events.items()},
            BooksSnapshot.total([*books, *self.router.books()]),
            len(consumers) - self._handlers.total(),
            {kind.value: count for kind, count in self._handlers.items()},
            dict(depths),
            max((lane.peak for c in consumers for lane in c.lanes), default=0),
            consumers,
            self.manager.snapshots(),
            self.router.filter.get_stats(),
            self._health.lag.snapshot(),
            dict(self.router.found),
            tuple(score for pump in self._pumps for score in pump.processor.scores()),
            self.router.digest.hex(),
        )

    def health(self) -> HealthSnapshot:
        """What is wrong right now."""
        return self._health.examine()

    def _tell_health(self, event: DataEvent) -> None:
        """Health is an event only where somebody wants to be told: it is none of the feeds'."""
        if self.router.wants(DataType.HEALTH):
            self.router.publish(event)

    def add_report(self, report: Callable[[float], Iterable[HealthIssue]]) -> None:
        """Have somebody beside the stream, such as a recorder, say what is wrong when health is
        looked at."""
        self._reporters.append(report)

    def _reports(self, now: float) -> Iterator[HealthIssue]:
        for pump in self._pumps:
            yield from pump.health(now)
        for report in self._reporters:
            yield from report(now)

    def _consumers(self) -> tuple[ConsumerSnapshot, ...]:
        return tuple(pump.snapshot() for pump in self._pumps)


async def _run_sink(run: Sink, subscription: Subscription) -> None:
    await run(subscription)
    subscription.close()  # a tape would wait for ever for what nobody takes any more


def _raise_as_it_was(error: BaseException) -> NoReturn:
    """Raise an error out of a group without a trace of the group in its context."""
    context, suppressed = error.__context__, error.__suppress_context__
    try:
        raise error
    finally:
        error.__context__, error.__suppress_context__ = context, suppressed


@asynccontextmanager
async def open_stream(
    feeds: Iterable[Feed] = (),
    processors: Iterable[Factory] = (),
    config: StreamConfig | None = None,
    prepare: Callable[[RealtimeDataStream], None] | None = None,
    decisions: Decisions | None = None,
) -> AsyncIterator[RealtimeDataStream]:
    """Run a stream for as long as the block lasts.

    Leaving the block cancels the feeds, lets the lanes run empty within ``drain_timeout``, and
    counts what is left. Where feeds end by themselves, as tapes do, the stream drains by itself
    and ``findings`` and other subscriptions end. Cancelling the scope around it ends it now.

    Args:
        feeds: sources; without any, events come from ``emit_event``.
        processors: factories of processors, called without arguments.
        config: budgets, bounds, filters.
        prepare: is called with the stream before the first event, to subscribe in time.
        decisions: what its consumers shall lose, since they did when tapes were recorded that are
            played to the feeds; a feed that is a tape brings its own.

    Raises:
        ConfigError: before anything runs, where feeds, processors or filters cannot be used.
        RestartLimitReached: a required feed could not be regained.
        ProcessorFailed, ProcessingTimeoutError: a processor failed, in strict mode.
    """
    stream = RealtimeDataStream(feeds, processors, config or StreamConfig(), decisions)
    if prepare is not None:
        prepare(stream)
    stream.check()
    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(stream.conduct)
            try:
                yield stream
            except BaseException as error:
                raised = error
                raise
            stream.leave()
    except BaseExceptionGroup as group:
        errors = list(leaves(group))
        if raised is not None and errors == list(leaves(raised)):
            _raise_as_it_was(raised)
        if len(errors) > 1 or isinstance(errors[0], trio.Cancelled):
            raise
        # One error is what one task raised; a group around it would only be in the way.
        _raise_as_it_was(errors[0])
    finally:
        stream.router.settle()
