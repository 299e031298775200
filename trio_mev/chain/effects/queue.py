"""Pending transactions in the order in which a builder who is paid by them would take them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import TypeGuard

from ...model.intents import LiquidityIntent, PoolKind, Providing
from ..pools.pool import Key, key_named
from .stays import Act

MOST_AT_A_POOL = 128
"""Transactions of one pool that are put in order; of more, those that pay most."""
MOST_OF_A_MARK = 1_000
"""Transactions that are kept of one pool, or of one owner; the oldest are forgotten first."""


class ActBook:
    """Pending transactions, by the pools that they swap at or add liquidity to, and by who takes
    liquidity out.

    Args:
        most: that are kept; of more the oldest are forgotten and counted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._acts: OrderedDict[str, tuple[Act, frozenset[Hashable]]] = OrderedDict()
        self._marked: dict[Hashable, dict[str, None]] = {}
        self._included: OrderedDict[str, tuple[Act, frozenset[Hashable]]] = OrderedDict()
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._acts)

    def __contains__(self, transaction: str) -> bool:
        return transaction in self._acts

    def swap(self, act: Act, pools: frozenset[str]) -> bool:
        """Take a transaction that swaps; whether that is new of it."""
        known = self._acts.get(act.transaction.hash)
        if known is not None:
            act = known[0]
            if known[1] == pools:
                return False
        self._keep(act, frozenset(pools))
        return True

    def change(self, act: Act) -> None:
        """Take a transaction that changes positions."""
        if act.transaction.hash not in self._acts:
            self._keep(act, frozenset(marks_of(act)))

    def _keep(self, act: Act, marks: frozenset[Hashable]) -> None:
        name = act.transaction.hash
        self.forget(name)
        self._included.pop(name, None)
        self._acts[name] = act, marks
        crowded = [next(iter(self._marked[mark])) for mark in marks if self._is_full(mark)]
        for mark in marks:
            self._marked.setdefault(mark, {})[name] = None
        if len(self._acts) > self._most:
            crowded.append(next(iter(self._acts)))
        for one in crowded:
            self.forgotten += one in self._acts
            self.forget(one)

    def _is_full(self, mark: Hashable) -> bool:
        return len(self._marked.get(mark, ())) >= MOST_OF_A_MARK

    def forget(self, transaction: str) -> Act | None:
        """It will never be in a block; what it was."""
        act, marks = self._acts.pop(transaction, (None, frozenset[Hashable]()))
        for mark in marks:
            del self._marked[mark][transaction]
            if not self._marked[mark]:
                del self._marked[mark]
        return act

    def include(self, transaction: str) -> None:
        """It is in a block, and may come back if that is retracted."""
        kept = self._acts.get(transaction)
        if kept is not None:
            self.forget(transaction)
            self._included[transaction] = kept
            if len(self._included) > self._most:
                self._included.popitem(last=False)

    def restore(self, transaction: str) -> None:
        """The block that it was in was retracted."""
        kept = self._included.pop(transaction, None)
        if kept is not None:
            self._keep(*kept)

    def _of(self, mark: Hashable) -> list[Act]:
        return [self._acts[name][0] for name in self._marked.get(mark, ())]

    @property
    def adding(self) -> set[Key]:
        """What the pools are named by that liquidity is added to."""
        return {mark for mark in self._marked if _is_key(mark)}

    def concerned(self, transaction: str) -> set[Hashable]:
        """Pools of which a transaction that is kept may change what is said, by their ids or by
        what else they are named by."""
        found: set[Hashable] = set()
        for mark in self._acts[transaction][1] if transaction in self._acts else ():
            if isinstance(mark, str) or _is_key(mark):
                found.add(mark)
            elif mark == _leaving(self._acts[transaction][0].transaction.sender):
                for act in self._of(_owning(self._acts[transaction][0].transaction.sender)):
                    found |= {one for one in marks_of(act) if _is_key(one)}
        return found

    def of(self, pool: str, key: Key, base_fee: int | None) -> list[Act]:
        """The transactions of a pool in the order of what they pay for gas, if any of them adds
        liquidity; without those that pay less than the base fee.

        Args:
            pool: its id.
            key: what else calls name it by.
            base_fee: of the block that they would be in.
        """
        adding = self._of(key)
        if not adding:
            return []
        owners = {who for act in adding for who in owners_of(act)}
        leaving = [act for who in sorted(owners) for act in self._of(_leaving(who))]
        every = {act.transaction.hash: act for act in (*adding, *leaving, *self._of(pool))}
        return in_order(every.values(), base_fee)[:MOST_AT_A_POOL]


def _is_key(mark: Hashable) -> TypeGuard[Key]:
    """Whether it names a pool, and not somebody."""
    return isinstance(mark, tuple) and isinstance(mark[0], PoolKind)


def _leaving(who: str) -> Hashable:
    return "leaving", who


def _owning(who: str) -> Hashable:
    return "owning", who


def owners_of(act: Act) -> set[str]:
    """Whose the positions are that a transaction makes."""
    owners = {one.owner for one in _adding(act) if one.owner is not None}
    return owners | {act.transaction.sender}


def _adding(act: Act) -> list[LiquidityIntent]:
    return [one for one in act.changes if one.action is Providing.ADD]


def marks_of(act: Act) -> set[Hashable]:
    """What a transaction that changes positions is found by: the pools that it adds to and for
    whom, and who takes out."""
    marks: set[Hashable] = set()
    for one in _adding(act):
        assert one.pool is not None
        marks.add(key_named(one.pool))
        marks |= {_owning(who) for who in owners_of(act)}
    if any(one.action is Providing.DECREASE for one in act.changes):
        marks.add(_leaving(act.transaction.sender))
    return marks


def in_order(acts: Iterable[Act], base_fee: int | None) -> list[Act]:
    """Transactions in the order of what they pay for a unit of gas, then of when they were seen;
    one sender's in that of their nonces. What pays less than the base fee is left out, and so is
    what a sender's own such transaction holds up.

    Args:
        acts: the transactions.
        base_fee: of the block that they would be in; None where there is none.
    """
    places: dict[str, tuple[int, float]] = {}
    latest: dict[str, tuple[int, float]] = {}
    stuck: set[str] = set()
    chosen = []
    for act in sorted(acts, key=lambda act: act.transaction.nonce):
        body = act.transaction
        fee = body.fee_per_gas(base_fee)
        if fee is None or fee < (base_fee or 0):
            stuck.add(body.sender)
        if fee is not None and body.sender not in stuck:
            place = max((-fee, act.at), latest.get(body.sender, (-fee, act.at)))
            places[body.hash] = latest[body.sender] = place
            chosen.append(act)
    return sorted(chosen, key=lambda act: places[act.transaction.hash])
