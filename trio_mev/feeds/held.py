"""Which tapes are being written: several recordings may share a folder, and one of them must not
delete what another is at."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # a system without them: there each recording needs a folder of its own
    LOCKS = False
else:
    LOCKS = True


def hold(file: BinaryIO) -> None:
    """Others shall know that it is being written, until it is closed, however that comes about."""
    if LOCKS:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def held(path: Path) -> bool:
    """Whether somebody is writing it.

    Raises:
        OSError: it cannot be opened.
    """
    if not LOCKS:
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False
