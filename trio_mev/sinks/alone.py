"""One run at a time writes into a folder."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError


def alone(folder: Path) -> int | None:
    """A lock that ends with this process, however that ends; None where there are none.

    Raises:
        ConfigError: another run has it.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise ConfigError(f"{folder}: another run writes into it") from None
    return descriptor
