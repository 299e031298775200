"""What is stored of a block that was inspected: datasets, their columns, and the rows.

Numbers of the chain have up to 256 bits, and no column does. As in cryo's files each is there
three times: as 32 bytes, big-endian, as text, and as the nearest float.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..inspect import Inspection
from ..model.opportunity import Kind, Opportunity
from ..wire.findings import finding_line, swap_line

Row = dict[str, Any]


class Type(enum.Enum):
    """What a column holds; any of them may be null."""

    U32 = "uint32"
    U64 = "uint64"
    I32 = "int32"
    F64 = "double"
    BOOL = "bool"
    STRING = "string"
    STRINGS = "list of string"
    U32S = "list of uint32"
    BYTES32 = "32 bytes"
    I64 = "int64"
    BYTES = "bytes"
    TIME = "time"
    """In UTC, to the microsecond."""
    TIME_MS = "time in ms"
    """In UTC, to the millisecond."""
    AMOUNTS = "list of amounts"
    """Each with its token; under zero is what was lost."""
    SWAPS = "list of swaps"


def wide(name: str) -> dict[str, Type]:
    """A number of 256 bits; one that may be under zero is in two's complement."""
    return {
        f"{name}_binary": Type.BYTES32,
        f"{name}_string": Type.STRING,
        f"{name}_f64": Type.F64,
    }


AMOUNT = {"token": Type.STRING, **wide("amount")}
SWAP = {
    "transaction": Type.STRING,
    "log_index": Type.U32,
    "trace_address": Type.U32S,
    "pool": Type.STRING,
    "protocol": Type.STRING,
    "sender": Type.STRING,
    "recipient": Type.STRING,
    "token_in": Type.STRING,
    **wide("amount_in"),
    "token_out": Type.STRING,
    **wide("amount_out"),
}
_WHERE = {"chain_id": Type.U64, "block_number": Type.U32, "block_hash": Type.STRING}
FINDING: Mapping[str, Type] = {
    **_WHERE,
    "id": Type.STRING,
    "transactions": Type.STRINGS,
    "victims": Type.STRINGS,
    "pools": Type.STRINGS,
    "searcher": Type.STRING,
    "gross": Type.AMOUNTS,
    "net": Type.AMOUNTS,
    **wide("gas_wei"),
    **wide("builder_wei"),
    "usd": Type.STRING,
    "reverted": Type.BOOL,
    "basis": Type.STRING,
    "alternatives": Type.STRINGS,
    "detail": Type.STRING,
}
BLOCK = "block"
DATASETS: Mapping[str, Mapping[str, Type]] = {
    BLOCK: {
        **_WHERE,
        "source": Type.STRING,
        "transactions": Type.U32,
        "swaps": Type.U32,
        "findings": Type.U32,
        "reverted": Type.U32,
        "left_out": Type.STRING,
        "cut": Type.BOOL,
    },
    Kind.SWAP.value: {**_WHERE, **SWAP},
    Kind.ARBITRAGE.value: {**FINDING, "path": Type.SWAPS},
    Kind.SANDWICH.value: {
        **FINDING,
        "frontrun": Type.SWAPS,
        "victim_swaps": Type.SWAPS,
        "backrun": Type.SWAPS,
    },
    Kind.LIQUIDATION.value: {
        **FINDING,
        "protocol": Type.STRING,
        "user": Type.STRING,
        "debt_token": Type.STRING,
        **wide("debt_amount"),
        "collateral_token": Type.STRING,
        **wide("collateral_amount"),
    },
    Kind.JIT.value: {
        **FINDING,
        "pool": Type.STRING,
        "owner": Type.STRING,
        "tick_lower": Type.I32,
        "tick_upper": Type.I32,
        **wide("liquidity"),
        **wide("mint_amount0"),
        **wide("mint_amount1"),
        **wide("burn_amount0"),
        **wide("burn_amount1"),
        "swaps": Type.SWAPS,
    },
    Kind.CEX_DEX.value: {
        **FINDING,
        "venue_price": Type.STRING,
        "pool_price": Type.STRING,
        "interval": Type.STRING,
        "size": Type.STRING,
    },
}
"""Each kind's columns, in their order; a dataset is a folder of that name."""


