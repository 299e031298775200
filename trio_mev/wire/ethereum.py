"""An Ethereum node's words as nouns: heads, transactions, logs.

Field names and encodings: the Ethereum JSON-RPC specification (execution-apis).
"""

from __future__ import annotations

import re

import msgspec

from ..errors import MalformedFrame
from ..model.chain import Block, Log, Transaction
from .numbers import MAX_INPUT, address, data, hash32, maybe_quantity, quantity
from .session import decode

MAX_TOPICS = 4
MAX_TRANSACTIONS = 100_000
"""In one block; 36 million gas hold 1,714 of the cheapest."""


class _Head(msgspec.Struct, rename="camel", gc=False):
    number: str
    hash: str
    parent_hash: str
    timestamp: str
    gas_limit: str
    gas_used: str
    base_fee_per_gas: str | None = None
    miner: str | None = None
    transactions: list[msgspec.Raw] | None = None


class _Transaction(msgspec.Struct, rename="camel", gc=False):
    hash: str
    from_: str = msgspec.field(name="from")
    nonce: str
    value: str
    gas: str
    input: str
    to: str | None = None
    type: str = "0x0"
    gas_price: str | None = None
    max_fee_per_gas: str | None = None
    max_priority_fee_per_gas: str | None = None
    chain_id: str | None = None


class _Log(msgspec.Struct, rename="camel", gc=False):
    block_hash: str
    block_number: str
    log_index: str
    transaction_hash: str
    transaction_index: str
    address: str
    topics: list[str]
    data: str
    removed: bool = False


class _Mined(msgspec.Struct, rename="camel", gc=False):
    block_hash: str | None = None
    block_number: str | None = None


class _BodyParams(msgspec.Struct, gc=False):
    result: _Transaction


class _BodyNotification(msgspec.Struct, gc=False):
    params: _BodyParams


class _Hashed(msgspec.Struct, gc=False):
    hash: str


_HEAD = msgspec.json.Decoder(_Head)
_TRANSACTION = msgspec.json.Decoder(_Transaction)
_MINED = msgspec.json.Decoder(_Mined)
_BODY = msgspec.json.Decoder(_BodyNotification)
_MAYBE_TRANSACTION = msgspec.json.Decoder(str | _Transaction)
_LOG = msgspec.json.Decoder(_Log)
_LOGS = msgspec.json.Decoder(list[_Log])
_HASH_OR_BODY = msgspec.json.Decoder(str | _Hashed)

# A hash and two addresses in lower case, as nodes write them.
_NAMES = re.compile("0x[0-9a-f]{64}0x[0-9a-f]{40}0x[0-9a-f]{40}")
_NOBODY = "0x" + "0" * 40
_ZERO = "0x0"
_TYPES = {f"0x{kind}": kind for kind in range(5)}
_HEX = b"0123456789abcdefx"


def parse_head(raw: bytes | msgspec.Raw) -> Block:
    """A header as ``newHeads`` gives it, or a block with hashes or whole transactions.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says.
    """
    head = decode(_HEAD, raw)
    hashes: tuple[str, ...] | None = None
    if head.transactions is not None:
        if len(head.transactions) > MAX_TRANSACTIONS:
            raise MalformedFrame("too_many", f"{len(head.transactions)} transactions")
        hashes = tuple(_hash_of(item) for item in head.transactions)
    return Block(
        quantity(head.number, 64),
        hash32(head.hash),
        hash32(head.parent_hash),
        quantity(head.timestamp, 40),
        quantity(head.gas_limit, 64),
        quantity(head.gas_used, 64),
        maybe_quantity(head.base_fee_per_gas),
        None if head.miner is None else address(head.miner),
        hashes,
    )


def _hash_of(item: msgspec.Raw) -> str:
    value = decode(_HASH_OR_BODY, item)
    return hash32(value if isinstance(value, str) else value.hash)


def parse_pending(raw: bytes | msgspec.Raw) -> str | Transaction:
    """What ``newPendingTransactions`` gives: a hash, or a body where bodies were asked for.

    Raises:
        MalformedFrame: it is neither.
    """
    value = decode(_MAYBE_TRANSACTION, raw)
    return hash32(value) if isinstance(value, str) else _transaction(value)


def parse_transaction(raw: bytes | msgspec.Raw) -> Transaction:
    """A transaction's body; to whom is None where it creates a contract.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says.
    """
    return _transaction(decode(_TRANSACTION, raw))


