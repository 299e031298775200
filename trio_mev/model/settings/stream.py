"""Of the stream: lanes, filters, deadlines."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..event import DataType
from .checks import LONGEST, positive

Overflow = Literal["drop_oldest", "drop_newest", "latest", "block"]
"""What a full lane does: shed its oldest event; refuse the new one; let a newer quote or price
replace the one of the same venue and instrument that waits (and shed the oldest where none
does); or make the producer wait, which tapes and processors can and sockets can not."""


@attrs.frozen
class LaneSettings:
    """Bounds of one consumer's lanes, and what happens at them.

    Blocks have a lane of their own, as long as ``high``, that never sheds: a consumer that lets
    it fill up has lost the thread and is made anew.
    """

    high: int = positive(1000, LONGEST)
    """Events."""
    normal: int = positive(5000, LONGEST)
    low: int = positive(2000, LONGEST)
    max_bytes: int = positive(64 * 2**20)
    """Bytes, of each lane."""
    high_overflow: Overflow = "drop_oldest"
    normal_overflow: Overflow = "drop_oldest"
    low_overflow: Overflow = "drop_oldest"

    @property
    def blocking(self) -> bool:
        """Whether a lane makes its producers wait."""
        return "block" in {self.high_overflow, self.normal_overflow, self.low_overflow}


@attrs.frozen
class FilterSettings:
    """One condition that an event must meet; several are ANDed.

    Either ``operator`` and ``value``, or ``min`` and ``max``.
    """

    path: str
    """Such as ``data.value`` or ``data.gasPrice``."""
    operator: str | None = None
    value: Any = None
    min: Any = None
    max: Any = None
    types: frozenset[DataType] = frozenset()
    """Event types that must meet it, the others pass; empty means all."""

    def __attrs_post_init__(self) -> None:
        bounds = (self.min is not None) + (self.max is not None)
        compared = self.operator is not None
        if bounds != (0 if compared else 2) or (self.value is not None and not compared):
            raise ValueError("a filter has either operator and value, or min and max")


@attrs.frozen
class StreamConfig:
    """What a stream admits, how much it holds, and how long a step may take."""

    name: str = "trio_mev"
    data_types: frozenset[DataType] = frozenset()
    """Types that are admitted; empty admits all. The others are counted as filtered."""
    filters: tuple[FilterSettings, ...] = ()
    lanes: LaneSettings = LaneSettings()
    budget: float = positive(0.1)
    """How long one event may occupy a processor or handler."""
    max_age: float = positive(60.0)
    """An event's absolute deadline is its arrival plus this; blocks have none."""
    failures_before_restart: int = positive(3)
    """Failures in a row after which a processor is made anew by its factory."""
    strict: bool = False
    """Whether a processor's failure stops the stream instead of being counted."""
    drain_timeout: float = positive(5.0)
    """How long the lanes have to run empty at the end."""
    health_interval: float = positive(30.0)
    stale_after: float = positive(90.0)
    """A feed that is ready and brings no event for this long is reported; it is not cut."""
    lag_interval: float = positive(5.0)
    """How often the lateness of the event loop is sampled."""
    lag_limit: float = positive(0.1)
    """Lateness over which it is reported."""
    log_interval: float = positive(60.0)
    """How often the metrics are logged."""