def spread(name: str, text: str | None) -> Row:
    """A number three times, from its digits."""
    if text is None:
        return dict.fromkeys(wide(name))
    value = int(text)
    return {
        f"{name}_binary": (value % 2**256).to_bytes(32, "big"),
        f"{name}_string": text,
        f"{name}_f64": float(value),
    }


def amounts_of(amounts: Mapping[str, str] | None) -> list[Row] | None:
    """Amounts of a line of JSON as rows of a list; None stays None."""
    if amounts is None:
        return None
    return [{"token": token, **spread("amount", text)} for token, text in amounts.items()]


def swap_of(line: Mapping[str, Any]) -> Row:
    """A swap of a line of JSON."""
    row = {name: line.get(name) for name in SWAP}
    return row | spread("amount_in", line["amount_in"]) | spread("amount_out", line["amount_out"])


def swaps_of(lines: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Swaps of a line of JSON as rows of a list."""
    return [swap_of(line) for line in lines]


def arbitrage_of(detail: Mapping[str, Any]) -> Row:
    """The columns of the detail of a line of JSON."""
    return {"path": swaps_of(detail["path"])}


def sandwich_of(detail: Mapping[str, Any]) -> Row:
    """The columns of the detail of a line of JSON."""
    return {
        "frontrun": swaps_of(detail["frontrun"]),
        "victim_swaps": swaps_of(detail["victims"]),
        "backrun": swaps_of(detail["backrun"]),
    }


def liquidation_of(detail: Mapping[str, Any]) -> Row:
    """The columns of the detail of a line of JSON."""
    names = "protocol", "user", "debt_token", "collateral_token"
    row = {name: detail[name] for name in names}
    for name in ("debt_amount", "collateral_amount"):
        row |= spread(name, detail[name])
    return row


def jit_of(detail: Mapping[str, Any]) -> Row:
    """The columns of the detail of a line of JSON."""
    mint, burn = detail["mint"], detail["burn"]
    row = {name: mint[name] for name in ("pool", "owner", "tick_lower", "tick_upper")}
    row |= spread("liquidity", mint["liquidity"])
    for name, change in (("mint", mint), ("burn", burn)):
        for amount in ("amount0", "amount1"):
            row |= spread(f"{name}_{amount}", change[amount])
    return row | {"swaps": swaps_of(detail["swaps"])}


def _cex_dex(detail: Mapping[str, Any]) -> Row:
    return {name: detail[name] for name in ("venue_price", "pool_price", "interval", "size")}


_DETAILS = {
    Kind.ARBITRAGE: arbitrage_of,
    Kind.SANDWICH: sandwich_of,
    Kind.LIQUIDATION: liquidation_of,
    Kind.JIT: jit_of,
    Kind.CEX_DEX: _cex_dex,
}


def _finding(one: Opportunity) -> Row:
    line = finding_line(one)
    row = {name: line.get(name) for name in FINDING}
    for name in ("gross", "net"):
        row[name] = amounts_of(line[name])
    for name in ("gas_wei", "builder_wei"):
        row |= spread(name, line[name])
    row["detail"] = msgspec.json.encode(line["detail"]).decode()
    return row | _DETAILS[one.kind](line["detail"])


def rows_of(
    found: Inspection, transactions: int, chain_id: int | None, source: str
) -> Iterator[tuple[str, Row]]:
    """A block's rows, each with its dataset.

    Args:
        found: in the block.
        transactions: how many it has.
        chain_id: None where nobody says which chain it is of.
        source: where the block was read.
    """
    where: Row = {
        "chain_id": chain_id,
        "block_number": found.block,
        "block_hash": found.hash or None,
    }
    for swap in found.swaps:
        yield Kind.SWAP.value, where | swap_of(swap_line(swap))
    for one in found.opportunities:
        yield one.kind.value, _finding(one) | where
    reverted = sum(one.reverted for one in found.opportunities)
    yield (
        BLOCK,
        where
        | {
            "source": source,
            "transactions": transactions,
            "swaps": len(found.swaps),
            "findings": len(found.opportunities) - reverted,
            "reverted": reverted,
            "left_out": msgspec.json.encode(dict(found.left_out)).decode(),
            "cut": found.cut,
        },
    )
