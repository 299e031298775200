"""Files of a dataset by day: a day's rows are in one file or several, each whole at any moment.

A file grows by being replaced: its rows and the new ones are written aside and put in its place,
until it is full. So there are few files however often is written, and at any moment each of them
is whole.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Container, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import attrs
from loguru import logger

from .aside import replace
from .seal import check_seal, write_sealed

_NAME = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4,9})\.parquet")
Patch = Callable[[Any], Any]
"""Changes a table of what is in a file already; None where there is nothing to change."""


class DayFile(NamedTuple):
    """A file, in the order of its day and number."""

    day: str
    number: int
    path: Path


@attrs.define(eq=False)
class DayFiles:
    """The files of one dataset.

    Args:
        folder: made where there is none.
        schema: of the rows.
        most_rows: with which a file is full.
        most_bytes: with which it is full, too.
    """

    folder: Path
    schema: Any
    most_rows: int
    most_bytes: int

    def __attrs_post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[DayFile]:
        """All of them, the oldest first."""
        found = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted(DayFile(m[1], int(m[2]), path) for m, path in found if m is not None)

    def append(self, day: str, table: Any, patch: Patch | None = None) -> tuple[Path, bool]:
        """Add rows to a day; the file that has them, and whether it was begun for them.

        Raises:
            OSError: they cannot be written; all that was there is there still.
        """
        import pyarrow as pa

        before = [one for one in self.files() if one.day == day]
        held = self._room(before[-1].path) if before else None
        number = before[-1].number + (held is None) if before else 1
        rows = table if held is None else pa.concat_tables([held, table])
        changed = None if patch is None else patch(rows)
        path = self.folder / f"{day}_{number:04}.parquet"
        self._write(path, rows if changed is None else changed)
        return path, held is None

    def amend(self, patch: Patch, files: int, besides: Container[Path] = ()) -> None:
        """Change what is in the newest files.

        Args:
            patch: makes the change.
            files: how many of them.
            besides: which of them are left as they are.

        Raises:
            OSError: one cannot be written; it is there as it was.
        """
        for one in self.files()[-files:]:
            held = None if one.path in besides else self._read(one.path)
            changed = None if held is None else patch(held)
            if changed is not None:
                self._write(one.path, changed)

    def _write(self, path: Path, table: Any) -> None:
        replace(path, partial(write_sealed, table))

    def _room(self, path: Path) -> Any | None:
        """What is in a file that more rows can be added to; None where none can."""
        import pyarrow.parquet as pq

        try:
            rows = pq.read_metadata(path).num_rows
            full = rows >= self.most_rows or (rows and path.stat().st_size >= self.most_bytes)
        except (OSError, ValueError) as error:
            _leave(path, error)
            return None
        return None if full else self._read(path)

    def _read(self, path: Path) -> Any | None:
        import pyarrow.parquet as pq

        try:
            check_seal(path)
            table = pq.read_table(path, partitioning=None)
        except (OSError, ValueError) as error:
            _leave(path, error)
            return None
        # Those of another version stay as they are.
        return table.cast(self.schema) if table.schema.names == self.schema.names else None


def _leave(path: Path, error: Exception) -> None:
    """What cannot be read stays as it is, and nothing is added to it."""
    logger.warning("{} cannot be read, and is left as it is: {}", path, error)


def retain(datasets: Iterable[DayFiles], days: int | None, most_bytes: int | None) -> list[DayFile]:
    """Remove files of old days, and the oldest ones while all together are too large.

    The newest file of each dataset stays.

    Args:
        datasets: whose files.
        days: how many are kept, counted back from the latest; None: all.
        most_bytes: of all files that stay; None: any.

    Returns:
        What was removed.
    """
    found = [dataset.files() for dataset in datasets]
    candidates = sorted(one for files in found for one in files[:-1])
    latest = max((files[-1].day for files in found if files), default="")
    removed: list[DayFile] = []
    total = sum(one.path.stat().st_size for files in found for one in files)
    for one in candidates:
        old = days is not None and _days_between(one.day, latest) >= days
        if old or (most_bytes is not None and total > most_bytes):
            total -= one.path.stat().st_size
            one.path.unlink()
            removed.append(one)
    return removed


def _days_between(first: str, last: str) -> int:
    """Days from one to another."""
    return (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days
