"""Arguments of calls and logs, read by slices from Ethereum's contract ABI.

A signature is compiled once. Reading takes the words of its head at once, turns each into its
value, and then follows the offsets among them; every bound is checked before anything is sliced.
Values come out exact: integers, lower-case addresses, booleans, ``bytes`` of fixed length, and
views (never copies) of ``bytes`` and ``string``; arrays and tuples are tuples. What the ABI pads
must be zero, as the contracts' own decoders demand.

No input can make a reader loop or fill the memory: an array has at most as many elements as fit
behind its length, those of changing size at most ``MAX_ELEMENTS``, and the content of ``bytes`` is
not copied.

Source: the Contract ABI Specification of Solidity.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import call
from typing import Any

WORD = 32
MAX_ELEMENTS = 1024
"""Of an array whose elements have no fixed size; calls in blocks have a few dozen at most."""

_ZERO = bytes(12)
_PAIR, _ONE = struct.Struct("12s20s"), struct.Struct("32s")
number = int.from_bytes
"""A word as an unsigned integer."""

Word = Callable[[bytes], Any]
"""Turns a word of the head into a value, or into an offset."""
Follow = Callable[[bytes, int], Any]
"""Reads a value of changing size that begins at a place in the data."""
Build = Callable[[list[Any]], Any]
"""Makes a fixed array or tuple of its values."""


class BadData(ValueError):
    """The data is not what the signature says. Nothing outside of this package raises it."""


class Type:
    """One type of the ABI, compiled.

    Args:
        words: what each word of its head is turned into.
        follow: reads what the offset in its head leads to; None where it has a fixed size.
        build: makes one value of those of its words; None where it is one word.
    """

    __slots__ = ("build", "follow", "words")

    def __init__(
        self, words: Sequence[Word], follow: Follow | None = None, build: Build | None = None
    ) -> None:
        self.words = tuple(words)
        self.follow = follow
        self.build = build


class Arguments:
    """Values one after the other, such as those between the parentheses of a signature."""

    __slots__ = ("_follows", "_shape", "_unpack", "_words", "dynamic", "size")

    def __init__(self, types: str) -> None:
        parts = [compiled(name) for name in split(types)]
        self._words = tuple([word for part in parts for word in part.words])
        self.size = WORD * len(self._words)
        """Bytes of the head."""
        self._unpack = struct.Struct("32s" * len(self._words)).unpack_from
        follows, shape, at = [], [], 0
        for part in parts:
            if part.follow is not None:
                follows.append((at, part.follow))
            shape.append((at, at + len(part.words), part.build))
            at += len(part.words)
        self._follows = tuple(follows)
        self.dynamic = bool(follows)
        """Whether any of them has no fixed size."""
        self._shape = tuple(shape) if any(part.build for part in parts) else ()

    def __len__(self) -> int:
        """How many words the head has."""
        return len(self._words)

    def read(self, data: bytes, at: int = 0) -> tuple[Any, ...]:
        """The values that begin at a place in the data.

        Raises:
            BadData: they are not all there, or are not encoded as the ABI wants.
        """
        if len(data) < at + self.size:
            raise BadData("shorter than its arguments")
        values = [*map(call, self._words, self._unpack(data, at))]
        for place, follow in self._follows:
            values[place] = follow(data, at + values[place])
        return self.shaped(values) if self._shape else tuple(values)

    def shaped(self, values: list[Any]) -> tuple[Any, ...]:
        """The values of words, put together where several make one."""
        return tuple(
            [
                build(values[start:stop]) if build else values[start]
                for start, stop, build in self._shape
            ]
        )

    @property
    def unpack(self) -> Callable[[bytes], tuple[bytes, ...]]:
        """Takes the head's words out of data whose size is known."""
        return self._unpack

    @property
    def words(self) -> tuple[Word, ...]:
        """Of the head."""
        return self._words

    @property
    def build(self) -> Build:
        """Makes a tuple of the values of these words."""
        return self.shaped if self._shape else tuple


def arguments_of(signature: str) -> Arguments:
    """The arguments of ``name(types)``."""
    return Arguments(signature[signature.index("(") + 1 : -1])


def reader_of(signature: str) -> Callable[[bytes, int], tuple[Any, ...]]:
    """What reads the arguments of ``name(types)``; it raises ``BadData`` like ``Arguments``."""
    arguments = arguments_of(signature)
    if arguments.size != WORD or not arguments.dynamic:
        return arguments.read
    (only,) = [compiled(name) for name in split(signature[signature.index("(") + 1 : -1])]
    follow = only.follow
    assert follow is not None

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        """One value of changing size needs no detour."""
        if len(data) < at + WORD:
            raise BadData("shorter than its arguments")
        return (follow(data, at + number(data[at : at + WORD])),)

    return read


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


