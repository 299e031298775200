"""Health: what is wrong right now, from the figures that are kept anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs
import trio
from loguru import logger

from ..model.event import DataEvent, DataType, EventPriority
from ..model.health import HealthIssue
from ..model.settings import StreamConfig
from .lag import LoopLag
from .pump import ConsumerSnapshot
from .status import FeedSnapshot, FeedState

LANE_LIMIT = 0.8
SLOW_LIMIT = 1.0
ERROR_LIMIT = 0.05


@attrs.frozen
class HealthSnapshot:
    """All that is wrong at one moment."""

    at: float
    """Seconds of the stream's clock."""
    issues: tuple[HealthIssue, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.issues


def examine(
    at: float,
    consumers: Iterable[ConsumerSnapshot],
    feeds: Iterable[FeedSnapshot],
    lag: float,
    config: StreamConfig,
    before: Mapping[str, ConsumerSnapshot] | None = None,
    reported: Iterable[HealthIssue] = (),
) -> HealthSnapshot:
    """Look for what is wrong.

    Args:
        at: seconds of the stream's clock.
        consumers: lanes over 80 %, means over 1 s and over 5 % failures are looked for.
        feeds: those that are not ready, and those that are but bring nothing.
        lag: seconds that the event loop was late.
        config: the limits of the last two.
        before: the consumers' earlier figures, by name: means and failures are those since then.
        reported: what the processors say themselves.
    """
    issues: list[HealthIssue] = []
    for consumer in consumers:
        issues.extend(_of_lanes(consumer))
        issues.extend(_of_work(consumer, (before or {}).get(consumer.name)))
    for feed in feeds:
        issues.extend(_of_feed(feed, at, config.stale_after))
    if lag > config.lag_limit:
        issues.append(HealthIssue("loop_lag", "event loop", f"{lag:.3f} s late"))
    issues.extend(reported)
    return HealthSnapshot(at, tuple(issues))


def _of_lanes(consumer: ConsumerSnapshot) -> Iterator[HealthIssue]:
    for lane in consumer.lanes:
        if lane.depth > lane.capacity * LANE_LIMIT:
            fill = f"{lane.depth} of {lane.capacity} events"
            yield HealthIssue("lane_full", f"{consumer.name}.{lane.lane}", fill)


def _of_work(consumer: ConsumerSnapshot, before: ConsumerSnapshot | None) -> Iterator[HealthIssue]:
    count, total = _timed(consumer)
    processed, failed = consumer.books.processed, consumer.books.failed
    if before is not None:
        earlier_count, earlier_total = _timed(before)
        count, total = count - earlier_count, total - earlier_total
        processed -= before.books.processed
        failed -= before.books.failed
    if count and total / count > SLOW_LIMIT:
        yield HealthIssue("slow_processor", consumer.name, f"mean {total / count:.3f} s an event")
    tried = processed + failed
    if tried and failed / tried > ERROR_LIMIT:
        share = f"{failed / tried:.1%} of {tried} events failed"
        yield HealthIssue("error_rate", consumer.name, share)


def _timed(consumer: ConsumerSnapshot) -> tuple[int, float]:
    timing = consumer.timing
    return timing.count, timing.count * (timing.mean or 0.0)


def _of_feed(feed: FeedSnapshot, at: float, stale_after: float) -> Iterator[HealthIssue]:
    if feed.state is FeedState.READY:
        known = (feed.last_event_at, feed.last_connected_at)
        quiet = at - max((when for when in known if when is not None), default=at)
        if quiet > stale_after:
            yield HealthIssue("feed_stale", feed.name, f"no event for {quiet:.0f} s")
    elif feed.state is not FeedState.ENDED:
        yield HealthIssue("feed_down", feed.name, f"{feed.state.value} {feed.detail}".strip())


class HealthWatch:
    """Looks at the health now and then, and says what has changed: in the log, and as events.

    Args:
        config: how often, and the limits.
        consumers: their figures now.
        feeds: theirs.
        publish: takes an event for each issue that came or went.
        reports: what the processors say themselves, at a time.
    """

    def __init__(
        self,
        config: StreamConfig,
        consumers: Callable[[], Iterable[ConsumerSnapshot]],
        feeds: Callable[[], Iterable[FeedSnapshot]],
        publish: Callable[[DataEvent], None],
        reports: Callable[[float], Iterable[HealthIssue]] = lambda _: (),
    ) -> None:
        self.lag = LoopLag()
        self._config = config
        self._consumers = consumers
        self._feeds = feeds
        self._publish = publish
        self._reports = reports
        self._before: Mapping[str, ConsumerSnapshot] = {}
        self._known: dict[tuple[str, str], HealthIssue] = {}
        self._looks = 0

    def examine(self) -> HealthSnapshot:
        """What is wrong right now."""
        now = trio.current_time()
        consumers, feeds, reported = self._consumers(), self._feeds(), self._reports(now)
        lag = self.lag.recent
        return examine(now, consumers, feeds, lag, self._config, self._before, reported)

    async def run(self) -> None:
        """Look every ``health_interval`` seconds, until cancelled."""
        while True:
            await trio.sleep(self._config.health_interval)
            self._look()

    def _look(self) -> None:
        found = {(issue.kind, issue.where): issue for issue in self.examine().issues}
        self._looks += 1
        came = [issue for place, issue in found.items() if place not in self._known]
        went = [issue for place, issue in self._known.items() if place not in found]
        for issue in came:
            logger.warning("health: {} {}: {}", issue.kind, issue.where, issue.detail)
        for issue in went:
            logger.info("health: {} {} is over", issue.kind, issue.where)
        changes = [*came, *(attrs.evolve(issue, over=True) for issue in went)]
        for ordinal, issue in enumerate(changes):
            self._tell(issue, ordinal)
        self._known = found
        self._before = {consumer.name: consumer for consumer in self._consumers()}
        self.lag.recent = 0.0

    def _tell(self, issue: HealthIssue, ordinal: int) -> None:
        now = trio.current_time()
        kind, priority = DataType.HEALTH, EventPriority.HIGH
        self._publish(DataEvent(kind, priority, issue, "health", now, None, self._looks, ordinal))
