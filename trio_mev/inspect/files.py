"""Which answer a file holds, by its shape: names and extensions say nothing of it.

Only the outermost keys are looked at, and of a list those of its first item; a reader then takes
the whole. They are found by a scan that knows strings and brackets and does not recurse, since a
trace may be nested deeper than a parser goes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from ..errors import MalformedFrame
from ..model.chain import Block
from ..wire.jsonrpc import Message, parse_message
from ..wire.session import decode
from .block import MinedBlock
from .reading import read_receipts, read_recorded
from .tracing import read_call_tracer, read_parity_file, read_trace_block

HIGHEST = 2**32 - 1
"""Numbers of blocks are 32 bits wide."""
LOOKED_AT = 4 * 2**20
"""Bytes of a file that are looked at for keys."""
_WORD = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"\s*(:?)|[{}\[\]]', re.DOTALL)
_HASH = re.compile(r"0x[0-9a-f]{64}")


class Shape(enum.Enum):
    """What a file can hold, in words for people."""

    PARITY = "a block's traces and receipts"
    RECORDED = "a block with calldata and logs"
    TRACE_BLOCK = "an answer to trace_block"
    CALL_TRACER = "an answer of the callTracer"
    RECEIPTS = "an answer to eth_getBlockReceipts"
    PAIRS = "transactions with their receipts"
    ENVELOPE = "a JSON-RPC answer"


_OF_OBJECT = {
    "traces": Shape.PARITY,
    "receipts": Shape.PARITY,
    "jsonrpc": Shape.ENVELOPE,
    "result": Shape.ENVELOPE,
    "error": Shape.ENVELOPE,
    "block": Shape.RECORDED,
    "logs": Shape.RECORDED,
}
_OF_ITEM = {
    "action": Shape.TRACE_BLOCK,
    "cumulativeGasUsed": Shape.RECEIPTS,
    "logs": Shape.RECEIPTS,
    "txHash": Shape.CALL_TRACER,
}
"""Keys that tell by themselves, so that no more need be looked at."""


def shape_of(raw: bytes) -> Shape:
    """What a file holds.

    Raises:
        MalformedFrame: ``unknown_shape``, with what it is instead where that can be told.
    """
    keys, is_list = set[str](), raw.lstrip()[:1] == b"["
    telling = _OF_ITEM if is_list else _OF_OBJECT
    for key in _keys(raw, 2 if is_list else 1):
        if key in telling:
            return telling[key]
        if not keys and not is_list and _HASH.fullmatch(key):
            return Shape.PAIRS
        keys.add(key)
    if is_list and "result" in keys:  # a Parity trace has one, too
        return Shape.CALL_TRACER
    raise MalformedFrame("unknown_shape", _instead(is_list, keys))


def _instead(is_list: bool, keys: set[str]) -> str:
    if is_list:
        return "a list of something else" if keys else "an empty list, or one of no objects"
    if "parentHash" in keys:
        return "a block without logs; its receipts or traces are wanted"
    if {"gasUsed", "from"} <= keys:
        return "the trace of one transaction; those of a whole block are wanted"
    return "neither traces, nor receipts, nor a block with logs"


def _keys(raw: bytes, wanted: int) -> Iterator[str]:
    """The keys so deep inside, up to the end of the first thing that has any."""
    depth = 0
    for word in _words(raw):
        if word[0] in "[{":
            depth += 1
        elif word[0] in "]}":
            depth -= 1
            if depth < wanted:
                return
        elif depth == wanted:
            yield word[1:]


def _words(raw: bytes) -> Iterator[str]:
    """Brackets as they are, and keys behind a colon."""
    for found in _WORD.finditer(raw, 0, LOOKED_AT):
        if found[1] is None:
            yield found[0].decode()
        elif found[2]:
            yield ":" + found[1].decode(errors="replace")


def read_file(raw: bytes, number: int | None = None) -> list[MinedBlock]:
    """The blocks in a file's content, whichever shape it has.

    Several are there only where receipts of several blocks are.

    Args:
        raw: what is in it, unpacked.
        number: of the block, for answers of the callTracer, which do not say it.

    Raises:
        MalformedFrame: it is of no shape that is known, or its reader refuses it.
    """
    shape = shape_of(raw)
    if shape is Shape.ENVELOPE:
        raw = _unwrapped(raw)
        shape = shape_of(raw)
        if shape is Shape.ENVELOPE:
            raise MalformedFrame("unknown_shape", "an answer in an answer")
    if shape is Shape.CALL_TRACER and number is not None:
        return [read_call_tracer(raw, head=Block(number, "", "", 0, 0, 0))]
    return [_countable(block) for block in READERS[shape](raw)]


def _countable(block: MinedBlock) -> MinedBlock:
    """The same, unless its number is one that no chain has: what is stored has no room for it."""
    if not 0 <= block.number <= HIGHEST:
        raise MalformedFrame("wrong_shape", f"a block {str(block.number)[:40]}")
    return block


def _unwrapped(raw: bytes) -> bytes:
    message: Message = parse_message(raw)
    if message.error is not None:
        error = message.error
        raise MalformedFrame("error_answer", f"{error.code} {error.message[:200]}")
    if message.result is msgspec.UNSET:
        raise MalformedFrame("wrong_shape", "an answer with neither result nor error")
    return bytes(message.result)


class _Pair(msgspec.Struct, gc=False):
    receipt: msgspec.Raw


class _Whose(msgspec.Struct, rename="camel", gc=False):
    block_hash: str


_PAIRS = msgspec.json.Decoder(dict[str, _Pair])
_RAW_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_WHOSE = msgspec.json.Decoder(_Whose)


def _receipts(raw: bytes) -> list[MinedBlock]:
    receipts: list[msgspec.Raw] = decode(_RAW_LIST, raw)
    return _by_block(receipts)


def _pairs(raw: bytes) -> list[MinedBlock]:
    return _by_block([pair.receipt for pair in decode(_PAIRS, raw).values()])


def _by_block(receipts: Sequence[msgspec.Raw]) -> list[MinedBlock]:
    """Receipts block by block: of each only the transactions that are there."""
    blocks: dict[str, list[msgspec.Raw]] = {}
    for receipt in receipts:
        blocks.setdefault(decode(_WHOSE, receipt).block_hash, []).append(receipt)
    found = [read_receipts(msgspec.json.encode(own)) for own in blocks.values()]
    return sorted(found, key=lambda block: block.number)


Reader = Callable[[bytes], list[MinedBlock]]
READERS: dict[Shape, Reader] = {
    Shape.PARITY: lambda raw: [read_parity_file(raw)],
    Shape.TRACE_BLOCK: lambda raw: [read_trace_block(raw)],
    Shape.CALL_TRACER: lambda raw: [read_call_tracer(raw)],
    Shape.RECORDED: lambda raw: [read_recorded(raw)],
    Shape.RECEIPTS: _receipts,
    Shape.PAIRS: _pairs,
}
"""What reads a file of each shape, an envelope taken off."""
