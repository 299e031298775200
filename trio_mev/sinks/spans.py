"""What times a folder holds, so that nothing is in it twice.

A run notes its time before its rows are written. What is replayed into a folder that holds its
time already is refused, and nothing is replaced.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import attrs
import msgspec

from ..errors import ConfigError
from .aside import replace
from .noted import read_noted

NAME = "store.json"
VERSION = 1
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _Written(msgspec.Struct):
    version: int
    spans: list[tuple[int, int]]
    """First and last of each run, in microseconds since the epoch."""


def shown(time: int) -> str:
    """A time for people, from microseconds since the epoch."""
    return (_EPOCH + datetime.timedelta(microseconds=time)).isoformat(sep=" ")


def day_of(time: int) -> str:
    """The day of a time, in UTC, as ``2026-11-26``."""
    return (_EPOCH + datetime.timedelta(microseconds=time)).date().isoformat()


@attrs.define(eq=False)
class Spans:
    """The spans of a folder, and the one that is being written.

    Args:
        path: of the file.
    """

    path: Path
    _held: list[tuple[int, int]] = attrs.Factory(list)
    _first: int | None = None
    _last: int = 0
    limit: int | None = None
    """What is from then on is held already."""

    @classmethod
    def load(cls, folder: Path) -> Spans:
        """What a folder's file says; it holds nothing where there is none.

        Raises:
            ConfigError: it cannot be read, or is of another version.
        """
        path = folder / NAME
        found = read_noted(path, _Written, VERSION)
        if found is None:
            return cls(path)
        return cls(path, found.spans)

    def begin(self, time: int, live: bool) -> None:
        """A run begins.

        Args:
            time: in microseconds since the epoch.
            live: whether it is the time of now, which no folder can hold.

        Raises:
            ConfigError: the folder holds that time.
        """
        if not live:
            for first, last in self._held:
                if first <= time <= last:
                    raise ConfigError(
                        f"{self.path.parent}: it holds {shown(first)} to {shown(last)} already, "
                        f"and the tape begins at {shown(time)}; choose another folder"
                    )
            self.limit = min((first for first, _ in self._held if first > time), default=None)
        self._first, self._last = time, time - 1

    def reach(self, time: int) -> None:
        """Note that rows up to a time are about to be written.

        Raises:
            OSError: it cannot be written.
        """
        if self._first is None or time <= self._last:
            return
        before, self._last = self._last, max(time, self._first)
        try:
            self._save([*self._held, (self._first, self._last)])
        except OSError:
            self._last = before
            raise

    def forget(self, before: str) -> None:
        """Nothing from before a day is held any more: it may be written again.

        Raises:
            OSError: that cannot be noted.
        """
        since = datetime.datetime.fromisoformat(f"{before}T00:00:00+00:00") - _EPOCH
        begin = since // datetime.timedelta(microseconds=1)
        held = [(max(first, begin), last) for first, last in self._held if last >= begin]
        if held != self._held:
            self._held = held
            own = [] if self._first is None else [(self._first, max(self._first, self._last))]
            self._save([*held, *own])

    def _save(self, spans: list[tuple[int, int]]) -> None:
        raw = msgspec.json.format(msgspec.json.encode(_Written(VERSION, spans)), indent=1)
        replace(self.path, lambda aside: aside.write_bytes(raw))
