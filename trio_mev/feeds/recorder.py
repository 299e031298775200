"""A lane for the tape: frames wait in it for the disk, and the stream for neither."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

import attrs
import msgspec
import trio
from loguru import logger

from ..model.health import HealthIssue
from ..model.settings import RecordSettings
from ..wire.carry import Beginnings
from ..wire.tape import MAX_LINE, PACK, Direction, Header
from ..wire.tape_lines import Losses, encode_line
from .tapefiles import TapeFiles

FLUSH_INTERVAL = 0.5
"""Seconds for which frames wait at most before they are written."""
CLOSE_TIMEOUT = 5.0
FULL = 0.8
"""Of what may wait, over which it is told."""
HIDDEN = b"***"

T = TypeVar("T")
Args = TypeVarTuple("Args")
_Counts = Counter[tuple[str, str]]


class _Feed(msgspec.Struct):
    f: str


_FEED = msgspec.json.Decoder(_Feed)


@attrs.frozen
class TapeStats:
    """How a recording fares."""

    path: Path
    records: int
    written: int
    """Compressed bytes on the disk."""
    files: int
    """Tapes that were begun."""
    deleted: int
    """Older tapes of the folder that were deleted for room."""
    redacted: int
    """Frames in which something secret was replaced."""
    lost: Mapping[str, int]
    """Frames that are not on the tape, by reason."""


class Recorder:
    """A tape being written. ``tap`` is given to the feeds; ``open_recorder`` makes it.

    Args:
        files: where it goes.
        header: the tapes'.
        settings: what may wait.
        secrets: what must not be written, by connection.
    """

    def __init__(
        self,
        files: TapeFiles,
        header: Header,
        settings: RecordSettings,
        secrets: Mapping[str, Iterable[bytes]],
    ) -> None:
        self.records = 0
        """On the tape, or waiting for it."""
        self.redacted = 0
        """Frames in which something secret was replaced."""
        self.losses: _Counts = Counter()
        """Frames that are not on it, by feed and reason."""
        self.problem = ""
        """Why the disk takes nothing at present."""
        self._files = files
        self._limit = settings.max_waiting
        self._secrets = {feed: tuple(values) for feed, values in secrets.items()}
        self._beginnings = Beginnings(header.feeds) if settings.rotates else None
        self._untold: _Counts = Counter()
        self._waiting: list[bytes] = []
        self._writing: Sequence[bytes] = ()
        self._size = 0
        self._some = trio.Event()
        self._full = trio.Event()
        self._closing = trio.Event()
        self._one = trio.Lock()
        self._limiter = trio.CapacityLimiter(1)
        self._scope = trio.CancelScope(shield=True)
        self._over = False
        self._ended = trio.Event()

    def tap(
        self,
        feed: str,
        direction: Direction,
        frame: bytes,
        stamp: tuple[int, int] | None = None,
        /,
    ) -> None:
        """Keep a frame; as ``Tap``."""
        for secret in self._secrets.get(feed, ()):
            if secret in frame:
                frame = frame.replace(secret, HIDDEN)
                self.redacted += 1
        kind: str = direction._value_  # which costs less than ``value``
        wall, steady = stamp or _now()
        line = encode_line(wall, steady, feed, kind, frame)
        size = len(line)
        if size > MAX_LINE or self._over:
            self._lose(feed, "closed" if self._over else "too_long")
            return
        if self._size + size > self._limit:
            self._lose(feed, "full")
            return
        if self._beginnings is not None:
            self._beginnings.note(feed, kind, frame)
        self.records += 1
        self._waiting.append(line)
        self._size += size
        if len(self._waiting) == 1:
            self._some.set()
        if self._size >= PACK:
            self._full.set()

    def _lose(self, feed: str, reason: str, count: int = 1) -> None:
        self.losses[feed, reason] += count
        self._untold[feed, reason] += count

    @property
    def lost(self) -> int:
        """Frames that are not on the tape."""
        return self.losses.total()

    @property
    def written(self) -> int:
        """Compressed bytes on the disk."""
        return self._files.written

    def stats(self) -> TapeStats:
        """How it fares."""
        lost: Counter[str] = Counter()
        for (_, reason), count in self.losses.items():
            lost[reason] += count
        files = self._files
        return TapeStats(
            files.path,
            self.records,
            files.written,
            files.files,
            files.deleted,
            self.redacted,
            dict(lost),
        )

    def health(self, now: float) -> Iterator[HealthIssue]:
        """What is wrong with it."""
        if self.problem:
            yield HealthIssue("tape_unwritable", "tape", f"{self.problem}; {self.lost} lost")
        if self._size > self._limit * FULL:
            fill = f"{self._size} of {self._limit} bytes"
            yield HealthIssue("lane_full", "tape", fill)

    async def flush(self) -> None:
        """Write what waits, in a thread; begin the next tape where it is time."""
        async with self._one:
            if self._waiting:
                await self._write()
            if self._files.due:
                # Nothing waits: what is repeated is what is on the tapes so far.
                await self._follow()

    async def _write(self) -> None:
        lines, self._waiting, self._size = self._waiting, [], 0
        self._full.set()  # whoever waits for it waits for nothing
        self._some, self._full = trio.Event(), trio.Event()
        untold, self._untold = self._untold, Counter()
        self._writing = lines
        done, error = await self._in_thread(self._files.write, lines, _nested(untold))
        self._writing = ()
        if not done:
            self._untold.update(untold)
        self._give_up(lines[done:], "write_failed")
        self._tell(error)

    async def _follow(self) -> None:
        assert self._beginnings is not None
        carried = self._beginnings.lines(*_now())
        self._tell(await self._in_thread(self._files.follow, carried))

    def _give_up(self, lines: Sequence[bytes], reason: str) -> None:
        self.records -= len(lines)
        for feed, count in Counter(_FEED.decode(line).f for line in lines).items():
            self._lose(feed, reason, count)

    def _tell(self, error: OSError | None) -> None:
        problem = "" if error is None else error.strerror or str(error)
        if problem and problem != self.problem:
            logger.warning("tape: {}; what comes is lost until it can be written", problem)
        elif self.problem and not problem:
            logger.info("tape: it is written again; {} frames were lost", self.lost)
        self.problem = problem

    async def run(self) -> None:
        """Write until ``close`` is called, and then the rest within its bound."""
        over = threading.Event()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._give_up_late, over)
                    await self._write_all()
                    nursery.cancel_scope.cancel()
        finally:
            self._over = True
            over.set()
            self._ended.set()
        if self._scope.cancelled_caught:  # the thread is left to its disk
            self._give_up([*self._writing, *self._waiting], "close_timeout")
            logger.warning("tape: the disk is too slow: {} frames are lost", self.lost)

    async def _write_all(self) -> None:
        while not self._closing.is_set():
            await self._some.wait()
            with trio.move_on_after(FLUSH_INTERVAL):
                await self._full.wait()
            await self.flush()
        async with self._one:
            if self._waiting:
                await self._write()
            untold, self._untold = self._untold, Counter()
            self._tell(await self._in_thread(self._files.close, _nested(untold)))

    async def _give_up_late(self, over: threading.Event) -> None:
        """In real seconds: where the clock is a tape's or a test's, the disk's is not."""
        await self._closing.wait()
        limiter = trio.CapacityLimiter(1)
        await trio.to_thread.run_sync(
            over.wait, CLOSE_TIMEOUT, abandon_on_cancel=True, limiter=limiter
        )
        self._scope.cancel()

    async def _in_thread(self, job: Callable[[Unpack[Args]], T], *args: *Args) -> T:
        return await trio.to_thread.run_sync(
            job, *args, abandon_on_cancel=True, limiter=self._limiter
        )

    async def finish(self) -> None:
        """End the tape; it takes 5 s at most. What comes after that is lost, and counted."""
        self.close()
        await self._ended.wait()

    def close(self) -> None:
        """Have ``run`` end."""
        self._closing.set()
        self._some.set()
        self._full.set()


def _now() -> tuple[int, int]:
    """The wall clock, and the stream's: what is dated by it is dated so on the tape, too."""
    return time.time_ns(), int(trio.current_time() * 1e9)


def _nested(losses: _Counts) -> Losses:
    found: dict[str, dict[str, int]] = {}
    for (feed, reason), count in losses.items():
        found.setdefault(feed, {})[reason] = count
    return found
