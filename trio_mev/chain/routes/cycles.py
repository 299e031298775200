"""The cycles that pools make, enumerated when a pool is learned.

A cycle goes through two to four pools and as many tokens, each once, and ends with the token that
it began with. Both of its directions are in the book. One that comes through a token twice is
two shorter ones, which are in the book themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations, product
from math import prod

from ...model.noun import Noun
from ..pools.pool import Pool

MOST_HOPS = 4
MOST_CYCLES = 100
"""Of one pool when it is learned, each direction for itself; the shortest are kept. Where a few
tokens are traded for everything, cycles of four hops grow with the square of the pools."""


class Edge(Noun, frozen=True):
    """One direction of a pool."""

    pool: str
    token_in: int
    """The place of what is paid, in the pool's own order."""
    token_out: int


class CycleBook:
    """Cycles by the pools that they go through.

    Args:
        bases: tokens in which profit is wanted, the dearest first. A cycle begins with the first
            of them that it has, else with its lowest address.
        most_hops: of a cycle, 2 to 4.
        most_cycles: that one new pool may add.
    """

    def __init__(
        self,
        bases: Sequence[str] = (),
        most_hops: int = MOST_HOPS,
        most_cycles: int = MOST_CYCLES,
    ) -> None:
        if not 2 <= most_hops <= MOST_HOPS:
            raise ValueError(f"a cycle has 2 to {MOST_HOPS} hops, not {most_hops}")
        self._rank = {token: place for place, token in enumerate(bases)}
        self._most_hops, self._most = most_hops, most_cycles
        self._edges: dict[Edge, int] = {}
        self._between: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._through: dict[str, list[int]] = {}
        self._tokens: dict[str, tuple[str, ...]] = {}
        self.edges: list[Edge] = []
        """By number."""
        self.cycles: list[tuple[int, ...]] = []
        """Numbers of edges; empty where a pool of it was removed."""
        self.left_out = 0
        """Cycles that pools would have added beyond the bound, or somewhat fewer where a pool has
        more than two tokens."""

    def __contains__(self, pool: str) -> bool:
        return pool in self._tokens

    def __len__(self) -> int:
        return sum(1 for cycle in self.cycles if cycle)

    def add(self, pool: Pool) -> int:
        """Learn a pool; how many cycles it adds.

        Raises:
            ValueError: it is known already.
        """
        if pool.id in self._tokens:
            raise ValueError(f"{pool.id} is known already")
        self._tokens[pool.id], self._through[pool.id] = pool.tokens, []
        pairs = list(permutations(range(len(pool.tokens)), 2))
        edges = [self._edge(Edge(pool.id, *pair)) for pair in pairs]
        room = len(self.cycles) + self._most
        for hops in range(2, self._most_hops + 1):
            for (one, other), edge in zip(pairs, edges, strict=True):
                ends = pool.tokens[other], pool.tokens[one]
                for path in self._paths(*ends, hops - 1):
                    self._add_all(edge, path, room)
        for (one, other), edge in zip(pairs, edges, strict=True):
            self._between[pool.tokens[one]][pool.tokens[other]].append(edge)
        return len(self.cycles) - room + self._most

    def _edge(self, edge: Edge) -> int:
        number = self._edges[edge] = len(self.edges)
        self.edges.append(edge)
        return number

    def _paths(
        self, start: str, end: str, hops: int, seen: str | None = None
    ) -> Iterator[list[list[int]]]:
        """Ways from a token to another through so many pools: the edges of each step."""
        near, far = self._between[start], self._between[end]
        if hops == 1:
            if end in near:
                yield [near[end]]
            return
        # Of the tokens in the middle of two steps, those of the end that has fewer are looked at.
        few, other = (near, far) if hops == 3 or len(near) < len(far) else (far, near)
        for token in few:
            if token in (end, seen) or (hops == 2 and token not in other):
                continue
            for path in self._paths(token, end, hops - 1, start):
                yield [near[token], *path]

    def _comes_from(self, edge: int) -> str:
        one = self.edges[edge]
        return self._tokens[one.pool][one.token_in]

    def _add_all(self, edge: int, path: list[list[int]], room: int) -> None:
        """The cycles that one way makes; pools of more than two tokens may be in it only once."""
        every = prod(map(len, path))
        for done, rest in enumerate(product(*path)):
            if len(self.cycles) >= room:
                self.left_out += every - done
                return
            cycle = (edge, *rest)
            pools = {self.edges[one].pool for one in cycle}
            if len(pools) < len(cycle):
                continue
            for pool in pools:
                self._through[pool].append(len(self.cycles))
            self.cycles.append(self._turned(cycle))

    def _turned(self, cycle: tuple[int, ...]) -> tuple[int, ...]:
        """From where it begins."""
        tokens = [self._comes_from(edge) for edge in cycle]
        first = min(
            range(len(cycle)), key=lambda n: (self._rank.get(tokens[n], len(self._rank)), tokens[n])
        )
        return cycle[first:] + cycle[:first]

    def remove(self, pool: str) -> None:
        """Forget a pool and its cycles."""
        for number in self._through.pop(pool):
            self.cycles[number] = ()
        tokens = self._tokens.pop(pool)
        for one, other in permutations(range(len(tokens)), 2):
            edge = self._edges.pop(Edge(pool, one, other))
            between = self._between[tokens[one]]
            between[tokens[other]].remove(edge)
            if not between[tokens[other]]:
                del between[tokens[other]]

    def edges_of(self, pool: str) -> list[int]:
        """The numbers of a pool's edges."""
        places = permutations(range(len(self._tokens[pool])), 2)
        return [self._edges[Edge(pool, *pair)] for pair in places]

    def through(self, pools: Iterable[str]) -> set[int]:
        """The numbers of the cycles through any of these pools."""
        found: set[int] = set()
        for pool in pools:
            found.update(self._through.get(pool, ()))
        return found

    def token(self, cycle: int) -> str:
        """The token that a cycle begins and ends with."""
        return self._comes_from(self.cycles[cycle][0])
