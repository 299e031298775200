"""Values of Ethereum's contract ABI: of one word, and of as many as an array says.

What is read stays within the data, and within bounds of its own: see ``abi``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

WORD = 32
ZERO = bytes(12)
MAX_ELEMENTS = 1024
"""Of an array whose elements have no fixed size; calls in blocks have a few dozen at most."""
MAX_BYTES = 1 << 18
"""Of the elements of a ``bytes[]`` together; twice what a node takes as a transaction."""

_PAIR, _ONE = struct.Struct("12s20s"), struct.Struct("32s")
number = int.from_bytes
"""A word as an unsigned integer."""

Follow = Callable[[bytes, int], Any]
"""Reads a value of changing size that begins at a place in the data."""


class BadData(ValueError):
    """The data is not what the signature says. Nothing outside of this package raises it."""


class TooLarge(BadData):
    """It would take more than the bounds to read."""


def address_of(word: bytes) -> str:
    """The address in a word.

    Raises:
        BadData: there is more in it.
    """
    if word[:12] != ZERO:
        raise BadData("an address with more than 20 bytes")
    return "0x" + word[12:].hex()


def boolean(word: bytes) -> bool:
    """True or false.

    Raises:
        BadData: it is neither.
    """
    value = number(word)
    if value > 1:
        raise BadData("neither true nor false")
    return value == 1


def signed(bits: int) -> Callable[[bytes], int]:
    """Integers in two's complement of the whole word."""
    half, whole = 1 << (bits - 1), 1 << 256

    def turn(word: bytes) -> int:
        value = number(word)
        if value < half:
            return value
        if value < whole - half:
            raise BadData(f"an integer over {bits} bits")
        return value - whole

    return turn


def raw(count: int) -> Callable[[bytes], bytes]:
    """Bytes of a fixed length, which come first in a word."""
    rest = bytes(WORD - count)

    def turn(word: bytes) -> bytes:
        if word[count:] != rest:
            raise BadData(f"more than {count} bytes")
        return word[:count]

    return turn


def view(data: bytes, start: int) -> memoryview:
    """Bytes of changing length, not copied.

    Raises:
        BadData: they are not all there.
    """
    first = start + WORD
    if first > len(data):
        raise BadData("an offset outside of the data")
    end = first + number(data[start:first])
    if end > len(data):
        raise BadData("bytes outside of the data")
    return memoryview(data)[first:end]


def addresses(data: bytes, start: int) -> tuple[str, ...]:
    """Of an array."""
    first = start + WORD
    end = first + number(data[start:first]) * WORD
    if end > len(data):
        raise BadData("an array outside of the data")
    found = ["0x" + one.hex() for pad, one in _PAIR.iter_unpack(data[first:end]) if pad == ZERO]
    if len(found) * WORD != end - first:
        raise BadData("an address with more than 20 bytes")
    return tuple(found)


def integers(data: bytes, start: int) -> tuple[int, ...]:
    """Of an array of ``uint256``."""
    first, end = _extent(data, start, WORD)
    return tuple([number(one) for (one,) in _ONE.iter_unpack(data[first:end])])


def many_bytes(data: bytes, start: int) -> tuple[bytes, ...]:
    """Of an array of ``bytes``: the plans of routers are made of them.

    Raises:
        BadData: they are not all there.
        TooLarge: as they overlap, all together are more than the bound.
    """
    size, left, found, first = len(data), MAX_BYTES, [], start + WORD
    end = first + number(data[start:first]) * WORD
    if end > size:
        raise BadData("an array outside of the data")
    if end - first > WORD * MAX_ELEMENTS:
        raise BadData(f"more than {MAX_ELEMENTS} elements")
    for (offset,) in _ONE.iter_unpack(data[first:end]):
        begin = first + WORD + number(offset)
        stop = begin + number(data[begin - WORD : begin])
        if stop > size:
            raise BadData("bytes outside of the data")
        left -= stop - begin
        if left < 0:
            raise TooLarge(f"more than {MAX_BYTES} bytes of nested data")
        found.append(data[begin:stop])
    return tuple(found)


def each(read: Callable[[bytes, int], tuple[Any, ...]], size: int) -> Follow:
    """An array of elements of one size, each of which is read."""

    def follow(data: bytes, start: int) -> tuple[Any, ...]:
        first, end = _extent(data, start, size)
        return tuple([read(data, at)[0] for at in range(first, end, size)])

    return follow


def followed(follow: Follow) -> Follow:
    """An array of elements of changing size, each of which is followed."""

    def follow_each(data: bytes, start: int) -> tuple[Any, ...]:
        first, end = _extent(data, start, WORD)
        if end - first > WORD * MAX_ELEMENTS:
            raise BadData(f"more than {MAX_ELEMENTS} elements")
        places = [first + number(one) for (one,) in _ONE.iter_unpack(data[first:end])]
        return tuple([follow(data, at) for at in places])

    return follow_each


def _extent(data: bytes, start: int, size: int) -> tuple[int, int]:
    """Where the elements of an array begin and end; offsets among them count from the first."""
    first = start + WORD
    # Where the length itself is cut off, the place of the first is outside already.
    end = first + number(data[start:first]) * size
    if end > len(data):
        raise BadData("an array outside of the data")
    return first, end
