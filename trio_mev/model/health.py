"""What can be wrong with a running stream."""

from __future__ import annotations

import attrs


@attrs.frozen
class HealthIssue:
    """One thing that is wrong."""

    kind: str
    """``lane_full``, ``slow_processor``, ``error_rate``, ``feed_down``, ``feed_stale`` or
    ``loop_lag``."""
    where: str
    """The consumer, with its lane, or the feed."""
    detail: str
    over: bool = False
    """Whether it is right again; of events only."""
