"""Recorded transactions as they were signed: written by another library than what reads them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import rlp


def recorded(corpus: Path) -> list[dict[str, Any]]:
    """Every transaction of the recorded blocks, in a node's spelling, signatures included."""
    found: list[dict[str, Any]] = []
    for path in sorted((corpus / "mainnet" / "transactions").glob("*.json.gz")):
        value = json.loads(gzip.decompress(path.read_bytes()))
        found += value.get("result", value)["transactions"]
    return found


def number(text: str | None) -> bytes:
    return b"" if text is None else int(text, 16).to_bytes(32, "big").lstrip(b"\0")


def raw_bytes(text: str | None) -> bytes:
    return b"" if text is None else bytes.fromhex(text[2:])


def fields_of(body: dict[str, Any]) -> list[Any]:
    """What is signed, and the signature, in the order of its type."""
    kind = int(body["type"], 16)
    head = [] if kind == 0 else [number(body["chainId"])]
    head.append(number(body["nonce"]))
    fees = ("gasPrice",) if kind < 2 else ("maxPriorityFeePerGas", "maxFeePerGas")
    head += [number(body[name]) for name in (*fees, "gas")]
    head += [raw_bytes(body["to"]), number(body["value"]), raw_bytes(body["input"])]
    if kind:
        head.append(
            [
                [raw_bytes(one["address"]), [raw_bytes(key) for key in one["storageKeys"]]]
                for one in body.get("accessList", [])
            ]
        )
    if kind == 3:
        head.append(number(body["maxFeePerBlobGas"]))
        head.append([raw_bytes(one) for one in body["blobVersionedHashes"]])
    if kind == 4:
        names = ("chainId", "nonce", "yParity", "r", "s")
        head.append(
            [
                [raw_bytes(one["address"]) if n == "address" else number(one[n]) for n in order]
                for one in body["authorizationList"]
                for order in [(names[0], "address", *names[1:])]
            ]
        )
    return [*head, number(body["v"]), number(body["r"]), number(body["s"])]


def raw_of(body: dict[str, Any]) -> bytes:
    """The bytes whose hash is the transaction's."""
    kind = int(body["type"], 16)
    return (bytes([kind]) if kind else b"") + rlp.encode(fields_of(body))
