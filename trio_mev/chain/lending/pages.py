"""The blocks that are remembered, and what each of them touched."""

from __future__ import annotations

import attrs

MOST_BLOCKS = 256
"""That a reorganisation may undo, and that what is read may be behind."""


@attrs.frozen
class Head:
    """The block that everything is as of."""

    number: int
    hash: str
    time: int
    base_fee: int | None = None


@attrs.frozen
class Page:
    """A block, and what it touched."""

    head: Head
    users: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    """Whose price it changed."""
    market: bool = False
    reserves: bool = False


@attrs.define
class Counts:
    """Over all blocks so far."""

    blocks: int = 0
    undone: int = 0
    read: int = 0
    """Positions."""
    checked: int = 0
    """Positions and pools."""
    repaired: int = 0
    """Of those, that were otherwise than the node says."""
