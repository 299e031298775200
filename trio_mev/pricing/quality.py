"""How good the venues' data is, by venue and instrument: lag, gaps, cadence, stuck and crossed
books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import attrs

from ..model.health import HealthIssue
from ..model.identity import Instrument, Venue
from ..model.market import MarketFault, Quote
from ..model.settings import PriceSettings
from .sources import PATIENCE, UPDATE_INTERVALS

WEIGHT = 0.05
"""Of the latest in a mean of late."""
RECENT = 60.0
"""Seconds for which a fault is what is wrong now."""
FEW = 4
"""Times the limit that a single lag counts as at most: some venues begin with what is old."""
LEAST = 10
"""Updates of which a mean lag is believed."""
OTHERS = 10
"""Changes at other venues without one of its own that make a quote a stuck one."""
MOST = 50_000
"""Courses that are kept; of more venues and instruments nothing is known."""
_ISSUES = {
    "crossed_book": "quote_crossed",
    "crossed": "quote_crossed",
    "missed": "quote_missed",
    "leapt": "quote_missed",
}
_REFUSED = "quote_refused"

Place = tuple[Venue, Instrument | None]


@attrs.define(eq=False)
class _Changes:
    """Of one instrument's quotes, at all venues."""

    count: int = 0


@attrs.define(eq=False)
class _Course:
    """What is known of one venue's data of one instrument. Times are seconds."""

    heard_at: float
    changes: _Changes
    """Of the instrument, at all venues."""
    quoted_at: float
    """When the last quote came; before the first, since when it is looked for."""
    updates: int = 0
    expected: bool = False
    """Whether quotes must come."""
    timed: int = 0
    """Updates whose lag is known."""
    interval: float | None = None
    """Mean of late between two updates."""
    lag: float | None = None
    """Mean of late from event to arrival; None where the venue says no time."""
    worst_lag: float | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    changed_at: float = 0.0
    others: int = 0
    """``changes`` when this one's quote last changed."""
    faults: Counter[str] = attrs.Factory(Counter)
    fault_at: dict[str, float] = attrs.Factory(dict)
    """By the kind of issue."""

    def heard(self, now: float, lag: float | None, most: float) -> None:
        """Something came that can be used; of its lag, so much counts at most."""
        if self.updates:
            between = now - self.heard_at
            before = self.interval
            self.interval = between if before is None else before + WEIGHT * (between - before)
        self.updates += 1
        self.heard_at = now
        if lag is not None:
            self.timed += 1
            counted = min(lag, most)
            weight = max(WEIGHT, 1 / self.timed)
            self.lag = counted if self.lag is None else self.lag + weight * (counted - self.lag)
            if self.worst_lag is None or lag > self.worst_lag:
                self.worst_lag = lag


@attrs.frozen
class QualityFigures:
    """One venue's data of one instrument. Times are seconds."""

    venue: Venue
    instrument: Instrument | None
    """None for what cannot be told of any."""
    updates: int
    """Quotes and trades that can be used."""
    age: float | None
    """Since the last; None where there was none."""
    interval: float | None
    """Mean of late between two; None below two."""
    lag: float | None
    """Mean of late from event to arrival, by the venue's clock and ours; None where it tells no
    time."""
    worst_lag: float | None
    unchanged: float | None
    """Since bid or ask last changed; None without a quote."""
    faults: Mapping[str, int]
    """What could not be used, and what is ``missed``, by reason."""


