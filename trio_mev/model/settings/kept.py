"""Of what is written: tapes, and datasets."""

from __future__ import annotations

from typing import Any

import attrs

from .checks import positive

STORED = (
    "finding",
    "ledger",
    "alert",
    "price",
    "quote",
    "transaction",
    "sourcelog",
    "block_summary",
)
"""Datasets that a stream is stored in."""


def _datasets(_: Any, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    unknown = [name for name in value if name not in STORED]
    if unknown or not value:
        shown = ", ".join(repr(name[:64]) for name in unknown) or "none"
        raise ValueError(f"{attribute.name}: {shown}; known are {', '.join(STORED)}")


@attrs.frozen
class StoreSettings:
    """Whether, where and how what a stream tells is stored."""

    folder: str | None = None
    """None: nothing is stored."""
    datasets: tuple[str, ...] = attrs.field(default=STORED, validator=_datasets)
    flush_seconds: float = positive(10.0, 3600)
    """For which a row waits to be written, at most."""
    flush_rows: int = positive(20_000, 1_000_000)
    """Events that wait, at most."""
    flush_bytes: int = positive(32 * 2**20)
    """Bytes of events that wait, at most."""
    file_rows: int = positive(100_000, 10**8)
    """With so many rows a file is full, and the next one is begun."""
    file_bytes: int = positive(16 * 2**20, 10**12)
    """With so many bytes, too."""
    waiting_bytes: int = positive(256 * 2**20, 10**12)
    """Bytes of rows that wait while the disk takes none; of more the oldest are lost."""
    keep_days: int | None = positive(None, 10**6)
    """Days that are kept, counted back from the latest one; None: all."""
    keep_bytes: int | None = positive(None, 10**15)
    """Bytes of all files that are kept; of more the oldest are removed. None: all."""


@attrs.frozen
class RecordSettings:
    """How a run is recorded: into one tape, or into a folder of tapes that follow each other."""

    rotate_size: int | None = positive(None, 10**12)
    """Bytes after which a tape is followed by the next."""
    rotate_every: float | None = positive(None)
    """Seconds after which it is."""
    keep_files: int | None = positive(None, 100_000)
    """Tapes that are kept in the folder, the one that is being written among them; the oldest
    are deleted. All are where nothing is said."""
    keep_bytes: int | None = positive(None, 10**15)
    """Bytes that they may have together."""
    keep_age: float | None = positive(None)
    """Seconds since a tape was last written, after which it is deleted."""
    max_waiting: int = positive(64 * 2**20)
    """Bytes that may wait for the disk; more are lost, and counted."""
    sync: bool = True
    """Whether what was written is on the disk itself within a second, so that a loss of power
    spares it; without, only the end of the process does."""

    def __attrs_post_init__(self) -> None:
        kept = (self.keep_files, self.keep_bytes, self.keep_age)
        if not self.rotates and any(bound is not None for bound in kept):
            raise ValueError("tapes are only deleted where others follow: set a rotation, too")

    @property
    def rotates(self) -> bool:
        """Whether a tape is followed by others."""
        return self.rotate_size is not None or self.rotate_every is not None
