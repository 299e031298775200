"""Writes frames to a tape as they pass, without holding up the stream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import attrs
import trio

from ..errors import ConfigError
from ..model.settings import AnyFeed
from ..wire.sessions import feed_headers
from ..wire.tape import (
    VERSION,
    Direction,
    FeedHeader,
    Header,
    Record,
    encode_header,
    encode_record,
    pack,
)

MAX_WAITING = 64 * 2**20
"""Bytes that may wait for the disk; more are lost, and counted."""
FLUSH_INTERVAL = 1.0
CLOSE_TIMEOUT = 5.0


@attrs.define(eq=False)
class Recorder:
    """A tape being written. ``tap`` is given to the feeds."""

    _file: BinaryIO
    records: int = 0
    lost: int = 0
    """Frames that did not fit while the disk was slow."""
    written: int = 0
    """Compressed bytes on the disk."""
    _waiting: list[bytes] = attrs.Factory(list)
    _size: int = 0

    def tap(self, feed: str, direction: Direction, frame: bytes) -> None:
        """Keep a frame."""
        line = encode_record(Record(time.time_ns(), time.monotonic_ns(), feed, direction, frame))
        if self._size + len(line) > MAX_WAITING:
            self.lost += 1
            return
        self.records += 1
        self._waiting.append(line)
        self._size += len(line)

    async def flush(self) -> None:
        """Write what waits as one compressed frame, in a thread."""
        if self._waiting:
            lines, self._waiting, self._size = self._waiting, [], 0
            self.written += await trio.to_thread.run_sync(self._write, lines)

    def _write(self, lines: list[bytes]) -> int:
        packed = pack(lines)
        self._file.write(packed)
        self._file.flush()
        return len(packed)

    async def run(self) -> None:
        """Flush once a second, until cancelled."""
        while True:
            await trio.sleep(FLUSH_INTERVAL)
            with trio.CancelScope(shield=True):  # a write that began is finished
                await self.flush()


def tape_header(feeds: Iterable[AnyFeed], note: str = "") -> Header:
    """The header of a tape of these feeds."""
    headers: dict[str, FeedHeader] = {}
    for feed in feeds:
        headers |= feed_headers(feed)
    return Header(VERSION, headers, note)


@asynccontextmanager
async def open_recorder(path: Path, header: Header) -> AsyncIterator[Recorder]:
    """A recorder that writes until the block is left, and then the rest within 5 s.

    Raises:
        ConfigError: the file exists already, or cannot be written.
    """
    try:
        file = path.open("xb")
    except FileExistsError:
        raise ConfigError(f"{path}: it exists; choose another name") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    with file:
        recorder = Recorder(file)
        recorder.written += recorder._write([encode_header(header)])
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(recorder.run)
                yield recorder
                nursery.cancel_scope.cancel()
        finally:
            # The task has ended: nobody else writes to the file any more.
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_TIMEOUT):
                await recorder.flush()
