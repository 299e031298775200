"""Tapes on disk: read record by record, several merged into one time line."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from ..errors import ConfigError
from ..wire.tape import Header, Record, TapeReader

CHUNK = 64 * 1024


@attrs.frozen(order=True)
class Moment:
    """A record at its place on the common time line."""

    at: int
    """Nanoseconds since the time line's start."""
    tape: int
    """Which of the tapes."""
    record: Record = attrs.field(order=False)


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
                while chunk := file.read(CHUNK):
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


def timeline(tapes: Sequence[Tape], align: bool = False) -> Iterator[Moment]:
    """The records of several tapes in the order of their times.

    Within a tape its steady clock counts; between tapes their wall clocks do, or, aligned, all
    begin at once.
    """
    starts = [tape.first.wall for tape in tapes if tape.first is not None]
    origin = min(starts, default=0)
    return heapq.merge(
        *(_moments(number, tape, 0 if align else origin) for number, tape in enumerate(tapes))
    )


def _moments(number: int, tape: Tape, origin: int) -> Iterator[Moment]:
    if tape.first is None:
        return
    shift = (tape.first.wall - origin if origin else 0) - tape.first.mono
    for record in tape.records():
        yield Moment(record.mono + shift, number, record)
