"""Collects what the report tells, in bounded room, while the stream runs."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import trio

from ...flow.status import FeedStatus
from ...flow.subscription import Subscription
from ...model.event import FINDINGS, DataEvent, DataType
from .feeds import HEARD, MARKED, FeedKeeper
from .found import FindingKeeper
from .model import About, Closing, Report
from .prices import PoolQuotes, PriceKeeper

BATCH = 256
COLLECTED = (*HEARD, *MARKED, DataType.PRICE, DataType.POOLS, *FINDINGS)
"""What a stream's sink must be subscribed to."""
_HEARD, _MARKED = frozenset(HEARD), frozenset(MARKED)


@attrs.define(eq=False)
class Collector:
    """A sink that keeps what the report needs. Made in the run that it tells of.

    Args:
        about: what is run.
        epoch: the wall clock's nanoseconds where the stream's clock is zero.
        quiet: seconds without an event that count as silence.
        start: when the run begins; now, where it is not given.
        pool_quotes: reads pools as sources of prices, where they are some.
    """

    about: About
    epoch: int
    quiet: float
    start: float = attrs.Factory(trio.current_time)
    pool_quotes: PoolQuotes | None = None
    feeds: FeedKeeper = attrs.field(init=False)
    prices: PriceKeeper = attrs.field(init=False)
    findings: FindingKeeper = attrs.field(init=False)
    _events: Subscription | None = None

    def __attrs_post_init__(self) -> None:
        self.feeds = FeedKeeper(self.start, self.quiet)
        self.prices = PriceKeeper(self.start, self.quiet)
        self.findings = FindingKeeper(self.start)

    def watch(self, statuses: Iterable[FeedStatus]) -> None:
        """Be told of every state that these feeds enter."""
        for status in statuses:
            self.feeds.enter(status.name, status.state, status.detail, self.start)
            status.told = self._entered

    def _entered(self, status: FeedStatus) -> None:
        self.feeds.enter(status.name, status.state, status.detail, trio.current_time())

    async def run(self, events: Subscription) -> None:
        """Take every event of a subscription until it ends."""
        self._events = events
        while batch := await events.take(BATCH):
            for event in batch:
                self.take(event)

    @property
    def missed(self) -> int:
        """Events that it did not get."""
        return 0 if self._events is None else self._events.lanes.balance().lost

    def take(self, event: DataEvent) -> None:
        """Note an event."""
        kind = event.event_type
        if kind in _HEARD:
            self.feeds.heard(event)
            if kind is DataType.QUOTE:
                self.prices.quote(event)
        elif kind in _MARKED:
            self.feeds.mark(event)
        elif kind is DataType.POOLS:
            if self.pool_quotes is not None:
                self.prices.pools(self.pool_quotes(event.data), event.received_at)
        else:
            self.feeds.end = max(self.feeds.end, event.received_at)
            keep = self.prices.price if kind is DataType.PRICE else self.findings.take
            keep(event)

    def report(self, closing: Closing) -> Report:
        """All of it; the run is over."""
        end = self.feeds.end
        return Report(
            self.about,
            self.epoch,
            self.start,
            end,
            self.quiet,
            self.feeds.parts(closing.feeds),
            self.feeds.unplaced,
            self.feeds.marks(),
            dict(sorted(self.feeds.marked.items())),
            self.feeds.issues(),
            self.prices.parts(end),
            len(self.prices.more),
            self.findings.sums(),
            self.findings.found(),
            dict(sorted(self.findings.alerts.items())),
            self.findings.told(),
            self.findings.rates(),
            self.missed,
            closing,
        )
