"""Two connections of one feed at once: what both deliver counts once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ..model.event import DataEvent, DataType

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

    The same trade or quote of the same time, decoded twice, is the same noun. Quotes with neither
    a time nor a number all pass: a market that comes back to an earlier quote is no repetition.
    """

    def __init__(self) -> None:
        self._until = float("-inf")
        self._seen: OrderedDict[Any, None] = OrderedDict()
        self.repeated = 0

    def open(self, until: float) -> None:
        """Remember from now on, until a time."""
        self._until = until

    def admit(self, events: Sequence[DataEvent], now: float) -> Sequence[DataEvent]:
        """Those that were not delivered yet."""
        if now >= self._until:
            if self._seen:
                self._seen.clear()
            return events
        fresh: list[DataEvent] = []
        for event in events:
            if event.event_type not in _MERGED and not _nameless(event):
                what = event.occurred_at, event.data
                if what in self._seen:
                    self.repeated += 1
                    continue
                self._seen[what] = None
                if len(self._seen) > MOST:
                    self._seen.popitem(last=False)
            fresh.append(event)
        return fresh


def _nameless(event: DataEvent) -> bool:
    """Whether nothing tells it from an equal one before."""
    return event.occurred_at is None and getattr(event.data, "sequence", 0) is None
