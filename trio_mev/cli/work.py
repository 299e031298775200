"""One piece of work: a file, or what a node said of a block, to what landed in it. It runs in a
thread or in a process of its own, and waits for nothing but the disk."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import attrs

from ..errors import ConfigError, MalformedFrame
from ..inspect import Inspection, MinedBlock, Prices, inspect_block, read_prices
from ..inspect.answers import Answers, read_answers
from ..inspect.files import read_file

MOST_BYTES = 2**30
"""Of a file, unpacked."""
MOST_LINE = 2**20
"""Bytes of a line of prices."""
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


def perform(work: Work, prices: Prices | None = None) -> Result:
    """The blocks in it, inspected; or why it cannot be used.

    Args:
        work: what is to be done.
        prices: what exchanges paid.
    """
    try:
        blocks = _blocks(work)
    except MalformedFrame as error:
        return Unusable(error.reason, str(error))
    return [_seen(block, prices) for block in blocks]


def _blocks(work: Work) -> list[MinedBlock]:
    if isinstance(work, Answers):
        return [read_answers(work)]
    stem = work.name.partition(".")[0]
    return read_file(unpacked(work), int(stem) if _NUMBER.fullmatch(stem) else None)


def _seen(block: MinedBlock, prices: Prices | None) -> Seen:
    return Seen(inspect_block(block, prices=prices), len(block.transactions))


def load_prices(path: Path) -> Prices:
    """A history of prices.

    Raises:
        ConfigError: it cannot be read, or holds none.
    """
    try:
        with opened(path) as file:
            prices = read_prices(_lines(file))
    except MalformedFrame as error:
        raise ConfigError(f"{path}: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    if not len(prices):
        raise ConfigError(f"{path}: it holds no prices: a line of JSON each, of the kind price")
    return prices


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MOST_LINE):
        if len(line) == MOST_LINE:
            raise MalformedFrame("too_large", f"a line of {MOST_LINE} bytes or more")
        yield line


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's content, unpacked where it is packed.

    Raises:
        MalformedFrame: ``damaged``.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            yield cast("IO[bytes]", file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise MalformedFrame("damaged", "its compressed data is damaged or cut") from None


def unpacked(path: Path) -> bytes:
    """A file's content.

    Raises:
        MalformedFrame: ``unreadable``, ``damaged`` or ``too_large``.
    """
    try:
        with opened(path) as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise MalformedFrame("unreadable", error.strerror or str(error)) from None
    if len(raw) > MOST_BYTES:
        raise MalformedFrame("too_large", f"over {MOST_BYTES} bytes")
    return raw
