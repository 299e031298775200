"""TransactionReferee: what those pending transactions would do whose calls do not say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import trio

from ..chain.calldata import CallDecoder, Kind
from ..chain.swaps import swaps_of
from ..flow.processor import DataProcessor
from ..model.chain import Block, Transaction, TransactionAnalysis
from ..model.event import DataEvent, DataType
from ..model.health import HealthIssue
from ..model.intents import WETH, Unread
from ..model.settings import TransactionSettings
from ..model.simulation import SimulatedTransaction, Simulation
from .referee import Referee
from .transactions import TransactionAnalyzer, is_relevant, priority_of

MARGIN = 0.5
"""Seconds beside those of the deadline before a processor is cut off."""
LATEST = "latest"
_HIDES = frozenset({Unread.OPAQUE.value, Unread.UNKNOWN_METHOD.value, Unread.TOO_LARGE.value})
"""Reasons for which a router's call may swap all the same."""
_SENT_WHOLE = 2
"""Types up to this one are sent with all that matters; the others have blobs or authorisations,
which a body here does not have."""


class TransactionReferee(DataProcessor):
    """Has a node try the transactions that ``TransactionAnalyzer`` would report and whose calls
    hide what they do: they go to a known router by a hidden route, or carry a large value to a
    contract that is not known. Reports what they would swap, or that they would revert.

    It waits for the node, so it has lanes and a budget of its own and holds up nobody else.
    Several share the work: each tries one transaction at a time, of its own part of all hashes.

    Args:
        referee: whom it asks; shared with others, so that one budget holds for all.
        settings: what makes a transaction worth it.
        contracts: as for ``TransactionAnalyzer``.
        part: which of how many parts it takes.
    """

    consumes = frozenset({DataType.TRANSACTION, DataType.BLOCK, DataType.PRICE, DataType.POOLS})
    emits = frozenset({DataType.FINDING})

    def __init__(
        self,
        referee: Referee | None = None,
        settings: TransactionSettings | None = None,
        contracts: Mapping[str, Kind] | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self.referee = referee or Referee()
        self.budget = self.referee.settings.deadline + MARGIN
        self._analyzer = TransactionAnalyzer(settings, contracts)
        self._decoder = CallDecoder(contracts)
        self._part = part
        self._head: Block | None = None

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """What the transaction would do, where it is worth asking and the node answers."""
        if self.rpc is None:
            return ()
        if event.event_type is not DataType.TRANSACTION:
            if event.event_type is DataType.BLOCK:
                self._head = event.data
            return await self._analyzer.process_event(event)
        body: Transaction = event.data
        number, parts = self._part
        if int(body.hash[-8:], 16) % parts != number:
            self._analyzer.note(body)
            return ()
        found = self._analyzer.analyse(body, event.received_at)
        if not self.is_doubtful(found, body):
            return ()
        told = await self._try(found, body, event.received_at)
        return () if told is None else (event.finding(told, DataType.FINDING, priority_of(found)),)

    def is_doubtful(self, found: TransactionAnalysis, body: Transaction) -> bool:
        """Whether the node shall be asked: it is relevant, and hides what it does."""
        if not is_relevant(found) or body.type > _SENT_WHOLE:
            return False
        if found.router is not None:
            why = (found.undecoded or "").partition(":")[0]
            return why in _HIDES or any(not swap.hops for swap in found.swaps)
        unknown = body.to is not None and body.to != WETH and self._decoder.name(body.to) is None
        return unknown and found.selector is not None and found.value_class is not None

    async def _try(
        self, found: TransactionAnalysis, body: Transaction, arrived: float
    ) -> SimulatedTransaction | None:
        """What it would do; None where there is no answer, or none that says anything."""
        referee, head = self.referee, self._head
        referee.rpc = self.rpc
        left = arrived + referee.settings.deadline - trio.current_time()
        answer = await referee.simulate([body], head.hash if head else LATEST, left)
        if not isinstance(answer, Simulation):
            return None
        (call,) = answer.calls
        swaps = swaps_of(call.logs)
        if call.succeeded and not swaps:
            return None
        return SimulatedTransaction(
            found,
            answer.block,
            head.number if head else None,
            answer.method,
            call.succeeded,
            call.reason,
            call.gas_used,
            swaps,
        )

    def health(self, now: float) -> Iterable[HealthIssue]:
        """That the node refuses; one of several says it for all."""
        return self.referee.health() if self._part[0] == 0 else ()
