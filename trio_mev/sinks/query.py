"""SQL over what is stored, by DuckDB: it reads the folder, and can do nothing else."""

from __future__ import annotations

import datetime
import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import ConfigError

BATCH = 1000
"""Rows that are fetched at once."""
_EXACT = re.compile(r"DECIMAL\(\d+,\s?\d+\)|U?HUGEINT|BIGNUM")
"""Types whose numbers are longer than many a reader of JSON takes."""
_LARGEST = 2**63
NEWEST = 8
"""Files of a dataset that may be replaced while they are read."""
OPEN = Path("/proc/self/fd")
"""Where what is open has a name; there is none on some systems."""


def _library() -> Any:
    try:
        import duckdb
    except ImportError:
        raise ConfigError("query needs DuckDB: install trio-mev[store]") from None
    return duckdb


def datasets_in(folder: Path) -> dict[str, list[Path]]:
    """The datasets of a folder, each with its files.

    Raises:
        ConfigError: it has none.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.resolve().glob("*/*.parquet")):
        found.setdefault(path.parent.name, []).append(path)
    if not found:
        raise ConfigError(f"{folder}: there is no dataset in it; --data names another folder")
    return found


@attrs.define(eq=False)
class _Held:
    """Files as they are now, whatever is put in their places.

    The newest files of a folder are replaced while a stream is stored, and the engine opens a
    file more than once. So these are opened here, and the engine gets the names of what is open.
    """

    _names: dict[str, Path] = attrs.Factory(dict)
    """By the name of what is open."""
    _open: list[int] = attrs.Factory(list)

    def names_of(self, files: Sequence[Path]) -> list[str]:
        """What the engine is to open for each file."""
        newest = sorted(files, key=lambda path: path.stat().st_mtime_ns)[-NEWEST:]
        return [self._hold(path) if path in newest else glob.escape(str(path)) for path in files]

    def _hold(self, path: Path) -> str:
        if not OPEN.is_dir():
            return glob.escape(str(path))
        self._open.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        name = str(OPEN / str(self._open[-1]))
        self._names[name] = path
        return name

    @property
    def names(self) -> list[str]:
        """What is open."""
        return list(self._names)

    def refused(self, error: Exception, what: str = "query") -> ConfigError:
        """An error of the engine as one line, with the files' own names in it."""
        text = " ".join(str(error).split())
        for name in sorted(self._names, reverse=True):
            text = text.replace(name, str(self._names[name]))
        return ConfigError(f"{what}: {text}")

    def close(self) -> None:
        """Let them go."""
        while self._open:
            os.close(self._open.pop())


@attrs.define(eq=False)
class Answer:
    """What a query comes to: its columns, and its rows as they are asked for.

    Raises, while rows are read:
        ConfigError: it failed in the middle.
    """

    columns: Sequence[str]
    _exact: Sequence[bool]
    _result: Any
    _error: type[Exception]
    _held: _Held

    def rows(self) -> Iterator[list[Any]]:
        """Each row, in values that JSON has: what is exact and may be long is text, bytes are
        ``0x`` text, times are ISO 8601. They can be read once."""
        try:
            while batch := self._result.fetchmany(BATCH):
                for row in batch:
                    yield [
                        _plain(str(value) if exact and value is not None else value)
                        for exact, value in zip(self._exact, row, strict=True)
                    ]
        except self._error as error:
            raise self._held.refused(error) from None
        finally:
            self._held.close()


def ask(folder: Path, sql: str) -> Answer:
    """Run one SELECT over a folder's datasets, each of which is a view by its name.

    Args:
        folder: with datasets of a stream, or of blocks that were inspected, or both.
        sql: one statement that reads.

    Raises:
        ConfigError: DuckDB is not installed, there is no dataset, or the statement cannot be run.
    """
    duckdb = _library()
    held = _Held()
    try:
        connection = _views(duckdb, folder, held)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ConfigError("query: it must be one statement that reads, such as SELECT")
            result = connection.execute(statements[0])
        except duckdb.Error as error:
            raise held.refused(error) from None
    except BaseException:
        held.close()
        raise
    described = result.description
    exact = [_EXACT.fullmatch(str(one[1])) is not None for one in described]
    return Answer([one[0] for one in described], exact, result, duckdb.Error, held)


def _views(duckdb: Any, folder: Path, held: _Held) -> Any:
    """A connection in which each dataset is a view, and nothing else can be reached."""
    connection = duckdb.connect(":memory:")
    try:
        for name, files in datasets_in(folder).items():
            read = connection.read_parquet(
                held.names_of(files), union_by_name=True, hive_partitioning=False
            )
            read.create_view(name)
    except duckdb.Error as error:
        raise held.refused(error, str(folder)) from None
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: {error.strerror}") from None
    _confine(connection, folder, held)
    return connection


def _confine(connection: Any, folder: Path, held: _Held) -> None:
    """From here on it reads this folder, writes nothing, and cannot be told otherwise."""
    place = str(folder.resolve())
    for setting in (
        "TimeZone = 'UTC'",
        "temp_directory = ''",
        "python_enable_replacements = false",
        "autoinstall_known_extensions = false",
        # A pattern is held against what is allowed before it is known to be one.
        f"allowed_directories = {_listed(sorted({place, glob.escape(place)}))}",
        f"allowed_paths = {_listed(held.names)}",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _listed(texts: Sequence[str]) -> str:
    """A list of texts in SQL."""
    quoted = ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
    return f"[{quoted}]"


def _plain(value: Any) -> Any:
    """A value that JSON has."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
