"""How long a consumer's work takes: counted once an event, timed-out ones apart."""

from __future__ import annotations

from collections import deque

import attrs

from ..model.ranks import nearest_rank

WINDOW = 1024


@attrs.frozen
class TimingSnapshot:
    """Seconds; percentiles by nearest rank over the last 1024 events."""

    count: int
    mean: float | None
    p50: float | None
    p99: float | None
    longest: float
    overruns: int
    """Events whose own synchronous code ran over the budget; it cannot be cancelled."""
    timeouts: int
    """Events that were cancelled at their deadline; not in the mean."""


@attrs.define(eq=False)
class Timing:
    """One consumer's clockwork."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    overruns: int = 0
    timeouts: int = 0
    recent: deque[float] = attrs.Factory(lambda: deque(maxlen=WINDOW))

    remarkable: float = 0.0
    """An event that takes longer than this is one for ``remark``."""

    def add(self, seconds: float, budget: float) -> None:
        """One event was finished in so many seconds. The crew does the same in its own loop."""
        self.count += 1
        self.total += seconds
        self.recent.append(seconds)
        if seconds > self.remarkable:
            self.remark(seconds, budget)

    def remark(self, seconds: float, budget: float) -> None:
        """Look at an event that took longer than any before, or than its budget."""
        self.longest = max(self.longest, seconds)
        self.remarkable = min(self.longest, budget)
        self.overruns += seconds > budget

    def snapshot(self) -> TimingSnapshot:
        """The figures now."""
        ordered = sorted(self.recent)
        return TimingSnapshot(
            self.count,
            self.total / self.count if self.count else None,
            nearest_rank(ordered, 0.5) if ordered else None,
            nearest_rank(ordered, 0.99) if ordered else None,
            self.longest,
            self.overruns,
            self.timeouts,
        )
