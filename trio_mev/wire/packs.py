"""Packs: whole Zstandard frames with checksums, one after the other in a file.

What is damaged costs the packs that it touches, and no other: the reader looks for where the next
one begins. Nothing is given out of a pack before its checksum has been verified. The format is
RFC 8878; where a pack ends is told by the sizes of its blocks, without decompressing it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import zstandard

MAX_LINE = 64 * 2**20
"""Bytes of one line; twice the largest message that a connection takes."""
MAX_PACK = MAX_LINE + 2 * 2**20
"""Bytes that a pack may hold, decompressed."""
MAX_PACKED = MAX_PACK + MAX_PACK // 128
"""Bytes of a pack, compressed: what does not compress grows a little."""
MAX_BLOCKS = 2**16
LEVEL = 1
"""Faster than the next ones, and on frames as they come no worse."""
ALLOWED = 2**30
"""Bytes of work on damage that is borne in any file, and..."""
BORNE = 256
"""...for each of its bytes."""

_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_BLOCK = 2**17
_MAX_WINDOW = 2**27
_CHECKSUM = 4
_LONGEST_HEADER = 18
_EMPTY = bytes.fromhex("28b52ffd2400010000" + "99e9d851")
_COST = 64
"""Bytes of work that a vain look at a place counts for, and that one of its blocks does."""


def pack(lines: Iterable[bytes], level: int = LEVEL) -> bytes:
    """Lines as one pack, which can be appended to a tape."""
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(b"".join(lines))


class _Damaged(Exception):
    """Here is no whole pack."""


class Unpacker:
    """Takes a file piece by piece and gives out what its whole packs hold.

    Under ``problems`` it counts each place that is ``damaged``, a file that is ``cut``, and that
    it has ``given_up`` on a file of which hardly anything is sound.
    """

    def __init__(self, problems: Counter[str]) -> None:
        self.problems = problems
        self.received = 0
        """Bytes of the file so far."""
        self._buffer = bytearray()
        self._next = 0
        """Where the next block of the pack begins; 0 until its header is there."""
        self._blocks = 0
        self._size = 0
        """What the pack holds, as far as it says so."""
        self._place = ""
        """Why the place is unsound that is being passed."""
        self._work = ALLOWED
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)

    def receive_data(self, chunk: bytes) -> list[bytes]:
        """What became whole with this piece."""
        if self._work > 0:
            self.received += len(chunk)
            self._work += BORNE * len(chunk)
            self._buffer += chunk
        return self._take(last=False)

    def end(self) -> list[bytes]:
        """The file is over: what is whole behind a place whose length was damaged."""
        found = self._take(last=True)
        self._pass()
        return found

    def _take(self, last: bool) -> list[bytes]:
        found: list[bytes] = []
        while self._buffer and self._work > 0:
            try:
                end = self._end()
                if end is None:
                    if not last:
                        break
                    self._skip("cut")
                    continue
                content = self._open(end)
            except _Damaged:
                self._skip("damaged")
                continue
            self._pass("damaged")
            self._leave(end)
            found.append(content)
        return found

    def _end(self) -> int | None:
        """Where the pack ends that begins here; None where more must come to know.

        Raises:
            _Damaged: none can begin here.
        """
        if not self._next and not self._read_header():
            return None
        buffer = self._buffer
        while len(buffer) >= self._next + 3:
            head = int.from_bytes(buffer[self._next : self._next + 3], "little")
            last, kind, size = head & 1, head >> 1 & 3, head >> 3
            if kind == 3 or size > _MAX_BLOCK or self._blocks == MAX_BLOCKS:
                raise _Damaged
            end = self._next + 3 + (1 if kind == 1 else size)
            if end + _CHECKSUM > MAX_PACKED:
                raise _Damaged
            if last:
                return end + _CHECKSUM if len(buffer) >= end + _CHECKSUM else None
            self._next = end
            self._blocks += 1
        return None

    def _read_header(self) -> bool:
        """Whether the pack's header is there.

        Raises:
            _Damaged: it is none, or of a pack without a checksum, or of one that is too large.
        """
        start = bytes(self._buffer[:_LONGEST_HEADER])
        if not _MAGIC.startswith(start[:4]):
            raise _Damaged
        if len(start) < 5:
            return False
        descriptor = start[4]
        if descriptor & 0b1011 or not descriptor & 0b100:
            raise _Damaged
        alone = descriptor >> 5 & 1
        size = 6 - alone + (alone, 2, 4, 8)[descriptor >> 6]
        if len(start) < size:
            return False
        try:
            self._size = zstandard.frame_content_size(start)
        except zstandard.ZstdError:
            raise _Damaged from None
        if self._size > MAX_PACK:
            raise _Damaged
        self._next = size
        return True

    def _open(self, end: int) -> bytes:
        """What the pack holds, verified.

        Raises:
            _Damaged: it is not what was written.
        """
        packed = bytes(self._buffer[:end])
        if not self._size and packed != _EMPTY:  # which the library would not look into
            raise _Damaged
        try:
            return self._decompressor.decompress(packed, max_output_size=MAX_PACK)
        except zstandard.ZstdError:
            self._work -= self._size if self._size > 0 else MAX_PACK
            raise _Damaged from None

    def _skip(self, why: str) -> None:
        """Go on to where the next pack may begin."""
        self._place = self._place or why
        self._work -= _COST * (1 + self._blocks)
        if self._work <= 0:
            self.problems["given_up"] += 1
            self._buffer.clear()
            return
        at = self._buffer.find(_MAGIC, 1)
        if at < 0:  # its beginning may be the last that has come
            ends = (n for n in (3, 2, 1) if self._buffer.endswith(_MAGIC[:n]))
            at = len(self._buffer) - next((n for n in ends if n < len(self._buffer)), 0)
        self._leave(at)

    def _leave(self, size: int) -> None:
        del self._buffer[:size]
        self._next = self._blocks = self._size = 0

    def _pass(self, why: str = "") -> None:
        """The unsound place is over, if there is one."""
        if self._place:
            self.problems[why or self._place] += 1
            self._place = ""
