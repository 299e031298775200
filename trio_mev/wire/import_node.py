"""Blocks and recorded node sockets as tapes.

A block becomes what a node would have sent: its transactions as pending ones in the twelve
seconds before its time, then its head with their hashes, then its logs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from ..errors import ConfigError
from .tape import Direction, Record

SUBSCRIPTIONS = {
    "newHeads": ["newHeads"],
    "pendingFull": ["newPendingTransactions", True],
    "pendingHash": ["newPendingTransactions"],
    "logs": ["logs", {}],
}
"""What a recorded subscription's name stands for in ``eth_subscribe``."""
OWN_IDS = {"newHeads": "0x1", "pendingFull": "0x2", "logs": "0x3"}
BEFORE_NS = 11_000_000_000
STEP_NS = 10_000
"""Between a head and its logs."""
_HEX = re.compile("0x[0-9a-fA-F]+")
_BELOW = {"number": 2**64, "timestamp": 2**33}
"""A later time, in seconds, would not fit a tape's nanoseconds."""

_LOG = {
    "blockHash": "block_hash",
    "blockNumber": "block_number",
    "logIndex": "log_index",
    "transactionHash": "transaction_hash",
    "transactionIndex": "transaction_index",
    "address": "address",
    "topics": "topics",
    "data": "data",
}
_HEAD = {
    "number": "number",
    "hash": "hash",
    "parentHash": "parent_hash",
    "timestamp": "timestamp",
    "gasLimit": "gas_limit",
    "gasUsed": "gas_used",
    "baseFeePerGas": "base_fee_per_gas",
    "miner": "miner",
}
_TRANSACTION = {
    "hash": "hash",
    "from": "from_address",
    "to": "to_address",
    "nonce": "nonce",
    "value": "value",
    "gas": "gas",
    "gasPrice": "gas_price",
    "maxFeePerGas": "max_fee_per_gas",
    "maxPriorityFeePerGas": "max_priority_fee_per_gas",
    "input": "input",
    "type": "transaction_type",
}


def _encode(message: Any) -> bytes:
    return msgspec.json.encode(message)


def opening(feed: str, at: int, ids: Mapping[str, str]) -> Iterator[Record]:
    """The subscriptions that a recording must have begun with."""
    yield Record(at, at, feed, Direction.OPEN)
    for number, (name, server_id) in enumerate(ids.items(), 1):
        params = SUBSCRIPTIONS[name]
        request = {"jsonrpc": "2.0", "id": number, "method": "eth_subscribe", "params": params}
        yield Record(at, at, feed, Direction.OUT, _encode(request))
        reply = {"jsonrpc": "2.0", "id": number, "result": server_id}
        yield Record(at, at, feed, Direction.IN, _encode(reply))


def notification(feed: str, at: int, server_id: str, result: Any) -> Record:
    """An ``eth_subscription`` message."""
    params = {"subscription": server_id, "result": result}
    message = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
    return Record(at, at, feed, Direction.IN, _encode(message))


def read_block(value: Any) -> dict[str, Any]:
    """A block in a node's spelling, its logs under ``logs``.

    Args:
        value: an ``eth_getBlockByNumber(N, true)`` answer, with or without its JSON-RPC
            envelope, or ``{block, transactions, logs}`` in snake case with integers.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(value, dict) and isinstance(value.get("result"), dict):
        value = value["result"]
    if not isinstance(value, dict):
        raise ConfigError("it is not a block: not an object")
    if isinstance(value.get("block"), dict):
        value = _from_snake(value)
    missing = [k for k in ("number", "hash", "timestamp", "transactions") if k not in value]
    if missing:
        raise ConfigError(f"it is not a block: {', '.join(missing)} missing")
    _check_block(value)
    return dict(value)


def _check_block(value: Mapping[str, Any]) -> None:
    transactions, logs = value["transactions"], value.get("logs", [])
    if not isinstance(transactions, list):
        raise ConfigError("its transactions are no list")
    if any(not isinstance(t, dict) for t in transactions):
        raise ConfigError("the block has hashes only; ask for whole transactions")
    if not isinstance(logs, list) or any(not isinstance(log, dict) for log in logs):
        raise ConfigError("its logs are no list of objects")
    for name, limit in _BELOW.items():
        text = value[name]
        if not isinstance(text, str) or not _HEX.fullmatch(text):
            raise ConfigError(f"its {name} is not hexadecimal text")
        if int(text, 16) >= limit:
            raise ConfigError(f"its {name} is too large to be one")
    try:
        _encode(value)
    except (OverflowError, RecursionError, ValueError):
        raise ConfigError("it has a value that no tape can hold") from None


def _from_snake(value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        block = _spelled(value["block"], _HEAD)
        block["transactions"] = [_spelled(t, _TRANSACTION) for t in value["transactions"]]
        block["logs"] = [{**_spelled(g, _LOG), "removed": False} for g in value.get("logs", ())]
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"it is not a block: {error} missing or of a wrong type") from None
    return block


def _spelled(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields under a node's names, integers as hexadecimal text."""
    out: dict[str, Any] = {}
    for name, snake in names.items():
        item = value.get(snake)
        if item is None and name != "to":
            continue
        out[name] = hex(item) if isinstance(item, int) else item
    return out


