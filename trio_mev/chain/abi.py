"""Arguments of calls and logs, read by slices from Ethereum's contract ABI.

A signature is compiled once, into the text of a function that is as if somebody had written it for
this signature alone: it takes the words of a head at once, checks what must be zero, turns each
word into its value, and follows the offsets. Every bound is checked before anything is sliced.

Values come out exact: integers, lower-case addresses, booleans, ``bytes``; arrays and tuples are
tuples. What is of changing size within an array is a view, never a copy, so that elements which
overlap cost nothing; ``bytes[]`` is copied, within a bound.

No input can make a reader loop or fill the memory: an array has at most as many elements as fit
behind its length, those of changing size at most ``MAX_ELEMENTS``, and none holds arrays.

Source: the Contract ABI Specification of Solidity.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .abi_values import (
    MAX_ELEMENTS,
    WORD,
    ZERO,
    BadData,
    Follow,
    TooLarge,
    addresses,
    boolean,
    each,
    followed,
    integers,
    many_bytes,
    number,
    raw,
    signed,
    view,
)

__all__ = [
    "MAX_ELEMENTS",
    "WORD",
    "Arguments",
    "BadData",
    "Read",
    "Source",
    "TooLarge",
    "arguments_of",
    "is_dynamic",
    "number",
    "split",
]


class Read(Protocol):
    """Reads the values that begin at a place in the data."""

    def __call__(self, data: bytes, at: int = 0, /) -> tuple[Any, ...]:
        """The values; raises ``BadData``."""
        ...


class Source:
    """The text of a reader while it is written, from the names of types alone.

    Args:
        shared: whether others may read the same data, as elements of an array that overlap.
    """

    def __init__(self, shared: bool = False) -> None:
        self._shared = shared
        self._count = 0
        self.lines: list[str] = []
        """Those that take what there is, and refuse what must not be."""
        self.names: dict[str, Any] = {
            "BadData": BadData,
            "CUT": (struct.error, OverflowError),
            "ZERO": ZERO,
            "number": number,
        }
        """What the text means by its names."""

    def bind(self, thing: Any) -> str:
        """A name for something in the text."""
        name = f"f{len(self.names)}"
        self.names[name] = thing
        return name

    def line(self, text: str) -> None:
        """One more."""
        self.lines.append(f"    {text}\n")

    def refuse(self, what: str, why: str) -> None:
        """A line that does."""
        self.line(f"if {what}: raise BadData({why!r})")

    def head(self, types: list[str], at: str) -> str:
        """An expression for the values of a head that begins at a place, with commas after them.

        Args:
            types: their names.
            at: the place.

        Raises:
            ValueError: there is no such type.
        """
        layout = [part for name in types for part in _layout(name)]
        if not layout:
            return ""
        words = [self._name() for _ in layout]
        both = zip(words, layout, strict=True)
        pads = [f"p{word}, " if part is _ADDRESS else "" for word, part in both]
        taken = "".join([pad + f"{word}, " for word, pad in zip(words, pads, strict=True)])
        take = struct.Struct("".join(layout)).unpack_from
        self.line(f"{taken}= {self.bind(take)}(data, {at})")
        if any(pads):
            equal = "".join(pads).replace(", ", " == ")
            self.refuse(f"not {equal}ZERO", "an address with more than 20 bytes")
        left = iter(words)
        return "".join([f"{self._value(name, at, left)}, " for name in types])

    def simple(self, name: str, word: str) -> str:
        """An expression for a value of one word that is no address.

        Raises:
            ValueError: there is no such type.
        """
        if name == "uint256":
            return f"number({word})"
        if name.startswith("uint"):
            value, bits = self._name(), int(name[4:])
            most = (1 << bits) - 1
            self.refuse(f"({value} := number({word})) > {most}", f"an integer over {bits} bits")
            return value
        return f"{self.bind(_turn(name))}({word})"

    def compiled(self, name: str, text: str) -> Any:
        """The function of this name that the text defines."""
        # The text is made of names of types, none of which comes from outside.
        exec(text, self.names)  # noqa: S102 - closures take 1.5 to 2.5 times as long
        return self.names[name]

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _value(self, name: str, at: str, words: Iterator[str]) -> str:
        """Of the head's next words."""
        if is_dynamic(name):
            return self._followed(name, at, next(words))
        if name.endswith("]") or name.startswith("("):
            return "(" + "".join([f"{self._value(one, at, words)}, " for one in _parts(name)]) + ")"
        word = next(words)
        return f"'0x' + {word}.hex()" if name == "address" else self.simple(name, word)

    def _followed(self, name: str, at: str, word: str) -> str:
        """Of what is where an offset says."""
        if name.endswith("[]"):
            if self._shared:
                raise ValueError("an array within an array has no bound")
            return f"{self.bind(_array(name[:-2]))}(data, {at} + number({word}))"
        if name not in _BYTES:
            start = self._name()
            self.line(f"{start} = {at} + number({word})")
            return f"({self.head(_parts(name), start)})"
        if self._shared:
            return f"{self.bind(view)}(data, {at} + number({word}))"
        first, end = self._name(), self._name()
        self.line(f"{first} = {at} + {WORD} + number({word})")
        self.line(f"{end} = {first} + number(data[{first} - {WORD}:{first}])")
        self.refuse(f"{end} > len(data)", "bytes outside of the data")
        return f"data[{first}:{end}]"


