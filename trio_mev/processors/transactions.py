"""TransactionAnalyzer: which pending transactions deserve a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from ..chain.calldata import CallDecoder, Kind
from ..chain.effects.prospects import outlook
from ..chain.fees import base_fee_after
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import Worth
from ..flow.processor import DataProcessor
from ..model.chain import Transaction, TransactionAnalysis, Urgency, ValueClass
from ..model.event import DataEvent, DataType, EventPriority
from ..model.intents import ETHER, WETH, Intent, SwapIntent, Undecoded
from ..model.ranks import RankedWindow
from ..model.settings import TransactionSettings
from .worth import EtherPrice

LEAST_GAS_SAMPLE = 10
_RANKS = (Urgency.NORMAL, Urgency.HIGH, Urgency.CRITICAL)
_ETHERS = frozenset({ETHER, WETH})


class TransactionAnalyzer(DataProcessor):
    """Recognises routers, reads what their calls swap, values the ether that is moved in USD at
    the aggregated price, other tokens by the pools that are watched, and measures fee and tip
    against those seen just before.

    Reports a transaction that carries a large value, or that goes to a known router with a fee or
    a tip over the 90th percentile; once, with what its swaps would come to on the pools as of
    then. Where no price is known, or the sources dispute it, there is no value in USD, and none is
    assumed.

    Args:
        settings: value classes, gas window, the instrument that values ether.
        contracts: contracts to read calls of, beside those that are known, and their kinds.
    """

    consumes = frozenset({DataType.TRANSACTION, DataType.BLOCK, DataType.PRICE, DataType.POOLS})
    emits = frozenset({DataType.FINDING})

    def __init__(
        self,
        settings: TransactionSettings | None = None,
        contracts: Mapping[str, Kind] | None = None,
    ) -> None:
        self.settings = settings or TransactionSettings()
        self._decoder = CallDecoder(contracts)
        self._fees = RankedWindow(self.settings.gas_window)
        self._tips = RankedWindow(self.settings.gas_window)
        self._base_fee: int | None = None
        self._ether = EtherPrice(self.settings.native)
        self._view: PoolsView | None = None
        self._worth: Worth | None = None
        """By the view; made when it is first asked."""

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The transaction's analysis, where it is worth one."""
        kind, data = event.event_type, event.data
        if kind is DataType.PRICE:
            self._ether.take(data, event.received_at)
        elif kind is DataType.BLOCK:
            self._base_fee = base_fee_after(data)
        elif kind is DataType.POOLS:
            self._view, self._worth = data, None
        else:
            found = self.analyse(data, event.received_at)
            if is_relevant(found):
                return (event.finding(found, DataType.FINDING, priority_of(found)),)
        return ()

    def analyse(self, body: Transaction, now: float) -> TransactionAnalysis:
        """What can be said of a transaction at a time; its fee then joins the distribution."""
        fee = body.fee_per_gas(self._base_fee)
        tip = None if fee is None or self._base_fee is None else fee - self._base_fee
        urgency = max(_urgency(fee, self._fees), _urgency(tip, self._tips), key=_RANKS.index)
        self._join(fee, tip)
        router = None if body.to is None else self._decoder.router(body.to)
        intents = self._read(body) if router else ()
        swaps = tuple([one for one in intents if isinstance(one, SwapIntent)])
        moved = self._moved(body.value, swaps)
        usd = self._ether.in_usd(moved, now) if moved or not swaps else None
        found = TransactionAnalysis(
            body.hash,
            body.sender,
            body.to,
            router,
            self._decoder.method(body.to, body.input[:4]) if router and body.to else None,
            body.selector,
            body.value,
            usd,
            self._value_class(usd),
            fee,
            urgency,
            swaps,
            _why_not(intents),
            tip,
        )
        view = self._view
        if view is None or not swaps or not is_relevant(found):
            return found
        return attrs.evolve(found, outlook=outlook(intents, view))

    def note(self, body: Transaction) -> None:
        """Let a transaction's fee join the distribution, without any more ado."""
        fee, base_fee = body.fee_per_gas(self._base_fee), self._base_fee
        self._join(fee, None if fee is None or base_fee is None else fee - base_fee)

    def _join(self, fee: int | None, tip: int | None) -> None:
        if fee is not None:
            self._fees.add(fee)
        if tip is not None:
            self._tips.add(tip)

    def _read(self, body: Transaction) -> tuple[Intent, ...]:
        return self._decoder.decode(body.to, body.input, body.sender, body.value)

    def _moved(self, value: int, swaps: Iterable[SwapIntent]) -> int:
        """Wei that a transaction carries, or that its swaps say they trade where that is more."""
        return max(value, sum(map(self._traded, swaps)))

    def _traded(self, swap: SwapIntent) -> int:
        """What a swap says that it trades, in wei; 0 where nobody tells what that is worth."""
        exact, amount = swap.token_out if swap.exact_out else swap.token_in, swap.amount
        if amount is None or exact is None:
            return 0
        if exact in _ETHERS:
            return amount
        if self._view is None:
            return 0
        if self._worth is None:
            self._worth = Worth(self._view)
        return self._worth.in_wei(exact, amount) or 0

    def _value_class(self, usd: Decimal | None) -> ValueClass | None:
        if usd is None or usd < self.settings.large:
            return None
        if usd >= self.settings.mega:
            return ValueClass.MEGA
        return ValueClass.VERY_LARGE if usd >= self.settings.very_large else ValueClass.LARGE


def _urgency(paid: int | None, others: RankedWindow) -> Urgency:
    """Of a fee, or a tip, among those seen before."""
    if paid is None or len(others) < LEAST_GAS_SAMPLE:
        return Urgency.NORMAL
    if paid > others.nearest_rank(0.99):
        return Urgency.CRITICAL
    return Urgency.HIGH if paid > others.nearest_rank(0.9) else Urgency.NORMAL


def is_relevant(found: TransactionAnalysis) -> bool:
    """Whether a transaction is reported."""
    urgent_swap = found.router is not None and found.urgency is not Urgency.NORMAL
    return found.value_class is not None or urgent_swap


def priority_of(found: TransactionAnalysis) -> EventPriority:
    """That of what is reported of a transaction."""
    urgent = found.urgency is not Urgency.NORMAL
    big = found.value_class in {ValueClass.VERY_LARGE, ValueClass.MEGA}
    return EventPriority.HIGH if urgent or big else EventPriority.NORMAL


def _why_not(intents: Iterable[Intent]) -> str | None:
    """The first reason among intents."""
    for one in intents:
        if isinstance(one, Undecoded):
            return f"{one.reason.value}: {one.detail}" if one.detail else one.reason.value
    return None
