"""Tapes on disk, read record by record: files, and recordings that were divided into several."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from loguru import logger

from ..errors import ConfigError
from ..flow.status import FeedStatus
from ..wire.tape import Header, Record, TapeReader

CHUNK = 64 * 1024
SUFFIX = ".tape"
MOST_PARTS = 100_000
"""Files of one folder."""


class Tape:
    """A tape's file.

    Raises:
        ConfigError: it cannot be read, or is not a tape.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.noted: Counter[str] = Counter()
        """What is wrong beside it, such as tapes of its folder that cannot be read."""
        self.problems: Counter[str] = Counter()
        """What was damaged or cut, counted while it is read."""
        self.lost: Counter[tuple[str, str]] = Counter()
        """Frames that did not get on it, by feed and reason; likewise."""
        self.size = 0
        """Bytes of the file."""
        self.read = 0
        """Bytes read so far by the latest ``records``."""
        self.header = self._look()
        self.first = next(self._records(TapeReader(self.header)), None)
        """The first record, by which the tape's time begins; None where it has none."""

    def _look(self) -> Header:
        """The header, wherever the first is that is whole."""
        reader = TapeReader()
        for _ in self._records(reader, until_header=True):
            pass
        assert reader.header is not None  # or it would have been refused
        return reader.header

    def _records(self, reader: TapeReader, until_header: bool = False) -> Iterator[Record]:
        try:
            with self.path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                self.read = 0
                while chunk := file.read(CHUNK):
                    self.read += len(chunk)
                    yield from reader.receive_data(chunk)
                    if until_header and reader.header is not None:
                        return
            yield from reader.end()
        except ConfigError as error:
            raise ConfigError(f"{self.path}: {error}") from None
        except OSError as error:
            raise ConfigError(f"{self.path}: {error.strerror}") from None

    def records(self, carried: bool = True) -> Iterator[Record]:
        """Every record, from the start.

        Args:
            carried: also those that are on the tape before it, where it is one of several.
        """
        reader = TapeReader(self.header, carried)
        reader.problems.update(self.noted)
        # From now on: whoever plays a part of it must hear of what is wrong with that part.
        self.problems, self.lost = reader.problems, reader.lost
        yield from self._records(reader)


class Recording:
    """Tapes that one recording was divided into, played as one.

    Where one is missing between two others, it is counted, and connections begin anew by what the
    next tape repeats of them.
    """

    def __init__(self, tapes: Sequence[Tape]) -> None:
        self.tapes = sorted(tapes, key=lambda tape: tape.header.part)
        self.path = self.tapes[0].path
        self.header = self.tapes[0].header
        self.first = next((tape.first for tape in self.tapes if tape.first is not None), None)
        """The first record."""

    @property
    def problems(self) -> Counter[str]:
        """Of all of them, and tapes that are missing between them."""
        found: Counter[str] = Counter()
        for tape in self.tapes:
            found.update(tape.problems)
        parts = [tape.header.part for tape in self.tapes]
        if missing := parts[-1] - parts[0] + 1 - len(set(parts)):
            found["missing_part"] += missing
        return found

    @property
    def lost(self) -> Counter[tuple[str, str]]:
        """Frames that did not get on them, by feed and reason."""
        found: Counter[tuple[str, str]] = Counter()
        for tape in self.tapes:
            found.update(tape.lost)
        return found

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(tape.size for tape in self.tapes)

    @property
    def read(self) -> int:
        """Bytes read so far by the latest ``records``."""
        return sum(tape.read for tape in self.tapes)

    def records(self) -> Iterator[Record]:
        """Every record, from the start; connections live on from tape to tape."""
        for tape in self.tapes:
            tape.read = 0
        before: int | None = None
        for tape in self.tapes:
            part = tape.header.part
            if part != before:  # the same file may have been named twice
                yield from tape.records(carried=before is None or part != before + 1)
            before = part


AnyTape = Tape | Recording


def open_tapes(paths: Iterable[Path | str]) -> list[AnyTape]:
    """Tapes of files and folders; the parts of a recording are one, and what is named twice is
    played once.

    Args:
        paths: of tapes, and of folders with tapes.

    Raises:
        ConfigError: one cannot be read or is not a tape, or a folder has none.
    """
    found: list[AnyTape] = []
    recordings: dict[str, list[Tape]] = {}
    known: set[Path] = set()
    for path in map(Path, paths):
        for tape in _of_folder(path) if path.is_dir() else [Tape(path)]:
            if (real := tape.path.resolve()) in known:
                continue
            known.add(real)
            if not tape.header.recording:
                found.append(tape)
            else:
                recordings.setdefault(tape.header.recording, []).append(tape)
    return [*found, *map(Recording, recordings.values())]


def count_problems(tapes: Iterable[AnyTape], statuses: Mapping[str, FeedStatus]) -> None:
    """Count what is wrong with tapes, as far as they were read, under the first feed of each.

    Args:
        tapes: that were played.
        statuses: of the feeds that they were played for, by name.
    """
    for tape in tapes:
        status = next((statuses[name] for name in tape.header.feeds if name in statuses), None)
        if status is not None:
            for problem, count in tape.problems.items():
                status.refused[f"tape_{problem}"] += count


def _of_folder(path: Path) -> list[Tape]:
    """Its tapes; those that cannot be read are left out and counted."""
    tapes: list[Tape] = []
    unreadable: list[str] = []
    for file in _files(path):
        try:
            tapes.append(Tape(file))
        except ConfigError as error:
            unreadable += error.problems
    if not tapes:
        raise ConfigError(*unreadable)
    for problem in unreadable:
        logger.warning("left out: {}", problem)
        tapes[0].noted["unreadable_tape"] += 1
    return tapes


def _files(path: Path) -> list[Path]:
    try:
        files = sorted(entry for entry in path.iterdir() if entry.suffix == SUFFIX)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if not files:
        raise ConfigError(f"{path}: no file in it ends in {SUFFIX}")
    if len(files) > MOST_PARTS:
        raise ConfigError(f"{path}: it has {len(files)} tapes; at most {MOST_PARTS} are played")
    return files
