"""Calls and logs in Ethereum's ABI, encoded by eth-abi."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi import decode, encode
from eth_hash.auto import keccak
from hypothesis import strategies as st

from trio_mev.chain.abi import split
from trio_mev.model.chain import Log


@cache
def types_of(signature: str) -> tuple[str, ...]:
    """The outermost types between a signature's parentheses."""
    return tuple(split(signature[signature.index("(") + 1 : -1]))


def call(signature: str, *values: Any) -> bytes:
    """Selector and arguments."""
    return keccak(signature.encode())[:4] + encode(types_of(signature), values)


def arguments(types: str, *values: Any) -> bytes:
    """Values of types without parentheses around them."""
    return encode(split(types), values)


def decoded(signature: str, data: bytes) -> tuple[Any, ...]:
    """What eth-abi reads from arguments."""
    return decode(types_of(signature), data)


def plain(value: Any) -> Any:
    """One form for both readers: addresses in lower case, bytes for text and views."""
    if isinstance(value, str):
        return value if value.startswith("0x") and len(value) == 42 else value.encode()
    if isinstance(value, list | tuple):
        return tuple(plain(one) for one in value)
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def address(number: int) -> str:
    """An address of nobody's."""
    return f"0x{number:040x}"


def addresses() -> st.SearchStrategy[str]:
    return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


def values_of(name: str) -> st.SearchStrategy[Any]:
    """Any value of a type; arrays are short."""
    if name.endswith("]"):
        element, _, count = name[:-1].rpartition("[")
        most = int(count) if count else 3
        return st.lists(values_of(element), min_size=int(count or 0), max_size=most).map(tuple)
    if name.startswith("("):
        return st.tuples(*[values_of(one) for one in split(name[1:-1])])
    if name in SIMPLE:
        return SIMPLE[name]
    if name.startswith("bytes"):
        return st.binary(min_size=int(name[5:]), max_size=int(name[5:]))
    return integers(name)


def integers(name: str) -> st.SearchStrategy[int]:
    """Of a type's bits; small ones often."""
    if name.startswith("uint"):
        return st.integers(0, 3) | st.integers(0, 2 ** int(name[4:]) - 1)
    half = 2 ** (int(name[3:]) - 1)
    return st.integers(-half, half - 1)


SIMPLE = {
    "address": addresses(),
    "bool": st.booleans(),
    "string": st.text(st.characters(codec="ascii"), max_size=40),
    "bytes": st.binary(max_size=140),
}


def word(value: Any, name: str) -> str:
    """A value as a topic."""
    return "0x" + encode([name], [value]).hex()


def log(signature: str, *values: Any, emitter: str = address(1)) -> Log:
    """A log of an event; what is indexed has a star, and values are in the signature's order."""
    types = types_of(signature)
    bare = signature.replace("*", "")
    topics = ["0x" + keccak(bare.encode()).hex()]
    rest: list[tuple[str, Any]] = []
    for name, value in zip(types, values, strict=True):
        if name.endswith("*"):
            topics.append(word(value, name[:-1]))
        else:
            rest.append((name, value))
    data = encode([name for name, _ in rest], [value for _, value in rest])
    return Log("0x" + "b" * 64, 1, 0, "0x" + "a" * 64, 0, emitter, tuple(topics), data)
