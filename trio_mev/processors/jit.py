"""JitDetector: liquidity that comes just before a pending swap, and goes just after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set

import attrs

from ..chain.calldata import CallDecoder
from ..chain.contracts.uniswap_v3 import POSITION_MANAGERS
from ..chain.effects.outcome import Terms
from ..chain.effects.pending import SLOT, PendingEffect
from ..chain.effects.queue import ActBook
from ..chain.effects.stays import Act, stays
from ..chain.effects.walk import Steps
from ..chain.pools.pool import key_of
from ..chain.pools.ticked import TickedPool
from ..chain.pools.view import PoolsView
from ..flow.processor import DataProcessor
from ..model.chain import Block, Life, PendingLife, Transaction
from ..model.event import DataEvent, DataType, EventPriority
from ..model.identity import Instrument
from ..model.opportunity import Opportunity, Status
from ..model.settings import ArbitrageSettings
from .stays import Judge
from .worth import EtherPrice

MOST_PENDING = 20_000
"""Transactions that are kept; the oldest are forgotten first."""
MOST_TOLD = 8
"""Predictions that are told of one swap on one head."""
MOST_FOLLOWED = 20_000
"""Transactions that are followed through pools between two heads, each as often as that happens;
each takes some 50 microseconds."""
MOST_AT_ONCE = 64
"""Transactions that are followed of one event, before other pools wait for the next one."""
MOST_STEPS = 2_000
"""Of all swaps that are followed in a pool's line."""
_DERIVED = frozenset({DataType.POOLS, DataType.EFFECT, DataType.PRICE})
_OVER = frozenset({Life.REPLACED, Life.DROPPED, Life.EXPIRED})


