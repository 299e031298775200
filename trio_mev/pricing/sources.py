"""Who the prices come from: standing, figures, and why a quote was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from ..model.identity import Venue

UPDATE_INTERVALS: Mapping[str, float] = {
    "high_frequency": 1.0,
    "normal": 5.0,
    "low_frequency": 30.0,
}
"""Seconds in which a source of a class is expected to be heard."""
POOL = "pool"
"""The type of a source that is on the chain; others are ``venue`` unless somebody names them."""
LATE = 4
"""Intervals after which a source that was not heard is off its cadence."""
PATIENCE = 10
"""And after which its quote no longer counts."""
KINDS = 32
"""Reasons and kinds of faults that are told apart for one source; the rest are ``other``."""

Refusal = Literal[
    "time_backwards",
    "repeated",
    "superseded",
    "future",
    "too_old",
    "not_positive",
    "crossed",
    "too_wide",
    "out_of_range",
    "too_many",
]
"""Why a quote does not count: its time is before that of the last one, or the same, as are its
sides; a newer one came over a channel that tells no time; it is later than
now by more than the clocks may differ; its age is over the limit. A side is not over zero; the
bid is over the ask; half the spread is over a third of the price; a side or the tick is no number
that a price can be. There is no room for another source or instrument."""


@attrs.define(eq=False)
class Source:
    """One source's standing, in every instrument."""

    source_id: Venue
    type: str
    update_class: str
    max_age: float
    """Seconds for which a quote of it counts."""
    is_active: bool = True
    updates: int = 0
    """Quotes that were taken."""
    rejections: int = 0
    """Times that it fell out of an instrument's gate."""
    faults: int = 0
    """Of no instrument in particular."""
    refused: dict[str, int] = attrs.Factory(dict)
    first_update: float | None = None
    last_update: float | None = None

    @property
    def late_after(self) -> float:
        """Seconds of silence with which it is off its cadence."""
        return LATE * UPDATE_INTERVALS[self.update_class]

    def refuse(self, reason: str) -> None:
        """Count what could not be used."""
        if reason not in self.refused and len(self.refused) >= KINDS:
            reason = "other"
        self.refused[reason] = self.refused.get(reason, 0) + 1


@attrs.frozen
class SourceStats:
    """A source's figures."""

    source_id: Venue
    type: str
    is_active: bool
    updates: int
    """Quotes that were taken."""
    rejections: int
    """Times that it fell out of an instrument's gate."""
    refused: Mapping[str, int]
    """Quotes that were not taken and faults that were told, by reason."""
    reliability: float
    """Share of late in which it was inside the gate, on its cadence and without faults, from
    0.05 to 1; of several instruments the lowest."""
    noise: Mapping[str, float]
    """Standard deviation of its error by instrument, in basis points, as estimated from the
    other sources; that of its age is not in it."""
    age: float | None
    """Seconds since its last quote; None before the first."""
    update_frequency: float | None
    """Quotes a second since the first; None below two."""
