"""The report: what is told of a run. Times are seconds of the stream's clock.

It has no more than its bounds allow, however long the run was; what was left out is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from ...flow.books import BooksSnapshot
from ...flow.pump import ConsumerSnapshot
from ...flow.status import FeedSnapshot
from ...model.opportunity import Amounts, Score
from .series import Point

Points = tuple[Point | None, ...]
"""None is where no line leads on."""
Row = tuple[str, str, str, str, bool]
"""Kind, status, verdict or nothing, basis, and whether it was reverted."""


@attrs.frozen
class Span:
    """From one time to another."""

    start: float
    end: float
    state: str
    detail: str = ""

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start


@attrs.frozen
class Mark:
    """Something that happened at a time."""

    at: float
    kind: str
    """``reorg``, ``gap``, ``fault``, or the kind of a health issue."""
    where: str
    """The feed, or the venue and the instrument."""
    text: str
    over: bool = False
    """Of a health issue: whether it was right again."""


@attrs.frozen
class FeedPart:
    """One feed."""

    name: str
    source: str
    """Whose colour it has: the venue that it quotes, or its own name."""
    lives: tuple[Span, ...]
    """The states that it was in, in order."""
    silences: tuple[Span, ...]
    """While it was connected and nothing came for as long as counts as silence."""
    left_out: int
    """Lives and silences before these."""
    seconds: Mapping[str, float]
    """How long it was in each state."""
    silent: float
    """Seconds of all silences."""
    width: float
    """Seconds of a bin of ``rate``."""
    rate: Mapping[int, int]
    """Events by bin."""
    snapshot: FeedSnapshot | None
    """None of a source of events that is no feed of its own."""


@attrs.frozen
class SourcePart:
    """What one venue quoted for an instrument: its mids."""

    venue: str
    points: Points
    quotes: int
    rejected: int
    """Prices that did without it."""
    pool: bool = False


@attrs.frozen
class PricePart:
    """One instrument."""

    instrument: str
    points: Points
    low: Points
    """The lower end of the interval, the lowest of each bin."""
    high: Points
    troubles: tuple[Span, ...]
    """While the status was not ``ok``."""
    left_out: int
    """Troubles before these."""
    seconds: Mapping[str, float]
    """How long it had each status."""
    count: int
    """Prices."""
    least: float | None
    greatest: float | None
    last: Decimal | None
    confidence: Decimal | None
    """Of the last one."""
    via: tuple[str, ...]
    sources: tuple[SourcePart, ...]
    unheard: tuple[str, ...]
    """Sources that no quote was seen of, such as pools."""


@attrs.frozen
class Found:
    """One opportunity, as it was told last."""

    at: float
    """When it was told first."""
    kind: str
    id: str
    detector: str
    status: str
    verdict: str | None
    basis: str
    reverted: bool
    gross: Amounts | None
    net: Amounts | None
    usd: Decimal | None
    block: int | None
    by: str | None
    """A transaction, or the cause."""
    lead: float | None

    @property
    def row(self) -> Row:
        """What it is counted with."""
        return self.kind, self.status, self.verdict or "", self.basis, self.reverted


@attrs.frozen
class Sums:
    """Opportunities of one kind that went the same way."""

    kind: str
    status: str
    verdict: str
    """Empty where there is none."""
    basis: str
    reverted: bool
    count: int
    usd: Decimal | None
    """Of those whose value is known."""
    unpriced: int
    """Whose value is not."""
    gross: Mapping[str, int]
    net: Mapping[str, int]
    without_net: int


@attrs.frozen
class Told:
    """One alert, or what a plug-in found."""

    at: float
    type: str
    message: str
    detector: str
    worth: float | None
    """By which the largest are chosen: of a spread the net ratio, of a transaction USD."""


@attrs.frozen
class Rate:
    """How many of a kind in each bin."""

    name: str
    width: float
    counts: Mapping[int, int]


@attrs.frozen
class TapePart:
    """One tape that was played."""

    name: str
    size: int
    """Bytes."""
    note: str
    feeds: tuple[str, ...]


@attrs.frozen
class About:
    """What was run."""

    title: str
    version: str
    tapes: tuple[TapePart, ...] = ()
    options: Mapping[str, str] = {}
    """As they were given, where they are not the defaults."""


@attrs.frozen
class Closing:
    """What the stream counted, once it was over."""

    events: Mapping[str, int]
    books: BooksSnapshot
    consumers: tuple[ConsumerSnapshot, ...]
    feeds: tuple[FeedSnapshot, ...]
    scores: tuple[Score, ...]
    digest: str
    seconds: float
    """Real ones, that the run took."""


@attrs.frozen
class Report:
    """All of it."""

    about: About
    epoch: int
    """Nanoseconds since the epoch where the stream's clock is zero."""
    start: float
    end: float
    quiet: float
    """Seconds without an event that count as silence."""
    feeds: tuple[FeedPart, ...]
    unplaced: int
    """Events of feeds that there was no room for."""
    marks: tuple[Mark, ...]
    """The latest of each kind, in order."""
    marked: Mapping[str, int]
    """How many there were, by kind."""
    issues: tuple[Mark, ...]
    """What the health watch said."""
    prices: tuple[PricePart, ...]
    more_prices: int
    """Instruments that there was no room for."""
    sums: tuple[Sums, ...]
    found: tuple[Found, ...]
    """The largest."""
    alerts: Mapping[str, int]
    """How many, by type."""
    told: tuple[Told, ...]
    """The largest of each type."""
    rates: tuple[Rate, ...]
    """Findings by kind."""
    missed: int
    """Events that the report itself did not get."""
    closing: Closing
