"""Two connections of one feed at once: what both deliver counts once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ..model.event import DataEvent, DataType
from ..model.market import Quote

MOST = 50_000
"""Payloads that are remembered; more, and the oldest are forgotten."""
_MERGED = frozenset(
    {
        DataType.BLOCK,
        DataType.GAP,
        DataType.REORG,
        DataType.LOG,
        DataType.MEMPOOL,
        DataType.TRANSACTION,
    }
)
"""What a node's sessions tell once already, and may rightly tell again."""


class Overlap:
    """Remembers what was delivered for as long as two connections may deliver the same.

    The same trade or quote of the same time, decoded twice, is the same noun. A quote that has
    neither a time nor a number may come back as it was, so only what was told last of its
    instrument repeats it: nothing is lost, and where one connection is behind the other by more
    than a change, some is told twice.
    """

    def __init__(self) -> None:
        self._until = float("-inf")
        self._seen: OrderedDict[Any, None] = OrderedDict()
        self._told: dict[Any, Quote] = {}
        """The last quote of each venue and instrument, of those without time and number."""
        self.repeated = 0

    def open(self, until: float) -> None:
        """Remember from now on, until a time."""
        self._until = until

    def admit(self, events: Sequence[DataEvent], now: float) -> Sequence[DataEvent]:
        """Those that were not delivered yet."""
        if now >= self._until:
            if self._seen:
                self._seen.clear()
            if self._told:
                self._told.clear()
            return events
        fresh: list[DataEvent] = []
        for event in events:
            if event.event_type in _MERGED or self._is_new(event):
                fresh.append(event)
            else:
                self.repeated += 1
        return fresh

    def _is_new(self, event: DataEvent) -> bool:
        data = event.data
        if event.occurred_at is None and isinstance(data, Quote) and data.sequence is None:
            if self._told.get(data.key) == data:
                return False
            self._told[data.key] = data
            return True
        what = event.occurred_at, data
        if what in self._seen:
            return False
        self._seen[what] = None
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return True
