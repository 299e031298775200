"""Frames that are nested deeper than a decoder of JSON may recurse, brought to one level.

The virtual machine allows a thousand calls within calls. Where the text is too deep, it is cut
here, without recursion, into one piece for each frame: in place of the frames within it, a frame
has the number of their list.
"""

from __future__ import annotations

import re

import attrs

from ..errors import MalformedFrame

MAX_OTHER = 64
"""Levels of what is not a list of calls."""
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]')
_CALLS = b'"calls"'
_CLOSED_BY = {b"{": b"}", b"[": b"]"}
_OPENING, _CLOSING = frozenset(_CLOSED_BY), frozenset(_CLOSED_BY.values())
_AMONG = frozenset({b"{", b",", b"]"})
"""What there may be in a list of calls."""
_STARTS = frozenset({b"{", b","})


@attrs.define(eq=False)
class _Open:
    """A bracket that is not closed yet, and the piece that it is part of."""

    closing: bytes
    piece: int
    calls: int | None = None
    """The number of the list, where it is one of calls."""
    other: int = 0
    """How many are open around it that are no calls."""


@attrs.define(eq=False)
class Flat:
    """A text in pieces; the first is what is around all frames."""

    pieces: list[bytearray]
    lists: list[list[int]]
    """The pieces of each list of calls."""


def flatten(text: bytes) -> Flat:
    """Cut a text at its lists of ``calls``: each becomes an empty one followed by ``"within"``, its
    number.

    Raises:
        MalformedFrame: its brackets do not match, or something else is nested too deep.
    """
    cutter = _Cutter(text)
    for match in _TOKENS.finditer(text):
        cutter.take(match.group(), match.start(), match.end())
    return cutter.flat()


class _Cutter:
    """Goes through the brackets, names and separators of a text."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._last = 0
        self._flat = Flat([bytearray()], [])
        self._stack = [_Open(b"", 0)]
        self._before = b""
        self._calls = False
        """Whether the last word was the name of a list of calls."""
        self._other = 0

    def take(self, token: bytes, start: int, end: int) -> None:
        """Take what is next, and what is before it."""
        top = self._stack[-1]
        if top.calls is None:
            self._flat.pieces[top.piece] += self._text[self._last : end]
        elif token not in _AMONG or self._text[self._last : start].strip():
            raise MalformedFrame("wrong_shape", "something among calls that is none")
        self._last = end
        if token in _OPENING:
            self._open(top, token)
        elif token in _CLOSING:
            self._close(top, token)
        # A name follows what begins an object or an entry of it, and a colon follows a name.
        if token != b":":
            self._calls = token == _CALLS and self._before in _STARTS
        self._before = token

    def flat(self) -> Flat:
        """All of it."""
        if len(self._stack) > 1:
            raise MalformedFrame("not_json", "it ends within a bracket")
        return self._flat

    def _open(self, top: _Open, token: bytes) -> None:
        flat, piece, number = self._flat, top.piece, None
        if top.calls is not None:
            piece = len(flat.pieces)
            flat.pieces.append(bytearray(token))
            flat.lists[top.calls].append(piece)
        elif token == b"[" and self._calls:
            number = len(flat.lists)
            flat.lists.append([])
        else:
            self._other += 1
        self._stack.append(_Open(_CLOSED_BY[token], piece, number, self._other))
        if self._other > MAX_OTHER:
            raise MalformedFrame("too_deep")

    def _close(self, top: _Open, token: bytes) -> None:
        if token != top.closing:
            raise MalformedFrame("not_json", "brackets do not match")
        self._stack.pop()
        self._other = self._stack[-1].other
        if top.calls is not None:
            self._flat.pieces[top.piece] += b'],"within":%d' % top.calls