class JitDetector(DataProcessor):
    """Reports liquidity that comes before a pending swap of somebody else and goes after it, where
    its owner has begun to: the addition is pending, and pays more for gas than the swap. It says
    nothing of what somebody could add.

    A prediction is told again when it changes, and as superseded when it no longer holds.

    Args:
        native: whose price values what is made.
        sources: whose transactions and blocks are looked at; None: all.
    """

    consumes = _DERIVED | {DataType.TRANSACTION, DataType.MEMPOOL, DataType.BLOCK}

    def __init__(
        self, native: Instrument | None = None, sources: frozenset[str] | None = None
    ) -> None:
        self.book = ActBook(MOST_PENDING)
        self._sources = sources
        self._decoder = CallDecoder()
        self._ether = EtherPrice(native or ArbitrageSettings().native)
        self._judge: Judge | None = None
        self._told: dict[str, dict[str, Opportunity]] = {}
        """By pool, and by id."""
        self._count: Counter[str] = Counter()
        """Predictions told on this head, by cause."""
        self._followed = 0
        self._waiting: dict[str, None] = {}
        """Pools that are looked at with the next events, since others took what this one may."""
        self.put_off = 0
        """Looks at a pool that had to wait for the next head."""

    def admits(self, event: DataEvent) -> bool:
        """Whether it is of the chain that is followed."""
        return (
            self._sources is None or event.event_type in _DERIVED or event.source in self._sources
        )

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The predictions that follow."""
        kind, data, now = event.event_type, event.data, event.received_at
        if kind is DataType.TRANSACTION:
            pools = self._on_transaction(data, now)
        elif kind is DataType.EFFECT:
            pools = self._on_effect(data, now)
        elif kind is DataType.POOLS:
            pools = self._on_block_state(data)
        elif kind is DataType.MEMPOOL:
            pools = self._on_life(data)
        elif kind is DataType.BLOCK:
            self._on_block(data)
            return ()
        else:
            self._ether.take(data, now)
            return ()
        if kind is not DataType.POOLS:
            pools = self._afforded(pools)
        self._waiting.update(dict.fromkeys(sorted(pools)))
        found = list(self._look_at_some(now))
        return [event.finding(one, DataType.FINDING, EventPriority.HIGH) for one in found]

    def _look_at_some(self, now: float) -> Iterator[Opportunity]:
        """What is found in pools that wait to be looked at, as far as one event may take."""
        before = self._followed
        while self._waiting and self._followed - before < MOST_AT_ONCE:
            pool = next(iter(self._waiting))
            del self._waiting[pool]
            yield from self._look(pool, now)

    def _afforded(self, pools: set[str]) -> set[str]:
        """Pools that may be looked at once more before the next head, when all are."""
        if self._followed < MOST_FOLLOWED:
            return pools
        self.put_off += len(pools)
        return set()

    def _on_transaction(self, body: Transaction, now: float) -> set[str]:
        """A call of a position manager; the pools of which it may say something."""
        if body.to not in POSITION_MANAGERS:
            return set()
        intents = self._decoder.decode(body.to, body.input, body.sender, body.value)
        act = Act(body, intents, now)
        if not act.changes:
            return set()
        self.book.change(act)
        return self._concerned(body.hash)

    def _on_effect(self, pending: PendingEffect, now: float) -> set[str]:
        """A pending swap, where it is new."""
        act = Act(pending.transaction, pending.intents, now)
        fills = [fill for one in pending.effect.swaps for fill in one.fills]
        pools = {fill.pool for fill in fills if isinstance(fill.before, TickedPool)}
        if not pools or not self.book.swap(act, frozenset(pools)):
            return set()
        return self._watched(pools)

    def _on_block_state(self, view: PoolsView) -> set[str]:
        self._judge = Judge(view, self._ether)
        self._count.clear()
        self._followed = 0
        self._waiting.clear()
        return self._watched()

    def _on_block(self, block: Block) -> None:
        for name in block.transactions or ():
            self._include(name)

    def _include(self, name: str) -> None:
        """It is in a block. What was predicted of a swap that is in one, its block judges."""
        self.book.include(name)
        for told in self._told.values():
            for one in [o for o in told.values() if name in (o.cause, *o.transactions)]:
                del told[one.id]

    def _on_life(self, step: PendingLife) -> set[str]:
        if step.life is Life.INCLUDED:
            self._include(step.hash)
        elif step.life is Life.RETURNED:
            self.book.restore(step.hash)
        elif step.life in _OVER:
            pools = self._concerned(step.hash)
            self.book.forget(step.hash)
            return pools
        return set()

    def _concerned(self, transaction: str) -> set[str]:
        """Of the pools in question, those of which a transaction may change what is said."""
        return self._watched(self.book.concerned(transaction))

    def _watched(self, among: Set[object] | None = None) -> set[str]:
        """Pools that somebody adds liquidity to, or of which something was told.

        Args:
            among: ids of pools, or what else they are named by; without it, all.
        """
        if self._judge is None:
            return set()
        known = self._judge.view.named
        named = {key: known[key] for key in self.book.adding if key in known}
        if among is None:
            return {*named.values(), *self._told}
        found = {pool for key, pool in named.items() if key in among or pool in among}
        return found | {pool for pool in self._told if pool in among}

    def _look(self, pool: str, now: float) -> Iterator[Opportunity]:
        """What is new of a pool, or has changed; and what no longer holds, as superseded."""
        before = self._told.pop(pool, {})
        found = {one.id: one for one in self._in_pool(pool, now)}
        for name, one in before.items():
            if name not in found:
                yield attrs.evolve(one, status=Status.SUPERSEDED)
        for name, one in found.items():
            known = before.get(name)
            cause = one.cause or ""
            if known is not None and _essence(known) == _essence(one):
                self._keep(pool, known)
            elif self._count[cause] < MOST_TOLD:
                self._count[cause] += 1
                self._keep(pool, one)
                yield one
            elif known is not None:
                self._keep(pool, known)  # with the next head, if it is still so

    def _keep(self, pool: str, told: Opportunity) -> None:
        self._told.setdefault(pool, {})[told.id] = told

    def _in_pool(self, pool: str, now: float) -> Iterator[Opportunity]:
        """Every stay that somebody has begun for somebody else's swap."""
        judge = self._judge
        assert judge is not None
        view = judge.view
        key = key_of(view.entries[pool].pool)
        assert key is not None
        acts = self.book.of(pool, key, view.next_base_fee)
        self._followed += len(acts)
        terms = Terms(time=view.timestamp + SLOT, parent=view.hash)
        for stay in stays(acts, view, terms, Steps(MOST_STEPS)):
            found = judge.judge(stay, now) if stay.pool == pool else None
            if found is not None:
                yield found


def _essence(one: Opportunity) -> tuple[object, ...]:
    """What is told again when it is otherwise."""
    return one.detail, one.grounds
