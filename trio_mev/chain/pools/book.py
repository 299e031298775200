"""What every pool holds at the head of the chain: advanced by whole blocks, undone by
reorganisations.

A pool that cannot be trusted is quarantined with its reason: it is in the book, but not used,
until it is loaded again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import attrs

from ...model.chain import Block, Log, Reorg
from ...model.intents import Hop
from .changes import POOL_MANAGER, changed, pool_of
from .pool import Key, Pool, Protocol, key_named, key_of
from .swap import PoolState
from .ticked import alike
from .weighted_changes import VAULT

MOST_BLOCKS = 256
"""That can be undone."""


@attrs.frozen
class Entry:
    """A pool, and what it holds; or why that is not known."""

    pool: Pool
    state: PoolState
    quarantine: str | None = None
    """The reason; the state is then the last that was believed."""


@attrs.frozen
class _Page:
    """A block, and what it wrote over."""

    number: int
    hash: str
    before: dict[str, Entry | None] = attrs.Factory(dict)


@attrs.define
class Counts:
    """Over all blocks so far."""

    blocks: int = 0
    logs: int = 0
    """That changed a pool of the book."""
    undone: int = 0
    """Blocks."""
    quarantined: Counter[str] = attrs.Factory(Counter)
    """By reason."""
    checked: int = 0
    repaired: int = 0
    """Pools that were found to be otherwise than the node says."""


def find(hop: Hop, entries: Mapping[str, Entry], named: Mapping[Key, str]) -> Entry | None:
    """The pool that a call means.

    Args:
        hop: names it.
        entries: pools by their ids.
        named: ids by what else a call may name a pool by.
    """
    if hop.pool is not None:
        return entries.get(hop.pool)
    key = key_named(hop)
    pool = None if key is None else named.get(key)
    return None if pool is None else entries.get(pool)


class PoolBook:
    """Pools as of one block.

    Args:
        blocks: how many can be undone.
        manager: the address of Uniswap V4's PoolManager.
        vault: that of Balancer's vault.
    """

    def __init__(
        self, blocks: int = MOST_BLOCKS, manager: str = POOL_MANAGER, vault: str = VAULT
    ) -> None:
        self._entries: dict[str, Entry] = {}
        self._named: dict[Key, str] = {}
        self._pages: deque[_Page] = deque(maxlen=blocks)
        self.manager = manager
        self._vault = vault
        self._ids: dict[str, str] = {}
        """Of pools whose contract logs too, by its address."""
        self.head: tuple[int, str] | None = None
        """Number and hash of the block that everything here is as of; None before the first."""
        self.counts = Counts()

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, pool: str) -> Entry:
        return self._entries[pool]

    def __contains__(self, pool: str) -> bool:
        return pool in self._entries

    def entries(self) -> dict[str, Entry]:
        """All of them as of now, by their pools' ids."""
        return dict(self._entries)

    def find(self, hop: Hop) -> Entry | None:
        """The pool that a call means, by its id or by what else it is named by."""
        return find(hop, self._entries, self._named)

    @property
    def named(self) -> Mapping[Key, str]:
        """Ids of pools by what else calls may name them by."""
        return MappingProxyType(self._named)

    def usable(self) -> Iterator[Entry]:
        """The pools that are not quarantined."""
        return (entry for entry in self._entries.values() if entry.quarantine is None)

    def pool_of(self, log: Log) -> str:
        """The id of the pool that a log is of."""
        pool = pool_of(log, self.manager, self._vault)
        return self._ids.get(pool, pool)

    def load(self, pool: Pool, state: PoolState, block: str) -> bool:
        """Take a pool as it was read at a block, new or again.

        Returns:
            Whether it was taken: it is not where the block is not the head.
        """
        if self.head is None or block != self.head[1]:
            return False
        self._read(Entry(pool, state))
        key = key_of(pool)
        if key is not None:
            self._named[key] = pool.id
        return True

    def begin(self, number: int, block_hash: str) -> None:
        """Start, or start again, at a block: what is in the book is of another one, and is
        quarantined until it is loaded."""
        self.head = number, block_hash
        self._pages.clear()
        self._pages.append(_Page(number, block_hash))
        self._distrust(self._entries, "blocks are missing")

    def agrees(self, pool: str, state: PoolState) -> bool:
        """Whether a pool is usable, and holds what the node says that it does at the head."""
        entry = self._entries[pool]
        return entry.quarantine is None and alike(entry.state, state)

    def check(self, pool: str, state: PoolState, block: str) -> bool | None:
        """Hold a pool against what the node says; where they differ the node is believed.

        Returns:
            Whether they are the same; None where the block is not the head.
        """
        if self.head is None or block != self.head[1]:
            return None
        entry = self._entries[pool]
        self.counts.checked += 1
        if self.agrees(pool, state):
            if entry.state != state:  # more of its ticks are known now, or others
                self._read(Entry(entry.pool, state))
            return True
        self.counts.repaired += 1
        self._read(Entry(entry.pool, state))
        return False

    def advance(self, block: Block) -> set[str]:
        """Go on to the next block; the pools that it changed or cast doubt on.

        A block without all of its logs, or that does not follow on the head, casts doubt on
        every pool.
        """
        follows = self.head is not None and block.parent == self.head[1]
        if not follows or not block.complete or block.logs is None:
            self.begin(block.number, block.hash)
            return set(self._entries)
        self.head = block.number, block.hash
        page = _Page(block.number, block.hash)
        self._pages.append(page)
        self.counts.blocks += 1
        for log in block.logs:
            entry = self._entries.get(self.pool_of(log))
            if entry is not None and entry.quarantine is None:
                self._follow(entry, log)
        return set(page.before)

    def _follow(self, entry: Entry, log: Log) -> None:
        try:
            state = changed(entry.state, log)
        except ValueError as problem:
            self._distrust([entry.pool.id], str(problem))
            return
        if state is not None:
            self.counts.logs += 1
            self._put(Entry(entry.pool, state))

    def undo(self, reorg: Reorg) -> set[str]:
        """Go back to the last block that both chains have; the pools that are not what they were.

        A pool that was loaded since is quarantined, and so is every pool where the ancestor is
        further back than is remembered.
        """
        touched: set[str] = set()
        while self._pages and self._pages[-1].hash != reorg.ancestor_hash:
            page = self._pages.pop()
            self.counts.undone += 1
            touched |= set(page.before)
            for pool, before in page.before.items():
                entry = self._entries[pool]
                self._entries[pool] = before or attrs.evolve(
                    entry, quarantine="it was read from a block that was retracted"
                )
        if not self._pages:
            self.begin(reorg.ancestor, reorg.ancestor_hash)
            return set(self._entries)
        self.head = self._pages[-1].number, self._pages[-1].hash
        return touched

    def _put(self, entry: Entry) -> None:
        before = self._pages[-1].before
        before.setdefault(entry.pool.id, self._entries.get(entry.pool.id))
        self._entries[entry.pool.id] = entry

    def _read(self, entry: Entry) -> None:
        # What was held before was not there, or wrong: it is no state to come back to, nor is any
        # that is older.
        for page in self._pages:
            if entry.pool.id in page.before:
                page.before[entry.pool.id] = None
        self._pages[-1].before[entry.pool.id] = None
        if entry.pool.protocol is Protocol.BALANCER_WEIGHTED:
            # The first 20 bytes of its id.
            self._ids[entry.pool.id[:42]] = entry.pool.id
        self._entries[entry.pool.id] = entry

    def distrust(self, pool: str, reason: str) -> None:
        """Quarantine a pool until it is loaded again, for what the node says of it."""
        self.counts.quarantined[reason] += 1
        self._read(attrs.evolve(self._entries[pool], quarantine=reason))

    def _distrust(self, pools: Iterable[str], reason: str) -> None:
        for pool in list(pools):
            self.counts.quarantined[reason] += 1
            self._put(attrs.evolve(self._entries[pool], quarantine=reason))

    @property
    def quarantined(self) -> Mapping[str, str]:
        """Why each pool that is not used is not."""
        found = ((pool, entry.quarantine) for pool, entry in self._entries.items())
        return {pool: reason for pool, reason in found if reason is not None}
