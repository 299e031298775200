"""A block as a node answers about it, by the best of what it offers."""

from __future__ import annotations

import enum
from collections.abc import Callable

import attrs
import msgspec

from ..errors import MalformedFrame
from ..model.chain import Block
from ..wire.ethereum import parse_head, parse_logs
from .block import MinedBlock, mined_block
from .reading import read_receipts
from .tracing import read_call_tracer, read_trace_block


class Offer(enum.Enum):
    """What a node tells of a block's transactions, the best first."""

    TRACE_BLOCK = "trace_block"
    CALL_TRACER = "debug_traceBlockByNumber"
    RECEIPTS = "eth_getBlockReceipts"
    LOGS = "eth_getLogs"


@attrs.frozen
class Answers:
    """What a node said of one block."""

    number: int
    offer: Offer
    head: bytes
    """Of ``eth_getBlockByNumber``, with hashes or whole transactions."""
    told: bytes
    """By the method that is offered."""
    receipts: bytes | None = None
    """Beside traces: who paid how much for gas."""


def read_answers(answers: Answers) -> MinedBlock:
    """The block.

    Raises:
        MalformedFrame: an answer cannot be read, or they are of different blocks.
    """
    head = parse_head(answers.head)
    if head.number != answers.number:
        raise MalformedFrame("wrong_reply", f"block {head.number} for {answers.number}")
    return _READERS[answers.offer](answers, head)


def _receipts(answers: Answers, head: Block) -> MinedBlock:
    return read_receipts(answers.told, head)


def _logs(answers: Answers, head: Block) -> MinedBlock:
    logs = tuple(parse_logs(msgspec.Raw(answers.told)))
    if any(log.block_hash != head.hash for log in logs):
        raise MalformedFrame("wrong_reply", "logs of another block")
    return mined_block(attrs.evolve(head, logs=logs))


_READERS: dict[Offer, Callable[[Answers, Block], MinedBlock]] = {
    Offer.TRACE_BLOCK: lambda answers, head: read_trace_block(answers.told, answers.receipts, head),
    Offer.CALL_TRACER: lambda answers, head: read_call_tracer(answers.told, answers.receipts, head),
    Offer.RECEIPTS: _receipts,
    Offer.LOGS: _logs,
}
