"""mempool-dumpster's transactions as a node's socket: each a pending one, at its time.

Its files are of two spellings: of Parquet (``chainId``) and of CSV (``chain_id``). Those with
``rawTx`` hold whole transactions. Of the others the call's data is known by its first four bytes
only, and no more of it is made up.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from ..errors import ConfigError, MalformedFrame
from .import_node import OWN_IDS, notification, opening
from .numbers import address, data, hash32
from .signed import read_signed
from .tape import Record

REQUIRED = ("timestamp", "hash", "from", "to", "value", "nonce", "gas")
OPTIONAL = (*("chainId", "txType", "gasPrice", "gasTipCap", "gasFeeCap", "data4Bytes", "rawTx"),)
_SPELLED = {
    "timestamp_ms": "timestamp",
    "chain_id": "chainId",
    "tx_type": "txType",
    "gas_price": "gasPrice",
    "gas_tip_cap": "gasTipCap",
    "gas_fee_cap": "gasFeeCap",
    "data_4bytes": "data4Bytes",
    "raw_tx": "rawTx",
}
_LATEST = 2**63 // 10**6
"""Milliseconds that a tape's nanoseconds can hold."""
Row = Mapping[str, Any]


def wanted(columns: Iterable[str]) -> dict[str, str]:
    """Of a file's columns those that are read, with their names here.

    Raises:
        ConfigError: one that is needed is missing.
    """
    found = {name: _SPELLED.get(name, name) for name in columns}
    missing = [name for name in REQUIRED if name not in found.values()]
    if missing:
        raise ConfigError(
            f"it has no column {', '.join(missing)}: it is none of mempool-dumpster's files of "
            "transactions"
        )
    return {name: ours for name, ours in found.items() if ours in {*REQUIRED, *OPTIONAL}}


def dumpster_records(
    feed: str, sources: Sequence[Iterable[Row]], problems: Counter[str]
) -> Iterator[Record]:
    """Transactions of several files, in the order of their times, as a node's socket.

    Args:
        feed: the alias that the tape shall give it.
        sources: each file's rows, in the order of their times.
        problems: where rows that cannot be used are counted, by reason, and, as
            ``out_of_order``, those that came too late for their time: they get that of the one
            before.
    """
    last: int | None = None
    for at, body in heapq.merge(*(_read(rows, problems) for rows in sources), key=itemgetter(0)):
        if last is None:
            yield from opening(feed, at * 10**6, {"pendingFull": OWN_IDS["pendingFull"]})
            last = at
        if at < last:
            problems["out_of_order"] += 1
        last = max(at, last)
        yield notification(feed, last * 10**6, OWN_IDS["pendingFull"], body)


def _read(rows: Iterable[Row], problems: Counter[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in rows:
        try:
            yield _time(row["timestamp"]), body_of(row)
        except MalformedFrame as error:
            problems[error.reason] += 1


def body_of(row: Row) -> dict[str, Any]:
    """A row's transaction as a node spells it.

    Raises:
        MalformedFrame: a value cannot be what it says, or what was signed is another transaction.
    """
    name, sender = hash32(_text(row["hash"])), address(_text(row["from"]))
    raw = row.get("rawTx")
    if raw:
        body = read_signed(raw if isinstance(raw, bytes) else data(_text(raw)))
        if body["hash"] != name:
            raise MalformedFrame("hash_mismatch", "rawTx is another transaction")
        body.setdefault("gasPrice", body.get("maxFeePerGas"))
    else:
        body = _of_columns(row, name)
    return body | {"from": sender}


def _of_columns(row: Row, name: str) -> dict[str, Any]:
    price, tip, cap = (_maybe(row, n) for n in ("gasPrice", "gasTipCap", "gasFeeCap"))
    kind = _maybe(row, "txType")
    if kind is None:  # of a legacy one all three are the same
        kind = 0 if tip in {None, price} and cap in {None, price} else 2
    body = {
        "hash": name,
        "type": hex(kind),
        "nonce": hex(_number(row["nonce"], 64)),
        "value": hex(_number(row["value"])),
        "gas": hex(_number(row["gas"], 64)),
        "to": address(_text(row["to"])) if row["to"] else None,
        "input": "0x" + data(_text(row.get("data4Bytes") or "0x")).hex(),
        "gasPrice": _hex(cap if price is None else price),
        "chainId": _hex(_maybe(row, "chainId")),
    }
    if kind >= 2:
        body |= {"maxFeePerGas": _hex(cap), "maxPriorityFeePerGas": _hex(tip)}
    return {key: value for key, value in body.items() if value is not None or key == "to"}


def _hex(value: int | None) -> str | None:
    return None if value is None else hex(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedFrame("bad_row", f"{type(value).__name__} in place of text")
    return value


def _maybe(row: Row, name: str) -> int | None:
    value = row.get(name)
    return None if value is None or value == "" else _number(value)


def _number(value: Any, bits: int = 256) -> int:
    """A whole number, as text in CSV and in most columns of Parquet."""
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= 78):
        raise MalformedFrame("bad_number", f"{text[:40]!r}")
    number = int(text)
    if number.bit_length() > bits:
        raise MalformedFrame("bad_number", f"over {bits} bits")
    return number


def _time(value: Any) -> int:
    """Milliseconds since the epoch."""
    milliseconds = _number(value, 64)
    if milliseconds >= _LATEST:
        raise MalformedFrame("bad_time", str(milliseconds))
    return milliseconds
