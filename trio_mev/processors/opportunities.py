"""OpportunityWatch: the opportunities that are open, beside what is pending."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..flow.processor import DataProcessor
from ..model.chain import MempoolView
from ..model.event import DataEvent, DataType, EventPriority
from ..model.market import Price, PriceStatus
from ..model.opportunity import Opportunity
from .board import Board

MOST_PRICES = 1_000
"""Instruments whose prices are told."""
_SOUND = frozenset({PriceStatus.OK, PriceStatus.DEGRADED})


class OpportunityWatch(DataProcessor):
    """Keeps the opportunities that detectors find until something decides them: a block, the life
    of the transaction that they came of, a reorganisation, the detector itself or the ledger.

    Emits them with the mempool's latest view, at every view and whenever what is open changes.
    That view is taken when a block comes, before anybody has looked for opportunities on it: so
    they are joined here and not there.
    """

    consumes = frozenset(
        {
            DataType.ARBITRAGE,
            DataType.LIQUIDATION,
            DataType.FINDING,
            DataType.VERDICT,
            DataType.MEMPOOL_VIEW,
            DataType.BLOCK,
            DataType.MEMPOOL,
            DataType.REORG,
            DataType.PRICE,
        }
    )
    emits = frozenset({DataType.MEMPOOL_SNAPSHOT})

    def __init__(self) -> None:
        self.board = Board()
        self._view: MempoolView | None = None
        self._prices: dict[str, Decimal] = {}

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """What is open, where that has changed."""
        if not self._take(event):
            return ()
        now = event.received_at
        told = self.board.snapshot(self._view, self._prices, now)
        return (event.finding(told, DataType.MEMPOOL_SNAPSHOT, EventPriority.NORMAL),)

    def _take(self, event: DataEvent) -> bool:
        kind, data, board = event.event_type, event.data, self.board
        if kind is DataType.PRICE:
            self._price(data)
        elif kind is DataType.BLOCK:
            board.advance(data, event.received_at)
        elif kind is DataType.MEMPOOL_VIEW:
            self._view = data
            return True
        elif kind is DataType.MEMPOOL:
            return board.lived(data.hash, data.life)
        elif kind is DataType.REORG:
            return board.retract(data.retracted)
        elif isinstance(data, Opportunity):
            return board.take(data)
        return False

    def _price(self, price: Price) -> None:
        name = str(price.instrument)
        if price.price is None or price.status not in _SOUND:
            self._prices.pop(name, None)
        elif name in self._prices or len(self._prices) < MOST_PRICES:
            self._prices[name] = price.price
