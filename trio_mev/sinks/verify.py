"""Whether what is stored is still what was written."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from .arrow import library
from .query import datasets_in
from .seal import check_seal


def verify(folder: Path) -> int:
    """Read all files of a folder's datasets; how many there are.

    Args:
        folder: as for ``ask``.

    Raises:
        ConfigError: pyarrow is not installed, there is no dataset, or a file cannot be read or is
            not what was written; a problem for each.
    """
    library("what is stored is checked")
    files = [path for paths in datasets_in(folder).values() for path in paths]
    problems = [f"{path}: {why}" for path in files if (why := _damage(path))]
    if problems:
        raise ConfigError(*problems)
    return len(files)


def _damage(path: Path) -> str:
    """What is wrong with a file; empty where nothing is."""
    import pyarrow.parquet as pq

    try:
        check_seal(path)
        pq.read_metadata(path)
    except (OSError, ValueError) as error:
        return f"it is damaged: {' '.join(str(error).split())}"
    return ""
