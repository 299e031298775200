"""Keeps a book of pools whole: says what is to be read from the node, and takes it in though the
chain has gone on meanwhile.

What is read is as of a block. Where that is no longer the head, the logs of the blocks since are
applied to it first; where it is no longer of the chain, or too far back, it is read again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from types import MappingProxyType

from ...model.chain import Block, Log, Reorg
from ..fees import base_fee_after
from .book import PoolBook
from .changes import V3_INITIALIZE, changed
from .failures import Failures
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
        self.book = PoolBook()
        self.learner = learner
        self.failures = Failures()
        """Why pools that were read cannot be used."""
        self.incomplete = True
        """Whether pools may have been made that no log told of: they are to be searched for."""
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
        """Watch a pool from now on, or try it again if it could not be used; whether there is room
        for it."""
        if pool not in self._plans:
            if len(self._plans) >= self._most:
                self.left_out += 1
                return False
            self._plans[pool] = plan
            self._checks.append(pool)
            self._missing[pool] = None
        elif pool in self.failures:
            self._retry(pool)
        return True

    def _retry(self, pool: str) -> None:
        if pool in self._plans:
            self._missing[pool] = None

    @property
    def unusable(self) -> Mapping[str, str]:
        """Why pools that were read cannot be used."""
        return self.failures.reasons

    def use_manager(self, manager: str) -> None:
        """Take this contract for V4's PoolManager, whose logs tell of its pools."""
        self.learner.manager = self.book.manager = manager

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
        self.incomplete |= self.book.head is None or block.parent != self.book.head[1]
        self.incomplete |= not block.complete or block.logs is None
        touched = self.book.advance(block)
        if self._recent and self._recent[-1].hash != block.parent:
            self._recent.clear()
        self._recent.append(block)
        self._base_fee, self._timestamp = block.base_fee, block.timestamp
        self._next_base_fee = base_fee_after(block)
        for log in block.logs or ():
            self._learn(log)
        for pool in self.failures.due(block.number):
            self._retry(pool)
        return self._view(touched)

    def undo(self, reorg: Reorg) -> None:
        """Go back to a reorganisation's ancestor; the blocks in place of the others follow."""
        touched = self.book.undo(reorg)
        while self._recent and self._recent[-1].hash != reorg.ancestor_hash:
            self._recent.pop()
        for pool in self.failures.after(reorg.ancestor):
            self._retry(pool)
        self._note(touched)

    def _learn(self, log: Log) -> None:
        told = self.learner.told(log)
        if isinstance(told, Unusable):
            self.failures.note(told.id, told.reason, log.block_number, final=True)
        elif told is not None:
            self.want(*told)
        elif log.topics and log.topics[0] == V3_INITIALIZE and log.address in self.failures:
            self._retry(log.address)

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
        if self._place(block) is None or self.book.head is None:
            return False
        if isinstance(read, Unusable):
            self._give_up(pool, read.reason)
            return True
        state = self._caught_up(read.pool.id, read.state, block)
        if state is None:
            return False
        self._rename(pool, read.pool.id)
        self.book.load(read.pool, state, self.book.head[1])
        self._missing.pop(read.pool.id, None)
        self.failures.forget(pool)
        self._fresh.add(read.pool.id)
        return True

    def _rename(self, pool: str, name: str) -> None:
        """A pool of Balancer is named by its address, and known by its id."""
        if name != pool:
            self._plans[name] = self._plans.pop(pool)
            self._missing.pop(pool, None)
            self._checks.remove(pool)
            self._checks.append(name)

    def _give_up(self, pool: str, reason: str) -> None:
        assert self.book.head is not None
        self._missing.pop(pool, None)
        self.failures.note(pool, reason, self.book.head[0])
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

    def agrees(self, pool: str, read: Loaded | Unusable, block: str) -> bool | None:
        """Whether what a plan has read of a pool at a block is what is known of it; None where
        that cannot be told, since the block is too far back."""
        if isinstance(read, Unusable):
            return None if self._place(block) is None else False
        state = self._caught_up(pool, read.state, block)
        return None if state is None else self.book.agrees(pool, state)

    def check(self, pool: str, read: Loaded | Unusable, block: str) -> bool | None:
        """Hold a pool against what a plan has read of it at a block; where they differ it is
        repaired.

        Returns:
            Whether they are the same; None where that cannot be told, since the block is too far
            back.
        """
        if self._place(block) is None or self.book.head is None:
            return None
        if isinstance(read, Unusable):
            self._give_up(pool, read.reason)
            return False
        state = self._caught_up(pool, read.state, block)
        if state is None:
            return None
        same = self.book.check(pool, state, self.book.head[1])
        if not same:
            self._fresh.add(pool)
        return same

    def _caught_up(self, pool: str, state: PoolState, block: str) -> PoolState | None:
        """What a pool holds at the head, from what it held at a block."""
        place = self._place(block)
        if place is None:
            return None
        try:
            for one in list(self._recent)[place + 1 :]:
                if not one.complete or one.logs is None:
                    return None
                for log in one.logs:
                    # Balancer's pools log themselves too; an id begins with their address.
                    if self.book.pool_of(log) == pool or log.address == pool[:42]:
                        state = changed(state, log) or state
        except ValueError:
            return None
        return state

    def _place(self, block: str) -> int | None:
        """Of a block among the recent ones; None where it is not of the chain, or too far back."""
        places = (place for place, one in enumerate(self._recent) if one.hash == block)
        return next(places, None)

    @property
    def waiting(self) -> int:
        """Pools that are still to be read."""
        return len(self._missing)
