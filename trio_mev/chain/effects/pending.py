"""What pending transactions will do to pools, each by itself, on the state of the head.

A transaction is kept for as long as it may be in the next block, so that every new head can be
asked what it does there. How far all of them are followed on one head has a bound: what is beyond
it has its turn on a later head.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import attrs

from ...model.chain import Transaction
from ...model.intents import Intent, SwapIntent
from ..calldata import CallDecoder, Kind
from ..pools.view import PoolsView
from .apply import apply
from .outcome import Effect, Terms, Unknown
from .walk import MOST_STEPS, Steps, steps_of

SLOT = 12
"""Seconds from a block to the next one."""
MOST_OF_A_LOOK = 2 * MOST_STEPS
"""Steps that all transactions together are followed on a new head. Half of them are for those that
take little, so that others, however many, do not keep these waiting."""
MOST_GONE = 20_000
"""Transactions in blocks that are remembered by their hashes, of some hundred blocks."""


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


@attrs.define(eq=False)
class _Kept:
    """A transaction, and how it was when it was looked at last."""

    transaction: Transaction
    intents: tuple[Intent, ...]
    number: int
    """In the order in which they came."""
    cost: int = 0
    """Steps."""
    looked: int = 0
    """The look that was the last."""
    told: bool = False

    @property
    def most(self) -> int:
        """Steps that it has gas for, as far as these are followed."""
        return Steps(steps_of(self.transaction.gas)).most


class PendingBook:
    """Pending transactions that swap at pools that are watched.

    Args:
        most: transactions that are kept; of more, the oldest are forgotten and counted. As many
            others wait until their pools can be used.
        contracts: to read calls of, beside those that are known.
    """

    def __init__(self, most: int, contracts: Mapping[str, Kind] | None = None) -> None:
        self._most = most
        self._decoder = CallDecoder(contracts)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._aside: OrderedDict[str, _Kept] = OrderedDict()
        """Those whose pools are not known or not to be used yet."""
        self._included: OrderedDict[str, _Kept] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        """What is in blocks, kept or not."""
        self._came = self._looks = self._forgotten_before = 0
        self.forgotten = 0
        self.unfollowed = 0
        """Times that nothing was told of a transaction, since it goes too far."""
        self.left_out = 0
        """Transactions that had to wait at the last look, or were forgotten since the one
        before."""

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def waiting(self) -> int:
        """Transactions whose pools are not known or not to be used yet."""
        return len(self._aside)

    def add(
        self, transaction: Transaction, view: PoolsView | None, reading: bool = False
    ) -> PendingEffect | None:
        """Take a transaction; what it does, None where it does nothing to these pools, or nothing
        that is known yet.

        Args:
            transaction: its body.
            view: the pools; None where there are none yet.
            reading: whether there will be more of them.
        """
        to, data, name = transaction.to, transaction.input, transaction.hash
        if to is None or any(name in kept for kept in (self._kept, self._aside, self._included)):
            return None
        intents = self._decoder.decode(to, data, transaction.sender, transaction.value)
        if not any(isinstance(one, SwapIntent) and one.hops for one in intents):
            return None
        self._came += 1
        one = _Kept(transaction, intents, self._came)
        if name in self._gone:
            self._keep(self._included, one)
            return None
        effect = None if view is None else self._follow(one, view, one.most)
        if effect is not None and _trades(effect):
            self._count(self._keep(self._kept, one))
        elif effect is None or _may_come(effect, reading):
            self._count(self._keep(self._aside, one))
        return None if view is None or effect is None else self._told(one, effect, view)

    def _keep(self, where: OrderedDict[str, _Kept], one: _Kept) -> bool:
        """Whether another one had to go for it."""
        where[one.transaction.hash] = one
        full = len(where) > self._most
        if full:
            where.popitem(last=False)
        return full

    def _count(self, forgotten: bool) -> None:
        self.forgotten += forgotten

    def forget(self, transaction: str) -> None:
        """It will never be in a block."""
        for every in (self._kept, self._aside, self._included):
            every.pop(transaction, None)

    def include(self, transaction: str) -> None:
        """It is in a block, and may come back if that is retracted."""
        self._gone[transaction] = None
        if len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)
        found = self._kept.pop(transaction, None) or self._aside.pop(transaction, None)
        if found is not None:
            self._keep(self._included, found)

    def restore(self, transaction: str) -> None:
        """The block that it was in was retracted."""
        self._gone.pop(transaction, None)
        found = self._included.pop(transaction, None)
        if found is not None:
            self._came += 1
            found.number = self._came
            self._count(self._keep(self._kept if found.told else self._aside, found))

    def look(self, view: PoolsView, reading: bool = False) -> Iterator[PendingEffect]:
        """What each of them does on other pools, in the order in which they came; those for which
        no steps are left have their turn at a later look.

        Args:
            view: the pools.
            reading: whether there will be more of them.
        """
        left, waiting, found = MOST_OF_A_LOOK, 0, list[tuple[int, PendingEffect]]()
        self._looks += 1
        for one in self._in_turn():
            effect = self._follow(one, view, min(one.most, left)) if one.cost <= left else None
            if effect is None:
                waiting += 1
                continue
            left -= one.cost
            self._place(one, effect, reading)
            told = self._told(one, effect, view)
            found += [] if told is None else [(one.number, told)]
        self.left_out = waiting + self.forgotten - self._forgotten_before
        self._forgotten_before = self.forgotten
        found.sort(key=lambda each: each[0])
        return iter([told for _, told in found])

    def _in_turn(self) -> list[_Kept]:
        """First those that take little, then those whose last look was longest ago."""
        every = [*self._kept.values(), *self._aside.values()]
        share = MOST_OF_A_LOOK // 2 // max(len(every), 1)
        heavy = [one for one in every if one.cost > share]
        heavy.sort(key=lambda one: (one.looked, one.number))
        return [one for one in every if one.cost <= share] + heavy

    def _follow(self, one: _Kept, view: PoolsView, most: int) -> Effect | None:
        """What it does; None where so many steps are not enough, and it has gas for more."""
        terms, steps = Terms(time=view.timestamp + SLOT, parent=view.hash), Steps(most)
        effect = apply(one.intents, view, terms, steps)
        one.cost = min(steps.taken, one.most)
        if steps.over and most < one.most:
            one.cost = one.most
            return None
        one.looked = self._looks
        self.unfollowed += steps.over
        return effect

    def _place(self, one: _Kept, effect: Effect, reading: bool) -> None:
        """One that waited is kept from now on, or waits on, or has nothing to do with these."""
        name = one.transaction.hash
        if name in self._aside and not _may_come(effect, reading):
            del self._aside[name]
        if name not in self._kept and _trades(effect):
            self._aside.pop(name, None)
            self._count(self._keep(self._kept, one))

    @staticmethod
    def _told(one: _Kept, effect: Effect, view: PoolsView) -> PendingEffect | None:
        if not _trades(effect):
            return None  # None of its pools is known.
        again, one.told = one.told, True
        return PendingEffect(one.transaction, one.intents, effect, view, again)


def _trades(effect: Effect) -> bool:
    """Whether any of its pools is known."""
    return any(swap.fills for swap in effect.swaps)


def _may_come(effect: Effect, reading: bool) -> bool:
    """Whether something may be known of it on a later head."""
    doubts = {one.doubt.reason for one in effect.swaps if one.doubt is not None}
    return Unknown.QUARANTINED in doubts or (reading and Unknown.NO_POOL in doubts)
