"""What one Ethereum feed holds as true, by whatever connections it came.

Connections come and go, and there may be several at once. Each gives its node's blocks in order;
the trunk tells each block, log and transaction once, and follows one source where they disagree.
Anyone may extend the chain. Only the source that is believed may take blocks back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from ..model.chain import Block, Gap, Log, PendingLife, Reorg, Transaction
from ..model.event import DataType, EventPriority
from .chainview import Advance, ChainView, Repeat
from .logs import LogBook
from .pending import PendingPool
from .ranges import LogQuery
from .sources import Choice, FirstSeen, SourceFigures


class Told(msgspec.Struct, frozen=True):
    """An event to be."""

    kind: DataType
    priority: EventPriority
    data: Any
    occurred_at: int | None = None
    """Nanoseconds since the epoch."""
    label: str = ""
    """The subscription that it came by, where that is not the one of its kind."""


@attrs.frozen
class TrunkSettings:
    """Bounds. Times are seconds."""

    most_pending: int = 100_000
    """Transactions that are watched."""
    pending_age: float = 1800.0
    """How long one is."""
    ask_pending_after: float = 300.0
    """After which the node is asked whether it still knows one."""
    patience: float = 3.0
    """That the source which is believed may be behind another."""


class Trunk:
    """One feed's chain, its logs and its pending transactions.

    Args:
        sources: the connections' aliases, in the order in which they are believed.
        settings: bounds.
    """

    def __init__(self, sources: Sequence[str], settings: TrunkSettings | None = None) -> None:
        bounds = settings or TrunkSettings()
        self._view: ChainView[Block] = ChainView()
        self._mined: dict[str, Block] = {}
        """Transactions of the chain to their blocks."""
        self._lives: Counter[str] = Counter()
        self._tips: dict[str, str] = {}
        """Each source's newest block."""
        self._choice = Choice(sources, bounds.patience)
        self._first = FirstSeen() if len(sources) > 1 else None
        self.book = LogBook()
        self.pool = PendingPool(bounds.most_pending, bounds.pending_age, bounds.ask_pending_after)
        self.too_large: dict[LogQuery, None] = {}
        self.several = len(sources) > 1
        self.genesis: tuple[str, str] | None = None
        """The first block's hash, and the source that said so."""
        self.ignored: Counter[str] = Counter()

    @property
    def chain(self) -> tuple[Block, ...]:
        """The newest blocks, oldest first."""
        return self._view.blocks

    @property
    def tip(self) -> Block | None:
        """The newest block; None before the first."""
        return self._view.tip

    @property
    def current(self) -> str | None:
        """The source that is believed."""
        return self._choice.current

    @property
    def changes(self) -> Mapping[str, int]:
        """How often another source was believed, by the reason."""
        return self._choice.changes

    def figures(self) -> Mapping[tuple[str, str], SourceFigures]:
        """Who was first and by how much, by source and kind; empty of a single source."""
        return {} if self._first is None else self._first.figures()

    def join(self, source: str, now: float) -> list[Told]:
        """A connection to a source is up; there may be several for a while."""
        self._lives[source] += 1
        if self._lives[source] > 1:
            return []
        if self._first is not None:
            self._first.join(source, now)
        return self._follow(self._choice.join(source, now), now)

    def leave(self, source: str, now: float) -> list[Told]:
        """A connection to a source is over."""
        self._lives[source] -= 1
        if self._lives[source] > 0:
            return []
        if self._first is not None:
            self._first.leave(source)
        return self._follow(self._choice.leave(source, now), now)

    def head(self, source: str, block: Block, now: float) -> list[Told]:
        """A source has announced a head."""
        self._saw("block", block.hash, source, now)
        return self._follow(self._choice.head(source, block.number, now), now)

    def vouch(self, source: str, genesis: str) -> str | None:
        """A source says how its chain begins; the one that it contradicts, if it does."""
        if self.genesis is None:
            self.genesis = genesis, source
        return None if self.genesis[0] == genesis else self.genesis[1]

    def next_due(self) -> float | None:
        """When ``decide`` has something to do."""
        return self._choice.next_due()

    def decide(self, now: float) -> list[Told]:
        """Follow another source where the one that is believed has been silent for too long."""
        return self._follow(self._choice.decide(now), now)

    def _follow(self, changed: bool, now: float) -> list[Told]:
        """Another source is believed: its chain is the chain."""
        tip = self._tips.get(self._choice.current or "") if changed else None
        if tip is None or self._view.known(tip) is None:
            return []
        plan = self._view.plan(tip)
        return self._apply(plan, now) if isinstance(plan, Advance) else []

    def _saw(self, kind: str, key: Any, source: str, now: float) -> None:
        if self._first is not None:
            self._first.saw(kind, key, source, now)

    def gap(self, source: str, gap: Gap) -> list[Told]:
        """A source missed some blocks; nothing is told where others had them."""
        tip = self._view.tip
        first = gap.first if tip is None else max(gap.first, tip.number + 1)
        if first > gap.last or source != self.current:
            return []
        return [Told(DataType.GAP, EventPriority.HIGH, attrs.evolve(gap, first=first))]

    def block(self, source: str, block: Block, now: float) -> list[Told]:
        """A source's next block."""
        self._tips[source] = block.hash
        self._view.hold(block)
        plan = self._view.plan(block.hash)
        if isinstance(plan, Repeat):
            self.ignored["repeated_block"] += 1
            return []
        believed = source == self.current
        if isinstance(plan, Advance):
            if plan.reorganizes and not believed:
                self.ignored["other_branch"] += 1
                return []
            return self._apply(plan, now)
        if not believed:
            self.ignored["other_branch"] += 1
            return []
        return self._begin_anew(block, now)

    def _apply(self, plan: Advance[Block], now: float) -> list[Told]:
        told: list[Told] = []
        self._view.apply(plan)
        if plan.retracted:
            first = plan.blocks[0]
            added = tuple(block.hash for block in plan.blocks)
            reorg = Reorg(first.number - 1, first.parent, plan.retracted, added)
            told = self._retract(reorg, now)
            if plan.ancestor is None:
                told += _lives(self.pool.retracted_unseen(now))
        for block in plan.blocks:
            told += self._extend(block, now)
        return told

    def _begin_anew(self, block: Block, now: float) -> list[Told]:
        above = self._view.restart(block)
        told: list[Told] = []
        if above:
            below = block.parent if above[-1].parent == block.parent else ""
            told = self._retract(Reorg(block.number - 1, below, above, (block.hash,)), now)
            told += _lives(self.pool.retracted_unseen(now))
        return told + self._extend(block, now)

    def _retract(self, reorg: Reorg, now: float) -> list[Told]:
        told = [Told(DataType.REORG, EventPriority.HIGH, reorg)]
        for block in reorg.retracted:
            for transaction in block.transactions or ():
                self._mined.pop(transaction, None)
            told += _lives(
                self.pool.retracted(block.hash, block.number, block.transactions or (), now)
            )
        return told

    def _extend(self, block: Block, now: float) -> list[Told]:
        told = [Told(DataType.BLOCK, EventPriority.HIGH, block, block.timestamp * 1_000_000_000)]
        if block.logs is not None:
            found = self.book.settle(block.hash, (log.log_index for log in block.logs))
            missing = frozenset(found.missing)
            told += [_log(log) for log in block.logs if log.log_index in missing]
        transactions = block.transactions or ()
        self._mined.update(dict.fromkeys(transactions, block))
        told += _lives(self.pool.included(block.hash, block.number, transactions, now))
        self._forget_mined()
        return told

    def _forget_mined(self) -> None:
        lowest = self._view.lowest
        while self._mined:
            transaction, block = next(iter(self._mined.items()))
            if block.number >= lowest:
                return
            del self._mined[transaction]

    def hint(self, source: str, log: Log, now: float) -> list[Told]:
        """A log that a source streamed: told once, and once that it was removed."""
        if log.removed:
            new = self.book.removed(log)
        else:
            self._saw("log", (log.block_hash, log.log_index), source, now)
            new = self.book.hint(log)
        if not new:
            self.ignored["repeated_log"] += 1
            return []
        return [_log(log)]

    def announced(self, source: str, transaction: str, now: float) -> list[Told]:
        """A source announced a pending transaction by its hash."""
        self._saw("transaction", transaction, source, now)
        steps = self.pool.announced(transaction, now)
        return _lives(steps) + self._already(transaction, bool(steps), now)

    def admit(self, body: Transaction, now: float) -> bool:
        """As ``PendingPool.admit``; ``body`` takes those that several sources bring."""
        if self._first is not None or body.hash in self._mined:
            return False
        return self.pool.admit(body, now)

    def body(self, source: str, body: Transaction, now: float) -> tuple[bool, list[Told]]:
        """A source has a pending transaction's body: whether nobody had it, and what follows."""
        if self._first is not None:
            self._first.saw("transaction", body.hash, source, now)
        new, steps = self.pool.body(body, now)
        if not new:
            self.ignored["repeated_body"] += 1
            return False, _lives(steps)
        if not steps and body.hash not in self._mined:
            return True, []
        return True, _lives(steps) + self._already(body.hash, True, now)

    def _already(self, transaction: str, new: bool, now: float) -> list[Told]:
        """What was announced after its block came is included at once."""
        block = self._mined.get(transaction) if new else None
        if block is None:
            return []
        return _lives(self.pool.included(block.hash, block.number, (transaction,), now))

    def asked(
        self, transaction: str, known: bool, now: float, place: tuple[str, int] | None = None
    ) -> list[Told]:
        """Whether a node still knows a transaction.

        Args:
            transaction: that was asked for.
            known: whether it does.
            now: the time.
            place: the block that has it, by hash and number. One below the chain that is
                remembered is believed, since no block will tell of it any more.
        """
        told = _lives(self.pool.answered(transaction, known, now))
        if place is not None and place[1] < self._view.lowest:
            told += _lives(self.pool.included(*place, (transaction,), now))
        return told

    def expire(self, now: float, room: int) -> tuple[list[Told], list[str]]:
        """What is no longer watched; and whom to ask for: as ``PendingPool.expire``."""
        steps, asks = self.pool.expire(now, room)
        return _lives(steps), asks


def _lives(steps: Iterable[PendingLife]) -> list[Told]:
    return [Told(DataType.MEMPOOL, EventPriority.LOW, step) for step in steps]


def _log(log: Log) -> Told:
    return Told(DataType.LOG, EventPriority.NORMAL, log)
