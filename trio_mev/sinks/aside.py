"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

SUFFIX = ".tmp"


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file aside, and put it in its place when all of it is on the disk.

    Args:
        path: where it shall be; one that is there already is replaced at once.
        write: writes the file whose path it is given.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    aside = _aside(path)
    try:
        write(aside)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def probe(path: Path) -> None:
    """See whether a file could be written by ``replace``, before there is anything to write.

    Raises:
        OSError: it could not.
    """
    aside = _aside(path)
    aside.touch()
    aside.unlink()


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}{SUFFIX}")


def sweep(folder: Path) -> None:
    """Remove what a run that was killed has left aside."""
    for left in folder.glob(f".*{SUFFIX}"):
        left.unlink(missing_ok=True)
