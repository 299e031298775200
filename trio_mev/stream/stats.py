"""What a stream counts, as one frozen snapshot."""

from __future__ import annotations

import attrs

from ..flow.books import BooksSnapshot
from ..flow.lag import LagSnapshot
from ..flow.pump import ConsumerSnapshot
from ..flow.status import FeedSnapshot
from ..model.opportunity import Score
from ..processors.filters import FilterStats


@attrs.frozen
class StreamStats:
    """Everything that a stream counts, at one moment."""

    name: str
    uptime: float
    """Seconds."""
    total_events: int
    events: dict[str, int]
    """Events by type."""
    books: BooksSnapshot
    """Sums over all consumers."""
    processor_count: int
    handler_counts: dict[str, int]
    """Handlers by the type that they are called with."""
    queue_sizes: dict[str, int]
    """Events waiting, by lane, over all consumers."""
    peak_queue_size: int
    """The largest depth that one lane has had."""
    consumers: tuple[ConsumerSnapshot, ...]
    feeds: tuple[FeedSnapshot, ...]
    filter: FilterStats
    lag: LagSnapshot
    """How late the event loop is."""
    findings: dict[str, int]
    """Findings by the kind of their line: ``alert``, or what MEV it is."""
    scores: tuple[Score, ...]
    """How predictions have fared, by kind and detector."""
    digest: str
    """Of the findings so far, independent of their order and of arrival times."""
