"""MempoolAnalyzer: what is pending, what it would make of the next block, and who competes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ..chain.fees import base_fee_after
from ..chain.mempool.window import PendingWindow
from ..flow.processor import DataProcessor
from ..model.chain import Block, Life, MempoolView, PendingLife, Transaction
from ..model.event import DataEvent, DataType, EventPriority
from ..model.mempool import NextBlock
from ..model.settings import MempoolSettings

BLOCKS_REMEMBERED = 8
GONE = frozenset({Life.REPLACED, Life.DROPPED, Life.EXPIRED})
"""What a transaction that is no longer pending, and was not included, has come to."""


class MempoolAnalyzer(DataProcessor):
    """Keeps the pending transactions of a window of time, and sums them up at every block: fees,
    the next block as a builder would order it, and transactions that compete.

    The window is a time, not a count; a count bounds the memory all the same, and what it costs
    is counted in ``forgotten``.

    Args:
        settings: the window and the bound.
    """

    consumes = frozenset({DataType.TRANSACTION, DataType.MEMPOOL, DataType.BLOCK})
    emits = frozenset({DataType.MEMPOOL_VIEW})

    def __init__(self, settings: MempoolSettings | None = None) -> None:
        self.settings = settings or MempoolSettings()
        self._window = PendingWindow(self.settings.window, self.settings.max_transactions)
        self._landed: deque[frozenset[str]] = deque(maxlen=BLOCKS_REMEMBERED)
        self._head: Block | None = None

    @property
    def forgotten(self) -> int:
        """Transactions that left before their time because there were too many."""
        return self._window.forgotten

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """Nothing, or the view at a block."""
        now, window = event.received_at, self._window
        window.forget_before(now)
        if event.event_type is DataType.TRANSACTION:
            body: Transaction = event.data
            self._see(body.hash, now)
            window.take(body)
            return ()
        if event.event_type is DataType.MEMPOOL:
            self._live(event.data, now)
            return ()
        self._include(event.data, now)
        return (event.finding(self.view(now), DataType.MEMPOOL_VIEW, EventPriority.NORMAL),)

    def _live(self, step: PendingLife, now: float) -> None:
        """A step of a life; inclusion is taken from the block itself."""
        if step.life is Life.ANNOUNCED:
            self._see(step.hash, now)
        elif step.life in GONE:
            self._window.remove(step.hash)
        elif step.life is Life.RETURNED:
            self._window.restore(step.hash)

    def _see(self, transaction: str, now: float) -> None:
        # A block is served before what waits; its transactions may be seen after it.
        landed = any(transaction in block for block in self._landed)
        self._window.see(transaction, now, landed)

    def _include(self, block: Block, now: float) -> None:
        self._head = block
        self._landed.append(frozenset(block.transactions or ()))
        for transaction in block.transactions or ():
            self._window.include(transaction, now)

    def view(self, now: float) -> MempoolView:
        """The window as of now."""
        window, head, oldest = self._window, self._head, self._window.oldest
        return MempoolView(
            None if head is None else head.number,
            self.settings.window,
            window.pending,
            window.without_body,
            window.included,
            window.percentiles(None if head is None else base_fee_after(head)),
            None if oldest is None else now - oldest,
            window.median_wait,
            window.value,
            self._next_block(),
            len(window.rivals),
            window.rivals.largest(),
        )

    def _next_block(self) -> NextBlock | None:
        head = self._head
        if head is None:
            return None
        return self._window.order.next_block(base_fee_after(head) or 0, head.gas_limit)
