"""SQL over what is stored, by DuckDB: it reads the folder, and can do nothing else."""

from __future__ import annotations

import datetime
import glob
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


def _library() -> Any:
    try:
        import duckdb
    except ImportError:
        raise ConfigError("query needs DuckDB: install trio-mev[store]") from None
    return duckdb


def datasets_in(folder: Path) -> dict[str, str]:
    """The datasets of a folder, each with the pattern of its files.

    Raises:
        ConfigError: it has none.
    """
    found = sorted(path.parent.name for path in folder.glob("*/*.parquet"))
    if not found:
        raise ConfigError(f"{folder}: there is no dataset in it; --data names another folder")
    place = folder.resolve()
    return {name: f"{glob.escape(str(place / name))}/*.parquet" for name in dict.fromkeys(found)}


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

    def rows(self) -> Iterator[list[Any]]:
        """Each row, in values that JSON has: what is exact and may be long is text, bytes are
        ``0x`` text, times are ISO 8601."""
        while batch := self._fetch():
            for row in batch:
                yield [
                    _plain(str(value) if exact and value is not None else value)
                    for exact, value in zip(self._exact, row, strict=True)
                ]

    def _fetch(self) -> list[tuple[Any, ...]]:
        try:
            batch: list[tuple[Any, ...]] = self._result.fetchmany(BATCH)
        except self._error as error:
            raise _refused(error) from None
        return batch


def ask(folder: Path, sql: str) -> Answer:
    """Run one SELECT over a folder's datasets, each of which is a view by its name.

    Args:
        folder: with datasets of a stream, or of blocks that were inspected, or both.
        sql: one statement that reads.

    Raises:
        ConfigError: DuckDB is not installed, there is no dataset, or the statement cannot be run.
    """
    duckdb = _library()
    views = datasets_in(folder)
    connection = duckdb.connect(":memory:")
    try:
        for name, files in views.items():
            connection.read_parquet(files, union_by_name=True, hive_partitioning=False).create_view(
                name
            )
    except duckdb.Error as error:
        raise ConfigError(f"{folder}: {_one_line(error)}") from None
    _confine(connection, folder)
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ConfigError("query: it must be one statement that reads, such as SELECT")
        result = connection.execute(statements[0])
    except duckdb.Error as error:
        raise _refused(error) from None
    described = result.description
    exact = [_EXACT.fullmatch(str(one[1])) is not None for one in described]
    return Answer([one[0] for one in described], exact, result, duckdb.Error)


def _confine(connection: Any, folder: Path) -> None:
    """From here on it reads this folder, writes nothing, and cannot be told otherwise."""
    place = str(folder.resolve())
    # A pattern is held against what is allowed before it is known to be one.
    allowed = ", ".join("'" + one.replace("'", "''") + "'" for one in {place, glob.escape(place)})
    for setting in (
        "TimeZone = 'UTC'",
        "temp_directory = ''",
        "python_enable_replacements = false",
        "autoinstall_known_extensions = false",
        f"allowed_directories = [{allowed}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _refused(error: Exception) -> ConfigError:
    return ConfigError(f"query: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


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
