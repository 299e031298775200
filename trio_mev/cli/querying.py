"""``query``: SQL over what is stored."""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from ..errors import ConfigError
from ..sinks.query import Answer, ask
from ..sinks.verify import verify
from .view import console
from .words import let_go, plain

MOST_ROWS = 10_000
"""That a table may be asked to have: it is kept whole, to find the widths of its columns."""
LONGEST_CELL = 200
"""Characters of a value in a table."""


def run_query(sql: str, folder: Path, json: bool, rows: int, check: bool = False) -> int:
    """Run it and print what it comes to; the exit code.

    Args:
        sql: one statement that reads.
        folder: with the datasets.
        json: lines of JSON, even in a terminal.
        rows: of the table, at most.
        check: see first whether all files are what was written.

    Raises:
        ConfigError: it cannot be run.
        OSError: standard output takes no more.
    """
    if not 1 <= rows <= MOST_ROWS:
        raise ConfigError(f"--rows {rows}: it must be 1 to {MOST_ROWS}")
    if check:
        verify(folder)
    answer = ask(folder, sql)
    if sys.stdout is None:
        return 0
    try:
        if json or not sys.stdout.isatty():
            _print_lines(answer)
        else:
            _print_table(answer, rows)
    except BrokenPipeError:
        let_go()
    return 0


def _print_lines(answer: Answer) -> None:
    names = answer.columns
    encode = msgspec.json.Encoder().encode
    for row in answer.rows():
        sys.stdout.write(encode(dict(zip(names, row, strict=True))).decode() + "\n")
    sys.stdout.flush()


def _print_table(answer: Answer, most: int) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in answer.columns:
        table.add_column(Text(plain(name)), overflow="fold")
    rows = answer.rows()
    shown = list(islice(rows, most))
    for row in shown:
        table.add_row(*map(_cell, row))
    printer = console(os.environ)
    printer.print(table)
    if next(rows, None) is None:
        printer.print("1 row" if len(shown) == 1 else f"{len(shown)} rows", style="dim")
    else:
        words = f"the first {most} rows; there are more: --rows N shows more of them, --json all"
        printer.print(words, style="dim", soft_wrap=True)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("—", style="dim")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    words = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    short = words if len(words) <= LONGEST_CELL else f"{words[:LONGEST_CELL]}…"
    return Text(plain(short), justify="right" if number else None)
