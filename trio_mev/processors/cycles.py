"""Which cycles through pools pay, on the head's state and after pending swaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import TypeAlias

import attrs

from ..chain.effects.pending import PendingEffect
from ..chain.pools.pool import Pool
from ..chain.pools.swap import PoolState
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import Worth
from ..chain.routes.cycles import Edge
from ..chain.routes.finder import Found, Promise, RouteFinder
from ..chain.routes.gas import gas_of
from ..model.opportunity import SwapRecord

MOST_SIZED = 32
"""Cycles that are sized exactly for one pending swap; each takes up to some milliseconds."""
_UNKNOWN = 2**256


@attrs.frozen
class Cycle:
    """A cycle that pays more than its gas costs."""

    route: tuple[Edge, ...]
    path: tuple[SwapRecord, ...]
    token: str
    gross: int
    """Of the token."""
    gas_wei: int
    net_wei: int
    """What the gross is worth in ether, less the gas."""
    exact: bool
    """Whether it is known that no input pays more."""

    @property
    def pools(self) -> tuple[str, ...]:
        """In order."""
        return _pools(self.route)


def _pools(route: tuple[Edge, ...]) -> tuple[str, ...]:
    return tuple([edge.pool for edge in route])


_Candidate: TypeAlias = "tuple[int, bool, tuple[str, ...], int, Promise, Cycle | None]"
"""What it pays at most, less than nothing so that the best comes first; whether that is exact; its
pools; and its number, which is of no other."""


class CycleWatch:
    """The cycles through the pools of a view.

    Args:
        bases: tokens in which profit is wanted, the dearest first.
        least: wei that a cycle must pay, after gas.
    """

    def __init__(self, bases: tuple[str, ...], least: int = 1) -> None:
        self._finder = RouteFinder(bases)
        self._least = least
        self._pools: dict[str, Pool] = {}
        self._states: dict[str, PoolState | None] = {}
        self._view: PoolsView | None = None
        self._worth: Worth | None = None
        self._paying: dict[tuple[Edge, ...], int] = {}
        """Cycles that pay on the head's own state, in integers, and how much."""
        self.left_out = 0
        """Cycles after pending swaps that may have paid, and were not sized: there were too many
        that might pay more."""

    @property
    def view(self) -> PoolsView | None:
        """What it is as of."""
        return self._view

    def advance(self, view: PoolsView) -> list[Cycle]:
        """Go on to a view; the cycles that pay now and did not pay so before, the best first, of
        which no two share a pool."""
        changed = self._take(view)
        self._view, self._worth = view, Worth(view)
        for route in [r for r in self._paying if any(edge.pool in changed for edge in r)]:
            del self._paying[route]
        found = self._finder.look(changed).found
        self._paying.update({one.route: one.sized.profit for one in found})
        return self._best(found)

    def _take(self, view: PoolsView) -> set[str]:
        """What is otherwise than it was here; a view may have been missed."""
        changed = set()
        for pool, entry in view.entries.items():
            state = view.state(pool)
            if pool not in self._pools:
                self._pools[pool] = entry.pool
                self._finder.learn(entry.pool, state)
            elif state is self._states[pool]:
                continue
            else:
                self._finder.update(pool, state)
            self._states[pool] = state
            changed.add(pool)
        return changed

    def after(self, pending: PendingEffect, most: int) -> list[Cycle]:
        """The best cycles of which more than half of what they pay is a pending swap's making, and
        of which no two share a pool; as of the same view only.

        Args:
            pending: the swap.
            most: of these.
        """
        if self._view is None or pending.view.hash != self._view.hash:
            return []
        changed = {p: s for p, s in pending.effect.changed.items() if p in self._pools}
        with self._finder.trying(changed):
            return self._chosen(self._finder.promises(changed), most)

    def _chosen(self, promises: Iterable[Promise], most: int) -> list[Cycle]:
        """As `_best`, of those that are opened; but only such are sized as may be among them.

        They come in the order of what they pay at most, and once sized again in the place that
        they then have: no other one that is still to come pays more.
        """
        heap = list[_Candidate]()
        for one in promises:
            most_wei = self._most_of(one)
            if most_wei is not None:
                heap.append((-most_wei, False, _pools(one.route), one.number, one, None))
        heapify(heap)
        taken, chosen, tried = set[str](), list[Cycle](), 0
        while heap and len(chosen) < most:
            _, _, pools, number, one, cycle = heappop(heap)
            if not taken.isdisjoint(pools):
                continue
            if cycle is not None:
                taken.update(pools)
                chosen.append(cycle)
                continue
            if tried == MOST_SIZED:
                self.left_out += 1
                continue
            tried += 1
            cycle = self._opened(one)
            if cycle is not None:
                heappush(heap, (-cycle.net_wei, True, pools, number, one, cycle))
        return chosen

    def _most_of(self, promise: Promise) -> int | None:
        """The most that a cycle leaves after its gas, in wei; None where it is not told anyway."""
        if promise.bound is None:
            return _UNKNOWN
        if promise.bound <= 2 * self._paying.get(promise.route, 0):
            return None
        net = self._after_gas(promise.route, promise.token, promise.bound)
        return None if net is None else net[1]

    def _opened(self, promise: Promise) -> Cycle | None:
        """What a cycle pays exactly; None where that is not told."""
        found = self._finder.keep(promise)
        if found is None or found.sized.profit <= 2 * self._paying.get(found.route, 0):
            return None
        return self._cycle(found)

    def _best(self, found: Iterable[Found]) -> list[Cycle]:
        """The best of them, of which no two share a pool."""
        cycles = [cycle for one in found if (cycle := self._cycle(one)) is not None]
        cycles.sort(key=lambda cycle: (-cycle.net_wei, cycle.pools))
        taken: set[str] = set()
        chosen = []
        for cycle in cycles:
            if taken.isdisjoint(cycle.pools):
                taken.update(cycle.pools)
                chosen.append(cycle)
        return chosen

    def _cycle(self, found: Found) -> Cycle | None:
        """A cycle with what it pays; None where that is not known to be more than the gas."""
        sized = found.sized
        paid = self._after_gas(found.route, found.token, sized.profit)
        if paid is None:
            return None
        path = self._path(found, self._pools)
        return Cycle(found.route, path, found.token, sized.profit, *paid, sized.exact)

    def _after_gas(
        self, route: tuple[Edge, ...], token: str, profit: int
    ) -> tuple[int, int] | None:
        """Wei that the gas costs, and that are left after it; None where these are not enough, or
        not known."""
        assert self._view is not None
        assert self._worth is not None
        worth, fee = self._worth.in_wei(token, profit), self._view.next_base_fee
        if worth is None or fee is None:
            return None
        gas = gas_of([self._pools[edge.pool].protocol for edge in route]) * fee
        return (gas, worth - gas) if worth - gas >= self._least else None

    @staticmethod
    def _path(found: Found, pools: Mapping[str, Pool]) -> tuple[SwapRecord, ...]:
        amounts = found.sized.amounts
        return tuple(
            SwapRecord(
                edge.pool,
                pools[edge.pool].protocol.value,
                pools[edge.pool].tokens[edge.token_in],
                amounts[place],
                pools[edge.pool].tokens[edge.token_out],
                amounts[place + 1],
            )
            for place, edge in enumerate(found.route)
        )
