"""mempool-dumpster's files, row by row: Parquet, and CSV as it is, zipped or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from ..errors import ConfigError
from ..wire.import_dumpster import Row, wanted

BATCH = 1000
"""Rows of Parquet that are in memory at once."""
LONGEST_LINE = 2**22
"""Characters; one of the longest transaction that nodes take has a sixteenth of it."""


def read_rows(path: Path, problems: Counter[str]) -> Iterator[Row]:
    """The rows of a file, in its order, under the names of the columns in Parquet.

    Args:
        path: of the file, which is known by its content.
        problems: where lines that are no rows are counted.

    Raises:
        ConfigError: it cannot be read, or is none of mempool-dumpster's files of transactions.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == b"PAR1":
            yield from _of_parquet(path)
        else:
            with ExitStack() as stack:
                yield from _of_csv(_text(path, start, stack), problems)
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {problem}" for problem in error.problems)) from None
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile):
        raise ConfigError(f"{path}: its compressed data is damaged or cut") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


def _text(path: Path, start: bytes, stack: ExitStack) -> TextIO:
    if start[:2] == b"\x1f\x8b":
        return stack.enter_context(gzip.open(path, "rt", encoding="utf-8", newline=""))
    if start[:2] == b"PK":
        archive = stack.enter_context(zipfile.ZipFile(path))
        names = archive.namelist()
        if len(names) != 1:
            raise ConfigError(f"there are {len(names)} files in it; unpack it, and name each")
        member = stack.enter_context(archive.open(names[0]))
        return io.TextIOWrapper(member, encoding="utf-8", newline="")
    return stack.enter_context(path.open(encoding="utf-8", newline=""))


def _lines(file: TextIO, problems: Counter[str]) -> Iterator[str]:
    """Its lines; of one that is too long it is said, and none of it is kept."""
    while line := file.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith("\n"):
            yield line
            continue
        problems["line_too_long"] += 1
        while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
            pass


def _of_csv(file: TextIO, problems: Counter[str]) -> Iterator[Row]:
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        rows = csv.reader(_lines(file, problems), strict=True)
        names = _next(rows, problems)
        if names is None:
            raise ConfigError("it is empty")
        places = {ours: names.index(name) for name, ours in wanted(names).items()}
        while (row := _next(rows, problems)) is not None:
            if len(row) == len(names):
                yield {ours: row[place] for ours, place in places.items()}
            else:
                problems["bad_line"] += 1
    finally:
        csv.field_size_limit(before)


def _next(rows: Any, problems: Counter[str]) -> list[str] | None:
    """The next line's fields; None at the end. What is no line of CSV is counted."""
    while True:
        try:
            return next(rows)  # type: ignore[no-any-return]
        except StopIteration:
            return None
        except csv.Error:
            problems["bad_line"] += 1


def _of_parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigError(
            "it is Parquet, for which pyarrow is needed: install trio-mev[store]; CSV needs none"
        ) from None
    try:
        with pq.ParquetFile(path) as file:
            names = wanted(file.schema_arrow.names)
            for batch in file.iter_batches(BATCH, columns=list(names)):
                table = batch.rename_columns([names[name] for name in batch.schema.names])
                place = table.schema.get_field_index("timestamp")
                times = table.column(place)
                if pa.types.is_timestamp(times.type):
                    # Cut to milliseconds, as they are kept.
                    times = times.cast(pa.timestamp("ms", times.type.tz), safe=False)
                    times = times.cast(pa.int64())
                yield from table.set_column(place, "timestamp", times).to_pylist()
    except pa.ArrowException as error:
        raise ConfigError(f"it is damaged: {' '.join(str(error).split())}") from None
