"""Which opportunities are open, and until when. Pure: no clock, no network."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from decimal import Decimal
from statistics import median

from ..model.chain import Block, Life, MempoolView
from ..model.opportunity import Opportunity, Status
from ..model.snapshot import MempoolSnapshot, OpenOpportunity
from .scores import MOST_AGE

MOST_OPEN = 1_000
"""Opportunities that are kept; of more, the oldest are forgotten and counted."""
MOST_TOLD = 20
BLOCKS_REMEMBERED = 8
_OVER = frozenset({Life.INCLUDED, Life.REPLACED, Life.DROPPED, Life.EXPIRED})


class Board:
    """The opportunities that are open."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Opportunity] = OrderedDict()
        self._head: Block | None = None
        self._came_at = 0.0
        self._spans: deque[float] = deque(maxlen=BLOCKS_REMEMBERED)
        """Seconds from block to block, by their own time."""
        self._landed: deque[frozenset[str]] = deque(maxlen=BLOCKS_REMEMBERED)
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._open)

    def take(self, one: Opportunity) -> bool:
        """Something was found, or decided; whether that changes what is open."""
        if one.status is not Status.PREDICTED:
            return self._open.pop(one.id, None) is not None
        if self._is_over(one):
            return False
        self._open[one.id] = one
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
            self.forgotten += 1
        return True

    def _is_over(self, one: Opportunity) -> bool:
        """Whether a block has decided it already: that is served before what waits."""
        if any(one.cause in block for block in self._landed):
            return True
        # What comes of a pending transaction lasts for as long as that is pending, and what comes
        # of a block's state until its pools are touched, which the ledger tells.
        head = self._head
        return one.on_state and head is not None and head.number - (one.block or 0) > MOST_AGE

    def advance(self, block: Block, now: float) -> None:
        """A block came, at a time: what could only be done until now is over."""
        before = self._head
        if before is not None and block.number > before.number:
            apart = block.timestamp - before.timestamp
            self._spans.append(apart / (block.number - before.number))
        self._head, self._came_at = block, now
        self._landed.append(frozenset(block.transactions or ()))
        self._close(one.id for one in list(self._open.values()) if self._is_over(one))

    def lived(self, transaction: str, life: Life) -> bool:
        """A step of a pending transaction's life; whether that changes what is open."""
        if life not in _OVER:
            return False
        return self._close(one.id for one in list(self._open.values()) if one.cause == transaction)

    def retract(self, blocks: Iterable[Block]) -> bool:
        """Blocks are no longer of the chain; whether that changes what is open."""
        gone = {block.hash for block in blocks}
        self._landed.clear()
        return self._close(one.id for one in list(self._open.values()) if one.cause in gone)

    def _close(self, names: Iterable[str]) -> bool:
        closed = [self._open.pop(name) for name in names]
        return bool(closed)

    def snapshot(
        self, view: MempoolView | None, prices: dict[str, Decimal], now: float
    ) -> MempoolSnapshot:
        """What is open now."""
        best = sorted(self._open.values(), key=_by_worth)
        return MempoolSnapshot(
            view,
            dict(prices),
            len(best),
            _together(best),
            sum(one.usd is None for one in best),
            tuple(
                OpenOpportunity(one, one.confidence, self._remaining(one, now))
                for one in best[:MOST_TOLD]
            ),
        )

    def _remaining(self, one: Opportunity, now: float) -> float | None:
        head, last = self._head, one.expires_block
        if head is None or last is None or not self._spans:
            return None
        blocks = max(1, last - head.number)
        return max(0.0, self._came_at + blocks * median(self._spans) - now)


def _by_worth(one: Opportunity) -> tuple[bool, Decimal, str]:
    """The most USD first, those without a value last."""
    return one.usd is None, -(one.usd or Decimal(0)), one.id


def _together(best: Iterable[Opportunity]) -> Decimal | None:
    """USD of those that do not share a pool with a better one."""
    total, used = None, set[str]()
    for one in best:
        if one.usd is None or not used.isdisjoint(one.pools):
            continue
        used.update(one.pools)
        total = (total or Decimal(0)) + one.usd
    return total
