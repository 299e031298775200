"""Other programs' files, read line by line, and their records put in order: in bounded room,
however long they are."""

from __future__ import annotations

import gzip
import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import attrs

from ..errors import ConfigError
from ..wire.tape import MAX_LINE, Record

MOST_BYTES = 2**30
"""Of a file that is read as a whole, unpacked."""
MOST_WAITING = 32 * 2**20
"""Bytes of frames that wait for one that comes late."""
OVERHEAD = 500
"""Bytes of a record that waits, beside its frame."""


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast("IO[bytes]", file)
    except (EOFError, zlib.error):
        raise ConfigError(f"{path}: its compressed data is damaged or cut") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a text; packed, where its name ends in ``.gz``.

    Raises:
        ConfigError: it cannot be read, or a line is too long.
    """
    with _opened(path) as file:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise ConfigError(f"{path}: a line of over {MAX_LINE} bytes")
            yield line.decode().removesuffix("\n")


def json_of(path: Path) -> Any:
    """The value in a file; packed, where its name ends in ``.gz``.

    Raises:
        ConfigError: it cannot be read, is too large, or is not JSON.
    """
    with _opened(path) as file:
        raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ConfigError(f"{path}: over {MOST_BYTES} bytes")
        text = raw.decode()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: it is not JSON") from None


def in_order(
    records: Iterable[Record], problems: Counter[str], most: int = MOST_WAITING
) -> Iterator[Record]:
    """Records in the order of their times, where they are nearly so.

    Args:
        records: of one file.
        problems: where those that come too late for their time are counted, as ``out_of_order``:
            they get that of the one before.
        most: bytes that may wait.
    """
    waiting: list[tuple[int, int, Record]] = []
    size, last = 0, 0
    for number, record in enumerate(records):
        if record.mono < last:
            problems["out_of_order"] += 1
            record = attrs.evolve(record, mono=last)
        heapq.heappush(waiting, (record.mono, number, record))
        size += len(record.frame) + OVERHEAD
        while size > most:
            last, _, first = heapq.heappop(waiting)
            size -= len(first.frame) + OVERHEAD
            yield first
    while waiting:
        yield heapq.heappop(waiting)[2]
