"""A test's own order book of Coinbase's level 2, to hold the venue's quotes against."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

Best = tuple[Decimal, Decimal]


@attrs.define(eq=False)
class Book:
    """All levels of one product."""

    bids: dict[Decimal, Decimal] = attrs.Factory(dict)
    asks: dict[Decimal, Decimal] = attrs.Factory(dict)

    def begin(self, snapshot: dict[str, Any]) -> None:
        self.bids = {Decimal(p): Decimal(size) for p, size in snapshot["bids"]}
        self.asks = {Decimal(p): Decimal(size) for p, size in snapshot["asks"]}

    def change(self, update: dict[str, Any]) -> None:
        for side, at, size in update["changes"]:
            levels = self.bids if side == "buy" else self.asks
            if Decimal(size):
                levels[Decimal(at)] = Decimal(size)
            else:
                del levels[Decimal(at)]

    @property
    def best(self) -> Best:
        return max(self.bids), min(self.asks)


def received(path: Path) -> Iterator[tuple[float, bytes]]:
    """A recording's frames, with when they were received, in seconds since the epoch."""
    with gzip.open(path, "rb") as lines:
        for line in lines:
            at, colon, frame = line.strip().partition(b": ")
            if colon and not line.startswith(b"wss://"):
                yield float(at), frame


@attrs.frozen
class Courses:
    """What a product's book went through, by what was told of it."""

    books: list[tuple[float, Best]] = attrs.Factory(list)
    """Its best sides after each frame of level 2, with the frame's arrival."""
    quotes: list[tuple[float, Best]] = attrs.Factory(list)

    def shown(self) -> tuple[float, float]:
        """Seconds for which the last quote was the book's best, and seconds of both."""
        steps = sorted(
            [(at, 0, best) for at, best in self.books]
            + [(at, 1, best) for at, best in self.quotes],
            key=lambda step: step[0],
        )
        last: list[Best | None] = [None, None]
        agreed = total = before = 0.0
        for at, which, best in steps:
            if None not in last:
                total += at - before
                agreed += (at - before) * (last[0] == last[1])
            last[which], before = best, at
        return agreed, total

    def moves(self) -> int:
        """How often the book's best sides changed."""
        return sum(a[1] != b[1] for a, b in zip(self.books, self.books[1:], strict=False))


def parsed(frame: bytes) -> dict[str, Any]:
    return json.loads(frame)
