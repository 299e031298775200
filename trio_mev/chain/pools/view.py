"""What every pool holds as of one block, to be read by whoever gets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from ...model.intents import Hop
from .book import Entry, find
from .pool import Key
from .swap import PoolState


@attrs.frozen(eq=False)
class PoolsView:
    """Every pool that is watched, as of the end of a block. Nothing in it ever changes."""

    number: int
    hash: str
    base_fee: int | None
    """Of the block, in wei a gas."""
    entries: Mapping[str, Entry]
    """By the pool's id."""
    changed: frozenset[str]
    """Pools of which something is otherwise than in the view before: what they hold, whether
    they can be used, or that they are there at all."""
    left_out: int = 0
    """Pools that were found and are not watched, since they are too many."""
    named: Mapping[Key, str] = attrs.Factory(dict)
    """Ids of pools by what else calls may name them by."""
    timestamp: int = 0
    """Of the block, in seconds since the epoch."""
    next_base_fee: int | None = None
    """Of the block to come, in wei a gas, which this one determines."""

    def find(self, hop: Hop) -> Entry | None:
        """The pool that a call means, by its id or by what else it is named by."""
        return find(hop, self.entries, self.named)

    def usable(self) -> Iterator[Entry]:
        """The pools that are not quarantined."""
        return (entry for entry in self.entries.values() if entry.quarantine is None)

    def state(self, pool: str) -> PoolState | None:
        """What a pool holds; None where that is not known."""
        entry = self.entries.get(pool)
        return None if entry is None or entry.quarantine is not None else entry.state
