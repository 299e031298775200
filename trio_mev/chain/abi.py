"""Arguments of calls and logs, read by slices from Ethereum's contract ABI.

A signature is compiled once into readers; each takes its words where the ABI has them and checks
every bound before it slices. Values come out exact: integers, lower-case addresses, booleans,
``bytes`` of fixed length, and views (never copies) of ``bytes`` and ``string``; arrays and tuples
are tuples. What the ABI pads must be zero, as the contracts' own decoders demand.

No input can make a reader loop or fill the memory: an array has at most as many elements as fit
behind its length, those of changing size at most ``MAX_ELEMENTS``, and the content of ``bytes`` is
not copied.

Source: the Contract ABI Specification of Solidity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WORD = 32
MAX_ELEMENTS = 1024
"""Of an array whose elements have no fixed size; calls in blocks have a few dozen at most."""

_PAD = "0" * 24

Reader = Callable[[bytes, int, int], Any]
"""Takes the data, where the value's head is, and where offsets in its tuple count from."""


class BadData(ValueError):
    """The data is not what the signature says. Nothing outside of this package raises it."""


class Type:
    """One type of the ABI, compiled."""

    __slots__ = ("dynamic", "read", "size")

    def __init__(self, read: Reader, size: int = WORD, dynamic: bool = False) -> None:
        self.read = read
        self.size = size
        """Bytes of its head."""
        self.dynamic = dynamic


class Arguments:
    """What stands between the parentheses of a signature, compiled."""

    __slots__ = ("_parts", "size")

    def __init__(self, types: str) -> None:
        parts, self.size = _placed(split(types))
        self._parts = parts

    def read(self, data: bytes, at: int = 0) -> tuple[Any, ...]:
        """The arguments that begin at a place in the data.

        Raises:
            BadData: they are not all there, or are not encoded as the ABI wants.
        """
        if len(data) < at + self.size:
            raise BadData("shorter than its arguments")
        return tuple([read(data, at + offset, at) for read, offset in self._parts])


def arguments_of(signature: str) -> Arguments:
    """The arguments of ``name(types)``."""
    return Arguments(signature[signature.index("(") + 1 : -1])


def split(types: str) -> list[str]:
    """The outermost types of a list with commas."""
    found: list[str] = []
    depth = 0
    for part in types.split(",") if types else ():
        if depth:
            found[-1] += f",{part}"
        else:
            found.append(part)
        depth += part.count("(") - part.count(")")
    return found


def _placed(types: Iterable[str]) -> tuple[tuple[tuple[Reader, int], ...], int]:
    """Readers with the places of their heads, and the size of all heads."""
    parts: list[tuple[Reader, int]] = []
    size = 0
    for name in types:
        one = compiled(name)
        parts.append((one.read, size))
        size += one.size
    return tuple(parts), size


def compiled(name: str) -> Type:
    """A type by its name.

    Raises:
        ValueError: there is no such type.
    """
    if name.endswith("]"):
        element, _, count = name[:-1].rpartition("[")
        return _fixed(compiled(element), int(count)) if count else _array(compiled(element))
    if name.startswith("("):
        return _tuple(name[1:-1])
    if name in _NAMED:
        return _NAMED[name]
    for prefix, sized in _SIZED.items():
        if name.startswith(prefix):
            return Type(sized(int(name[len(prefix) :])))
    raise ValueError(f"no type of the ABI is named {name}")


def read_address(data: bytes, at: int, base: int = 0) -> str:
    """An address in a word whose bounds are known."""
    text = data[at : at + WORD].hex()
    if text[:24] != _PAD:
        raise BadData("an address with more than 20 bytes")
    return "0x" + text[24:]


def read_word(data: bytes, at: int, base: int = 0) -> int:
    """An unsigned integer in a word whose bounds are known."""
    return int.from_bytes(data[at : at + WORD], "big")


def _uint(bits: int) -> Reader:
    if bits == 256:
        return read_word

    def read(data: bytes, at: int, base: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big")
        if value >> bits:
            raise BadData(f"an integer over {bits} bits")
        return value

    return read


def _int(bits: int) -> Reader:
    least, over = -(1 << (bits - 1)), 1 << (bits - 1)

    def read(data: bytes, at: int, base: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big", signed=True)
        if not least <= value < over:
            raise BadData(f"an integer over {bits} bits")
        return value

    return read


def _bool(data: bytes, at: int, base: int) -> bool:
    value = int.from_bytes(data[at : at + WORD], "big")
    if value > 1:
        raise BadData("neither true nor false")
    return value == 1


def _raw(count: int) -> Reader:
    rest = bytes(WORD - count)

    def read(data: bytes, at: int, base: int) -> bytes:
        if data[at + count : at + WORD] != rest:
            raise BadData(f"more than {count} bytes")
        return data[at : at + count]

    return read


def _start(data: bytes, at: int, base: int) -> int:
    """Where a value of changing size is, by the offset in its head; a word is there."""
    start = base + int.from_bytes(data[at : at + WORD], "big")
    if start + WORD > len(data):
        raise BadData("an offset outside of the data")
    return start


def _bytes(data: bytes, at: int, base: int) -> memoryview:
    start = _start(data, at, base) + WORD
    end = start + int.from_bytes(data[start - WORD : start], "big")
    if end > len(data):
        raise BadData("bytes outside of the data")
    return memoryview(data)[start:end]


def _array(element: Type) -> Type:
    read_one, size, dynamic = element.read, element.size, element.dynamic

    def read(data: bytes, at: int, base: int) -> tuple[Any, ...]:
        start = _start(data, at, base) + WORD
        count = int.from_bytes(data[start - WORD : start], "big")
        end = start + count * size
        if end > len(data):
            raise BadData("an array outside of the data")
        if dynamic and count > MAX_ELEMENTS:
            raise BadData(f"more than {MAX_ELEMENTS} elements")
        return tuple([read_one(data, place, start) for place in range(start, end, size)])

    return Type(read, dynamic=True)


def _fixed(element: Type, count: int) -> Type:
    read_one, size = element.read, element.size

    def read(data: bytes, at: int, base: int) -> tuple[Any, ...]:
        end = at + count * size
        return tuple([read_one(data, place, base) for place in range(at, end, size)])

    if not element.dynamic:
        return Type(read, size * count)

    def follow(data: bytes, at: int, base: int) -> tuple[Any, ...]:
        start = _start(data, at, base)
        if start + count * size > len(data):
            raise BadData("an array outside of the data")
        return read(data, start, start)

    return Type(follow, dynamic=True)


def _tuple(types: str) -> Type:
    names = split(types)
    parts, size = _placed(names)
    if not any(compiled(name).dynamic for name in names):

        def read(data: bytes, at: int, base: int) -> tuple[Any, ...]:
            return tuple([one(data, at + offset, at) for one, offset in parts])

        return Type(read, size)

    def follow(data: bytes, at: int, base: int) -> tuple[Any, ...]:
        start = _start(data, at, base)
        if start + size > len(data):
            raise BadData("a tuple outside of the data")
        return tuple([one(data, start + offset, start) for one, offset in parts])

    return Type(follow, dynamic=True)


_NAMED = {
    "address": Type(read_address),
    "bool": Type(_bool),
    "bytes": Type(_bytes, dynamic=True),
    "string": Type(_bytes, dynamic=True),
}
_SIZED = {"uint": _uint, "int": _int, "bytes": _raw}
