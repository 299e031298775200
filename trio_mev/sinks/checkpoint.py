"""What is done already, in a file: a run that was stopped goes on from there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs
import msgspec

from .aside import replace
from .noted import read_noted

NAME = "checkpoint.json"
VERSION = 1
"""Of the file, and of the datasets beside it."""


class _Written(msgspec.Struct):
    version: int
    network: str
    blocks: list[tuple[int, int]]
    """First and last of each run of numbers."""
    files: dict[str, tuple[int, int]]
    """By path: bytes, and when it was changed, in nanoseconds since the epoch."""


@attrs.define(eq=False)
class Checkpoint:
    """Blocks and files that are done and stored.

    Args:
        path: of the file.
    """

    path: Path
    network: str = ""
    """Whose blocks these are; empty before anybody said."""
    _blocks: set[int] = attrs.Factory(set)
    _files: dict[str, tuple[int, int]] = attrs.Factory(dict)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint:
        """What a folder's file says; nothing is done where there is none.

        Raises:
            ConfigError: it cannot be read, or is of another version.
        """
        path = folder / NAME
        found = read_noted(path, _Written, VERSION)
        if found is None:
            return cls(path)
        blocks = {n for first, last in found.blocks for n in range(first, last + 1)}
        return cls(path, found.network, blocks, found.files)

    def has(self, item: Path | int) -> bool:
        """Whether it is done; a file that has changed since is not."""
        if isinstance(item, int):
            return item in self._blocks
        return (stamp := _stamp(item)) is not None and self._files.get(_name(item)) == stamp

    def note(self, item: Path | int) -> None:
        """It is done; ``save`` comes after what came of it is stored."""
        if isinstance(item, int):
            self._blocks.add(item)
        elif (stamp := _stamp(item)) is not None:
            self._files[_name(item)] = stamp

    def save(self) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written; the one from before stays.
        """
        written = _Written(VERSION, self.network, list(_runs(sorted(self._blocks))), self._files)
        raw = msgspec.json.format(msgspec.json.encode(written), indent=1)
        replace(self.path, lambda aside: aside.write_bytes(raw))


def _name(path: Path) -> str:
    return str(path.absolute())


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _runs(numbers: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Numbers in order, as first and last of what follows one another."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number > last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