def parse_place(raw: bytes | msgspec.Raw) -> tuple[str, int] | None:
    """The block that has a transaction, by hash and number; None where it is pending.

    Raises:
        MalformedFrame: a field cannot be what it says.
    """
    mined = decode(_MINED, raw)
    if mined.block_hash is None or mined.block_number is None:
        return None
    return hash32(mined.block_hash), quantity(mined.block_number, 64)


def parse_body(frame: bytes) -> Transaction | None:
    """The body in a whole notification, read in one pass.

    None where it is anything but a sound notification of a body: whoever needs to know why
    reads it in parts.
    """
    try:
        return _transaction(_BODY.decode(frame).params.result)
    except (msgspec.DecodeError, MalformedFrame, RecursionError, UnicodeDecodeError):
        return None


def _transaction(body: _Transaction) -> Transaction:
    """A sound body is checked as a whole; where that finds fault it is read field by field.

    Field by field takes as long again as all the rest of a body's way to the processors.
    """
    to, price, fee, tip = (
        body.to,
        body.gas_price,
        body.max_fee_per_gas,
        body.max_priority_fee_per_gas,
    )
    chain, nonce, gas = body.chain_id, body.nonce, body.gas
    names = body.hash + body.from_ + (_NOBODY if to is None else to)
    numbers = "".join(
        (nonce, body.value, gas, price or _ZERO, fee or _ZERO, tip or _ZERO, chain or _ZERO)
    )
    kind = _TYPES.get(body.type)
    if not (
        kind is not None
        and _NAMES.fullmatch(names)
        # What int() takes has one x at most, behind a 0; so each of the seven has one.
        and numbers.count("x") == 7
        # Seven times 0x and 66 digits in all: those without a check have at most 64.
        and len(numbers) <= 80
        and len(nonce) <= 18
        and len(gas) <= 18
        and not numbers.encode().translate(None, _HEX)
    ):
        return _by_fields(body)
    try:
        gas_price = None if price is None else int(price, 16)
        return Transaction(
            body.hash,
            body.from_,
            to,
            int(nonce, 16),
            int(body.value, 16),
            int(gas, 16),
            _input(body.input),
            kind,
            gas_price,
            # Of a pending transaction nodes write the cap twice.
            None if fee is None else gas_price if fee == price else int(fee, 16),
            None if tip is None else int(tip, 16),
            None if chain is None else int(chain, 16),
        )
    except ValueError:
        return _by_fields(body)


def _input(text: str) -> bytes:
    """Sound data; ValueError for any other."""
    raw = bytes.fromhex(text[2:])
    # What is not sound may still be read by fromhex: spaces, or what is not 0x before it.
    if 2 * len(raw) + 2 != len(text) or text[0] != "0" or text[1] != "x" or len(raw) > MAX_INPUT:
        raise ValueError
    return raw


def _by_fields(body: _Transaction) -> Transaction:
    return Transaction(
        hash32(body.hash),
        address(body.from_),
        None if body.to is None else address(body.to),
        quantity(body.nonce, 64),
        quantity(body.value),
        quantity(body.gas, 64),
        data(body.input),
        quantity(body.type, 8),
        maybe_quantity(body.gas_price),
        maybe_quantity(body.max_fee_per_gas),
        maybe_quantity(body.max_priority_fee_per_gas),
        maybe_quantity(body.chain_id),
    )


def parse_log(raw: bytes | msgspec.Raw) -> Log:
    """An event log.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says.
    """
    return _read_log(decode(_LOG, raw))


def parse_logs(raw: bytes | msgspec.Raw) -> list[Log]:
    """The event logs that answer ``eth_getLogs``; of one that is damaged all are refused.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says.
    """
    return [_read_log(log) for log in decode(_LOGS, raw)]


def _read_log(log: _Log) -> Log:
    if len(log.topics) > MAX_TOPICS:
        raise MalformedFrame("too_many", f"{len(log.topics)} topics")
    return Log(
        hash32(log.block_hash),
        quantity(log.block_number, 64),
        quantity(log.log_index, 32),
        hash32(log.transaction_hash),
        quantity(log.transaction_index, 32),
        address(log.address),
        tuple(hash32(topic) for topic in log.topics),
        data(log.data),
        log.removed,
    )
