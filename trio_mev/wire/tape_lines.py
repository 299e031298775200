"""The lines of a tape: records and marks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated

import msgspec

Losses = Mapping[str, Mapping[str, int]]
"""Frames that did not get on a tape, by feed and reason."""
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Line(msgspec.Struct, omit_defaults=True):
    """A record."""

    t: int
    m: int
    f: str
    k: str
    x: str | None = None
    b: str | None = None
    c: bool = False


class Mark(msgspec.Struct, omit_defaults=True):
    """What a pack begins with."""

    n: _Count
    end: bool = False
    lost: dict[str, dict[str, _Count]] = {}


LINE = msgspec.json.Decoder(Line)
MARK = msgspec.json.Decoder(Mark)
_ENCODER = msgspec.json.Encoder()


def encode_line(
    wall: int, mono: int, feed: str, kind: str, frame: bytes, carried: bool = False
) -> bytes:
    """One record; a frame that is not UTF-8 is kept as base64.

    Args:
        wall: nanoseconds since the epoch.
        mono: nanoseconds of a clock that never goes back.
        feed: the connection's alias.
        kind: the direction, in its word.
        frame: as it passed.
        carried: whether the record is on the tape before this one, too.
    """
    text, binary = None, None
    if frame:
        try:
            text = frame.decode()
        except UnicodeDecodeError:
            binary = base64.b64encode(frame).decode()
    return _ENCODER.encode(Line(wall, mono, feed, kind, text, binary, carried)) + b"\n"


def encode_mark(records: int, lost: Losses | None = None, end: bool = False) -> bytes:
    """The line that a pack begins with.

    Args:
        records: how many are on the tape before.
        lost: what did not get on it since the mark before.
        end: whether the tape was finished, and ends here.
    """
    told = {feed: dict(reasons) for feed, reasons in (lost or {}).items()}
    return _ENCODER.encode(Mark(records, end, told)) + b"\n"
