"""What somebody holds who believes a stream's events, and what cannot be right about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import trio

from trio_mev.model.chain import Block, Gap, Life, Log, PendingLife, Reorg, Transaction
from trio_mev.model.event import DataEvent, DataType
from trio_mev.stream import RealtimeDataStream

KINDS = (
    DataType.BLOCK,
    DataType.GAP,
    DataType.REORG,
    DataType.LOG,
    DataType.TRANSACTION,
    DataType.MEMPOOL,
    DataType.LOST,
)
GONE = frozenset({Life.REPLACED, Life.DROPPED, Life.EXPIRED})


@attrs.define(eq=False)
class Ledger:
    """Events folded: the chain, the logs and the pending transactions that stand."""

    chain: list[Block] = attrs.Factory(list)
    told_logs: dict[tuple[str, int], Log] = attrs.Factory(dict)
    removed: set[tuple[str, int]] = attrs.Factory(set)
    bodies: Counter[str] = attrs.Factory(Counter)
    lives: dict[str, PendingLife] = attrs.Factory(dict)
    """The last step of each; without one a transaction that was told is pending."""
    gaps: list[Gap] = attrs.Factory(list)
    reorgs: list[Reorg] = attrs.Factory(list)
    blocks: int = 0
    """Told, those retracted later among them."""
    complaints: list[str] = attrs.Factory(list)
    heads: set[str] = attrs.Factory(set)
    """Hashes of blocks that the client got as the node's head."""
    _expected: list[str] = attrs.Factory(list)
    _in_gap: set[int] = attrs.Factory(set)
    _in_place: set[int] = attrs.Factory(set)
    """Numbers of the blocks that the last reorganisation retracted."""

    def take(self, kind: DataType, data: Any) -> None:
        """One event."""
        takes: dict[DataType, Callable[[Any], None]] = {
            DataType.BLOCK: self._block,
            DataType.GAP: self._gap,
            DataType.REORG: self._reorg,
            DataType.LOG: self._log,
            DataType.TRANSACTION: self._body,
            DataType.MEMPOOL: self._life,
        }
        takes.get(kind, self._complain)(data)

    def _complain(self, what: object) -> None:
        self.complaints.append(str(what)[:300])

    def _block(self, block: Block) -> None:
        self.blocks += 1
        in_place = block.number in self._in_place
        self._in_place.discard(block.number)
        if self._expected and self._expected.pop(0) != block.hash:
            self._complain(f"not the block that the reorganisation announced: {block.number}")
        if self.chain and block.parent != self.chain[-1].hash:
            self._complain(f"{block.number} does not join {self.chain[-1].number}")
        if block.number in self._in_gap:
            self._in_gap.discard(block.number)
        elif not in_place and block.hash not in self.heads:
            self._complain(f"{block.number} was no head, and neither gap nor reorg announced it")
        self.chain.append(block)

    def _gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
        if not gap.filled:
            self._complain(f"a gap that is not filled: {gap}")
        if self.chain and gap.first != self.chain[-1].number + 1:
            self._complain(f"{gap} after {self.chain[-1].number}")
        self._in_gap = set(range(gap.first, gap.last + 1))

    def _reorg(self, reorg: Reorg) -> None:
        self.reorgs.append(reorg)
        if self._expected:
            self._complain("a reorganisation before the blocks of the one before")
        for block in reorg.retracted:
            if not self.chain or self.chain.pop().hash != block.hash:
                self._complain(f"{block.number} was retracted and is not the newest")
        tip = self.chain[-1] if self.chain else None
        if tip is not None and (tip.number, tip.hash) != (reorg.ancestor, reorg.ancestor_hash):
            self._complain(f"the ancestor {reorg.ancestor} is not what is left")
        self._expected = list(reorg.added)
        last = reorg.retracted[0].number if reorg.retracted else reorg.ancestor
        self._in_place = set(range(reorg.ancestor + 1, last + 1))

    def _log(self, log: Log) -> None:
        key = (log.block_hash, log.log_index)
        if log.removed:
            if key in self.removed or key not in self.told_logs:
                self._complain(f"removed twice, or never told: {log}")
            self.removed.add(key)
        elif key in self.told_logs:
            self._complain(f"a log twice: {log}")
        else:
            self.told_logs[key] = log

    def _body(self, body: Transaction) -> None:
        self.bodies[body.hash] += 1
        if self.bodies[body.hash] > 1:
            self._complain(f"a transaction twice: {body.hash}")

    def _life(self, step: PendingLife) -> None:
        before = self.lives.get(step.hash)
        risen = {Life.INCLUDED, Life.ANNOUNCED}
        if before is not None and before.life in GONE and step.life not in risen:
            self._complain(f"{step.hash} was {before.life.value}, and is {step.life.value}")
        if before is not None and (before.life, before.block) == (step.life, step.block):
            self._complain(f"a step twice: {step}")
        self.lives[step.hash] = step

    # What stands.

    @property
    def tip(self) -> str:
        """The newest block's hash."""
        return self.chain[-1].hash if self.chain else ""

    @property
    def logs(self) -> dict[tuple[str, int], Log]:
        """Those that were told, of blocks that stand."""
        standing = {block.hash for block in self.chain}
        return {key: log for key, log in self.told_logs.items() if key[0] in standing}

    @property
    def known(self) -> set[str]:
        """Every transaction that was told as pending, whatever came of it."""
        return self.bodies.keys() | self.lives.keys()

    def with_life(self, *lives: Life) -> set[str]:
        """Transactions whose last step is one of these."""
        return {name for name, step in self.lives.items() if step.life in lives}

    @property
    def pending(self) -> set[str]:
        """What waits for a block."""
        return self.known - self.with_life(Life.INCLUDED, *GONE)

    @property
    def included(self) -> dict[str, str | None]:
        """Transactions that were seen pending, to the blocks that have them."""
        return {n: step.block for n, step in self.lives.items() if step.life is Life.INCLUDED}


class Watch:
    """Keeps a ledger of a stream, and wakes whoever waits for something in it.

    Args:
        stream: whose events.
        ledger: theirs.
    """

    def __init__(self, stream: RealtimeDataStream, ledger: Ledger) -> None:
        self.ledger = ledger
        self.events = 0
        self._subscription = stream.subscribe(*KINDS)
        self._changed = trio.Event()

    async def run(self, each: Callable[[DataEvent], None] | None = None) -> None:
        """Take events until cancelled.

        Args:
            each: gets every event, after the ledger has.
        """
        async for event in self._subscription:
            self.events += 1
            self.ledger.take(event.event_type, event.data)
            if each is not None:
                each(event)
            self._changed.set()
            self._changed = trio.Event()

    async def until(self, what: Callable[[], bool], within: float) -> bool:
        """Whether something has come to be so in time."""
        with trio.move_on_after(within):
            while not what():
                await self._changed.wait()
            return True
        return what()
