"""What pending transactions will do to pools, each by itself, on the state of the head.

A transaction is kept for as long as it may be in the next block, so that every new head can be
asked what it does there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs

from ...model.chain import Transaction
from ...model.intents import Intent, SwapIntent
from ..calldata import CallDecoder, Kind
from ..pools.view import PoolsView
from .apply import apply
from .outcome import Effect, Terms

SLOT = 12
"""Seconds from a block to the next one."""


_Read: TypeAlias = "tuple[Transaction, tuple[Intent, ...]]"


@attrs.frozen(eq=False)
class PendingEffect:
    """What a pending transaction would do in the block after the head."""

    transaction: Transaction
    intents: tuple[Intent, ...]
    effect: Effect
    view: PoolsView
    """The pools that it is applied to."""
    again: bool = False
    """Whether it was told of an earlier head already."""


class PendingBook:
    """Pending transactions that swap at pools that are watched.

    Args:
        most: transactions that are kept; of more, the oldest are forgotten and counted.
        contracts: to read calls of, beside those that are known.
    """

    def __init__(self, most: int, contracts: Mapping[str, Kind] | None = None) -> None:
        self._most = most
        self._decoder = CallDecoder(contracts)
        self._kept: OrderedDict[str, _Read] = OrderedDict()
        self._included: OrderedDict[str, _Read] = OrderedDict()
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, transaction: Transaction, view: PoolsView) -> PendingEffect | None:
        """Take a transaction; what it does, None where it does nothing to these pools."""
        to, data = transaction.to, transaction.input
        if to is None or transaction.hash in self._kept:
            return None
        intents = self._decoder.decode(to, data, transaction.sender, transaction.value)
        if not any(isinstance(one, SwapIntent) and one.hops for one in intents):
            return None
        found = self._effect(transaction, intents, view)
        if found is not None:
            self._keep(transaction.hash, (transaction, intents))
        return found

    def _keep(self, name: str, what: _Read) -> None:
        self._kept[name] = what
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
            self.forgotten += 1

    def forget(self, transaction: str) -> None:
        """It will never be in a block."""
        self._kept.pop(transaction, None)
        self._included.pop(transaction, None)

    def include(self, transaction: str) -> None:
        """It is in a block, and may come back if that is retracted."""
        found = self._kept.pop(transaction, None)
        if found is not None:
            self._included[transaction] = found
            if len(self._included) > self._most:
                self._included.popitem(last=False)

    def restore(self, transaction: str) -> None:
        """The block that it was in was retracted."""
        found = self._included.pop(transaction, None)
        if found is not None:
            self._keep(transaction, found)

    def look(self, view: PoolsView) -> Iterator[PendingEffect]:
        """What each of them does on other pools, in the order in which they came."""
        for transaction, intents in list(self._kept.values()):
            found = self._effect(transaction, intents, view, again=True)
            if found is not None:
                yield found

    def _effect(
        self,
        transaction: Transaction,
        intents: tuple[Intent, ...],
        view: PoolsView,
        *,
        again: bool = False,
    ) -> PendingEffect | None:
        terms = Terms(time=view.timestamp + SLOT, parent=view.hash)
        effect = apply(intents, view, terms)
        if not any(swap.fills for swap in effect.swaps):
            return None  # None of its pools is known.
        return PendingEffect(transaction, intents, effect, view, again)
