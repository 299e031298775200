"""An Ethereum node's words as nouns: heads, transactions, logs.

Field names and encodings: the Ethereum JSON-RPC specification (execution-apis).
"""

from __future__ import annotations

import msgspec

from ..errors import MalformedFrame
from ..model.chain import Block, Log, Transaction
from .numbers import address, data, hash32, maybe_quantity, quantity
from .session import decode

MAX_TOPICS = 4
MAX_TRANSACTIONS = 100_000
"""In one block; 36 million gas hold 1,714 of the cheapest."""


class _Head(msgspec.Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str
    gas_limit: str
    gas_used: str
    base_fee_per_gas: str | None = None
    miner: str | None = None
    transactions: list[msgspec.Raw] | None = None


class _Transaction(msgspec.Struct, rename="camel"):
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


class _Log(msgspec.Struct, rename="camel"):
    block_hash: str
    block_number: str
    log_index: str
    transaction_hash: str
    transaction_index: str
    address: str
    topics: list[str]
    data: str
    removed: bool = False


class _Hashed(msgspec.Struct):
    hash: str


_HEAD = msgspec.json.Decoder(_Head)
_TRANSACTION = msgspec.json.Decoder(_Transaction)
_MAYBE_TRANSACTION = msgspec.json.Decoder(str | _Transaction)
_LOG = msgspec.json.Decoder(_Log)
_HASH_OR_BODY = msgspec.json.Decoder(str | _Hashed)


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


def _transaction(body: _Transaction) -> Transaction:
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
    log = decode(_LOG, raw)
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
