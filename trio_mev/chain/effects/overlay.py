"""Pools as they are, and over them what transactions would make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from ...model.intents import Hop
from ..pools.book import Entry
from ..pools.swap import PoolState

DOUBTFUL = "what an earlier transaction makes of it is not known"


class PoolView(Protocol):
    """Pools to look at, as a `PoolBook` is, or an `Overlay`."""

    def find(self, hop: Hop) -> Entry | None:
        """The pool that a call means, by its id or by what else it is named by."""
        ...


class Overlay:
    """A view of pools, and changes over it that leave it as it is.

    What has been changed in doubt is quarantined, and so is everything where a call may have
    changed any pool.
    """

    __slots__ = ("_base", "_doubtful", "_lost", "_states")

    def __init__(self, pools: PoolView) -> None:
        below = pools if isinstance(pools, Overlay) else None
        # Layers are one deep, however many transactions follow each other.
        self._base: PoolView = pools if below is None else below._base
        self._states: dict[str, PoolState] = {} if below is None else dict(below._states)
        self._doubtful: set[str] = set() if below is None else set(below._doubtful)
        self._lost: bool = below is not None and below._lost

    def find(self, hop: Hop) -> Entry | None:
        """The pool that a call means, with its changes."""
        entry = self._base.find(hop)
        if entry is None:
            return None
        pool = entry.pool.id
        state = self._states.get(pool)
        if state is not None:
            entry = attrs.evolve(entry, state=state)
        if self._lost or pool in self._doubtful:
            entry = attrs.evolve(entry, quarantine=DOUBTFUL)
        return entry

    @property
    def changed(self) -> Mapping[str, PoolState]:
        """What each pool became, by its id; those in doubt are not among them."""
        if self._lost:
            return {}
        return {pool: one for pool, one in self._states.items() if pool not in self._doubtful}

    @property
    def doubtful(self) -> frozenset[str]:
        """Pools of which nobody knows what they became."""
        return frozenset(self._doubtful)

    @property
    def lost(self) -> bool:
        """Whether any pool may have been changed."""
        return self._lost

    def put(self, states: Mapping[str, PoolState]) -> None:
        """Change pools."""
        self._states.update(states)

    def doubt(self, pools: Iterable[str]) -> None:
        """Nobody knows what these have become."""
        self._doubtful.update(pools)

    def lose(self) -> None:
        """Any pool may have been changed."""
        self._lost = True

    def since(self, before: Overlay) -> set[str]:
        """The pools that were changed since a copy was made."""
        return {pool for pool, one in self._states.items() if before._states.get(pool) is not one}
