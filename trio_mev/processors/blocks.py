"""BlockAnalyzer: what a block says about fees, and how much of it was seen pending."""

from __future__ import annotations

from collections.abc import Iterable

from ..chain.fees import next_base_fee
from ..flow.processor import DataProcessor
from ..model.chain import Block, BlockSummary, Life
from ..model.event import DataEvent, DataType, EventPriority

REMEMBERED = 200_000
"""Hashes of pending transactions, and of blocks, that are kept; the oldest go first."""
BLOCKS = 256


class BlockAnalyzer(DataProcessor):
    """Sums up every block: base fee, gas, counts, pending transactions included."""

    consumes = frozenset({DataType.BLOCK, DataType.TRANSACTION, DataType.MEMPOOL})
    emits = frozenset({DataType.BLOCK_SUMMARY})

    def __init__(self) -> None:
        self._pending: dict[str, None] = {}  # a set in the order of first sight
        self._timestamps: dict[str, int] = {}

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """A block's summary."""
        if event.event_type is DataType.MEMPOOL and event.data.life is not Life.ANNOUNCED:
            return ()
        if event.event_type is not DataType.BLOCK:
            self._pending.setdefault(event.data.hash)
            if len(self._pending) > REMEMBERED:
                del self._pending[next(iter(self._pending))]
            return ()
        summary = self.summarise(event.data)
        return (event.finding(summary, DataType.BLOCK_SUMMARY, EventPriority.NORMAL),)

    def summarise(self, block: Block) -> BlockSummary:
        """The summary, as of what was seen before the block."""
        base_fee = block.base_fee
        following = None
        if base_fee is not None:
            following = next_base_fee(base_fee, block.gas_used, block.gas_limit)
        hashes = block.transactions
        before = self._timestamps.get(block.parent)
        self._timestamps[block.hash] = block.timestamp
        if len(self._timestamps) > BLOCKS:
            del self._timestamps[next(iter(self._timestamps))]
        return BlockSummary(
            block.number,
            block.hash,
            base_fee,
            following,
            block.gas_used,
            block.gas_limit,
            None if hashes is None else len(hashes),
            None if hashes is None else sum(h in self._pending for h in hashes),
            None if before is None else block.timestamp - before,
        )
