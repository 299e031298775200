"""Signed transactions as they travel between nodes, read into a node's spelling.

Legacy ones and those of EIP-2930, EIP-1559, EIP-4844 (also with its blobs about it) and EIP-7702.
Who signed is not worked out here: it must be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from Crypto.Hash import keccak

from ..errors import MalformedFrame
from .rlp import Item, decode_rlp

_NUMBERS = {
    "chainId": 256,
    "nonce": 64,
    "gasPrice": 256,
    "maxPriorityFeePerGas": 256,
    "maxFeePerGas": 256,
    "gas": 64,
    "value": 256,
    "maxFeePerBlobGas": 256,
}
"""Bits that each may have."""
_DYNAMIC = (
    *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input"),
    "accessList",
)
_FIELDS: dict[int, tuple[str, ...]] = {
    0: ("nonce", "gasPrice", "gas", "to", "value", "input"),
    1: ("chainId", "nonce", "gasPrice", "gas", "to", "value", "input", "accessList"),
    2: _DYNAMIC,
    3: (*_DYNAMIC, "maxFeePerBlobGas", "blobVersionedHashes"),
    4: (*_DYNAMIC, "authorizationList"),
}
"""By type, in order; three more behind them are the signature."""
_LISTS = frozenset({"accessList", "blobVersionedHashes", "authorizationList"})
_BLOBS = 3


def read_signed(raw: bytes) -> dict[str, Any]:
    """A transaction's fields as a node spells them, with its hash and its type.

    Lists (who may be called, blobs, authorisations) are checked to be lists and left out.

    Raises:
        MalformedFrame: ``bad_rlp``, ``unknown_type``, ``bad_transaction``.
    """
    if not raw:
        raise MalformedFrame("bad_transaction", "it is empty")
    kind = raw[0] if raw[0] < 0xC0 else 0
    if kind not in _FIELDS or (not kind and raw[0] < 0xC0):
        raise MalformedFrame("unknown_type", str(raw[0]))
    items = decode_rlp(raw[1:] if kind else raw)
    if kind == _BLOBS and isinstance(items, list) and items and isinstance(items[0], list):
        # With its blobs about it: the transaction itself is the first item, and alone is hashed.
        items, raw = items[0], _without_blobs(raw)
    names = _FIELDS[kind]
    if not isinstance(items, list) or len(items) != len(names) + 3:
        raise MalformedFrame("bad_transaction", f"type {kind} has {len(names) + 3} fields")
    fields: dict[str, Any] = {"hash": hash_of(raw), "type": hex(kind)}
    for name, item in zip(names, items, strict=False):
        if name in _LISTS:
            _check_list(name, item)
        else:
            fields[name] = _field(name, item)
    if not kind and (chain := _signed_for(items)) is not None:
        fields["chainId"] = chain
    return fields


def hash_of(raw: bytes) -> str:
    """The Keccak-256 of a transaction as it is signed."""
    return "0x" + keccak.new(digest_bits=256, data=raw).hexdigest()


def _without_blobs(raw: bytes) -> bytes:
    """The type and the first item of the list behind it, as it is written there."""
    outer = raw[1]
    begin = 2 + (outer - 0xF7 if outer > 0xF7 else 0)
    inner = raw[begin]
    if inner <= 0xF7:
        end = begin + 1 + inner - 0xC0
    else:
        count = inner - 0xF7
        end = begin + 1 + count + int.from_bytes(raw[begin + 1 : begin + 1 + count], "big")
    return raw[:1] + raw[begin:end]


def _field(name: str, item: Item) -> str | None:
    if isinstance(item, list):
        raise MalformedFrame("bad_transaction", f"its {name} is a list")
    if name in _NUMBERS:
        if len(item) * 8 > _NUMBERS[name] or item[:1] == b"\0":
            raise MalformedFrame("bad_transaction", f"its {name} is no number")
        return hex(int.from_bytes(item, "big"))
    if name == "to":
        if len(item) not in {0, 20}:
            raise MalformedFrame("bad_transaction", "its to is no address")
        return "0x" + item.hex() if item else None
    return "0x" + item.hex()


def _check_list(name: str, item: Item) -> None:
    if not isinstance(item, list):
        raise MalformedFrame("bad_transaction", f"its {name} is no list")


def _signed_for(items: Sequence[Item]) -> str | None:
    """The chain that a legacy transaction is signed for (EIP-155); None for any."""
    v = items[6]
    number = int.from_bytes(v, "big") if isinstance(v, bytes) and len(v) <= 32 else 0
    return hex((number - 35) // 2) if number >= 35 else None
