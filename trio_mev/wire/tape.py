"""A tape: raw frames of every feed, in both directions, with both clocks.

A tape is a series of packs that hold JSON lines: headers, marks and records. Frames are kept before
they are parsed, so that a mended decoder reads an old tape. ``docs/reference/tape.md`` has the
fields.
"""

from __future__ import annotations

import base64
import enum
from collections import Counter
from collections.abc import Iterable, Iterator

import attrs
import msgspec

from ..errors import ConfigError
from .packs import MAX_LINE, MAX_PACKED, Unpacker, pack
from .tape_lines import LINE, MARK, Line, encode_line, encode_mark

__all__ = [
    "MAX_LINE",
    "VERSION",
    "Direction",
    "FeedHeader",
    "Header",
    "Record",
    "TapeReader",
    "encode_header",
    "encode_record",
    "merged",
    "pack",
    "packed",
]

VERSION = 2
READS = frozenset({1, 2})
"""The versions that can be read."""
PACK = 2**20
"""Bytes of lines after which a pack is begun anew."""
MOST_REASONS = 1000
"""Pairs of a feed and a reason of losses that are told apart."""


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
    TAKEN = "taken"
    """In which order a consumer took what came to it; see ``order.py``."""


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
    recording: str = ""
    """The same on all tapes that one recording was divided into."""
    part: int = 0
    """Which of these it is, from 1 on."""


_HEADER = msgspec.json.Decoder(Header)


def encode_header(header: Header) -> bytes:
    """The line of a header."""
    return msgspec.json.encode(header) + b"\n"


def encode_record(record: Record) -> bytes:
    """One line; a frame that is not UTF-8 is kept as base64."""
    direction = record.direction.value
    return encode_line(record.wall, record.mono, record.feed, direction, record.frame)


def packed(header: Header, lines: Iterable[bytes]) -> Iterator[bytes]:
    """A whole tape, pack by pack; the header is on it twice, so that either may be damaged.

    Raises:
        ConfigError: a line is too long.
    """
    first = pack([encode_header(header)])
    yield first
    yield first
    count, waiting, size = 0, [encode_mark(0)], 0
    for line in lines:
        if len(line) > MAX_LINE:
            raise ConfigError(f"a record of {len(line)} bytes; a tape takes {MAX_LINE}")
        waiting.append(line)
        count, size = count + 1, size + len(line)
        if size >= PACK:
            yield pack(waiting)
            waiting, size = [encode_mark(count)], 0
    if len(waiting) > 1:
        yield pack(waiting)
    yield pack([encode_mark(count, end=True)])


class TapeReader:
    """Reads a tape piece by piece, without I/O.

    What is damaged is counted in ``problems`` and never invented.

    Args:
        header: that of the tape, where it is known: else what comes before the first header that
            is whole cannot be used.
        carried: whether records are given out that are on the tape before this one, too.
    """

    def __init__(self, header: Header | None = None, carried: bool = True) -> None:
        self.header = header
        self.problems: Counter[str] = Counter()
        self.lost: Counter[tuple[str, str]] = Counter()
        """Frames that did not get on the tape when it was recorded, by feed and reason."""
        self.ended = False
        """Whether the recorder finished it."""
        self._carried = carried
        self._unpacker = Unpacker(self.problems)
        self._records = 0
        self._last_mono: dict[str, int] = {}

    def receive_data(self, chunk: bytes) -> list[Record]:
        """The records that became whole with this piece of the file.

        Raises:
            ConfigError: it is not a tape, or one of a later version.
        """
        records = self._read(self._unpacker.receive_data(chunk))
        if self.header is None and self._unpacker.received > MAX_PACKED:
            self._refuse()
        return records

    def end(self) -> list[Record]:
        """The file is over: a cut is counted; what is whole behind damage is given out.

        Raises:
            ConfigError: there was no header.
        """
        records = self._read(self._unpacker.end())
        if self.header is None:
            self._refuse()
        elif self.header.tape > 1 and not self.ended and not self.problems["cut"]:
            self.problems["unfinished"] += 1
        return records

    def _refuse(self) -> None:
        if self.problems["before_header"]:
            raise ConfigError("it is not a tape: it has no header")
        raise ConfigError("it is not a tape: nothing in it is compressed by Zstandard and whole")

    def _read(self, contents: Iterable[bytes]) -> list[Record]:
        records: list[Record] = []
        for content in contents:
            lines = content.split(b"\n")
            if lines.pop():  # a pack holds whole lines
                self._count("bad_line")
            for line in lines:
                if len(line) > MAX_LINE:
                    self._count("line_too_long")
                elif (record := self._read_line(line)) is not None:
                    records.append(record)
        return records

    def _count(self, problem: str) -> None:
        self.problems[problem] += 1
        self._records += 1

    def _read_line(self, line: bytes) -> Record | None:
        try:
            fields = LINE.decode(line)
            direction = Direction(fields.k)
            frame = b"" if fields.x is None else fields.x.encode()
            if fields.b is not None:
                frame = base64.b64decode(fields.b, validate=True)
        except (msgspec.DecodeError, ValueError, RecursionError):
            self._read_other(line)
            return None
        if self.header is None:
            self._count("before_header")
        elif fields.f not in self.header.feeds:
            self._count("unknown_feed")
        elif not fields.c:
            self._records += 1
            return self._record(fields, direction, frame)
        elif self._carried:
            return self._record(fields, direction, frame)
        return None

    def _record(self, fields: Line, direction: Direction, frame: bytes) -> Record:
        mono = fields.m
        if mono < self._last_mono.get(fields.f, mono):
            self.problems["clock_backwards"] += 1
            mono = self._last_mono[fields.f]
        self._last_mono[fields.f] = mono
        return Record(fields.t, mono, fields.f, direction, frame)

    def _read_other(self, line: bytes) -> None:
        for decode in (self._read_mark, self._read_header):
            try:
                decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            return
        self._count("bad_line" if self.header else "before_header")

    def _read_mark(self, line: bytes) -> None:
        mark = MARK.decode(line)
        if mark.n > self._records:
            self.problems["missing"] += mark.n - self._records
        self._records, self.ended = mark.n, mark.end
        for feed, reasons in mark.lost.items():
            for reason, count in reasons.items():
                known = (feed, reason) in self.lost or len(self.lost) < MOST_REASONS
                self.lost[(feed, reason) if known else ("other", "other")] += count
                self.problems["lost"] += count

    def _read_header(self, line: bytes) -> None:
        header = _HEADER.decode(line)
        if header.tape not in READS:
            known = " and ".join(map(str, sorted(READS)))
            raise ConfigError(f"it is a tape of version {header.tape}; this program reads {known}")
        if self.header is None:
            self.header = header
        elif header != self.header:
            self.problems["other_header"] += 1
