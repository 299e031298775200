"""MempoolAnalyzer: what is pending, at which fees, and for how long."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable

import attrs

from ..flow.processor import DataProcessor
from ..model.chain import Block, GasPercentiles, Life, MempoolView, PendingLife, Transaction
from ..model.event import DataEvent, DataType, EventPriority
from ..model.ranks import nearest_rank
from ..model.settings import MempoolSettings

LEAST_GAS_SAMPLE = 10
BLOCKS_REMEMBERED = 8
GONE = frozenset({Life.REPLACED, Life.DROPPED, Life.EXPIRED})
"""What a transaction that is no longer pending, and was not included, has come to."""


@attrs.define
class _Entry:
    seen_at: float
    body: Transaction | None = None
    included_at: float | None = None


class MempoolAnalyzer(DataProcessor):
    """Keeps the pending transactions of a window of time, and sums them up at every block.

    The window is a time, not a count; a count bounds the memory all the same, and what it costs
    is counted in ``forgotten``.

    Args:
        settings: the window and the bound.
    """

    consumes = frozenset({DataType.TRANSACTION, DataType.MEMPOOL, DataType.BLOCK})
    emits = frozenset({DataType.MEMPOOL_VIEW})

    def __init__(self, settings: MempoolSettings | None = None) -> None:
        self.settings = settings or MempoolSettings()
        self.forgotten = 0
        """Transactions that left before their time because there were too many."""
        self._entries: dict[str, _Entry] = {}  # in the order of first sight
        self._landed: deque[frozenset[str]] = deque(maxlen=BLOCKS_REMEMBERED)
        self._base_fee: int | None = None
        self._block: int | None = None

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """Nothing, or the view at a block."""
        now = event.received_at
        self._forget(now)
        if event.event_type is DataType.TRANSACTION:
            body: Transaction = event.data
            self._see(body.hash, now).body = body
            return ()
        if event.event_type is DataType.MEMPOOL:
            self._live(event.data, now)
            return ()
        block: Block = event.data
        self._include(block, now)
        return (event.finding(self.view(now), DataType.MEMPOOL_VIEW, EventPriority.NORMAL),)

    def _live(self, step: PendingLife, now: float) -> None:
        """A step of a life; inclusion is taken from the block itself."""
        if step.life is Life.ANNOUNCED:
            self._see(step.hash, now)
        elif step.life in GONE:
            self._entries.pop(step.hash, None)
        elif step.life is Life.RETURNED and step.hash in self._entries:
            self._entries[step.hash].included_at = None

    def _see(self, transaction: str, now: float) -> _Entry:
        entry = self._entries.get(transaction)
        if entry is None:
            if len(self._entries) >= self.settings.max_transactions:
                del self._entries[next(iter(self._entries))]
                self.forgotten += 1
            # A block is served before what waits; its transactions may be seen after it.
            landed = any(transaction in block for block in self._landed)
            entry = self._entries[transaction] = _Entry(now, None, now if landed else None)
        return entry

    def _forget(self, now: float) -> None:
        """Drop what was first seen before the window."""
        while self._entries:
            oldest = next(iter(self._entries))
            if now - self._entries[oldest].seen_at <= self.settings.window:
                return
            del self._entries[oldest]

    def _include(self, block: Block, now: float) -> None:
        self._base_fee, self._block = block.base_fee, block.number
        self._landed.append(frozenset(block.transactions or ()))
        for transaction in block.transactions or ():
            entry = self._entries.get(transaction)
            if entry is not None and entry.included_at is None:
                entry.included_at = now

    def view(self, now: float) -> MempoolView:
        """The window as of now."""
        entries = self._entries.values()
        pending = [e for e in entries if e.included_at is None]
        waits = [e.included_at - e.seen_at for e in entries if e.included_at is not None]
        return MempoolView(
            self._block,
            self.settings.window,
            len(pending),
            sum(e.body is None for e in pending),
            len(waits),
            self._percentiles(),
            now - pending[0].seen_at if pending else None,
            statistics.median(waits) if waits else None,
            sum(e.body.value for e in pending if e.body is not None),
        )

    def _percentiles(self) -> GasPercentiles | None:
        fees = [e.body.fee_per_gas(self._base_fee) for e in self._entries.values() if e.body]
        ordered = sorted(fee for fee in fees if fee is not None)
        if len(ordered) < LEAST_GAS_SAMPLE:
            return None
        p50, p90, p99 = (nearest_rank(ordered, share) for share in (0.5, 0.9, 0.99))
        return GasPercentiles(len(ordered), p50, p90, p99)
