"""``--store``: a stream's datasets in a folder, for as long as it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..config import Config
from ..config.whole import chain_of
from ..errors import ConfigError
from ..sinks.daystore import DayStore
from ..sinks.storing import StreamStore
from .words import complain


@contextmanager
def open_store(config: Config, start: int | None = None) -> Iterator[StreamStore | None]:
    """What a configuration wants to be stored; None where it wants nothing.

    Args:
        config: whose ``store`` has a folder.
        start: when the tape begins, in nanoseconds since the epoch; None of a run of now.

    Raises:
        ConfigError: the folder cannot be used.
    """
    settings = config.settings.store
    if settings.folder is None:
        yield None
        return
    chain = chain_of(config.settings)
    folder = Path(settings.folder)
    try:
        store = DayStore(folder, settings, None if chain is None else chain.chain_id)
    except OSError as error:
        raise _unusable(folder, error) from None
    try:
        store.begin((time.time_ns() if start is None else start) // 1000, start is None)
    except BaseException as error:
        store.close()
        if isinstance(error, OSError):
            raise _unusable(folder, error) from None
        raise
    try:
        yield StreamStore(store)
    finally:
        store.close()
        complain(f"{folder}: {_rows(store)}")


def _rows(store: DayStore) -> str:
    parts = [f"{name} {store.written[name]}" for name in store.settings.datasets]
    return f"{store.written.total()} rows: {', '.join(parts)}"


def _unusable(folder: Path, error: OSError) -> ConfigError:
    why = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
    return ConfigError(f"{error.filename or folder}: {why}")
