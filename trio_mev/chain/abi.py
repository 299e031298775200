"""Arguments of calls and logs, read by slices from Ethereum's contract ABI.

A signature is compiled once, into the text of a function that is as if somebody had written it for
this signature alone: it takes the words of the head at once, checks what must be zero, turns each
word into its value, and follows the offsets. Every bound is checked before anything is sliced.

Values come out exact: integers, lower-case addresses, booleans, ``bytes`` of fixed length, and
views (never copies) of ``bytes`` and ``string``; arrays and tuples are tuples.

No input can make a reader loop or fill the memory: an array has at most as many elements as fit
behind its length, those of changing size at most ``MAX_ELEMENTS``, and the content of ``bytes`` is
not copied.

Source: the Contract ABI Specification of Solidity.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Protocol

WORD = 32
MAX_ELEMENTS = 1024
"""Of an array whose elements have no fixed size; calls in blocks have a few dozen at most."""

_ZERO = bytes(12)
_PAIR, _ONE = struct.Struct("12s20s"), struct.Struct("32s")
number = int.from_bytes
"""A word as an unsigned integer."""


class Read(Protocol):
    """Reads the values that begin at a place in the data."""

    def __call__(self, data: bytes, at: int = 0, /) -> tuple[Any, ...]:
        """The values; raises ``BadData``."""
        ...


Follow = Callable[[bytes, int], Any]
"""Reads a value of changing size that begins at a place in the data."""


class BadData(ValueError):
    """The data is not what the signature says. Nothing outside of this package raises it."""


class Source:
    """The text of a reader while it is written, from the names of types alone."""

    def __init__(self) -> None:
        self.words = 0
        """Of the head."""
        self.checks: list[str] = []
        """Lines that refuse what must not be."""
        self.names: dict[str, Any] = {"BadData": BadData, "ZERO": _ZERO, "number": number}
        """What the text means by its names."""

    def bind(self, thing: Any) -> str:
        """A name for something in the text."""
        name = f"f{len(self.names)}"
        self.names[name] = thing
        return name

    def value(self, name: str) -> str:
        """An expression for a value of a type, of the head's next words.

        Raises:
            ValueError: there is no such type.
        """
        if is_dynamic(name):
            return f"{self.bind(_follow(name))}(data, at + number({self._word()}))"
        if name.endswith("]"):
            element, _, count = name[:-1].rpartition("[")
            return self.values([element] * int(count))
        if name.startswith("("):
            return self.values(split(name[1:-1]))
        return self.simple(name, self._word())

    def values(self, names: list[str]) -> str:
        """An expression for a tuple of values."""
        return "(" + "".join([f"{self.value(name)}, " for name in names]) + ")"

    def simple(self, name: str, word: str) -> str:
        """An expression for a value of one word."""
        if name == "uint256":
            return f"number({word})"
        if name == "address":
            self.refuse(f"{word}[:12] != ZERO", "an address with more than 20 bytes")
            return f"'0x' + {word}[12:].hex()"
        if name.startswith("uint"):
            bits = int(name[4:])
            self.refuse(f"number({word}) >> {bits}", f"an integer over {bits} bits")
            return f"number({word})"
        return f"{self.bind(_turn(name))}({word})"

    def refuse(self, what: str, why: str) -> None:
        """A line that does."""
        self.checks.append(f"    if {what}: raise BadData({why!r})\n")

    def take(self, data: str, at: str) -> str:
        """A line that takes the head's words."""
        if not self.words:
            return ""
        layout = struct.Struct("32s" * self.words)
        words = "".join([f"w{place}, " for place in range(self.words)])
        return f"    {words}= {self.bind(layout.unpack_from)}({data}, {at})\n"

    def compiled(self, name: str, text: str) -> Any:
        """The function of this name that the text defines."""
        # The text is made of names of types, none of which comes from outside.
        exec(text, self.names)  # noqa: S102
        return self.names[name]

    def _word(self) -> str:
        self.words += 1
        return f"w{self.words - 1}"


class Arguments:
    """Values one after the other, such as those between the parentheses of a signature.

    Args:
        types: with commas between them.
    """

    __slots__ = ("dynamic", "read", "size")

    read: Read
    """Raises ``BadData`` where they are not all there, or are not encoded as the ABI wants."""

    def __init__(self, types: str) -> None:
        source, names = Source(), split(types)
        values = source.values(names)
        self.size = WORD * source.words
        """Bytes of the head."""
        self.dynamic = any(is_dynamic(name) for name in names)
        """Whether any of them has no fixed size."""
        take = source.take("data", "at")
        short = "raise BadData('shorter than its arguments')"
        self.read = source.compiled(
            "read",
            f"def read(data, at=0):\n    if len(data) < at + {self.size}: {short}\n"
            f"{take}{''.join(source.checks)}    return {values}\n",
        )


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


