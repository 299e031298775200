"""TransactionAnalyzer: which pending transactions deserve a look."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ..chain.calldata import CallDecoder, Kind
from ..flow.processor import DataProcessor
from ..model.chain import Block, Transaction, TransactionAnalysis, Urgency, ValueClass
from ..model.event import DataEvent, DataType, EventPriority
from ..model.intents import ETHER, WETH, Intent, SwapIntent, Undecoded
from ..model.market import Price, PriceStatus
from ..model.ranks import nearest_rank
from ..model.settings import TransactionSettings

LEAST_GAS_SAMPLE = 10
PRICE_MAX_AGE = 60.0
_WEI = Decimal(10**18)
_ETHERS = frozenset({ETHER, WETH})


class TransactionAnalyzer(DataProcessor):
    """Recognises routers, reads what their calls swap, values the ether that is moved in USD at
    the aggregated price, and measures the fee against those seen just before.

    Reports a transaction that carries a large value, or that goes to a known router with a fee
    over the 90th percentile. Where no price is known, or the sources dispute it, there is no
    value in USD, and none is assumed.

    Args:
        settings: value classes, gas window, the instrument that values ether.
        contracts: contracts to read calls of, beside those that are known, and their kinds.
    """

    consumes = frozenset({DataType.TRANSACTION, DataType.BLOCK, DataType.PRICE})
    emits = frozenset({DataType.FINDING})

    def __init__(
        self,
        settings: TransactionSettings | None = None,
        contracts: Mapping[str, Kind] | None = None,
    ) -> None:
        self.settings = settings or TransactionSettings()
        self._decoder = CallDecoder(contracts)
        self._fees: deque[int] = deque(maxlen=self.settings.gas_window)
        self._base_fee: int | None = None
        self._price: Decimal | None = None
        self._price_at = 0.0

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The transaction's analysis, where it is worth one."""
        if event.event_type is DataType.PRICE:
            self._take_price(event.data, event.received_at)
            return ()
        if event.event_type is DataType.BLOCK:
            block: Block = event.data
            self._base_fee = block.base_fee
            return ()
        found = self.analyse(event.data, event.received_at)
        if not is_relevant(found):
            return ()
        return (event.finding(found, DataType.FINDING, priority_of(found)),)

    def _take_price(self, price: Price, now: float) -> None:
        if price.instrument != self.settings.native:
            return
        sound = price.status in {PriceStatus.OK, PriceStatus.DEGRADED}
        self._price = price.price if sound else None
        self._price_at = now

    def analyse(self, body: Transaction, now: float) -> TransactionAnalysis:
        """What can be said of a transaction at a time; its fee then joins the distribution."""
        fee = body.fee_per_gas(self._base_fee)
        urgency = self._urgency(fee)
        if fee is not None:
            self._fees.append(fee)
        router = None if body.to is None else self._decoder.router(body.to)
        swaps, undecoded = self._read(body) if router else ((), None)
        moved = _ether_moved(body.value, swaps)
        usd = self._in_usd(moved, now) if moved or not swaps else None
        return TransactionAnalysis(
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
            undecoded,
        )

    def note(self, body: Transaction) -> None:
        """Let a transaction's fee join the distribution, without any more ado."""
        fee = body.fee_per_gas(self._base_fee)
        if fee is not None:
            self._fees.append(fee)

    def _read(self, body: Transaction) -> tuple[tuple[SwapIntent, ...], str | None]:
        """What a router's call swaps, and why it, or a part of it, does not say."""
        intents = self._decoder.decode(body.to, body.input, body.sender, body.value)
        swaps = tuple([one for one in intents if isinstance(one, SwapIntent)])
        return swaps, _why_not(intents)

    def _urgency(self, fee: int | None) -> Urgency:
        if fee is None or len(self._fees) < LEAST_GAS_SAMPLE:
            return Urgency.NORMAL
        ordered = sorted(self._fees)
        if fee > nearest_rank(ordered, 0.99):
            return Urgency.CRITICAL
        return Urgency.HIGH if fee > nearest_rank(ordered, 0.9) else Urgency.NORMAL

    def _in_usd(self, wei: int, now: float) -> Decimal | None:
        if self._price is None or now - self._price_at > PRICE_MAX_AGE:
            return None
        return Decimal(wei) / _WEI * self._price

    def _value_class(self, usd: Decimal | None) -> ValueClass | None:
        if usd is None or usd < self.settings.large:
            return None
        if usd >= self.settings.mega:
            return ValueClass.MEGA
        return ValueClass.VERY_LARGE if usd >= self.settings.very_large else ValueClass.LARGE


def is_relevant(found: TransactionAnalysis) -> bool:
    """Whether a transaction is reported."""
    urgent_swap = found.router is not None and found.urgency is not Urgency.NORMAL
    return found.value_class is not None or urgent_swap


def priority_of(found: TransactionAnalysis) -> EventPriority:
    """That of what is reported of a transaction."""
    urgent = found.urgency is not Urgency.NORMAL
    big = found.value_class in {ValueClass.VERY_LARGE, ValueClass.MEGA}
    return EventPriority.HIGH if urgent or big else EventPriority.NORMAL


def _ether_moved(value: int, swaps: Iterable[SwapIntent]) -> int:
    """Wei that a transaction carries, or that its swaps say they trade where that is more."""
    traded = 0
    for swap in swaps:
        exact = swap.token_out if swap.exact_out else swap.token_in
        if exact in _ETHERS and swap.amount is not None:
            traded += swap.amount
    return max(value, traded)


def _why_not(intents: Iterable[Intent]) -> str | None:
    """The first reason among intents."""
    for one in intents:
        if isinstance(one, Undecoded):
            return f"{one.reason.value}: {one.detail}" if one.detail else one.reason.value
    return None
