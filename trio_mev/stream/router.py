"""Which lanes an event goes into, and who takes part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..errors import ConfigError
from ..flow.books import Books, BooksSnapshot
from ..flow.crew import Crew
from ..flow.decided import DecidedLanes, Decisions
from ..flow.journal import Made
from ..flow.lane import LONGEST_RUN, Run
from ..flow.lanes import Lanes
from ..flow.outstanding import Outstanding
from ..flow.subscription import Subscription
from ..model.event import FINDINGS, DataEvent, DataType, Stage
from ..model.opportunity import Opportunity
from ..model.settings import LaneSettings, StreamConfig
from ..processors.filters import EventFilter
from ..wire.decisions import event_key
from ..wire.digest import Digest

FEW = 8
"""Events that are worth serving at once; with more, a switch of tasks costs little an event."""


class Router:
    """Routes events by type to the lanes of those who consume it, and counts them.

    Args:
        config: the types that are admitted, the filters, the lanes' bounds.

    Raises:
        ConfigError: a filter cannot be used.
    """

    def __init__(self, config: StreamConfig) -> None:
        self.outstanding = Outstanding()
        self.filter = EventFilter.of("stream.filters", config.filters)
        self.events: Counter[DataType] = Counter()
        self.found: Counter[str] = Counter()
        """Findings by the kind of their line."""
        self.digest = Digest()
        self.made = Made(event_key)
        """Names and moments of what processors have made."""
        self.decisions: Decisions | None = None
        """What consumers lost when the tapes that are played were recorded."""
        self.subscriptions: list[Subscription] = []
        self.crew: Crew | None = None
        """Who serves what comes from the feeds, and can do so at once."""
        self._config = config
        self._routes: dict[DataType, list[Lanes]] = {}
        self._unclaimed = Books()
        self._gone = BooksSnapshot.total(())
        self._blocking = False
        self.holds_up_feeds = False
        """Whether a lane that feeds put events into makes its producers wait."""
        self.outstanding.room = self
        self._closed = False

    def emit_at_once(self, events: Sequence[DataEvent]) -> None:
        """As ``emit_batch``; what is few is processed before this returns, by whom is at rest."""
        crew = self.crew
        if crew is None or len(events) > FEW or self._blocking or not crew.hold():
            self.emit_batch(events)
            return
        try:
            self.emit_batch(events)
        finally:
            crew.serve_at_once()

    def emit_batch(self, events: Sequence[DataEvent]) -> None:
        """Events that came together from a feed; as ``emit`` for each, at a lower cost.

        Where they are all of one type and priority they go into the lanes in runs.
        """
        if self._config.data_types or self._config.filters:
            for event in events:
                self.emit(event)
            return
        if len(events) == 1:
            self._deliver(events[0])
            return
        for begin in range(0, len(events), LONGEST_RUN):
            run = list(events[begin : begin + LONGEST_RUN])
            if len({e.event_type for e in run}) == 1 and len({e.priority for e in run}) == 1:
                self._deliver_run(Run(run, sum([e.size for e in run])))
            else:
                for event in run:
                    self._deliver(event)

    def _deliver_run(self, run: Run) -> None:
        kind = run.events[0].event_type
        routes = self._routes.get(kind)
        if len(run.events) == 1 or not routes:
            for event in run.events:
                self._deliver(event)
            return
        self.events[kind] += len(run.events)
        for lanes in routes:
            lanes.put_run(run)

    def emit(self, event: DataEvent) -> None:
        """An event from a feed, or from whoever embeds the stream."""
        kind = event.event_type
        admitted = self._config.data_types
        if (admitted and kind not in admitted) or (
            self._config.filters and not self.filter.filter_event(event)
        ):
            self.events[kind] += 1
            self._unclaim()
            return
        self._deliver(event)

    def wants(self, kind: DataType) -> bool:
        """Whether anybody consumes events of this type."""
        return bool(self._routes.get(kind))

    def publish(self, event: DataEvent) -> None:
        """What a processor emitted: no filter of the stream applies to it."""
        if event.event_type in FINDINGS:
            self.digest.add(event)
            data = event.data
            self.found[data.kind.value if isinstance(data, Opportunity) else "alert"] += 1
        self._deliver(event)

    def _deliver(self, event: DataEvent) -> None:
        self.events[event.event_type] += 1
        routes = self._routes.get(event.event_type)
        if not routes:
            self._unclaim()
            return
        for lanes in routes:
            lanes.put(event)

    def _unclaim(self) -> None:
        self._unclaimed.received += 1
        self._unclaimed.filtered += 1

    def has_room(self, event: DataEvent) -> bool:
        """Whether no lane makes the event's producer wait."""
        if not self._blocking:
            return True
        return all(lanes.has_room(event) for lanes in self._routes.get(event.event_type, ()))

    async def wait_room(self, event: DataEvent) -> None:
        """Return once every lane that the event goes into has room."""
        while not self.has_room(event):
            for lanes in tuple(self._routes.get(event.event_type, ())):
                await lanes.wait_room(event)

    def new_lanes(
        self,
        kinds: frozenset[DataType],
        outstanding: Outstanding,
        settings: LaneSettings | None = None,
        consumer: str = "",
    ) -> Lanes:
        """Lanes that get every event of these types from now on.

        Args:
            kinds: the types.
            outstanding: where what is queued is counted.
            settings: bounds and policies, where they are not the stream's.
            consumer: whose they are, where it loses again what it lost when a tape was recorded.

        Raises:
            ConfigError: HEALTH is among them, and they make producers wait.
        """
        settings = settings or self._config.lanes
        if settings.blocking and DataType.HEALTH in kinds:
            raise ConfigError(
                "what is told of the stream's health waits for nobody: "
                "lanes of HEALTH cannot have overflow = 'block'"
            )
        announce = DataType.LOST in kinds
        if consumer and self.decisions is not None:
            lanes: Lanes = DecidedLanes(
                settings, outstanding, announce, consumer, self.decisions, self.made
            )
        else:
            lanes = Lanes(settings, outstanding, announce)
        if settings.blocking:
            self._blocking = True
            self.holds_up_feeds |= any(kind.stage is Stage.RAW for kind in kinds)
        for kind in kinds:
            self._routes.setdefault(kind, []).append(lanes)
        return lanes

    def subscribe(
        self, kinds: frozenset[DataType], settings: LaneSettings | None = None
    ) -> Subscription:
        """A subscription to these types."""
        lanes = self.new_lanes(kinds, Outstanding(), settings)
        subscription = Subscription(lanes, self.outstanding, self._unsubscribe)
        if self._closed:
            subscription.lanes.close()
        self.subscriptions.append(subscription)
        return subscription

    def _unsubscribe(self, subscription: Subscription) -> None:
        self.subscriptions.remove(subscription)
        self._gone = BooksSnapshot.total([self._gone, subscription.lanes.balance()])
        for routes in self._routes.values():
            if subscription.lanes in routes:
                routes.remove(subscription.lanes)

    def close(self) -> None:
        """Let every subscription end when what waits has been taken."""
        self._closed = True
        for subscription in self.subscriptions:
            subscription.lanes.close()

    def settle(self) -> None:
        """Count what no subscriber took as lost."""
        for subscription in self.subscriptions:
            subscription.lanes.abandon("unread")

    def books(self) -> list[BooksSnapshot]:
        """Of everything but the pumps."""
        open_now = [subscription.lanes.balance() for subscription in self.subscriptions]
        return [*open_now, self._gone, self._unclaimed.snapshot(0)]
