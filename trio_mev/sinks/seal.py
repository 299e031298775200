"""A checksum inside a Parquet file, so that damage on the disk is not read as other numbers.

It stands before the footer, in a place that no reader looks at: a footer is found from the file's
end, and everything else by the footer.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

_MARK = b"trio_mev:crc32:"
_SIZE = len(_MARK) + 4
_TAIL = 8
"""The footer's length, and ``PAR1``."""


class Unsealed(ValueError):
    """A file's checksum is not that of its content."""


def write_sealed(table: Any, path: Path) -> None:
    """Write a table with its checksum.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")
    raw = path.read_bytes()
    at = _footer(raw)
    path.write_bytes(raw[:at] + _MARK + zlib.crc32(raw).to_bytes(4, "little") + raw[at:])


def check_seal(path: Path) -> None:
    """See whether a file is what was written; of one without a checksum that is not known.

    Raises:
        OSError: it cannot be read.
        Unsealed: it is not.
    """
    raw = path.read_bytes()
    at = _footer(raw)
    begin = max(0, at - _SIZE)
    seal = raw[begin:at]
    if not seal.startswith(_MARK):
        return
    if zlib.crc32(memoryview(raw)[at:], zlib.crc32(memoryview(raw)[:begin])) != int.from_bytes(
        seal[len(_MARK) :], "little"
    ):
        raise Unsealed("its checksum is not that of its content")


def _footer(raw: bytes) -> int:
    """Where the footer begins; 0 where the file is none."""
    return max(0, len(raw) - _TAIL - int.from_bytes(raw[-_TAIL:-4], "little"))
