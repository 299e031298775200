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
    AMOUNTS = "list of amounts"
    """Each with its token; under zero is what was lost."""
    SWAPS = "list of swaps"


def _wide(name: str) -> dict[str, Type]:
    """A number of 256 bits; one that may be under zero is in two's complement."""
    return {
        f"{name}_binary": Type.BYTES32,
        f"{name}_string": Type.STRING,
        f"{name}_f64": Type.F64,
    }


AMOUNT = {"token": Type.STRING, **_wide("amount")}
SWAP = {
    "transaction": Type.STRING,
    "log_index": Type.U32,
    "trace_address": Type.U32S,
    "pool": Type.STRING,
    "protocol": Type.STRING,
    "sender": Type.STRING,
    "recipient": Type.STRING,
    "token_in": Type.STRING,
    **_wide("amount_in"),
    "token_out": Type.STRING,
    **_wide("amount_out"),
}
_WHERE = {"chain_id": Type.U64, "block_number": Type.U32, "block_hash": Type.STRING}
_FINDING = {
    **_WHERE,
    "id": Type.STRING,
    "transactions": Type.STRINGS,
    "victims": Type.STRINGS,
    "pools": Type.STRINGS,
    "searcher": Type.STRING,
    "gross": Type.AMOUNTS,
    "net": Type.AMOUNTS,
    **_wide("gas_wei"),
    **_wide("builder_wei"),
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
    Kind.ARBITRAGE.value: {**_FINDING, "path": Type.SWAPS},
    Kind.SANDWICH.value: {
        **_FINDING,
        "frontrun": Type.SWAPS,
        "victim_swaps": Type.SWAPS,
        "backrun": Type.SWAPS,
    },
    Kind.LIQUIDATION.value: {
        **_FINDING,
        "protocol": Type.STRING,
        "user": Type.STRING,
        "debt_token": Type.STRING,
        **_wide("debt_amount"),
        "collateral_token": Type.STRING,
        **_wide("collateral_amount"),
    },
    Kind.JIT.value: {
        **_FINDING,
        "pool": Type.STRING,
        "owner": Type.STRING,
        "tick_lower": Type.I32,
        "tick_upper": Type.I32,
        **_wide("liquidity"),
        **_wide("mint_amount0"),
        **_wide("mint_amount1"),
        **_wide("burn_amount0"),
        **_wide("burn_amount1"),
        "swaps": Type.SWAPS,
    },
    Kind.CEX_DEX.value: {
        **_FINDING,
        "venue_price": Type.STRING,
        "pool_price": Type.STRING,
        "interval": Type.STRING,
        "size": Type.STRING,
    },
}
"""Each kind's columns, in their order; a dataset is a folder of that name."""


def _spread(name: str, text: str | None) -> Row:
    """A number three times, from its digits."""
    if text is None:
        return dict.fromkeys(_wide(name))
    value = int(text)
    return {
        f"{name}_binary": (value % 2**256).to_bytes(32, "big"),
        f"{name}_string": text,
        f"{name}_f64": float(value),
    }


def _amounts(amounts: Mapping[str, str] | None) -> list[Row] | None:
    if amounts is None:
        return None
    return [{"token": token, **_spread("amount", text)} for token, text in amounts.items()]


def _swap(line: Mapping[str, Any]) -> Row:
    row = {name: line.get(name) for name in SWAP}
    return row | _spread("amount_in", line["amount_in"]) | _spread("amount_out", line["amount_out"])


def _swaps(lines: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [_swap(line) for line in lines]


def _arbitrage(detail: Mapping[str, Any]) -> Row:
    return {"path": _swaps(detail["path"])}


def _sandwich(detail: Mapping[str, Any]) -> Row:
    return {
        "frontrun": _swaps(detail["frontrun"]),
        "victim_swaps": _swaps(detail["victims"]),
        "backrun": _swaps(detail["backrun"]),
    }


def _liquidation(detail: Mapping[str, Any]) -> Row:
    names = "protocol", "user", "debt_token", "collateral_token"
    row = {name: detail[name] for name in names}
    for name in ("debt_amount", "collateral_amount"):
        row |= _spread(name, detail[name])
    return row


def _jit(detail: Mapping[str, Any]) -> Row:
    mint, burn = detail["mint"], detail["burn"]
    row = {name: mint[name] for name in ("pool", "owner", "tick_lower", "tick_upper")}
    row |= _spread("liquidity", mint["liquidity"])
    for name, change in (("mint", mint), ("burn", burn)):
        for amount in ("amount0", "amount1"):
            row |= _spread(f"{name}_{amount}", change[amount])
    return row | {"swaps": _swaps(detail["swaps"])}


def _cex_dex(detail: Mapping[str, Any]) -> Row:
    return {name: detail[name] for name in ("venue_price", "pool_price", "interval", "size")}


_DETAILS = {
    Kind.ARBITRAGE: _arbitrage,
    Kind.SANDWICH: _sandwich,
    Kind.LIQUIDATION: _liquidation,
    Kind.JIT: _jit,
    Kind.CEX_DEX: _cex_dex,
}


def _finding(one: Opportunity) -> Row:
    line = finding_line(one)
    row = {name: line.get(name) for name in _FINDING}
    for name in ("gross", "net"):
        row[name] = _amounts(line[name])
    for name in ("gas_wei", "builder_wei"):
        row |= _spread(name, line[name])
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
        yield Kind.SWAP.value, where | _swap(swap_line(swap))
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
