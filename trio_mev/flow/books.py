"""The books: what became of every delivery, an event times a consumer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import attrs


@attrs.frozen
class BooksSnapshot:
    """Deliveries so far. ``received = processed + filtered + lost + failed + queued``, always."""

    received: int
    processed: int
    """A processor or handler finished with it, or a subscriber took it."""
    filtered: int
    """A filter refused it, or nobody consumes its type."""
    lost: int
    """Shed, expired before its start, or left over at the end."""
    failed: int
    """Raised or ran out of its budget."""
    queued: int
    """In a lane, or in a pump's hand."""
    lost_by: Mapping[str, int]
    """``lane:reason`` to deliveries; sums up to ``lost``."""

    @property
    def balanced(self) -> bool:
        """Whether every delivery is accounted for."""
        known = self.processed + self.filtered + self.lost + self.failed + self.queued
        return self.received == known and self.lost == sum(self.lost_by.values())

    @classmethod
    def total(cls, books: Iterable[BooksSnapshot]) -> BooksSnapshot:
        """The sum over several consumers."""
        every = list(books)
        lost_by: Counter[str] = Counter()
        for one in every:
            lost_by.update(one.lost_by)
        return cls(
            sum(b.received for b in every),
            sum(b.processed for b in every),
            sum(b.filtered for b in every),
            sum(b.lost for b in every),
            sum(b.failed for b in every),
            sum(b.queued for b in every),
            dict(lost_by),
        )


@attrs.define(eq=False)
class Books:
    """One consumer's counters; only its lanes and its pump write them."""

    received: int = 0
    processed: int = 0
    filtered: int = 0
    failed: int = 0
    lost_by: Counter[str] = attrs.Factory(Counter)

    def lose(self, lane: str, reason: str, count: int = 1) -> None:
        """Count deliveries that were given up, and why."""
        self.lost_by[f"{lane}:{reason}"] += count

    def snapshot(self, queued: int) -> BooksSnapshot:
        """The counters now; ``queued`` is counted apart, where the events are."""
        return BooksSnapshot(
            self.received,
            self.processed,
            self.filtered,
            self.lost_by.total(),
            self.failed,
            queued,
            dict(self.lost_by),
        )
