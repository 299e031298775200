"""The files of a recording: one, or a folder of tapes that follow each other.

What is here waits for the disk. It is called in threads, by one at a time.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import attrs
import msgspec
from loguru import logger

from ..errors import ConfigError
from ..model.settings import RecordSettings
from ..wire.packs import pack
from ..wire.tape import PACK, Header, encode_header
from ..wire.tape_lines import Losses, encode_mark
from .held import held, hold
from .tapes import SUFFIX

SYNC_INTERVAL = 0.5
HEADER_INTERVAL = 60.0
"""Seconds after which the header is written once more."""
MOST_TRIES = 100
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9]{6}" + re.escape(SUFFIX))


class TapeFiles:
    """Where a recording goes.

    Args:
        path: of the tape; where tapes follow each other, of their folder, which is made.
        header: theirs.
        settings: when one follows the other, and which are kept.

    Raises:
        ConfigError: the file exists already, or the place cannot be written.
    """

    def __init__(self, path: Path, header: Header, settings: RecordSettings) -> None:
        self.path = path
        self.present = path
        """The tape that is being written."""
        self.written = 0
        """Bytes on the disk, of all files."""
        self.files = 0
        """Tapes that were begun."""
        self.deleted = 0
        self._settings = settings
        if settings.rotates:
            header = msgspec.structs.replace(header, recording=uuid.uuid4().hex)
        self._header = header
        self._stamp = 0
        self._records = 0
        """On the present tape."""
        self._size = 0
        self._begun = self._synced = self._headed = 0.0
        try:
            if settings.rotates:
                path.mkdir(parents=True, exist_ok=True)
            self._file = self._begin(())
        except FileExistsError:
            why = "it exists; choose another name"
            if path.is_dir():
                why = "it is a folder; for tapes that follow each other in it, set a rotation"
            raise ConfigError(f"{path}: {why}") from None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None

    @property
    def due(self) -> bool:
        """Whether the next tape is to be begun; none follows one without records."""
        if not self._records:
            return False
        size, age = self._settings.rotate_size, self._settings.rotate_every
        if size is not None and self._size >= size:
            return True
        return age is not None and time.monotonic() - self._begun >= age

    def write(self, lines: Sequence[bytes], lost: Losses) -> tuple[int, OSError | None]:
        """Append lines.

        Args:
            lines: records.
            lost: what did not get here since the last time.

        Returns:
            How many lines are on the tape, and why no more; what was lost is told there when one
            of them is.
        """
        done = 0
        try:
            if time.monotonic() - self._headed >= HEADER_INTERVAL:
                self._append(pack([encode_header(self._header)]))
                self._headed = time.monotonic()
            for part in _parts(lines):
                self._append(pack([encode_mark(self._records, lost), *part]))
                lost = {}
                self._records += len(part)
                done += len(part)
            if self._settings.sync and time.monotonic() - self._synced >= SYNC_INTERVAL:
                os.fdatasync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            return done, error
        return done, None

    def follow(self, carried: Sequence[bytes]) -> OSError | None:
        """Begin the next tape and end the present one, where that can be done.

        Args:
            carried: what the next one repeats.
        """
        before, records = self._file, self._records
        try:
            self._file = self._begin(carried)
        except OSError as error:
            return error
        with suppress(OSError):  # then it is one that was not finished
            self._end(before, records, {})
        self._delete_old()
        return None

    def close(self, lost: Losses) -> OSError | None:
        """End the tape."""
        try:
            self._end(self._file, self._records, lost)
        except OSError as error:
            return error
        return None

    def _end(self, file: BinaryIO, records: int, lost: Losses) -> None:
        with file:
            last = pack([encode_mark(records, lost, end=True)])
            _write(file, last)
            self.written += len(last)
            if self._settings.sync:
                os.fdatasync(file.fileno())

    def _append(self, packed: bytes) -> None:
        """All or nothing."""
        try:
            _write(self._file, packed)
        except OSError:
            with suppress(OSError):
                self._file.truncate(self._size)
                self._file.seek(self._size)
            raise
        self._size += len(packed)
        self.written += len(packed)

    def _begin(self, carried: Sequence[bytes]) -> BinaryIO:
        header = self._header
        if self._settings.rotates:
            header = msgspec.structs.replace(header, part=self.files + 1)
            file, path = self._open_next()
            hold(file)
        else:
            path = self.path
            file = path.open("xb", buffering=0)
        first = pack([encode_header(header)])
        start = first + first + (pack([encode_mark(0), *carried]) if carried else b"")
        try:
            _write(file, start)
            if self._settings.sync:
                os.fsync(file.fileno())
                _sync_folder(path.parent)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            raise
        self._header, self.present = header, path
        self.files += 1
        self._records, self._size = 0, len(start)
        self.written += len(start)
        self._begun = self._headed = self._synced = time.monotonic()
        return file

    def _open_next(self) -> tuple[BinaryIO, Path]:
        # Names sort by time even where the wall clock is set back.
        first = max(time.time_ns() // 10**6, self._stamp + 1)
        for stamp in range(first, first + MOST_TRIES):
            moment = datetime.fromtimestamp(stamp / 1000, UTC)
            text = f"{moment:%Y%m%dT%H%M%S}.{stamp % 1000:03d}Z"
            path = self.path / f"{text}-{self.files + 1:06d}{SUFFIX}"
            with suppress(FileExistsError):
                file = path.open("xb", buffering=0)
                self._stamp = stamp
                return file, path
        raise FileExistsError

    def _delete_old(self) -> None:
        """Delete the oldest tapes of the folder, of whichever recording, beyond what is kept; none
        that is being written."""
        try:
            tapes = sorted(e for e in self.path.iterdir() if _NAME.fullmatch(e.name))
            found = [path for path in tapes if path != self.present]
            known = [_Old(path, path.stat().st_size, path.stat().st_mtime) for path in found]
            # Names alone do: but two recordings may have begun a tape in the same millisecond.
            known.sort(key=lambda old: old.written_at)
            present = self.present.stat().st_size
        except OSError as error:
            logger.warning("tapes: the folder cannot be read: {}", error.strerror)
            return
        for old in _beyond(known, present, self._settings):
            try:
                if held(old.path):
                    continue
                old.path.unlink()
            except OSError as error:
                logger.warning("tapes: {} cannot be deleted: {}", old.path.name, error.strerror)
                return
            self.deleted += 1
            logger.info("tapes: {} is deleted", old.path.name)


@attrs.frozen
class _Old:
    path: Path
    size: int
    written_at: float


def _beyond(known: list[_Old], present: int, settings: RecordSettings) -> list[_Old]:
    """Those that are not kept, of tapes in the order of their names."""
    files = len(known) + 1
    size = present + sum(old.size for old in known)
    oldest = time.time() - (settings.keep_age or 0)
    found: list[_Old] = []
    for old in known:
        over = settings.keep_files is not None and files > settings.keep_files
        over = over or (settings.keep_bytes is not None and size > settings.keep_bytes)
        if not over and (settings.keep_age is None or old.written_at >= oldest):
            break
        found.append(old)
        files, size = files - 1, size - old.size
    return found


def _parts(lines: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Lines by the pack, each of which is bounded."""
    found: list[Sequence[bytes]] = []
    begin = size = 0
    for number, line in enumerate(lines):
        size += len(line)
        if size >= PACK:
            found.append(lines[begin : number + 1])
            begin, size = number + 1, 0
    return [*found, lines[begin:]] if begin < len(lines) else found


def _write(file: BinaryIO, data: bytes) -> None:
    """All of it: a file without a buffer may take a part at once."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _sync_folder(path: Path) -> None:
    """Have a new file's name on the disk; where a folder cannot be synced, it is left to be."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
