"""Pools that could not be used, and when they are tried again: what a node says may be a mood, and
what a contract is may change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import attrs

FIRST = 10
"""Blocks until a pool that could not be used is tried again; then twice as many each time."""
LONGEST = 7200
"""Blocks: a day."""
MOST = 10_000
"""That are remembered; the oldest are forgotten first."""


@attrs.frozen
class Failure:
    """Why a pool cannot be used."""

    reason: str
    block: int
    """As of which that was found."""
    times: int
    again: int | None
    """The block from which on it is tried again; None where that is of no use."""


class Failures:
    """Why pools cannot be used."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Failure] = OrderedDict()

    def __contains__(self, pool: str) -> bool:
        return pool in self._known

    @property
    def reasons(self) -> Mapping[str, str]:
        """By pool."""
        return {pool: one.reason for pool, one in self._known.items()}

    def note(self, pool: str, reason: str, block: int, *, final: bool = False) -> bool:
        """A pool cannot be used; whether it could, or for another reason, before.

        Args:
            pool: which.
            reason: why.
            block: as of which.
            final: whether it is of no use to try again.
        """
        before = self._known.pop(pool, None)
        times = 1 if before is None else before.times + 1
        pause = min(FIRST << min(times - 1, 20), LONGEST)
        again = None if final else block + pause
        self._known[pool] = Failure(reason, block, times, again)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return before is None or before.reason != reason

    def forget(self, pool: str) -> bool:
        """It can be used, or is to be tried now; whether it could not."""
        return self._known.pop(pool, None) is not None

    def due(self, block: int) -> Iterator[str]:
        """Pools to be tried again at a block."""
        for pool, one in list(self._known.items()):
            if one.again is not None and one.again <= block:
                self._known[pool] = attrs.evolve(one, again=None)
                yield pool

    def after(self, block: int) -> Iterator[str]:
        """Pools that could not be used as of blocks behind this one, which are no longer of the
        chain."""
        for pool, one in list(self._known.items()):
            if one.block > block:
                yield pool
