"""``import``: other programs' recordings as tapes."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from ..errors import ConfigError
from ..feeds.dumpster import read_rows
from ..wire.import_dumpster import dumpster_records
from ..wire.import_node import FramesImport, block_records, read_block
from ..wire.import_venues import CryptofeedImport
from ..wire.tape import VERSION, FeedHeader, Header, Record, encode_record, packed
from .recordings import in_order, json_of, lines_of

FRAMES = "frames.jsonl"
"""What a folder of frames has them in."""
FORMATS = ("cryptofeed", "blocks", "frames", "mempool-dumpster")


@attrs.frozen
class Imported:
    """What was written."""

    records: int
    problems: Counter[str]
    """Lines that could not be used, by kind."""


def import_tape(form: str, sources: Iterable[Path], out: Path) -> Imported:
    """Write a tape from recordings.

    Raises:
        ConfigError: a source cannot be read or is of another format; nothing is left behind.
    """
    if form not in FORMATS:
        raise ConfigError(f"format {form!r} is not one of {', '.join(FORMATS)}")
    problems: Counter[str] = Counter()
    readers = {
        "cryptofeed": _cryptofeed,
        "blocks": _blocks,
        "frames": _frames,
        "mempool-dumpster": _dumpster,
    }
    feeds, records = readers[form](list(sources), problems)
    header = Header(VERSION, feeds, f"imported from {form}")
    return Imported(_write(out, header, records), problems)


def _write(out: Path, header: Header, records: Iterable[Record]) -> int:
    """The number of records in the file; where it cannot be finished, there is no file."""
    try:
        with out.open("xb") as file:
            try:
                return _fill(file, header, records)
            except BaseException:
                out.unlink()
                raise
    except FileExistsError:
        raise ConfigError(f"{out}: it exists; choose another name") from None
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}") from None


def _fill(file: BinaryIO, header: Header, records: Iterable[Record]) -> int:
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for count, record in enumerate(records, 1):  # noqa: B007 - the last is the number
            yield encode_record(record)

    for piece in packed(header, lines()):
        file.write(piece)
    file.flush()
    return count


def _cryptofeed(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    feeds: dict[str, FeedHeader] = {}
    found: list[Iterator[Record]] = []
    for path in sources:
        try:
            kind = CryptofeedImport.kind(lines_of(path))
            name = _fresh(f"{kind}:import", feeds)
            source = CryptofeedImport(name, problems)
            feeds[name] = source.header(lines_of(path))
        except ConfigError as error:
            raise _named(path, error) from None
        found.append(in_order(source.records(lines_of(path)), problems))
    return feeds, heapq.merge(*found, key=attrgetter("mono"))


def _named(path: Path, error: ConfigError) -> ConfigError:
    """The same, with the file's name before each problem, where it is not there already."""
    start = f"{path}: "
    return ConfigError(*(start + one.removeprefix(start) for one in error.problems))


def _fresh(name: str, taken: dict[str, FeedHeader]) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate = f"{name}-{number}"
        number += 1
    return candidate


def _blocks(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    name = "ethereum:import"
    # Each is read twice, so that never more than one of them is in memory.
    ordered = sorted(sources, key=lambda path: int(_block(path)["number"], 16))
    return {name: FeedHeader("ethereum")}, block_records(name, map(_block, ordered))


def _block(path: Path) -> dict[str, Any]:
    value = json_of(path)
    try:
        return read_block(value)
    except ConfigError as error:
        raise _named(path, error) from None


def _frames(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    feeds: dict[str, FeedHeader] = {}
    found: list[Iterator[Record]] = []
    for source in sources:
        path = source / FRAMES if source.is_dir() else source
        beside = path.parent / "subscriptions.json"
        subscriptions = json_of(beside)
        if not isinstance(subscriptions, dict):
            raise ConfigError(f"{beside}: it is not an object of names and ids")
        name = _fresh("ethereum:import", feeds)
        feeds[name] = FeedHeader("ethereum")
        try:
            reader = FramesImport(name, subscriptions, problems)
        except ConfigError as error:
            raise _named(beside, error) from None
        lines = (line.encode() for line in lines_of(path))
        found.append(in_order(reader.records(lines), problems))
    return feeds, heapq.merge(*found, key=attrgetter("mono"))


def _dumpster(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    name = "ethereum:import"
    rows = [read_rows(path, problems) for path in sources]
    return {name: FeedHeader("ethereum")}, dumpster_records(name, rows, problems)
