"""Tapes on disk, read record by record."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..errors import ConfigError
from ..wire.tape import Header, Record, TapeReader

CHUNK = 64 * 1024


class Tape:
    """A tape's file.

    Raises:
        ConfigError: it cannot be read, or is not a tape.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: Counter[str] = Counter()
        """What was damaged or cut, counted while it is read."""
        self.first: Record | None = None
        self.size = 0
        """Bytes of the file."""
        self.read = 0
        """Bytes read so far by the latest ``records``."""
        self.header = self._look()

    def _look(self) -> Header:
        """The header; the first record is kept to know when the tape begins."""
        reader = TapeReader()
        for records in self._chunks(reader):
            if records:
                self.first = records[0]
                break
        if reader.header is None:
            raise ConfigError(f"{self.path}: it is not a tape: it has no header")
        return reader.header

    def _chunks(self, reader: TapeReader) -> Iterator[list[Record]]:
        try:
            with self.path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                self.read = 0
                while chunk := file.read(CHUNK):
                    self.read += len(chunk)
                    yield reader.receive_data(chunk)
            reader.end()
        except ConfigError as error:
            raise ConfigError(f"{self.path}: {error}") from None
        except OSError as error:
            raise ConfigError(f"{self.path}: {error.strerror}") from None

    def records(self) -> Iterator[Record]:
        """Every record, from the start."""
        reader = TapeReader()
        for records in self._chunks(reader):
            yield from records
        self.problems = reader.problems
