"""What happened to the feeds: their lives, their silences, how much came, what went wrong."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

import attrs

from ...flow.status import FeedSnapshot, FeedState
from ...model.event import DataEvent, DataType
from ...model.health import HealthIssue
from ...model.market import MarketFault, Quote, Trade
from .model import FeedPart, Mark, Span
from .series import Tally

MOST_SPANS = 500
"""Lives of a feed, and as many silences; the latest."""
MOST_MARKS = 200
"""Of each kind; the latest."""
MOST_FEEDS = 64
_OF_VENUES = (Quote, Trade)


def _spans() -> deque[Span]:
    return deque(maxlen=MOST_SPANS)


@attrs.define(eq=False)
class _Feed:
    name: str
    tally: Tally
    state: str | None = None
    since: float = 0.0
    detail: str = ""
    heard: float | None = None
    """When something came last; while it is connected only."""
    lives: deque[Span] = attrs.Factory(_spans)
    silences: deque[Span] = attrs.Factory(_spans)
    left_out: int = 0
    seconds: Counter[str] = attrs.Factory(Counter)
    silent: float = 0.0
    venues: set[str] = attrs.Factory(set)

    def note(self, spans: deque[Span], span: Span) -> None:
        self.left_out += len(spans) == MOST_SPANS
        spans.append(span)

    def enter(self, state: str, detail: str, at: float, quiet: float) -> None:
        self.hear(at, quiet)
        if self.state == state:
            self.detail = detail or self.detail
            return
        self.leave(at)
        self.state, self.detail, self.since = state, detail, at
        self.heard = at if state == FeedState.READY.value else None

    def leave(self, at: float) -> None:
        lasted = at > self.since
        if lasted and self.state is not None and self.state != FeedState.ENDED.value:
            self.note(self.lives, Span(self.since, at, self.state, self.detail))
            self.seconds[self.state] += at - self.since  # type: ignore[assignment]

    def hear(self, at: float, quiet: float) -> None:
        if self.heard is None:
            return
        if at - self.heard > quiet:
            self.note(self.silences, Span(self.heard, at, "silent"))
            self.silent += at - self.heard
        self.heard = max(at, self.heard)

    def part(self, snapshot: FeedSnapshot | None) -> FeedPart:
        source = next(iter(self.venues)) if len(self.venues) == 1 else self.name
        return FeedPart(
            self.name,
            source,
            tuple(self.lives),
            tuple(self.silences),
            self.left_out,
            dict(self.seconds),
            self.silent,
            self.tally.width,
            dict(self.tally.counts),
            snapshot,
        )


@attrs.define(eq=False)
class FeedKeeper:
    """Keeps it.

    Args:
        start: when the run began.
        quiet: seconds without an event that count as silence.
    """

    start: float
    quiet: float
    end: float = attrs.field(default=attrs.Factory(lambda self: self.start, takes_self=True))
    marked: Counter[str] = attrs.Factory(Counter)
    unplaced: int = 0
    """Events of feeds that there was no room for."""
    _feeds: dict[str, _Feed] = attrs.Factory(dict)
    _marks: dict[str, deque[Mark]] = attrs.Factory(dict)
    _issues: deque[Mark] = attrs.Factory(lambda: deque(maxlen=MOST_MARKS))

    def _feed(self, name: str) -> _Feed | None:
        found = self._feeds.get(name)
        if found is None and len(self._feeds) < MOST_FEEDS:
            found = self._feeds[name] = _Feed(name, Tally(self.start))
        return found

    def enter(self, name: str, state: FeedState, detail: str, at: float) -> None:
        """A feed has entered a state."""
        self.end = max(self.end, at)
        if (feed := self._feed(name)) is not None:
            feed.enter(state.value, detail, at, self.quiet)

    def heard(self, event: DataEvent) -> None:
        """A feed has brought an event."""
        at = event.received_at
        self.end = max(self.end, at)
        feed = self._feed(event.source)
        if feed is None:
            self.unplaced += 1
            return
        feed.tally.add(at)
        feed.hear(at, self.quiet)
        data = event.data
        if isinstance(data, _OF_VENUES):
            feed.venues.add(data.venue)

    def mark(self, event: DataEvent) -> None:
        """Something out of the ordinary has happened."""
        data, at = event.data, event.received_at
        if isinstance(data, HealthIssue):
            self._issues.append(Mark(at, data.kind, data.where, data.detail, data.over))
            return
        self.heard(event)
        if isinstance(data, MarketFault):
            what = str(data.instrument) if data.instrument is not None else "of no instrument"
            made = Mark(at, "fault", event.source, f"{data.reason} × {data.count}, {what}")
        else:
            made = Mark(at, event.event_type.value, event.source, str(data))
        self.marked[made.kind] += 1
        self._marks.setdefault(made.kind, deque(maxlen=MOST_MARKS)).append(made)

    def marks(self) -> tuple[Mark, ...]:
        """The latest of each kind, in order."""
        every = (mark for marks in self._marks.values() for mark in marks)
        return tuple(sorted(every, key=lambda one: (one.at, one.kind, one.where, one.text)))

    def issues(self) -> tuple[Mark, ...]:
        """What the health watch said. It looks now and then, and not at the same moments in
        every run."""
        return tuple(self._issues)

    def parts(self, snapshots: Iterable[FeedSnapshot]) -> tuple[FeedPart, ...]:
        """Each feed, in the order of names; the run is over."""
        by_name = {one.name: one for one in snapshots}
        feeds = sorted(self._feeds.values(), key=lambda one: one.name)
        width = max((feed.tally.width for feed in feeds), default=0.0)
        for feed in feeds:
            feed.tally.widen(width)
            feed.hear(self.end, self.quiet)
            feed.leave(self.end)
            feed.state = None
        return tuple(feed.part(by_name.get(feed.name)) for feed in feeds)


MARKED = (DataType.FAULT, DataType.GAP, DataType.REORG, DataType.HEALTH)
HEARD = (
    DataType.QUOTE,
    DataType.TRADE,
    DataType.TRANSACTION,
    DataType.MEMPOOL,
    DataType.LOG,
    DataType.BLOCK,
)
