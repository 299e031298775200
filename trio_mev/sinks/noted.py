"""What a folder notes about itself, in a file of JSON with a version."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from ..errors import ConfigError


class Versioned(Protocol):
    """What such a file holds."""

    version: int


Noted = TypeVar("Noted", bound=Versioned)


def read_noted(path: Path, kind: type[Noted], version: int) -> Noted | None:
    """What a file says; None where there is none.

    Raises:
        ConfigError: it cannot be read, or is of another version.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path}: it cannot be read: {error}") from None
    if found.version != version:
        raise ConfigError(f"{path}: it is of version {found.version}, and {version} is known")
    return found