def is_dynamic(name: str) -> bool:
    """Whether a type has no fixed size."""
    if name.endswith("[]") or name in {"bytes", "string"}:
        return True
    if name.endswith("]"):
        return is_dynamic(name.rpartition("[")[0])
    return name.startswith("(") and any(is_dynamic(one) for one in split(name[1:-1]))


def address_of(word: bytes) -> str:
    """The address in a word.

    Raises:
        BadData: there is more in it.
    """
    if word[:12] != _ZERO:
        raise BadData("an address with more than 20 bytes")
    return "0x" + word[12:].hex()


def _turn(name: str) -> Callable[[bytes], Any]:
    """What a word of a less frequent type is turned by.

    Raises:
        ValueError: there is no such type.
    """
    if name == "bool":
        return _bool
    if name.startswith("int"):
        return _int(int(name[3:]))
    if name.startswith("bytes"):
        return _raw(int(name[5:]))
    raise ValueError(f"no type of the ABI is named {name}")


def _int(bits: int) -> Callable[[bytes], int]:
    """In two's complement of the whole word."""
    half, whole = 1 << (bits - 1), 1 << 256

    def turn(word: bytes) -> int:
        value = number(word)
        if value < half:
            return value
        if value < whole - half:
            raise BadData(f"an integer over {bits} bits")
        return value - whole

    return turn


def _bool(word: bytes) -> bool:
    value = number(word)
    if value > 1:
        raise BadData("neither true nor false")
    return value == 1


def _raw(count: int) -> Callable[[bytes], bytes]:
    rest = bytes(WORD - count)

    def turn(word: bytes) -> bytes:
        if word[count:] != rest:
            raise BadData(f"more than {count} bytes")
        return word[:count]

    return turn


def _follow(name: str) -> Follow:
    """What reads a value of changing size."""
    if name in {"bytes", "string"}:
        return _bytes
    if name.endswith("[]"):
        return _array(name[:-2])
    if name.endswith("]"):
        element, _, count = name[:-1].rpartition("[")
        return Arguments(",".join([element] * int(count))).read
    return Arguments(name[1:-1]).read


def _bytes(data: bytes, start: int) -> memoryview:
    first = start + WORD
    if first > len(data):
        raise BadData("an offset outside of the data")
    end = first + number(data[start:first])
    if end > len(data):
        raise BadData("bytes outside of the data")
    return memoryview(data)[first:end]


def _array(element: str) -> Follow:
    """Of as many elements as its first word says."""
    if element == "address":
        return _addresses
    if element in {"bytes", "string"}:
        return _many_bytes
    if is_dynamic(element):
        return _followed(_follow(element))
    one = Arguments(element)

    def follow(data: bytes, start: int) -> tuple[Any, ...]:
        first, end = _extent(data, start, one.size)
        return tuple([one.read(data, at)[0] for at in range(first, end, one.size)])

    return follow


def _extent(data: bytes, start: int, size: int) -> tuple[int, int]:
    """Where the elements of an array begin and end; offsets among them count from the first."""
    first = start + WORD
    if first > len(data):
        raise BadData("an offset outside of the data")
    end = first + number(data[start:first]) * size
    if end > len(data):
        raise BadData("an array outside of the data")
    return first, end


def _starts(data: bytes, start: int) -> list[int]:
    """Where elements of changing size begin."""
    first, end = _extent(data, start, WORD)
    if end - first > WORD * MAX_ELEMENTS:
        raise BadData(f"more than {MAX_ELEMENTS} elements")
    return [first + number(raw) for (raw,) in _ONE.iter_unpack(data[first:end])]


def _followed(follow: Follow) -> Follow:
    def each(data: bytes, start: int) -> tuple[Any, ...]:
        return tuple([follow(data, at) for at in _starts(data, start)])

    return each


def _addresses(data: bytes, start: int) -> tuple[str, ...]:
    """In line, for most calls have some."""
    first = start + WORD
    if first > len(data):
        raise BadData("an offset outside of the data")
    count = number(data[start:first])
    end = first + count * WORD
    if end > len(data):
        raise BadData("an array outside of the data")
    found = ["0x" + raw.hex() for pad, raw in _PAIR.iter_unpack(data[first:end]) if pad == _ZERO]
    if len(found) != count:
        raise BadData("an address with more than 20 bytes")
    return tuple(found)


def _many_bytes(data: bytes, start: int) -> tuple[memoryview, ...]:
    """In line, for the plans of routers are made of them."""
    size, view, found = len(data), memoryview(data), []
    for at in _starts(data, start):
        first = at + WORD
        if first > size:
            raise BadData("an offset outside of the data")
        end = first + number(data[at:first])
        if end > size:
            raise BadData("bytes outside of the data")
        found.append(view[first:end])
    return tuple(found)
