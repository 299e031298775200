"""PredictionLedger: what became of each prediction, and how the detectors fare."""

from __future__ import annotations

from collections.abc import Iterable

from ..flow.processor import DataProcessor
from ..model.event import DataEvent, DataType, EventPriority
from ..model.opportunity import Opportunity, Score, Status
from .scores import Ledger


class PredictionLedger(DataProcessor):
    """Holds every prediction against the blocks that follow.

    Emits each one once more when it is decided: it was taken, competed away, it expired, it was
    wrong, superseded or withdrawn; and what landed that nobody had predicted.
    """

    consumes = frozenset(
        {
            DataType.ARBITRAGE,
            DataType.LIQUIDATION,
            DataType.FINDING,
            DataType.LANDED,
            DataType.REORG,
            DataType.MEMPOOL,
        }
    )
    emits = frozenset({DataType.VERDICT})

    def __init__(self) -> None:
        self.ledger = Ledger()

    def scores(self) -> tuple[Score, ...]:
        """How each kind by each detector has fared so far."""
        return self.ledger.scores()

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The verdicts that follow."""
        kind, data, now = event.event_type, event.data, event.received_at
        if kind is DataType.LANDED:
            told = self.ledger.land(data, now)
        elif kind is DataType.REORG:
            told = self.ledger.retract(data.retracted)
        elif kind is DataType.MEMPOOL:
            told = self.ledger.lived(data.hash, data.life)
        elif isinstance(data, Opportunity):
            told = self._found(data, now)
        else:
            return ()
        return [event.finding(one, DataType.VERDICT, EventPriority.NORMAL) for one in told]

    def _found(self, one: Opportunity, now: float) -> list[Opportunity]:
        if one.status is Status.PREDICTED:
            return self.ledger.predict(one, now)
        return self.ledger.drop(one) if one.status is Status.SUPERSEDED else []
