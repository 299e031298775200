"""Keeps a book of pools whole: says what is to be read from the node, and takes it in though the
chain has gone on meanwhile.

What is read is as of a block. Where that is no longer the head, the logs of the blocks since are
applied to it first; where it is no longer of the chain, or too far back, it is read again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from types import MappingProxyType

from ...model.chain import Block, Log, Reorg
from ..fees import next_base_fee
from .book import PoolBook
from .changes import V3_INITIALIZE, changed
from .learning import Learner, MakePlan
from .loading import Loaded
from .pool import Unusable
from .swap import PoolState
from .view import PoolsView

MOST_RECENT = 64
"""Blocks whose logs are kept for what is read meanwhile."""


class PoolKeeper:
    """Pools, and what is to be read of them.

    Args:
        learner: says which pools are wanted when they are new.
        most: pools that are watched; more are counted and left out.
    """

    def __init__(self, learner: Learner, most: int) -> None:
        manager = () if learner.v4 is None else (learner.v4.manager,)
        self.book = PoolBook(manager=manager[0]) if manager else PoolBook()
        self.learner = learner
        self.unusable: dict[str, str] = {}
        """Why pools that were read cannot be used."""
        self.left_out = 0
        self._most = most
        self._plans: dict[str, MakePlan] = {}
        self._missing: OrderedDict[str, None] = OrderedDict()
        self._checks: deque[str] = deque()
        self._recent: deque[Block] = deque(maxlen=MOST_RECENT)
        self._fresh: set[str] = set()
        self._base_fee: int | None = None
        self._next_base_fee: int | None = None
        self._timestamp = 0

    def want(self, pool: str, plan: MakePlan) -> bool:
        """Watch a pool from now on; whether there is room for it."""
        if pool not in self._plans:
            if len(self._plans) >= self._most:
                self.left_out += 1
                return False
            self._plans[pool] = plan
            self._checks.append(pool)
            self._missing[pool] = None
        return True

    @property
    def missing(self) -> tuple[str, ...]:
        """Pools to be read, those that have waited longest first."""
        return tuple(self._missing)

    def postpone(self, pool: str) -> None:
        """Let the others that are missing come before this one."""
        if pool in self._missing:
            self._missing.move_to_end(pool)

    def plan(self, pool: str) -> MakePlan:
        """How a pool is read."""
        return self._plans[pool]

    @property
    def head(self) -> tuple[int, str] | None:
        """Number and hash of the block that the book is as of."""
        return self.book.head

    def advance(self, block: Block) -> PoolsView:
        """Go on to a block; the pools as of its end."""
        touched = self.book.advance(block)
        if self._recent and self._recent[-1].hash != block.parent:
            self._recent.clear()
        self._recent.append(block)
        self._base_fee, self._timestamp = block.base_fee, block.timestamp
        if block.base_fee is not None:
            fees = block.base_fee, block.gas_used, block.gas_limit
            self._next_base_fee = next_base_fee(*fees)
        for log in block.logs or ():
            self._learn(log)
        return self._view(touched)

    def undo(self, reorg: Reorg) -> None:
        """Go back to a reorganisation's ancestor; the blocks in place of the others follow."""
        touched = self.book.undo(reorg)
        while self._recent and self._recent[-1].hash != reorg.ancestor_hash:
            self._recent.pop()
        self._note(touched)

    def _learn(self, log: Log) -> None:
        told = self.learner.told(log)
        if told is not None:
            self.want(*told)
        elif log.topics and log.topics[0] == V3_INITIALIZE and log.address in self.unusable:
            del self.unusable[log.address]
            self._missing[log.address] = None

    def _view(self, touched: set[str]) -> PoolsView:
        assert self.book.head is not None
        self._note(touched)
        fresh, self._fresh = frozenset(self._fresh), set()
        entries = MappingProxyType(self.book.entries())
        return PoolsView(
            *self.book.head,
            self._base_fee,
            entries,
            fresh,
            self.left_out,
            self.book.named,
            self._timestamp,
            self._next_base_fee,
        )

    def _note(self, pools: set[str]) -> None:
        self._fresh |= pools
        for pool in pools:
            if self.book[pool].quarantine is not None:
                self._missing[pool] = None

    def take(self, pool: str, read: Loaded | Unusable, block: str) -> bool:
        """Take in what a plan has read at a block.

        Returns:
            Whether that was of any use; if not, the pool is still missing.
        """
        if isinstance(read, Unusable):
            self._give_up(pool, read.reason)
            return True
        state = self._caught_up(pool, read.state, block)
        if state is None or self.book.head is None:
            return False
        self.book.load(read.pool, state, self.book.head[1])
        self._missing.pop(pool, None)
        self.unusable.pop(pool, None)
        self._fresh.add(pool)
        return True

    def _give_up(self, pool: str, reason: str) -> None:
        self._missing.pop(pool, None)
        self.unusable[pool] = reason
        if pool in self.book:  # it was one, and is none any more
            self.book.distrust(pool, reason)
            self._fresh.add(pool)

    def to_check(self) -> str | None:
        """The pool that has not been held against the node for longest."""
        for _ in range(len(self._checks)):
            self._checks.rotate(-1)
            pool = self._checks[-1]
            if pool in self.book and self.book[pool].quarantine is None:
                return pool
        return None

    def check(self, pool: str, read: Loaded | Unusable, block: str) -> bool | None:
        """Hold a pool against what a plan has read of it at a block; where they differ it is
        repaired.

        Returns:
            Whether they are the same; None where that cannot be told, since the block is too far
            back.
        """
        if isinstance(read, Unusable):
            self._give_up(pool, read.reason)
            return False
        state = self._caught_up(pool, read.state, block)
        if state is None or self.book.head is None:
            return None
        same = self.book.check(pool, state, self.book.head[1])
        if not same:
            self._fresh.add(pool)
        return same

    def _caught_up(self, pool: str, state: PoolState, block: str) -> PoolState | None:
        """What a pool holds at the head, from what it held at a block."""
        places = [place for place, one in enumerate(self._recent) if one.hash == block]
        if not places:
            return None
        try:
            for one in list(self._recent)[places[0] + 1 :]:
                if not one.complete or one.logs is None:
                    return None
                for log in one.logs:
                    # Balancer's pools log themselves too; an id begins with their address.
                    if self.book.pool_of(log) == pool or log.address == pool[:42]:
                        state = changed(state, log) or state
        except ValueError:
            return None
        return state

    @property
    def waiting(self) -> int:
        """Pools that are still to be read."""
        return len(self._missing)
