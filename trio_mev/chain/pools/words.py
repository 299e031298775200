"""Words of 32 bytes, as contracts answer and announce them."""

from __future__ import annotations


def uint(data: bytes, word: int = 0) -> int:
    """An unsigned integer."""
    return int.from_bytes(data[32 * word : 32 * word + 32])


def sint(data: bytes, word: int = 0) -> int:
    """A signed integer."""
    return int.from_bytes(data[32 * word : 32 * word + 32], signed=True)


def address(data: bytes, word: int = 0) -> str:
    """An address in lower case."""
    return "0x" + data[32 * word + 12 : 32 * word + 32].hex()


def topic_address(topic: str) -> str:
    """An address in a topic."""
    return "0x" + topic[26:]


def argument(value: int | str) -> bytes:
    """An integer, or hexadecimal text of up to 32 bytes with its prefix, as a call's argument."""
    number = int(value, 16) if isinstance(value, str) else value
    return (number % 2**256).to_bytes(32)
