"""Which cycles pay, after some pools have changed, and how much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ...model.noun import Noun
from ..pools.pool import Pool
from ..pools.swap import PoolState
from .cycles import MOST_CYCLES, MOST_HOPS, CycleBook, Edge
from .exact import Sized, bound, size
from .hop import AskedHop, Hop, hop_of

MOST_CANDIDATES = 64
"""Of each cycle in a round. What a longer search may add is in its bound; `size` alone tries
more, for the few that deserve it."""
NEARLY = -1e-12
"""A sum of logarithms that rounding may have brought below zero."""


class Found(Noun, frozen=True):
    """A cycle that pays."""

    token: str
    """What it begins and ends with."""
    route: tuple[Edge, ...]
    sized: Sized


class Promise(Noun, frozen=True):
    """A cycle whose first unit would pay, before it is sized."""

    number: int
    """In the book."""
    token: str
    route: tuple[Edge, ...]
    bound: int | None
    """No input pays more; None where nothing is known of that."""


class Round(Noun, frozen=True):
    """What became of the cycles through the pools that changed."""

    cycles: int
    unusable: int
    """Of those, through a pool that cannot be trusted or is empty."""
    screened: int
    """Of the others, whose first unit would pay; only these are sized."""
    found: tuple[Found, ...]
    """Those that pay in integers, the cycles' own order."""


class RouteFinder:
    """Cycles, and what their pools hold.

    Args:
        bases: see `CycleBook`.
        most_hops: of a cycle.
        most_cycles: that one new pool may add.
        most_candidates: see `size`.
    """

    def __init__(
        self,
        bases: Sequence[str] = (),
        most_hops: int = MOST_HOPS,
        most_cycles: int = MOST_CYCLES,
        most_candidates: int = MOST_CANDIDATES,
    ) -> None:
        self.book = CycleBook(bases, most_hops, most_cycles)
        self._most_candidates = most_candidates
        self._pools: dict[str, Pool] = {}
        self._hops: list[Hop | None] = []
        self._rates: list[float] = []

    def learn(self, pool: Pool, state: PoolState | None) -> int:
        """Take a new pool, None where what it holds is not known; how many cycles it adds."""
        added = self.book.add(pool)
        self._pools[pool.id] = pool
        missing = len(self.book.edges) - len(self._rates)
        self._rates += [-math.inf] * missing
        self._hops += [None] * missing
        self.update(pool.id, state)
        return added

    def forget(self, pool: str) -> None:
        """Leave a pool and its cycles out from now on."""
        self.book.remove(pool)
        del self._pools[pool]

    def update(self, pool: str, state: PoolState | None) -> None:
        """Take what a pool holds now; None where it cannot be trusted."""
        for number in self.book.edges_of(pool):
            hop = None if state is None else self._hop(self.book.edges[number], state)
            self._hops[number] = hop
            self._rates[number] = -math.inf if hop is None else hop.log_rate

    @contextmanager
    def trying(self, states: Mapping[str, PoolState]) -> Iterator[None]:
        """Pools are otherwise for a while."""
        numbers = [number for pool in states for number in self.book.edges_of(pool)]
        before = [(number, self._hops[number], self._rates[number]) for number in numbers]
        for pool, state in states.items():
            self.update(pool, state)
        try:
            yield
        finally:
            for number, hop, rate in before:
                self._hops[number], self._rates[number] = hop, rate

    def _hop(self, edge: Edge, state: PoolState) -> Hop:
        hop = hop_of(state, edge.token_in, edge.token_out)
        if hop is None:
            decimals = self._pools[edge.pool].decimals[edge.token_in]
            unit: int = 10 ** max(decimals - 4, 0)
            hop = AskedHop(state, edge.token_in, edge.token_out, unit)
        return hop

    def look(self, changed: Iterable[str]) -> Round:
        """Size every cycle through pools that changed, if its first unit would pay."""
        promising, unusable, living = self._promising(changed)
        found = [one for number in promising if (one := self._size(number)) is not None]
        return Round(living, unusable, len(promising), tuple(found))

    def _promising(self, changed: Iterable[str]) -> tuple[list[int], int, int]:
        """The cycles through pools that changed whose first unit would pay, in order; how many
        others are of no use, and how many there are."""
        rates, cycles = self._rates, self.book.cycles
        numbers = self.book.through(changed)
        unusable, promising, dead = 0, list[int](), 0
        for number in numbers:
            cycle = cycles[number]
            if not cycle:
                dead += 1
                continue
            total = 0.0
            for edge in cycle:
                total += rates[edge]
            if total > NEARLY:
                promising.append(number)
            elif total == -math.inf:
                unusable += 1
        return sorted(promising), unusable, len(numbers) - dead

    def promises(self, changed: Iterable[str]) -> list[Promise]:
        """As `look`, but each cycle with a bound of what it pays in place of that itself."""
        promising, _, _ = self._promising(changed)
        every = [(number, bound(self._way(number))) for number in promising]
        return [
            Promise(number, self.book.token(number), self._route(number), most)
            for number, most in every
            if most is None or most > 0
        ]

    def keep(self, promise: Promise) -> Found | None:
        """Size a cycle, while its pools are as they were when it was promised; None where it does
        not pay."""
        return self._size(promise.number)

    def _way(self, number: int) -> list[Hop]:
        return [hop for edge in self.book.cycles[number] if (hop := self._hops[edge]) is not None]

    def _route(self, number: int) -> tuple[Edge, ...]:
        return tuple([self.book.edges[edge] for edge in self.book.cycles[number]])

    def _size(self, number: int) -> Found | None:
        sized = size(self._way(number), self._most_candidates)
        if sized is None:
            return None
        return Found(self.book.token(number), self._route(number), sized)
