"""Blocks from what nodes and recordings say: receipts, and blocks with calldata and logs.

Field names: ``eth_getBlockReceipts`` of the Ethereum JSON-RPC specification (execution-apis), and
the tables of ethereum-etl, which have the same in snake case with integers.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ..errors import MalformedFrame
from ..model.chain import Block, Log
from ..wire.ethereum import MAX_TOPICS, MAX_TRANSACTIONS, parse_logs
from ..wire.numbers import address, data, hash32, quantity
from ..wire.session import decode
from .block import Mined, MinedBlock, by_transaction

MAX_LOGS = 500_000
"""Of a block; 150 million gas hold 400,000 of the cheapest."""

Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number of a file that is under zero nowhere, and nowhere longer."""


class _Receipt(msgspec.Struct, rename="camel", gc=False):
    transaction_hash: str
    transaction_index: str
    block_hash: str
    block_number: str
    logs: msgspec.Raw
    gas_used: str
    from_: str = msgspec.field(name="from")
    to: str | None = None
    effective_gas_price: str | None = None
    status: str | None = None


class _Head(msgspec.Struct, gc=False):
    number: int
    hash: str
    base_fee_per_gas: Whole | None = None
    miner: str | None = None
    timestamp: Whole | None = None


class _Row(msgspec.Struct, gc=False):
    hash: str
    transaction_index: Whole
    from_address: str
    to_address: str | None = None
    receipt_gas_used: Whole | None = None
    receipt_effective_gas_price: Whole | None = None
    receipt_status: int | None = None


class _LogRow(msgspec.Struct, gc=False):
    log_index: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    transaction_hash: str
    transaction_index: Whole
    address: str
    data: str
    topics: list[str]


class _Recorded(msgspec.Struct, gc=False):
    block: _Head
    transactions: list[_Row]
    logs: list[_LogRow]


_RECEIPTS = msgspec.json.Decoder(list[_Receipt])
_RECORDED = msgspec.json.Decoder(_Recorded)


def read_receipts(raw: bytes | msgspec.Raw, head: Block | None = None) -> MinedBlock:
    """A block from the answer to ``eth_getBlockReceipts``.

    Args:
        raw: the answer.
        head: the block, where its base fee and miner are to be known.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says, a log is of another
            transaction than its receipt, receipts are of several blocks or of another one than the
            head, or there are none and no head.
    """
    receipts = decode(_RECEIPTS, raw)
    _bounded(receipts, "transactions", MAX_TRANSACTIONS)
    blocks = {(quantity(one.block_number, 64), hash32(one.block_hash)) for one in receipts}
    if head is not None:
        blocks.add((head.number, head.hash))
    if len(blocks) != 1:
        raise MalformedFrame("wrong_shape", f"receipts of {len(blocks)} blocks")
    ((number, name),) = blocks
    mined = tuple(_in_order([_of_receipt(one) for one in receipts]))
    _bounded([log for one in mined for log in one.logs], "logs", MAX_LOGS)
    if head is None:
        return MinedBlock(number, name, mined)
    return MinedBlock(number, name, mined, head.base_fee, head.miner, head.timestamp)


def _of_receipt(receipt: _Receipt) -> Mined:
    price, status = receipt.effective_gas_price, receipt.status
    name = hash32(receipt.transaction_hash)
    logs = sorted(parse_logs(receipt.logs), key=lambda log: log.log_index)
    if any(log.transaction != name for log in logs):
        raise MalformedFrame("wrong_shape", "a receipt has a log of another transaction")
    return Mined(
        name,
        quantity(receipt.transaction_index, 32),
        tuple(logs),
        address(receipt.from_),
        None if receipt.to is None else address(receipt.to),
        quantity(receipt.gas_used, 64),
        None if price is None else quantity(price),
        None if status is None else quantity(status, 8) == 1,
    )


def read_recorded(raw: bytes) -> MinedBlock:
    """A block from ``{block, transactions, logs}`` in snake case with integers.

    Raises:
        MalformedFrame: a field is missing or cannot be what it says, or a log is of a transaction
            that is not there.
    """
    found = decode(_RECORDED, raw)
    _bounded(found.transactions, "transactions", MAX_TRANSACTIONS)
    _bounded(found.logs, "logs", MAX_LOGS)
    head = found.block
    name = hash32(head.hash)
    held = by_transaction([_of_log(row, head.number, name) for row in found.logs])
    mined = [_of_row(row, held.pop(hash32(row.hash), [])) for row in found.transactions]
    if held:
        raise MalformedFrame("wrong_shape", f"logs of {len(held)} transactions that are not there")
    miner = None if head.miner is None else address(head.miner)
    return MinedBlock(
        head.number, name, tuple(_in_order(mined)), head.base_fee_per_gas, miner, head.timestamp
    )


def _of_row(row: _Row, logs: list[Log]) -> Mined:
    status = row.receipt_status
    return Mined(
        hash32(row.hash),
        row.transaction_index,
        tuple(logs),
        address(row.from_address),
        None if row.to_address is None else address(row.to_address),
        row.receipt_gas_used,
        row.receipt_effective_gas_price,
        None if status is None else status == 1,
    )


def _of_log(row: _LogRow, number: int, name: str) -> Log:
    if len(row.topics) > MAX_TOPICS:
        raise MalformedFrame("too_many", f"{len(row.topics)} topics")
    return Log(
        name,
        number,
        row.log_index,
        hash32(row.transaction_hash),
        row.transaction_index,
        address(row.address),
        tuple(hash32(topic) for topic in row.topics),
        data(row.data),
    )


def _in_order(mined: list[Mined]) -> list[Mined]:
    ordered = sorted(mined, key=lambda one: one.place)
    if len({one.place for one in ordered}) < len(ordered):
        raise MalformedFrame("wrong_shape", "two transactions in one place")
    return ordered


def _bounded(many: list[Any], what: str, most: int) -> None:
    if len(many) > most:
        raise MalformedFrame("too_many", f"{len(many)} {what}")
