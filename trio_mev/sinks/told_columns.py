"""What is stored of a stream: datasets and their columns.

What a block of the chain holds is named as in the datasets of blocks that were inspected. What
exchanges say are decimals of any length, which no column holds: each is there as text, exactly,
and as the nearest float. ``transaction`` has mempool-dumpster's columns, by name, type and order.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..model.opportunity import Kind
from .columns import DATASETS, FINDING, Type, wide

TIME = {"time": Type.TIME}
PLACE = {"chain_id": Type.U64, "block_number": Type.U32}


def decimal(name: str) -> dict[str, Type]:
    """An exchange's number."""
    return {f"{name}_string": Type.STRING, f"{name}_f64": Type.F64}


EXPOSURE = ("loss", "attacker_in", "attacker_profit", "limit_that_prevents")
"""Numbers of what a pending swap leaves open."""
CEX_DEX = ("venue_price", "pool_price", "interval", "size")
"""Decimals of a pool's price against the exchanges'."""


def _of_kinds(*kinds: Kind) -> dict[str, Type]:
    """The columns that kinds have beside those of every finding."""
    found: dict[str, Type] = {}
    for kind in kinds:
        found |= {n: t for n, t in DATASETS[kind.value].items() if n not in FINDING}
    return found


def _told() -> dict[str, Type]:
    """The columns of every finding, as blocks that were inspected have them."""
    return {n: t for n, t in FINDING.items() if n not in {*PLACE, "block_hash", "id"}}


OPPORTUNITY = {
    **TIME,
    **PLACE,
    "id": Type.STRING,
    "kind": Type.STRING,
    "detector": Type.STRING,
    "status": Type.STRING,
    "cause": Type.STRING,
    "confidence": Type.F64,
    "expires_block": Type.U32,
    **_told(),
}
STREAM_DATASETS: Mapping[str, Mapping[str, Type]] = {
    "finding": {
        **OPPORTUNITY,
        **_of_kinds(Kind.ARBITRAGE, Kind.SANDWICH, Kind.LIQUIDATION, Kind.JIT),
        **{column: kind for name in EXPOSURE for column, kind in wide(name).items()},
        **{column: kind for name in CEX_DEX for column, kind in decimal(name).items()},
    },
    "ledger": {
        **OPPORTUNITY,
        "verdict": Type.STRING,
        "taken_by": Type.STRING,
        "their_gross": Type.AMOUNTS,
        "why": Type.STRING,
        "lead_seconds": Type.F64,
    },
    "alert": {
        **TIME,
        "alert_id": Type.STRING,
        "type": Type.STRING,
        "message": Type.STRING,
        "detector": Type.STRING,
        "cause": Type.STRING,
        "instrument": Type.STRING,
        "transaction": Type.STRING,
        "usd": Type.STRING,
        "detail": Type.STRING,
    },
    "price": {
        **TIME,
        "instrument": Type.STRING,
        **decimal("price"),
        **decimal("confidence"),
        "status": Type.STRING,
        "sources": Type.STRINGS,
        "rejected": Type.STRINGS,
        "on_chain": Type.STRINGS,
        "via": Type.STRINGS,
        "volatility": Type.F64,
        "trend": Type.STRING,
        **decimal("spread"),
        "age": Type.F64,
        **decimal("off_chain_price"),
        **decimal("off_chain_confidence"),
        "off_chain_status": Type.STRING,
        "off_chain_sources": Type.STRINGS,
    },
    "quote": {
        **TIME,
        "occurred_at": Type.TIME,
        "source": Type.STRING,
        "venue": Type.STRING,
        "instrument": Type.STRING,
        **decimal("bid"),
        **decimal("ask"),
        **decimal("bid_size"),
        **decimal("ask_size"),
        **decimal("last"),
        "sequence": Type.U64,
    },
    "transaction": {
        "timestamp": Type.TIME_MS,
        "hash": Type.STRING,
        "chainId": Type.STRING,
        "txType": Type.I64,
        "from": Type.STRING,
        "to": Type.STRING,
        "value": Type.STRING,
        "nonce": Type.STRING,
        "gas": Type.STRING,
        "gasPrice": Type.STRING,
        "gasTipCap": Type.STRING,
        "gasFeeCap": Type.STRING,
        "dataSize": Type.I64,
        "data4Bytes": Type.STRING,
        "sources": Type.STRINGS,
        "includedAtBlockHeight": Type.I64,
        "includedBlockTimestamp": Type.TIME_MS,
        "inclusionDelayMs": Type.I64,
        "rawTx": Type.BYTES,
    },
    "sourcelog": {
        "received_at": Type.TIME_MS,
        "hash": Type.STRING,
        "source": Type.STRING,
        "location": Type.STRING,
    },
    "block_summary": {
        **TIME,
        **PLACE,
        "block_hash": Type.STRING,
        **wide("base_fee"),
        **wide("next_base_fee"),
        "gas_used": Type.U64,
        "gas_limit": Type.U64,
        "transactions": Type.U32,
        "seen_pending": Type.U32,
        "interval": Type.I64,
    },
}
"""Each dataset's columns, in their order; a dataset is a folder of that name."""
