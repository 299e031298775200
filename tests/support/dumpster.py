"""A day of mempool-dumpster's, in miniature: its columns with recorded transactions in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.signed import raw_of

SCHEMA = pa.schema(
    [
        ("timestamp", pa.timestamp("ms", "UTC")),
        *((name, pa.string()) for name in ("hash", "chainId")),
        ("txType", pa.int64()),
        *((name, pa.string()) for name in ("from", "to", "value", "nonce", "gas")),
        *((name, pa.string()) for name in ("gasPrice", "gasTipCap", "gasFeeCap")),
        ("dataSize", pa.int64()),
        ("data4Bytes", pa.string()),
        ("sources", pa.list_(pa.string())),
        ("includedAtBlockHeight", pa.int64()),
        ("includedBlockTimestamp", pa.timestamp("ms", "UTC")),
        ("inclusionDelayMs", pa.int64()),
        ("rawTx", pa.binary()),
    ]
)
"""As its writer declares them."""
CSV = (
    "timestamp_ms,hash,chain_id,from,to,value,nonce,gas,gas_price,gas_tip_cap,gas_fee_cap,"
    "data_size,data_4bytes,sources,included_at_block_height,included_block_timestamp_ms,"
    "inclusion_delay_ms,tx_type"
)
START = 1_746_612_000_000


def whole(text: str | None) -> int:
    return 0 if text is None else int(text, 16)


def rows_of(bodies: Iterable[dict[str, Any]], start: int = START) -> list[dict[str, Any]]:
    """A row for each transaction, 40 ms apart."""
    rows = []
    for number, body in enumerate(bodies):
        cap = whole(body.get("maxFeePerGas", body["gasPrice"]))
        data = bytes.fromhex(body["input"][2:])
        rows.append(
            {
                "timestamp": start + 40 * number,
                "hash": body["hash"],
                "chainId": "1",
                "txType": whole(body["type"]),
                "from": body["from"],
                "to": body["to"] or "",
                "value": str(whole(body["value"])),
                "nonce": str(whole(body["nonce"])),
                "gas": str(whole(body["gas"])),
                "gasPrice": str(cap),
                "gasTipCap": str(whole(body.get("maxPriorityFeePerGas", body["gasPrice"]))),
                "gasFeeCap": str(cap),
                "dataSize": len(data),
                "data4Bytes": "0x" + data[:4].hex() if len(data) >= 4 else "",
                "sources": ["local", "bloxroute"],
                "includedAtBlockHeight": whole(body["blockNumber"]),
                "includedBlockTimestamp": start + 12_000,
                "inclusionDelayMs": 12_000 - 40 * number,
                "rawTx": raw_of(body),
            }
        )
    return rows


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Its Parquet file."""
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="gzip")
    return path


def csv_of(rows: list[dict[str, Any]]) -> str:
    """Its CSV file: the same without ``rawTx``, and the type behind all others."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [name for name in SCHEMA.names if name not in {"rawTx", "txType"}]
    for row in rows:
        joined = {**row, "sources": " ".join(row["sources"])}
        writer.writerow([*(joined[name] for name in names), row["txType"]])
    return f"{CSV}\n{out.getvalue()}"
