"""``import``: other programs' recordings as tapes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from ..errors import ConfigError
from ..feeds.dumpster import read_rows
from ..wire.import_dumpster import dumpster_records
from ..wire.import_node import FramesImport, block_records, read_block
from ..wire.import_venues import CryptofeedImport
from ..wire.tape import VERSION, FeedHeader, Header, Record, encode_record, packed

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


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise ConfigError(f"{path}: its compressed data is damaged or cut") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: it is not JSON") from None


def _cryptofeed(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    feeds: dict[str, FeedHeader] = {}
    found: list[Record] = []
    for path in sources:
        lines = _text(path).split("\n")
        try:
            kind = CryptofeedImport.kind(lines)
            name = _fresh(f"{kind}:import", feeds)
            source = CryptofeedImport(name)
            feeds[name] = source.header(lines)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        found += source.records(lines)
        problems.update(source.problems)
    found.sort(key=lambda record: record.mono)
    return feeds, iter(found)


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
    blocks = []
    for path in sources:
        value = _json(path)
        try:
            blocks.append(read_block(value))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
    return {"ethereum:import": FeedHeader("ethereum")}, block_records("ethereum:import", blocks)


def _frames(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    feeds: dict[str, FeedHeader] = {}
    found: list[Record] = []
    for source in sources:
        path = source / FRAMES if source.is_dir() else source
        beside = path.parent / "subscriptions.json"
        subscriptions = _json(beside)
        if not isinstance(subscriptions, dict):
            raise ConfigError(f"{beside}: it is not an object of names and ids")
        name = _fresh("ethereum:import", feeds)
        feeds[name] = FeedHeader("ethereum")
        try:
            reader = FramesImport(name, subscriptions)
        except ConfigError as error:
            raise ConfigError(f"{beside}: {error}") from None
        found += reader.records(_text(path).encode().splitlines())
        if reader.bad_lines:
            problems["bad_line"] += reader.bad_lines
    found.sort(key=lambda record: record.mono)
    return feeds, iter(found)


def _dumpster(
    sources: list[Path], problems: Counter[str]
) -> tuple[dict[str, FeedHeader], Iterator[Record]]:
    name = "ethereum:import"
    rows = [read_rows(path, problems) for path in sources]
    return {name: FeedHeader("ethereum")}, dumpster_records(name, rows, problems)
