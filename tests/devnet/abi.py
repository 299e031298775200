"""Calls, answers and logs in Ethereum's ABI, by their signatures."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi import decode as _decode
from eth_abi import encode as _encode
from eth_hash.auto import keccak

Address = str
"""Lower-case hexadecimal with its prefix."""
Word = int


def hexed(data: bytes) -> str:
    """With the prefix."""
    return f"0x{data.hex()}"


def raw(text: str) -> bytes:
    """The bytes of hexadecimal text with its prefix."""
    return bytes.fromhex(text.removeprefix("0x"))


@cache
def selector(signature: str) -> bytes:
    """The first four bytes of a method's hash."""
    return keccak(signature.encode())[:4]


@cache
def topic(signature: str) -> str:
    """An event's first topic."""
    return hexed(keccak(signature.encode()))


@cache
def types_of(signature: str) -> tuple[str, ...]:
    """The outermost types between a signature's parentheses."""
    inside = signature[signature.index("(") + 1 : -1]
    found: list[str] = []
    depth = 0
    for part in inside.split(",") if inside else ():
        if depth:
            found[-1] += f",{part}"
        else:
            found.append(part)
        depth += part.count("(") - part.count(")")
    return tuple(found)


def encode(types: tuple[str, ...], *values: Any) -> bytes:
    """Values of these types."""
    return _encode(types, values)


def call_data(signature: str, *values: Any) -> str:
    """The input of a call."""
    return hexed(selector(signature) + _encode(types_of(signature), values))


def decode(types: str, data: str) -> tuple[Any, ...]:
    """Values of types in parentheses."""
    return _decode(types_of(types), raw(data))


def word(value: int | str) -> str:
    """An integer or an address as a topic or a storage word."""
    return f"0x{(int(value, 16) if isinstance(value, str) else value):064x}"


def address_in(text: str) -> Address:
    """The address in a topic."""
    return f"0x{text[-40:]}"


@cache
def account(name: str) -> Address:
    """An address of nobody's: it is impersonated, and no key to it exists here."""
    return hexed(keccak(f"devnet:{name}".encode())[12:])


def created(sender: Address, nonce: int) -> Address:
    """Where a sender's contract of a nonce from 1 to 127 is."""
    return hexed(keccak(b"\xd6\x94" + raw(sender) + bytes([nonce]))[12:])
