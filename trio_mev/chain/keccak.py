"""Ethereum's hash, by which ids are made of what they stand for."""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak256(data: bytes) -> str:
    """Keccak-256 as ``0x`` text; of the same length as SHA-3's, and not the same."""
    return "0x" + keccak.new(digest_bits=32 * 8, data=data).hexdigest()
