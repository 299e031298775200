"""One piece of work: a file, or what a node said of a block, to what landed in it. It runs in a
thread or in a process of its own, and waits for nothing but the disk."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import attrs

from ..errors import MalformedFrame
from ..inspect import Inspection, MinedBlock, inspect_block
from ..inspect.answers import Answers, read_answers
from ..inspect.files import read_file

MOST_BYTES = 2**30
"""Of a file, unpacked."""

_NUMBER = re.compile(r"[0-9]{1,9}")
"""A file's name that may be a block's number."""

Work = Path | Answers


@attrs.frozen
class Seen:
    """A block that was inspected."""

    found: Inspection
    transactions: int


@attrs.frozen
class Unusable:
    """Why a piece of work has no result."""

    reason: str
    """A short name, under which it is counted."""
    detail: str = ""

    def __str__(self) -> str:
        return self.detail or self.reason.replace("_", " ")


Result = list[Seen] | Unusable


def perform(work: Work) -> Result:
    """The blocks in it, inspected; or why it cannot be used."""
    try:
        blocks = _blocks(work)
    except MalformedFrame as error:
        return Unusable(error.reason, str(error))
    return [_seen(block) for block in blocks]


def _blocks(work: Work) -> list[MinedBlock]:
    if isinstance(work, Answers):
        return [read_answers(work)]
    stem = work.name.partition(".")[0]
    return read_file(unpacked(work), int(stem) if _NUMBER.fullmatch(stem) else None)


def _seen(block: MinedBlock) -> Seen:
    return Seen(inspect_block(block), len(block.transactions))


def unpacked(path: Path) -> bytes:
    """A file's content.

    Raises:
        MalformedFrame: ``unreadable``, ``damaged`` or ``too_large``.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise MalformedFrame("damaged", "its compressed data is damaged or cut") from None
    except OSError as error:
        raise MalformedFrame("unreadable", error.strerror or str(error)) from None
    if len(raw) > MOST_BYTES:
        raise MalformedFrame("too_large", f"over {MOST_BYTES} bytes")
    return raw