class QualityBook:
    """Looks at everything that venues send. Pure: the caller says what time it is.

    Args:
        settings: limits on lag and on quotes that do not change.
        classes: how often each venue is expected to be heard; ``normal`` where it is not said.
        expected: who should quote what, so that a quote which never comes is missed.
    """

    def __init__(
        self,
        settings: PriceSettings,
        classes: Mapping[Venue, str] | None = None,
        expected: Iterable[tuple[Venue, Instrument]] = (),
    ) -> None:
        self._settings = settings
        self._classes = dict(classes or {})
        self._most_lag = FEW * settings.max_lag
        self._expected = tuple(expected)
        self._courses: dict[Place, _Course] = {}
        self._changes: dict[Instrument | None, _Changes] = {}

    def quote(self, quote: Quote, now: float, lag: float | None) -> None:
        """A venue's quote has come; ``lag`` in seconds, None where it is not known."""
        place = quote.venue, quote.instrument
        course = self._courses.get(place) or self._course(place, now)
        if course is None:
            return
        course.heard(now, lag, self._most_lag)
        course.quoted_at = now
        if quote.bid != course.bid or quote.ask != course.ask:
            course.bid, course.ask, course.changed_at = quote.bid, quote.ask, now
            course.changes.count += 1
            course.others = course.changes.count

    def trade(self, venue: Venue, instrument: Instrument, now: float, lag: float | None) -> None:
        """A venue's trade has come."""
        course = self._course((venue, instrument), now)
        if course is not None:
            course.heard(now, lag, self._most_lag)

    def fault(self, fault: MarketFault, now: float) -> None:
        """A venue has sent what cannot be used, or left something out."""
        course = self._course((fault.venue, fault.instrument), now)
        if course is not None:
            course.faults[fault.reason] += fault.count
            course.fault_at[_ISSUES.get(fault.reason, _REFUSED)] = now

    def _course(self, place: Place, now: float) -> _Course | None:
        course = self._courses.get(place)
        if course is None and len(self._courses) < MOST:
            changes = self._changes.setdefault(place[1], _Changes())
            course = self._courses[place] = _Course(now, changes, now)
        return course

    def figures(self, now: float) -> tuple[QualityFigures, ...]:
        """Every venue's and instrument's."""
        return tuple(
            QualityFigures(
                venue,
                instrument,
                course.updates,
                now - course.heard_at if course.updates else None,
                course.interval,
                course.lag,
                course.worst_lag,
                None if course.bid is None else now - course.changed_at,
                dict(course.faults),
            )
            for (venue, instrument), course in self._courses.items()
        )

    def issues(self, now: float) -> Iterator[HealthIssue]:
        """What is wrong right now."""
        for place in self._expected:
            expected = self._course(place, now)
            if expected is not None:
                expected.expected = True
        self._expected = ()
        for (venue, instrument), course in self._courses.items():
            where = f"{venue} {instrument or 'as a whole'}"
            for kind, detail in self._wrong(venue, instrument, course, now):
                yield HealthIssue(kind, where, detail)

    def _wrong(
        self, venue: Venue, instrument: Instrument | None, course: _Course, now: float
    ) -> Iterator[tuple[str, str]]:
        settings = self._settings
        if course.lag is not None and course.lag > settings.max_lag and course.timed >= LEAST:
            yield "quote_lag", f"its data comes {course.lag:.1f} s after the event"
        if course.lag is not None and course.lag < -settings.clock_slack:
            yield "quote_ahead", f"its clock is {-course.lag:.1f} s ahead of ours: check ours"
        interval = UPDATE_INTERVALS[self._classes.get(venue, "normal")]
        quiet = now - course.quoted_at
        wanted = course.expected or course.bid is not None
        if wanted and quiet > PATIENCE * interval:
            yield "quote_late", f"no quote for {quiet:.0f} s, expected every {interval:g} s"
        elif instrument is not None and course.bid is not None:
            others = course.changes.count - course.others
            unchanged = now - course.changed_at
            if unchanged > settings.stuck_after and others >= OTHERS:
                yield "quote_stuck", f"the same for {unchanged:.0f} s, {others} changes elsewhere"
        for kind, at in course.fault_at.items():
            if now - at <= RECENT:
                named = [
                    f"{count} {reason}"
                    for reason, count in course.faults.items()
                    if _ISSUES.get(reason, _REFUSED) == kind
                ]
                yield kind, f"so far {', '.join(named)}"
