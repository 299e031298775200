"""What can be wrong with a running stream."""

from __future__ import annotations

import attrs


@attrs.frozen
class HealthIssue:
    """One thing that is wrong."""

    kind: str
    """``lane_full``, ``slow_processor``, ``error_rate``, ``feed_down``, ``feed_stale``,
    ``loop_lag``, what a processor reports itself, such as ``quote_lag``, or ``health_failed``
    where it fails at that."""
    where: str
    """The consumer, with its lane, or the feed, or the venue and the instrument."""
    detail: str
    over: bool = False
    """Whether it is right again; of events only."""
