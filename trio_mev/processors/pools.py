"""PoolTracker: what every watched pool holds, as of each block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice

import trio
from loguru import logger

from ..chain.effects.pending import PendingBook
from ..chain.pools.keeper import PoolKeeper
from ..chain.pools.learning import MakePlan
from ..chain.pools.loading import HOOKED, NOT_INITIALISED, PoolKey
from ..chain.pools.pool import Unusable
from ..chain.pools.view import PoolsView
from ..errors import MalformedFrame, RpcFailed, RpcTimeout, StreamConnectionError
from ..flow.processor import DataProcessor
from ..model.chain import Block, Life, PendingLife, Transaction
from ..model.event import DataEvent, DataType, EventPriority
from ..model.health import HealthIssue
from ..model.settings import PoolSettings
from ..wire.limits import Answer, classify
from .reading import PlanReader
from .wanted import make_learner

AT_ONCE = 4
"""Pools that are read at the same time."""
_EXPECTED = frozenset({HOOKED, NOT_INITIALISED})
"""Why a pool cannot be used although nothing is wrong."""
_OVER = frozenset({Life.REPLACED, Life.DROPPED, Life.EXPIRED})
"""Stations after which a transaction is in no block to come."""
_Missing = tuple[str, MakePlan, str]
"""A pool, how it is read, and as of which block."""
_WEATHER = (RpcFailed, RpcTimeout, StreamConnectionError, MalformedFrame)


class PoolTracker(DataProcessor):
    """Keeps pools as of the head: read from the node once, then advanced by complete blocks,
    undone by reorganisations, and now and then held against the node.

    Emits the pools as of each block; what is read meanwhile comes with the next one. Without a
    node to ask there are none. Emits too what each pending swap would do to them in the next
    block, when it is first seen, and again with every block that it is not in.

    Args:
        settings: which pools.
        chain_id: of the chain, where it is known; the main network's contracts are on 1.
        sources: whose blocks are followed, by the feed's name and its nodes'; None: all.
    """

    consumes = frozenset({DataType.BLOCK, DataType.REORG, DataType.TRANSACTION, DataType.MEMPOOL})
    emits = frozenset({DataType.POOLS, DataType.EFFECT})

    def __init__(
        self,
        settings: PoolSettings,
        chain_id: int | None = None,
        sources: frozenset[str] | None = None,
    ) -> None:
        self.settings = settings
        self.keeper = PoolKeeper(make_learner(settings, chain_id), settings.most)
        for pool in settings.addresses:
            self.keeper.want(pool.lower(), self.keeper.learner.named(pool.lower()))
        self._sources = sources
        self.pending = PendingBook(settings.most_pending)
        self._view: PoolsView | None = None
        self._moved = trio.Event()
        self._searching = False
        self._head_at = 0.0
        """When the newest block came. Whether it is time to check is told by this and not by a
        clock: a replay is not as late as a live run is, and has to ask the same."""
        self._checked_at = float("-inf")
        self._trouble: str | None = None

    def admits(self, event: DataEvent) -> bool:
        """Whether it is of the chain that is followed."""
        return self._sources is None or event.source in self._sources

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The pools as of a block, and what pending transactions would do to them."""
        kind = event.event_type
        if kind is DataType.TRANSACTION:
            return self._pending(event, event.data)
        if kind is DataType.MEMPOOL:
            self._lived(event.data)
        elif kind is DataType.REORG:
            self.keeper.undo(event.data)
            for block in event.data.retracted:
                for name in block.transactions or ():
                    self.pending.restore(name)
        else:
            return self._advance(event, event.data)
        return ()

    def _lived(self, step: PendingLife) -> None:
        if step.life is Life.INCLUDED:
            self.pending.include(step.hash)
        elif step.life is Life.RETURNED:
            self.pending.restore(step.hash)
        elif step.life in _OVER:
            self.pending.forget(step.hash)

    def _pending(self, event: DataEvent, body: Transaction) -> Iterable[DataEvent]:
        found = self.pending.add(body, self._view, self._reading)
        if found is None:
            return ()
        return (event.finding(found, DataType.EFFECT, EventPriority.HIGH),)

    @property
    def _reading(self) -> bool:
        """Whether there will be more pools."""
        searching = self._searching or self.keeper.incomplete
        return self.keeper.waiting > 0 or (self.rpc is not None and searching)

    def _advance(self, event: DataEvent, block: Block) -> Iterable[DataEvent]:
        """The pools as of a block, and what is still pending, on these."""
        self._view = view = self.keeper.advance(block)
        self._head_at = event.received_at
        self._moved.set()
        for included in block.transactions or ():
            self.pending.include(included)
        told = [event.finding(view, DataType.POOLS, EventPriority.HIGH)]
        effects = self.pending.look(view, self._reading)
        told += [event.finding(one, DataType.EFFECT, EventPriority.HIGH) for one in effects]
        return told

    async def attend(self) -> None:
        """Read, after each block, the pools that are missing; hold one against the node."""
        if self.rpc is None:
            return
        reader = PlanReader(self.rpc, self.settings.batch)
        while True:
            await self._moved.wait()
            self._moved = trio.Event()
            try:
                await self._search(reader)
                try:
                    await self._read_missing(reader)
                finally:
                    await self._check(reader)
                self._trouble = None
            except _WEATHER as error:
                self._note_trouble(error)

    def _note_trouble(self, error: Exception) -> None:
        """With the next block it is tried again."""
        if self._trouble is None:
            logger.warning("pools cannot be read, with the next block again: {}", error)
        self._trouble = f"{type(error).__name__}: {error}"[:200]

    async def _search(self, reader: PlanReader) -> None:
        """Find the pools of the tokens: at first, and where a log may have been missed that told of
        a new one."""
        head = self.keeper.head
        if not self.keeper.incomplete or head is None:
            return
        self.keeper.incomplete, self._searching = False, True
        try:
            found = await self._found(reader, head[1])
        except _WEATHER:
            self.keeper.incomplete = True
            raise
        finally:
            self._searching = False
        wanted = [self.keeper.want(pool, plan) for pool, plan in found.items()]
        if not all(wanted):
            logger.warning(
                "{} pools were found, of which {} are left out: most = {}",
                len(found),
                wanted.count(False),
                self.settings.most,
            )

    async def _found(self, reader: PlanReader, block: str) -> dict[str, MakePlan]:
        """The pools that there are, and how each is read."""
        learner = self.keeper.learner
        found = await reader.carry_out(learner.search, block)
        if learner.view is None:
            return found
        manager = await reader.carry_out(learner.find_manager, block)
        if manager is None:
            # A chain without V4 is no fault; a view that somebody named, and that is none, is.
            level = "DEBUG" if self.settings.v4_view is None else "WARNING"
            logger.log(level, "{} is no StateView; no pools of V4 are watched", learner.view)
            return found
        self.keeper.use_manager(manager)
        keys = learner.v4_keys()
        named = dict(zip(await _hashes(reader, keys), keys, strict=False))
        for pool in await reader.carry_out(partial(learner.existing, tuple(named)), block):
            found[pool] = learner.of_key(pool, named[pool])
        return found

    async def _read_missing(self, reader: PlanReader) -> None:
        """Read every pool that is missing, some at a time."""
        missing, errors = self._missing(), list[Exception]()
        async with trio.open_nursery() as nursery:
            for first in islice(missing, AT_ONCE):
                nursery.start_soon(self._read_each, reader, first, missing, errors)
        if errors:
            raise errors[0]

    def _missing(self) -> Iterator[_Missing]:
        """What is to be read, each as of the head when it is its turn."""
        for pool in self.keeper.missing:
            head = self.keeper.head
            assert head is not None, "there is something to read since a block came"
            self.keeper.postpone(pool)
            yield pool, self.keeper.plan(pool), head[1]

    async def _read_each(
        self,
        reader: PlanReader,
        first: _Missing,
        others: Iterator[_Missing],
        errors: list[Exception],
    ) -> None:
        """Read pools until one cannot be read: the other readers go on, and it comes last again.

        The first one is given, since what was the head then may not be any more when a task begins.
        """
        for pool, plan, block in chain((first,), others):
            try:
                read = await reader.carry_out(plan, block)
            except _WEATHER as error:
                errors.append(error)
                return
            self.keeper.take(pool, read, block)

    async def _check(self, reader: PlanReader) -> None:
        """Hold the pool that was not for longest against the node, if it is time for it.

        The node may have answered as of another block than it was asked about (see `PlanReader`),
        so where they differ it is asked once more before it is believed.
        """
        now = self._head_at
        pool, head = self.keeper.to_check(), self.keeper.head
        if now - self._checked_at < self.settings.check_interval or pool is None or head is None:
            return
        self._checked_at = now
        read = await reader.carry_out(self.keeper.plan(pool), head[1])
        if self.keeper.agrees(pool, read, head[1]) is False:
            read = await reader.carry_out(self.keeper.plan(pool), head[1])
        same = self.keeper.check(pool, read, head[1])
        if same is False and isinstance(read, Unusable):
            logger.warning("pool {} cannot be used any more: {}", pool, read.reason)
        elif same is False:
            logger.warning("pool {} was otherwise than the node says; it is repaired", pool)

    def health(self, now: float) -> Iterator[HealthIssue]:
        """Pools that cannot be read, or that had to be repaired."""
        if self._trouble is not None:
            detail = f"{self.keeper.waiting} pools are to be read; {self._trouble}"
            yield HealthIssue("pools_unread", "PoolTracker", detail)
        told = [each for each in self.keeper.unusable.items() if each[1] not in _EXPECTED]
        if told:
            pool, reason = told[0]
            detail = f"{len(told)} pools cannot be used, such as {pool}: {reason}"
            yield HealthIssue("pools_unusable", "PoolTracker", detail)
        if self.pending.left_out:
            detail = f"{self.pending.left_out} pending swaps were not looked at on the last block"
            yield HealthIssue("pending_left_out", "PoolTracker", detail)


async def _hashes(reader: PlanReader, keys: Sequence[PoolKey]) -> list[str]:
    """The keys' hashes; none where the node does not hash."""
    try:
        return await reader.ids(keys)
    except RpcFailed as error:
        if classify(error.code, error.message) is not Answer.GIVE_UP:
            raise
        logger.warning("V4's pools are not looked for, those to come are learned: {}", error)
        return []
