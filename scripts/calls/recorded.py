"""Recorded transactions of the main network, as far as a call needs them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Call(NamedTuple):
    """A transaction's recipient and what it is sent."""

    hash: str
    to: str | None
    data: bytes
    sender: str
    value: int


def six_blocks(corpus: Path) -> Iterator[Call]:
    """Every transaction of six consecutive blocks, 22431080 to 22431085, of May 2025."""
    for path in sorted((corpus / "mainnet" / "transactions").glob("*.json.gz")):
        for body in _load(path)["transactions"]:
            data = bytes.fromhex(body["input"][2:])
            yield Call(body["hash"], body["to"], data, body["from"], int(body["value"], 16))


def older_block(corpus: Path) -> Iterator[Call]:
    """Every transaction of block 17173049, of May 2023."""
    for body in _load(corpus / "mainnet" / "logs" / "17173049.json.gz")["transactions"]:
        data = bytes.fromhex(body["input"][2:])
        yield Call(body["hash"], body["to_address"], data, body["from_address"], body["value"])


def _load(path: Path) -> dict:
    with gzip.open(path) as file:
        return json.load(file)


SETS = {"blocks 22431080 to 22431085": six_blocks, "block 17173049": older_block}
