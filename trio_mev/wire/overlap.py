"""Two connections of one feed at once: what both deliver counts once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from ..model.event import DataEvent, DataType

MOST = 50_000
"""Payloads that are remembered; more, and the oldest are forgotten."""
MOST_STATES = 5_000
"""Of one instrument, without number or time; more, and they are forgotten."""
_MERGED = frozenset(
    {
        DataType.BLOCK,
        DataType.GAP,
        DataType.REORG,
        DataType.LOG,
        DataType.MEMPOOL,
        DataType.TRANSACTION,
        DataType.FAULT,
    }
)
"""What a node's sessions tell once already, and may rightly tell again; and the faults, of which
each connection has its own."""


@attrs.define(eq=False)
class _Course:
    """States without number or time, as the old connection told them: what the new one tells
    again is found in it.

    A state that was told, and told again after another, is two; so they are compared in their
    order. Where it is not clear which of two equal ones is meant, it is the later: then the last
    state is the right one, whatever is told twice.
    """

    told: list[Any] = attrs.Factory(list)
    last: dict[Any, int] = attrs.Factory(dict)
    """The last place of each."""
    place: int = 0
    """Behind what the new connection told."""

    def add(self, what: Any) -> None:
        """The old connection tells it."""
        if len(self.told) >= MOST_STATES:
            self.told.clear()
            self.last.clear()
        self.last[what] = len(self.told)
        self.told.append(what)

    def follow(self, what: Any) -> bool:
        """The new connection tells it; whether the old one did already."""
        if self.place < len(self.told) and self.told[self.place] == what:
            self.place += 1
            return True
        found = self.last.get(what, -1)
        if found < self.place:
            self.place = len(self.told)  # it is ahead of all that the old one told
            return False
        self.place = found + 1
        return True


class Overlap:
    """Remembers what was delivered for as long as two connections may deliver the same.

    The same trade or quote of the same number or time, decoded twice, is the same noun.
    """

    def __init__(self) -> None:
        self._until = float("-inf")
        self._alone = False
        self._seen: OrderedDict[Any, None] = OrderedDict()
        self._courses: dict[Any, _Course] = {}
        self.repeated = 0

    def open(self, known: Iterable[DataEvent] = ()) -> None:
        """Remember from now on.

        Args:
            known: what was delivered before, and may be again.
        """
        self._until, self._alone = float("inf"), False
        for event in known:
            self._repeats(event)

    def settle(self, until: float) -> None:
        """The new connection is alone from now on; until then it may repeat what was delivered."""
        self._until, self._alone = until, True

    def admit(self, events: Sequence[DataEvent], now: float) -> Sequence[DataEvent]:
        """Those that were not delivered yet."""
        if now >= self._until:
            if self._seen or self._courses:
                self._seen.clear()
                self._courses.clear()
            return events
        fresh = [e for e in events if e.event_type in _MERGED or not self._repeats(e)]
        self.repeated += len(events) - len(fresh)
        return fresh

    def _repeats(self, event: DataEvent) -> bool:
        """Whether it was delivered already; from now on it is."""
        what = event.occurred_at, event.data
        if event.event_type is DataType.QUOTE and what[0] is None and event.data.sequence is None:
            course = self._courses.setdefault(event.data.key, _Course())
            if self._alone:
                return course.follow(event.data)
            course.add(event.data)
            return False
        if what in self._seen:
            return True
        self._seen[what] = None
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return False


AT_ONCE = 0.1
"""Seconds; a life that begins no later behind another has taken over from it. After a loss there is
a longer delay."""
LATE = 20.0
"""Seconds for which a new life may repeat what the old one told."""


class Succession:
    """The lives of one feed off a tape, where it is not said which of them overlapped."""

    def __init__(self) -> None:
        self._told = Overlap()
        self._before: Overlap | None = None
        self._ended_at = float("-inf")

    def begin(self, now: float) -> None:
        """A life begins."""
        self._before = None
        if now - self._ended_at <= AT_ONCE:
            self._before = self._told
            self._before.settle(now + LATE)
        self._told = Overlap()
        self._told.open()

    def end(self, now: float) -> None:
        """It ends."""
        self._ended_at = now

    def admit(self, events: Sequence[DataEvent], now: float) -> Sequence[DataEvent]:
        """Those that the life before did not tell."""
        fresh = events if self._before is None else self._before.admit(events, now)
        self._told.admit(fresh, now)
        return fresh
