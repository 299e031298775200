"""A block's logs are those that the node gives for its hash; what was overheard is a hint.

A node streams logs as early hints: before their block or after it, twice, or never, and from
blocks that are no longer of the chain. ``removed`` comes late, twice or never too. So hints are
told once each and then held against what ``eth_getLogs {blockHash}`` says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

import attrs

from ..model.settings import LogFilter

MAX_BLOCKS = 256
"""Whose hints are remembered."""
MAX_HINTS = 50_000
"""Logs of one block that are remembered; 60 million gas hold 160,000 of the cheapest."""


class LogLike(Protocol):
    """What a log must tell of itself."""

    @property
    def block_hash(self) -> str:
        """Its block."""
        ...

    @property
    def log_index(self) -> int:
        """Its place in the block."""
        ...

    @property
    def address(self) -> str:
        """Who emitted it."""
        ...

    @property
    def topics(self) -> Sequence[str]:
        """Up to four."""
        ...


class Wanted:
    """Filters, to be applied to what a node says it has filtered."""

    def __init__(self, filters: Iterable[LogFilter]) -> None:
        self._filters = [
            (
                frozenset(address.lower() for address in one.address),
                tuple(_alternatives(topic) for topic in one.topics),
            )
            for one in filters
        ]

    def __call__(self, log: LogLike) -> bool:
        """Whether one of the filters admits a log, as ``eth_getLogs`` defines it."""
        return any(
            (not addresses or log.address in addresses) and _match(topics, log.topics)
            for addresses, topics in self._filters
        )


def _alternatives(topic: str | tuple[str, ...] | None) -> frozenset[str]:
    """Any of these; empty admits all."""
    several = (topic,) if isinstance(topic, str) else topic or ()
    return frozenset(one.lower() for one in several)


def _match(wanted: tuple[frozenset[str], ...], topics: Sequence[str]) -> bool:
    # A filter with more places than the log has topics admits it not, even if they admit any.
    return len(topics) >= len(wanted) and all(
        not admitted or topic in admitted for admitted, topic in zip(wanted, topics, strict=False)
    )


@attrs.frozen
class Reconciled:
    """What a block's own logs say about the hints."""

    hinted: int
    """Overheard before, and right."""
    missing: tuple[int, ...]
    """Indices of logs that nobody had overheard, rising."""
    surplus: int
    """Overheard, and not of the block."""


@attrs.define
class Counts:
    """Over all blocks so far."""

    hints: int = 0
    repeated: int = 0
    """Hints that came again."""
    hinted: int = 0
    missing: int = 0
    surplus: int = 0
    removed: int = 0
    """Hints that were taken back, each counted once."""
    removed_unknown: int = 0
    """Taken back without, or before, having been told."""


@attrs.define
class _Hints:
    told: set[int] = attrs.Factory(set)
    removed: set[int] = attrs.Factory(set)
    settled: bool = False
    """Whether the block's own logs are known: nothing can be hinted any more."""


class LogBook:
    """Which logs were told, by block and index.

    Args:
        blocks: whose hints are remembered; the oldest are forgotten first.
    """

    def __init__(self, blocks: int = MAX_BLOCKS) -> None:
        self._most = blocks
        self._blocks: OrderedDict[str, _Hints] = OrderedDict()
        self.counts = Counts()

    def _of(self, block_hash: str) -> _Hints:
        hints = self._blocks.get(block_hash)
        if hints is None:
            hints = self._blocks[block_hash] = _Hints()
            if len(self._blocks) > self._most:
                self._blocks.popitem(last=False)
        return hints

    def hint(self, log: LogLike) -> bool:
        """Whether an overheard log is to be told: it is new, and its block is not settled."""
        hints = self._of(log.block_hash)
        self.counts.hints += 1
        if hints.settled or log.log_index in hints.told or len(hints.told) >= MAX_HINTS:
            self.counts.repeated += 1
            return False
        hints.told.add(log.log_index)
        hints.removed.discard(log.log_index)
        return True

    def removed(self, log: LogLike) -> bool:
        """Whether a log that is taken back is to be told as such: it was told, and not yet
        taken back."""
        hints = self._blocks.get(log.block_hash)
        if hints is None or log.log_index not in hints.told or log.log_index in hints.removed:
            self.counts.removed_unknown += 1
            return False
        hints.removed.add(log.log_index)
        self.counts.removed += 1
        return True

    def settle(self, block_hash: str, indices: Iterable[int]) -> Reconciled:
        """Hold a block's own logs against what was overheard; they are all told from now on.

        Args:
            block_hash: the block.
            indices: of its logs.
        """
        hints, own = self._of(block_hash), set(indices)
        found = Reconciled(
            len(own & hints.told), tuple(sorted(own - hints.told)), len(hints.told - own)
        )
        hints.told, hints.settled = own, True
        self.counts.hinted += found.hinted
        self.counts.missing += len(found.missing)
        self.counts.surplus += found.surplus
        return found
