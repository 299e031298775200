"""Which cycles through pools pay, on the head's state and after pending swaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from ..chain.effects.pending import PendingEffect
from ..chain.pools.pool import Pool
from ..chain.pools.swap import PoolState
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import Worth
from ..chain.routes.cycles import Edge
from ..chain.routes.finder import Found, RouteFinder
from ..chain.routes.gas import gas_of
from ..model.opportunity import SwapRecord


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
        return tuple(edge.pool for edge in self.route)


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

    def after(self, pending: PendingEffect) -> list[Cycle]:
        """The cycles of which more than half of what they pay is a pending swap's making; as of
        the same view only."""
        if self._view is None or pending.view.hash != self._view.hash:
            return []
        changed = {p: s for p, s in pending.effect.changed.items() if p in self._pools}
        if not changed:
            return []
        for pool, state in changed.items():
            self._finder.update(pool, state)
        found = self._finder.look(changed).found
        for pool in changed:
            self._finder.update(pool, self._states[pool])
        opened = [one for one in found if one.sized.profit > 2 * self._paying.get(one.route, 0)]
        return self._best(opened)

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
        assert self._view is not None
        assert self._worth is not None
        worth = self._worth.in_wei(found.token, found.sized.profit)
        if worth is None or self._view.next_base_fee is None:
            return None
        protocols = [self._pools[edge.pool].protocol for edge in found.route]
        gas = gas_of(protocols) * self._view.next_base_fee
        if worth - gas < self._least:
            return None
        path = self._path(found, self._pools)
        sized = found.sized
        return Cycle(found.route, path, found.token, sized.profit, gas, worth - gas, sized.exact)

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
