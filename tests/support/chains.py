"""A node's chain in memory, for tests of what follows it: blocks with logs, branches, answers."""

from __future__ import annotations

import random
from typing import Any

import attrs

from trio_mev.model.chain import Block, Log, Reorg
from trio_mev.model.event import DataType
from trio_mev.model.settings import LogFilter
from trio_mev.wire.asking import BY_HASH, Question
from trio_mev.wire.logs import Wanted

POOL = "0x" + "cd" * 20
TOPIC = "0x" + "e5" * 32


def name(number: int, salt: int) -> str:
    return f"0x{salt:032x}{number:032x}"


def make_log(block: str, number: int, index: int, address: str = POOL) -> Log:
    return Log(block, number, index, name(number, 7), 0, address, (TOPIC,), bytes([index % 256]))


class ChainNode:
    """A canonical chain that grows, is reorganised and reverted; it answers what it is asked."""

    def __init__(self, rng: random.Random, start: int = 100) -> None:
        self.rng = rng
        self.salt = 0
        self.logs: dict[str, list[Log]] = {}
        self.known: dict[str, Block] = {}
        self.chain: list[Block] = []
        self.start = start
        self.mine()

    def mine(self) -> Block:
        """One block on top."""
        self.salt += 1
        number = self.start + len(self.chain)
        parent = self.chain[-1].hash if self.chain else name(number - 1, 0)
        block_hash = name(number, self.salt)
        transactions = tuple(name(number, 10**6 + self.salt * 10 + n) for n in range(2))
        block = Block(
            number, block_hash, parent, number * 12, 30_000_000, 15, 7, None, transactions
        )
        self.chain.append(block)
        self.known[block_hash] = block
        count = self.rng.choice([0, 0, 1, 3])
        self.logs[block_hash] = [make_log(block_hash, number, n) for n in range(count)]
        return block

    def revert(self, depth: int) -> None:
        """Forget the newest blocks."""
        for block in self.chain[max(1, len(self.chain) - depth) :]:
            del self.known[block.hash]
        del self.chain[max(1, len(self.chain) - depth) :]

    def block(self, question: Question) -> Block | None:
        """The answer to a question for a block."""
        subject = question.params[0]
        if question.method == BY_HASH:
            return self.known.get(subject)
        if subject == "latest":
            return self.chain[-1]
        place = int(subject, 16) - self.start
        return self.chain[place] if 0 <= place < len(self.chain) else None

    def answer_logs(self, question: Question) -> list[Log] | None:
        """The answer to a question for logs; None of an unknown block."""
        wanted = question.params[0]
        if "blockHash" in wanted:
            if wanted["blockHash"] not in self.known:
                return None
            blocks = [wanted["blockHash"]]
        else:
            first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
            blocks = [b.hash for b in self.chain if first <= b.number <= last]
        admits = Wanted([LogFilter(tuple(wanted.get("address", ())))])
        return [log for block in blocks for log in self.logs[block] if admits(log)]


@attrs.define
class Consumer:
    """What a consumer of the events holds as final; it insists that they make sense."""

    chain: list[Block] = attrs.Factory(list)
    logs: dict[tuple[str, int], Any] = attrs.Factory(dict)
    gaps: list[Any] = attrs.Factory(list)
    reorgs: list[Reorg] = attrs.Factory(list)
    expected: list[str] = attrs.Factory(list)
    """Hashes that a reorganisation has announced."""

    def take(self, kind: DataType, data: Any) -> None:
        """One event."""
        takes = {
            DataType.BLOCK: self._block,
            DataType.REORG: self._reorg,
            DataType.GAP: self.gaps.append,
            DataType.LOG: self._log,
        }
        if kind in takes:
            takes[kind](data)

    def _block(self, block: Block) -> None:
        if self.expected:
            assert block.hash == self.expected.pop(0)
        if self.chain and block.number == self.chain[-1].number + 1:
            assert block.parent == self.chain[-1].hash
        elif self.chain:
            (gap,) = self.gaps[-1:]
            assert (gap.last, gap.filled) == (block.number - 1, False)
        self.chain.append(block)

    def _reorg(self, reorg: Reorg) -> None:
        self.reorgs.append(reorg)
        for block in reorg.retracted:
            assert self.chain.pop() == block
        self.expected = list(reorg.added)
        if not self.chain or not reorg.ancestor_hash:
            self.chain.clear()  # nothing below is known to be of the new chain
            return
        assert self.chain[-1].hash == reorg.ancestor_hash
        assert self.chain[-1].number == reorg.ancestor

    def _log(self, log: Log) -> None:
        if not log.removed:
            key = (log.block_hash, log.log_index)
            assert key not in self.logs, "a log twice"
            self.logs[key] = log
