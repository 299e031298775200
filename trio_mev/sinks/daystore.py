"""A folder that a stream is stored in: rows wait, and are written together. It waits for the disk,
so it is called in a thread; one at a time."""

from __future__ import annotations

import os
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import attrs
from loguru import logger

from ..model.event import DataEvent
from ..model.settings import StoreSettings
from .alone import alone
from .arrow import fields_of, library
from .aside import sweep
from .columns import Row
from .days import DayFiles, Patch, retain
from .inclusions import Inclusions
from .spans import Spans, day_of, shown
from .told_columns import STREAM_DATASETS
from .told_rows import rows_told

AMENDED = 2
"""Files of transactions, the newest ones, in which blocks are filled in."""
BREATH = 64
"""Events after which the interpreter is let go, so that the stream's own thread has not to wait
for its turn."""
CHUNK = 500
"""Rows that become columns at once, for the same reason."""
UNFIT = (ValueError, TypeError, OverflowError)
"""What is raised of a value that no column can hold."""
PENDING = "transaction"
BESIDE = "sourcelog"
"""Its rows come of events that have one elsewhere, and are not counted as lost."""


class _Rows(NamedTuple):
    dataset: str
    day: str
    table: Any
    last: int
    """The latest time among them, in microseconds."""


@attrs.define(eq=False)
class DayStore:
    """Datasets by day in a folder.

    Args:
        folder: made where there is none.
        settings: which datasets, and their bounds.
        chain_id: of the chain that is watched; None where nobody says.

    Raises:
        ConfigError: pyarrow is not installed, another run writes into the folder, or what it
            holds cannot be read.
        OSError: it cannot be written to.
    """

    folder: Path
    settings: StoreSettings = attrs.field(factory=StoreSettings)
    chain_id: int | None = None
    written: Counter[str] = attrs.Factory(Counter)
    """Rows, by dataset."""
    lost: Counter[str] = attrs.Factory(Counter)
    """Events whose rows are not written, by reason: ``disk``, ``unfit`` or ``stored_before``."""
    error: OSError | None = None
    """Why the last try to write failed."""
    _pa: Any = attrs.field(init=False)
    _spans: Spans = attrs.field(init=False)
    _files: dict[str, DayFiles] = attrs.Factory(dict)
    _waiting: deque[_Rows] = attrs.Factory(deque)
    _inclusions: Inclusions = attrs.Factory(Inclusions)
    _lock: int | None = None

    def __attrs_post_init__(self) -> None:
        self._pa = library("a stream is stored as Parquet")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = alone(self.folder)
        try:
            self._spans = Spans.load(self.folder)
            sweep(self.folder)
            for name in self.settings.datasets:
                self._files[name] = self._dataset(name)
        except BaseException:
            self.close()
            raise

    def _dataset(self, name: str) -> DayFiles:
        schema = self._pa.schema(fields_of(self._pa, STREAM_DATASETS[name]))
        settings = self.settings
        files = DayFiles(self.folder / name, schema, settings.file_rows, settings.file_bytes)
        sweep(files.folder)
        return files

    def begin(self, time: int, live: bool) -> None:
        """A run begins; what there is nothing of yet gets an empty file, so that it can be asked.

        Args:
            time: of the first event, in microseconds since the epoch.
            live: whether it is the time of now, and not a tape's.

        Raises:
            ConfigError: the folder holds what a tape tells.
            OSError: it cannot be written to.
        """
        self._spans.begin(time, live)
        if (limit := self._spans.limit) is not None:
            logger.warning(
                "{} holds what is from {} on: of the tape what is before is stored",
                self.folder,
                shown(limit),
            )
        for files in self._files.values():
            if not files.files():
                files.append(day_of(time), files.schema.empty_table())
        self._retain()

    def take(self, events: Sequence[DataEvent], epoch: int) -> None:
        """Make rows of events; they wait for ``flush``.

        Args:
            events: of the stream.
            epoch: the wall clock's nanoseconds where the stream's clock is zero.
        """
        rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        limit = self._spans.limit
        for number, event in enumerate(events):
            if not number % BREATH:
                sleep(0)
            time = (epoch + round(event.received_at * 1e9)) // 1000
            if limit is not None and time >= limit:
                self.lost["stored_before"] += 1
                continue
            self._inclusions.take(event.data)
            try:
                told = list(rows_told(event, epoch, self.chain_id))
            except UNFIT:
                self.lost["unfit"] += 1
                continue
            for name, row in told:
                if name in self._files:
                    rows[name, day_of(time)].append(row)
        for (name, day), found in rows.items():
            self._keep(name, day, found)
        self._trim()

    def _keep(self, name: str, day: str, rows: list[Row]) -> None:
        for begin in range(0, len(rows), CHUNK):
            sleep(0)
            table = self._table(name, rows[begin : begin + CHUNK])
            if len(table):
                last = self._pa.compute.max(table.column(0)).cast(self._pa.timestamp("us", "UTC"))
                self._waiting.append(_Rows(name, day, table, last.value))

    def _table(self, name: str, rows: list[Row]) -> Any:
        """Rows as a table; those that no column can hold are left out and counted."""
        make, schema = self._pa.Table.from_pylist, self._files[name].schema
        try:
            return make(rows, schema=schema)
        except UNFIT:
            if len(rows) > 1:
                half = len(rows) // 2
                parts = [self._table(name, rows[:half]), self._table(name, rows[half:])]
                return self._pa.concat_tables(parts)
        self._lose(name, "unfit", 1)
        return schema.empty_table()

    def _lose(self, name: str, reason: str, count: int) -> None:
        if name != BESIDE:
            self.lost[reason] += count

    def _trim(self) -> None:
        """Keep what waits within its bound: the oldest rows are lost."""
        size = sum(rows.table.nbytes for rows in self._waiting)
        while size > self.settings.waiting_bytes:
            gone = self._waiting.popleft()
            size -= gone.table.nbytes
            self._lose(gone.dataset, "disk", len(gone.table))

    @property
    def waiting(self) -> int:
        """Rows that wait to be written, one for each event."""
        return sum(len(rows.table) for rows in list(self._waiting) if rows.dataset != BESIDE)

    def abandon(self) -> None:
        """Count what still waits as lost."""
        for rows in self._waiting:
            self._lose(rows.dataset, "disk", len(rows.table))
        self._waiting.clear()

    def flush(self) -> bool:
        """Write what waits; whether all of it is written. What is not waits on, and ``error``
        says why."""
        groups: dict[tuple[str, str], list[_Rows]] = defaultdict(list)
        for rows in self._waiting:
            groups[rows.dataset, rows.day].append(rows)
        self.error = None
        try:
            if self._waiting:
                self._spans.reach(max(rows.last for rows in self._waiting))
            if self._write(groups):
                self._retain()
        except OSError as error:
            self.error = error
        return self.error is None

    def _write(self, groups: Mapping[tuple[str, str], list[_Rows]]) -> bool:
        """Write rows by dataset and day, and fill blocks in; whether a file was begun.

        What cannot be written leaves the others alone.
        """
        patch = self._inclusions.patch if self._inclusions else None
        begun, fresh = False, set()
        for (name, day), found in groups.items():
            try:
                path, new = self._append(name, day, found, patch)
            except OSError as error:
                self.error = error
                continue
            begun |= new
            fresh.add(path)
        if patch is not None and self.error is None:
            if PENDING in self._files:
                self._files[PENDING].amend(patch, AMENDED, fresh)
            self._inclusions.clear()
        return begun

    def _append(
        self, name: str, day: str, found: Sequence[_Rows], patch: Patch | None
    ) -> tuple[Path, bool]:
        table = self._pa.concat_tables([rows.table for rows in found])
        done = self._files[name].append(day, table, patch if name == PENDING else None)
        self.written[name] += len(table)
        gone = {id(rows) for rows in found}
        self._waiting = deque(rows for rows in self._waiting if id(rows) not in gone)
        return done

    def _retain(self) -> None:
        settings, datasets = self.settings, list(self._files.values())
        removed = retain(datasets, settings.keep_days, settings.keep_bytes)
        for one in removed:
            logger.info("{} is removed: it is older than what is kept", one.path)
        if removed:
            self._spans.forget(min(one.day for files in datasets for one in files.files()))

    def close(self) -> None:
        """Let others write; what was not flushed is not written."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
