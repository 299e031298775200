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


@attrs.define(eq=False)
class _Open:
    """A bracket that is not closed yet, and the piece that it is part of."""

    closing: bytes
    piece: int
    calls: int | None = None
    """The number of the list, where it is one of calls."""


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
    flat, stack, other = Flat([bytearray()], []), [_Open(b"", 0)], 0
    last, key, before = 0, False, b""
    for match in _TOKENS.finditer(text):
        token, top = match.group(), stack[-1]
        if top.calls is None:
            flat.pieces[top.piece] += text[last : match.end()]
        last = match.end()
        if token == b"{" or token == b"[":
            opened = _opened(flat, top, token, key)
            other += opened.calls is None and top.calls is None
            stack.append(opened)
        elif token == top.closing:
            stack.pop()
            if top.calls is not None:
                flat.pieces[top.piece] += b'],"within":%d' % top.calls
            other -= top.calls is None and stack[-1].calls is None
        elif token == b"]" or token == b"}":
            raise MalformedFrame("not_json", "brackets do not match")
        if other > MAX_OTHER:
            raise MalformedFrame("too_deep")
        # A name is followed by a colon and follows what begins an object or an entry of it.
        key = token == b":" and key if token == b":" else token == _CALLS and before in {b"{", b","}
        before = token
    if len(stack) > 1:
        raise MalformedFrame("not_json", "it ends within a bracket")
    return flat


def _opened(flat: Flat, top: _Open, token: bytes, key: bool) -> _Open:
    closing = b"}" if token == b"{" else b"]"
    if top.calls is not None:
        if token == b"[":
            raise MalformedFrame("wrong_shape", "a list among calls")
        flat.pieces.append(bytearray(b"{"))
        flat.lists[top.calls].append(len(flat.pieces) - 1)
        return _Open(closing, len(flat.pieces) - 1)
    if token == b"[" and key:
        flat.lists.append([])
        return _Open(closing, top.piece, len(flat.lists) - 1)
    return _Open(closing, top.piece)
