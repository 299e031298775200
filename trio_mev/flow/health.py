"""Health: what is wrong right now, from the figures that are kept anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from .pump import ConsumerSnapshot
from .status import FeedSnapshot, FeedState

LANE_LIMIT = 0.8
SLOW_LIMIT = 1.0
ERROR_LIMIT = 0.05


@attrs.frozen
class HealthIssue:
    """One thing that is wrong."""

    kind: str
    """``lane_full``, ``slow_processor``, ``error_rate`` or ``feed_down``."""
    where: str
    detail: str


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
    at: float, consumers: Iterable[ConsumerSnapshot], feeds: Iterable[FeedSnapshot]
) -> HealthSnapshot:
    """Look for lanes over 80 %, processors with a mean over 1 s or over 5 % failures, and feeds
    that are not ready."""
    issues: list[HealthIssue] = []
    for consumer in consumers:
        issues.extend(_of_consumer(consumer))
    issues.extend(
        HealthIssue("feed_down", feed.name, f"{feed.state.value} {feed.detail}".strip())
        for feed in feeds
        if feed.state not in {FeedState.READY, FeedState.ENDED}
    )
    return HealthSnapshot(at, tuple(issues))


def _of_consumer(consumer: ConsumerSnapshot) -> Iterator[HealthIssue]:
    for lane in consumer.lanes:
        if lane.depth > lane.capacity * LANE_LIMIT:
            fill = f"{lane.depth} of {lane.capacity} events"
            yield HealthIssue("lane_full", f"{consumer.name}.{lane.lane}", fill)
    mean = consumer.timing.mean
    if mean is not None and mean > SLOW_LIMIT:
        yield HealthIssue("slow_processor", consumer.name, f"mean {mean:.3f} s an event")
    tried = consumer.books.processed + consumer.books.failed
    if tried and consumer.books.failed / tried > ERROR_LIMIT:
        share = f"{consumer.books.failed / tried:.1%} of {tried} events failed"
        yield HealthIssue("error_rate", consumer.name, share)