SHORT = "  except CUT: raise BadData('shorter than its arguments') from None\n"
"""What ends a reader that has begun with ``try``: it is ``unpack_from`` that checks lengths, and
refuses places too far away for it to count."""


class Arguments:
    """Values one after the other, such as those between the parentheses of a signature.

    Args:
        types: with commas between them.
        shared: whether they are elements of an array, which may overlap.
    """

    __slots__ = ("dynamic", "read", "size")

    read: Read
    """Raises ``BadData`` where they are not all there, or are not encoded as the ABI wants."""

    def __init__(self, types: str, shared: bool = False) -> None:
        source, names = Source(shared), split(types)
        values = source.head(names, "at")
        self.size = WORD * sum([len(_layout(name)) for name in names])
        """Bytes of the head."""
        self.dynamic = any(is_dynamic(name) for name in names)
        """Whether any of them has no fixed size."""
        self.read = source.compiled(
            "read",
            f"def read(data, at=0):\n  try:\n{''.join(source.lines)}    return ({values})\n{SHORT}",
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


_BYTES = frozenset({"bytes", "string"})
_ADDRESS, _OTHER = f"{WORD - 20}s20s", f"{WORD}s"
"""How a word is taken: an address apart from what must be zero before it."""


def is_dynamic(name: str) -> bool:
    """Whether a type has no fixed size."""
    if name.endswith("[]") or name in _BYTES:
        return True
    return (name.endswith("]") or name.startswith("(")) and any(map(is_dynamic, _parts(name)))


def _parts(name: str) -> list[str]:
    """The types within a tuple, or an array of fixed size."""
    if name.startswith("(") and name.endswith(")"):
        return split(name[1:-1])
    element, _, count = name[:-1].rpartition("[")
    return [element] * int(count)


def _layout(name: str) -> list[str]:
    """How the words of a type in a head are taken."""
    if is_dynamic(name):
        return [_OTHER]
    if name.endswith("]") or name.startswith("("):
        return [part for one in _parts(name) for part in _layout(one)]
    return [_ADDRESS if name == "address" else _OTHER]


def _turn(name: str) -> Callable[[bytes], Any]:
    """What a word of a less frequent type is turned by.

    Raises:
        ValueError: there is no such type.
    """
    if name == "bool":
        return boolean
    if name.startswith("int"):
        return signed(int(name[3:]))
    if name.startswith("bytes"):
        return raw(int(name[5:]))
    raise ValueError(f"no type of the ABI is named {name}")


def _array(element: str) -> Follow:
    """Of as many elements as its first word says."""
    if element == "address":
        return addresses
    if element == "uint256":
        return integers
    if element in _BYTES:
        return many_bytes
    if element.endswith("[]"):
        raise ValueError("an array within an array has no bound")
    if is_dynamic(element):
        return followed(Arguments(",".join(_parts(element)), shared=True).read)
    one = Arguments(element)
    return each(one.read, one.size)