def compiled(name: str) -> Type:
    """A type by its name.

    Raises:
        ValueError: there is no such type.
    """
    if name.endswith("]"):
        element, _, count = name[:-1].rpartition("[")
        if count:
            return _tuple(Arguments(",".join([element] * int(count))))
        return _array(element)
    if name.startswith("("):
        return _tuple(Arguments(name[1:-1]))
    if name in _NAMED:
        return _NAMED[name]
    for prefix, sized in _SIZED.items():
        if name.startswith(prefix):
            return Type([sized(int(name[len(prefix) :]))])
    raise ValueError(f"no type of the ABI is named {name}")


def address_of(word: bytes) -> str:
    """The address in a word.

    Raises:
        BadData: there is more in it.
    """
    if word[:12] != _ZERO:
        raise BadData("an address with more than 20 bytes")
    return "0x" + word[12:].hex()


def _uint(bits: int) -> Word:
    if bits == 256:
        return number
    over = 1 << bits

    def read(word: bytes) -> int:
        value = number(word)
        if value >= over:
            raise BadData(f"an integer over {bits} bits")
        return value

    return read


def _int(bits: int) -> Word:
    """In two's complement of the whole word."""
    half, whole = 1 << (bits - 1), 1 << 256

    def read(word: bytes) -> int:
        value = number(word)
        if value < half:
            return value
        if value < whole - half:
            raise BadData(f"an integer over {bits} bits")
        return value - whole

    return read


def _bool(word: bytes) -> bool:
    value = number(word)
    if value > 1:
        raise BadData("neither true nor false")
    return value == 1


def _raw(count: int) -> Word:
    if count == WORD:
        return bytes
    rest = bytes(WORD - count)

    def read(word: bytes) -> bytes:
        if word[count:] != rest:
            raise BadData(f"more than {count} bytes")
        return word[:count]

    return read


def _length(data: bytes, start: int) -> int:
    """The word that a value of changing size begins with."""
    if start + WORD > len(data):
        raise BadData("an offset outside of the data")
    return number(data[start : start + WORD])


def _bytes(data: bytes, start: int) -> memoryview:
    first = start + WORD
    if first > len(data):
        raise BadData("an offset outside of the data")
    end = first + number(data[start:first])
    if end > len(data):
        raise BadData("bytes outside of the data")
    return memoryview(data)[first:end]


def _array(element: str) -> Type:
    """Of as many elements as its first word says."""
    if element == "address":
        return Type([number], _addresses)
    one = Arguments(element)
    kind = compiled(element)
    if kind.follow is None and kind.build is None:
        return Type([number], _simple(one.words[0]))

    def follow(data: bytes, start: int) -> tuple[Any, ...]:
        first, end = _extent(data, start, one.size)
        if one.dynamic and end - first > one.size * MAX_ELEMENTS:
            raise BadData(f"more than {MAX_ELEMENTS} elements")
        if kind.follow is not None:
            reach = kind.follow
            return tuple(
                [
                    reach(data, first + number(data[at : at + WORD]))
                    for at in range(first, end, WORD)
                ]
            )
        return tuple([one.read(data, at)[0] for at in range(first, end, one.size)])

    return Type([number], follow)


def _extent(data: bytes, start: int, size: int) -> tuple[int, int]:
    """Where the elements of an array begin and end; offsets among them count from the first."""
    first = start + WORD
    end = first + _length(data, start) * size
    if end > len(data):
        raise BadData("an array outside of the data")
    return first, end


def _addresses(data: bytes, start: int) -> tuple[str, ...]:
    first = start + WORD
    if first > len(data):
        raise BadData("an offset outside of the data")
    count = number(data[start:first])
    end = first + count * WORD
    if end > len(data):
        raise BadData("an array outside of the data")
    pairs = _PAIR.iter_unpack(data[first:end])
    found = tuple(["0x" + raw.hex() for pad, raw in pairs if pad == _ZERO])
    if len(found) != count:
        raise BadData("an address with more than 20 bytes")
    return found


def _simple(word: Word) -> Follow:
    """Elements of one word each."""

    def follow(data: bytes, start: int) -> tuple[Any, ...]:
        first, end = _extent(data, start, WORD)
        return tuple([word(raw) for (raw,) in _ONE.iter_unpack(data[first:end])])

    return follow


def _tuple(values: Arguments) -> Type:
    """A tuple, or an array whose length is in its type."""
    if values.dynamic:
        return Type([number], values.read)
    return Type(values.words, build=values.build)


_NAMED = {
    "address": Type([address_of]),
    "bool": Type([_bool]),
    "bytes": Type([number], _bytes),
    "string": Type([number], _bytes),
}
_SIZED = {"uint": _uint, "int": _int, "bytes": _raw}
