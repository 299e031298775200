"""The canonical chain as one feed sees it: told by parent hashes alone.

Heads come late, twice, out of order, and from several branches. What is true of them follows from
who is whose parent. The view plans first and changes only when a plan is applied, so that a plan
which retracts blocks can be checked with the node before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Generic, Protocol, TypeVar

import attrs

DEPTH = 64
"""Blocks that can be retracted; two epochs, after which a block of the main network is final."""
HELD = 1024
"""Blocks that may wait for their ancestors."""


class Linked(Protocol):
    """What a block must tell of itself."""

    @property
    def number(self) -> int:
        """Its height."""
        ...

    @property
    def hash(self) -> str:
        """Its name."""
        ...

    @property
    def parent(self) -> str:
        """The name of the block below."""
        ...


B = TypeVar("B", bound=Linked)


@attrs.frozen
class Repeat:
    """The block is on the chain already."""


@attrs.frozen
class Missing:
    """A block without which it cannot be told how another joins the chain."""

    number: int
    hash: str
    first: int
    """The lowest block that is missing for certain: the one after the tip, or this one."""


@attrs.frozen
class Unrelated:
    """The line of parents does not meet the chain within the depth."""

    lowest: int
    """The lowest block of the line that is known."""


@attrs.frozen
class Advance(Generic[B]):
    """How the chain becomes one that ends with the wanted block."""

    ancestor: B | None
    """The last block that both have in common; None where there was no chain, or where all of it
    is retracted."""
    retracted: tuple[B, ...]
    """No longer of the chain, newest first."""
    blocks: tuple[B, ...]
    """New on it, oldest first."""

    @property
    def reorganizes(self) -> bool:
        """Whether blocks that were told before are taken back."""
        return bool(self.retracted)


Plan = Repeat | Missing | Unrelated | Advance[B]


class ChainView(Generic[B]):
    """The newest blocks of the canonical chain, and those that wait for their ancestors.

    Args:
        depth: blocks below the tip that are remembered and can be retracted.
        held: blocks that may wait; the lowest are forgotten first.
    """

    def __init__(self, depth: int = DEPTH, held: int = HELD) -> None:
        self._depth = depth
        self._most_held = held
        self._chain: deque[B] = deque(maxlen=depth + 1)
        self._places: dict[str, B] = {}
        self._held: dict[str, B] = {}
        self._from_start = True
        """Whether the oldest block that is remembered is the first that ever was."""

    @property
    def tip(self) -> B | None:
        """The newest block; None before the first."""
        return self._chain[-1] if self._chain else None

    @property
    def blocks(self) -> tuple[B, ...]:
        """The chain, oldest first."""
        return tuple(self._chain)

    @property
    def lowest(self) -> int:
        """The number of the oldest block that is remembered; 0 before the first."""
        return self._chain[0].number if self._chain else 0

    def __contains__(self, block_hash: object) -> bool:
        return block_hash in self._places

    def __len__(self) -> int:
        return len(self._chain) + len(self._held)

    def known(self, block_hash: str) -> B | None:
        """A block of the chain, or one that waits."""
        return self._places.get(block_hash) or self._held.get(block_hash)

    def hold(self, block: B) -> bool:
        """Keep a block for plans to come, in place of one of that hash; whether it was new.

        Where too many are held, the lowest of them goes: it can be fetched again as an ancestor.
        """
        if block.hash in self._places:
            return False
        if block.hash in self._held:
            self._held[block.hash] = block
            return False
        self._held[block.hash] = block
        if len(self._held) > self._most_held:
            del self._held[min(self._held, key=lambda h: self._held[h].number)]
        return True

    def plan(self, block_hash: str) -> Plan[B]:
        """How the chain would come to end with a block that is held.

        Raises:
            KeyError: it is neither held nor on the chain.
        """
        if block_hash in self._places:
            return Repeat()
        block = self._held[block_hash]
        if not self._chain:
            return Advance(None, (), (block,))
        line = [block]
        while (ancestor := self._places.get(line[-1].parent)) is None:
            lowest = line[-1]
            parent = self._held.get(lowest.parent)
            if lowest.number <= self._chain[0].number:
                return self._below(line)
            if parent is None:
                below = lowest.number - 1
                return Missing(below, lowest.parent, min(self._chain[-1].number + 1, below))
            if parent.number != lowest.number - 1:
                return Unrelated(lowest.number)
            line.append(parent)
        if line[-1].number != ancestor.number + 1:
            return Unrelated(line[-1].number)
        return Advance(ancestor, tuple(self._above(ancestor)), tuple(reversed(line)))

    def _below(self, line: Sequence[B]) -> Plan[B]:
        """A line of parents, newest first, that goes below the chain: where nothing older was
        ever told, the whole chain gives way to it."""
        if not self._from_start:
            return Unrelated(line[-1].number)
        return Advance(None, tuple(reversed(self._chain)), tuple(reversed(line)))

    def _above(self, ancestor: B) -> Iterator[B]:
        """The blocks of the chain above one of them, newest first."""
        return takewhile(lambda block: block.hash != ancestor.hash, reversed(self._chain))

    def apply(self, plan: Advance[B]) -> None:
        """Make a plan true. What is retracted is held: it may return."""
        for block in plan.retracted:
            del self._places[self._chain.pop().hash]
            self.hold(block)
        for block in plan.blocks:
            if len(self._chain) == self._chain.maxlen:
                del self._places[self._chain[0].hash]
            self._chain.append(block)
            self._places[block.hash] = block
            self._held.pop(block.hash, None)
        # Who is made from as many blocks as this cannot know whether there were more.
        self._from_start = self._from_start and len(self._chain) != self._chain.maxlen
        lowest = self._chain[0].number
        for block_hash in [h for h, b in self._held.items() if b.number <= lowest]:
            del self._held[block_hash]

    def restart(self, block: B) -> tuple[B, ...]:
        """Begin anew with a block that has nothing to do with the chain so far.

        Returns:
            The blocks of the old chain that are at or above its height, newest first: they
            cannot be of one chain with it. Those below may be.
        """
        above = tuple(b for b in reversed(self._chain) if b.number >= block.number)
        self._from_start = self._from_start and len(above) == len(self._chain)
        self._chain.clear()
        self._places.clear()
        self._held.clear()
        self._chain.append(block)
        self._places[block.hash] = block
        return above
