"""A tape: raw frames of every feed, in both directions, with both clocks.

A tape is a series of Zstandard frames that hold JSON lines. The first line is the header; every
other line is a record. Frames are kept before they are parsed, so that a mended decoder reads an
old tape. ``docs/reference/tape.md`` has the fields.
"""

from __future__ import annotations

import base64
import enum
from collections import Counter
from collections.abc import Iterable

import attrs
import msgspec
import zstandard

from ..errors import ConfigError

VERSION = 1
MAX_LINE = 64 * 2**20
"""Bytes of one line; twice the largest message that a connection takes."""


class Direction(enum.Enum):
    """What a record is."""

    IN = "in"
    """A frame from the peer."""
    OUT = "out"
    """A frame of ours."""
    OPEN = "open"
    """A connection's life begins."""
    CLOSE = "close"
    """It ends."""
    DECISION = "decision"
    """Deliveries that a consumer lost or did not finish in time; see ``decisions.py``."""


@attrs.frozen
class Record:
    """One line of a tape."""

    wall: int
    """Nanoseconds since the epoch."""
    mono: int
    """Nanoseconds of a clock that never goes back, from any origin."""
    feed: str
    direction: Direction
    frame: bytes = b""


class FeedHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is needed to decode a feed's frames."""

    kind: str
    endpoint: str = ""
    """Redacted."""
    symbols: dict[str, str] = {}
    """The venue's spelling to the instrument's text form."""
    channels: list[str] = []
    follow: bool = False
    """Whether the chain was followed: then the tape has the requests for what was missing."""
    group: str = ""
    """The feed that this is one of several connections of, where it is."""


def merged(name: str, one: FeedHeader, other: FeedHeader) -> FeedHeader:
    """What two tapes together hold of a feed.

    Raises:
        ConfigError: they are of two kinds.
    """
    if one.kind != other.kind:
        raise ConfigError(f"feed {name} is {one.kind} on one tape and {other.kind} on another")
    channels = [*one.channels, *(c for c in other.channels if c not in one.channels)]
    symbols = {**one.symbols, **other.symbols}
    follow = one.follow and other.follow
    return FeedHeader(one.kind, one.endpoint, symbols, channels, follow, one.group)


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line."""

    tape: int
    feeds: dict[str, FeedHeader]
    note: str = ""
    """Where the tape comes from, in words; shown to whoever plays it."""


class _Line(msgspec.Struct, omit_defaults=True):
    t: int
    m: int
    f: str
    k: str
    x: str | None = None
    b: str | None = None


_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(_Line)
_ENCODER = msgspec.json.Encoder()


def encode_header(header: Header) -> bytes:
    """The first line."""
    return _ENCODER.encode(header) + b"\n"


def encode_record(record: Record) -> bytes:
    """One line; a frame that is not UTF-8 is kept as base64."""
    line = _Line(record.wall, record.mono, record.feed, record.direction.value)
    if record.frame:
        try:
            line.x = record.frame.decode()
        except UnicodeDecodeError:
            line.b = base64.b64encode(record.frame).decode()
    return _ENCODER.encode(line) + b"\n"


def pack(lines: Iterable[bytes], level: int = 6) -> bytes:
    """Lines as one whole Zstandard frame with a checksum, which can be appended to a tape."""
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(b"".join(lines))


class TapeReader:
    """Reads a tape piece by piece, without I/O.

    What is damaged is counted in ``problems`` and never invented. The header must be whole.
    """

    def __init__(self) -> None:
        self.header: Header | None = None
        self.problems: Counter[str] = Counter()
        self._decompressor = zstandard.ZstdDecompressor().decompressobj()
        self._rest = b""
        self._broken = False
        self._last_mono: dict[str, int] = {}

    def receive_data(self, chunk: bytes) -> list[Record]:
        """The records that became whole with this piece of the file.

        Raises:
            ConfigError: it is not a tape, or one of a later version.
        """
        lines = (self._rest + self._decompress(chunk)).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE:
            self._rest = b""
            self.problems["line_too_long"] += 1
        records: list[Record] = []
        for line in lines:
            if self.header is None:
                self.header = _read_header(line)
            elif (record := self._read(line)) is not None:
                records.append(record)
        return records

    def end(self) -> None:
        """The file is over: a cut is counted.

        Raises:
            ConfigError: there was no header.
        """
        if self.header is None:
            raise ConfigError("it is not a tape: it has no header")
        if not self._broken and (self._rest or not self._decompressor.eof):
            self.problems["cut"] += 1

    def _decompress(self, chunk: bytes) -> bytes:
        out = b""
        while chunk and not self._broken:
            if self._decompressor.eof:
                self._decompressor = zstandard.ZstdDecompressor().decompressobj()
            try:
                out += self._decompressor.decompress(chunk)
            except zstandard.ZstdError:
                if self.header is None and not out:
                    raise ConfigError(
                        "it is not a tape: it is not compressed by Zstandard"
                    ) from None
                self._broken = True
                self.problems["damaged"] += 1
            chunk = self._decompressor.unused_data if self._decompressor.eof else b""
        return out

    def _read(self, line: bytes) -> Record | None:
        try:
            fields = _LINE.decode(line)
            direction = Direction(fields.k)
            frame = b"" if fields.x is None else fields.x.encode()
            if fields.b is not None:
                frame = base64.b64decode(fields.b, validate=True)
        except (msgspec.DecodeError, ValueError, RecursionError):
            self.problems["bad_line"] += 1
            return None
        if fields.f not in (self.header.feeds if self.header else {}):
            self.problems["unknown_feed"] += 1
            return None
        mono = fields.m
        if mono < self._last_mono.get(fields.f, mono):
            self.problems["clock_backwards"] += 1
            mono = self._last_mono[fields.f]
        self._last_mono[fields.f] = mono
        return Record(fields.t, mono, fields.f, direction, frame)


def _read_header(line: bytes) -> Header:
    try:
        header = _HEADER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ConfigError("it is not a tape: its first line is no header") from None
    if header.tape != VERSION:
        raise ConfigError(f"it is a tape of version {header.tape}; this program reads {VERSION}")
    return header