def block_records(feed: str, blocks: Iterable[Mapping[str, Any]]) -> Iterator[Record]:
    """Blocks, which come in the order of their numbers, as a node's socket."""
    for place, block in enumerate(blocks):
        if not place:
            first = max(0, int(block["timestamp"], 16) * 10**9 - BEFORE_NS)
            yield from opening(feed, first, OWN_IDS)
        yield from _block(feed, block)


def _block(feed: str, block: Mapping[str, Any]) -> Iterator[Record]:
    at = int(block["timestamp"], 16) * 10**9
    transactions = block["transactions"]
    for number, body in enumerate(transactions):
        pending = {**body, "blockHash": None, "blockNumber": None, "transactionIndex": None}
        when = max(0, at - BEFORE_NS + BEFORE_NS * number // len(transactions))
        yield notification(feed, when, OWN_IDS["pendingFull"], pending)
    head = {k: v for k, v in block.items() if k not in {"logs", "withdrawals", "uncles"}}
    head["transactions"] = [body.get("hash") for body in transactions]
    yield notification(feed, at, OWN_IDS["newHeads"], head)
    for number, log in enumerate(block.get("logs", ()), 1):
        yield notification(feed, at + number * STEP_NS, OWN_IDS["logs"], log)


class FramesImport:
    """A node's socket recorded as JSON lines ``{"t": nanoseconds, "frame": {...}}``.

    Args:
        feed: the alias that the tape shall give it.
        subscriptions: the recording's subscriptions by name, such as ``newHeads``, with ids.
        problems: where lines of another form are counted, as ``bad_line``.

    Raises:
        ConfigError: a name is not known, or an id is no text.
    """

    def __init__(
        self, feed: str, subscriptions: Mapping[str, Any], problems: Counter[str] | None = None
    ) -> None:
        unknown = sorted(set(subscriptions) - set(SUBSCRIPTIONS))
        if unknown:
            known = ", ".join(SUBSCRIPTIONS)
            raise ConfigError(f"subscriptions {', '.join(unknown)} are not known; known: {known}")
        wrong = [name for name, given in subscriptions.items() if not isinstance(given, str)]
        if wrong:
            raise ConfigError(f"the id of {', '.join(wrong)} is no text")
        self.feed = feed
        self.subscriptions: Mapping[str, str] = subscriptions
        self.problems: Counter[str] = Counter() if problems is None else problems

    def records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        """The frames; lines of another form are counted in ``problems``."""
        opened = False
        for line in filter(None, map(bytes.strip, lines)):
            try:
                row = _ROW.decode(line)
            except (msgspec.DecodeError, RecursionError):
                self.problems["bad_line"] += 1
                continue
            if not opened:
                opened = True
                yield from opening(self.feed, row.t, self.subscriptions)
            yield Record(row.t, row.t, self.feed, Direction.IN, bytes(row.frame))


class _Row(msgspec.Struct):
    t: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    frame: msgspec.Raw


_ROW = msgspec.json.Decoder(_Row)
