"""Series of any length in bounded room: bins, which double in width when there are too many.

A bin keeps its least, its greatest and its last point, so that a spike stays to be seen however
much is put together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs

MOST_BINS = 400
FINEST = 0.125
"""Seconds of a bin at first."""

Point = tuple[float, float]
"""Seconds of the stream's clock, and a value."""


@attrs.define
class _Bin:
    index: int
    first: float
    """When its first point was."""
    least: Point
    greatest: Point
    last: Point
    broken: bool
    """Whether no line leads to it from the bin before."""

    def add(self, point: Point) -> None:
        self.join(point, point, point)

    def join(self, least: Point, greatest: Point, last: Point) -> None:
        if least[1] < self.least[1]:
            self.least = least
        if greatest[1] > self.greatest[1]:
            self.greatest = greatest
        self.last = last


@attrs.define(eq=False)
class Series:
    """Points in the order of their times, at most three for each of ``MOST_BINS`` bins.

    Args:
        start: before which there is none.
        quiet: seconds without a point after which no line leads to the next.
    """

    start: float
    quiet: float = math.inf
    count: int = 0
    """Points that were added."""
    width: float = FINEST
    """Seconds of a bin."""
    _bins: list[_Bin] = attrs.Factory(list)
    _cut: bool = False

    @property
    def last(self) -> Point | None:
        """The latest point."""
        return self._bins[-1].last if self._bins else None

    def add(self, at: float, value: float) -> None:
        """Add a point; one that is older than the last counts as of the last one's bin."""
        point, bins = (at, value), self._bins
        self.count += 1
        while (index := int((at - self.start) / self.width)) >= MOST_BINS:
            self._halve()
        if bins and index <= bins[-1].index:
            bins[-1].add(point)
            return
        broken = self._cut or (bool(bins) and at - bins[-1].last[0] > self.quiet)
        self._cut = False
        bins.append(_Bin(index, at, point, point, point, broken))

    def cut(self) -> None:
        """No line leads from here to the next point."""
        self._cut = True

    def _halve(self) -> None:
        self.width *= 2
        halved: list[_Bin] = []
        for one in self._bins:
            one.index //= 2
            if halved and halved[-1].index == one.index:
                halved[-1].join(one.least, one.greatest, one.last)
            else:
                halved.append(one)
        self._bins[:] = halved

    def points(self) -> Iterator[Point | None]:
        """What is kept, in order; None where no line leads on."""
        for one in self._bins:
            if one.broken:
                yield None
            yield from sorted({one.least, one.greatest, one.last})

    def lows(self) -> Iterator[Point | None]:
        """The least value of each bin, at the bin's first time; None where no line leads on."""
        for one in self._bins:
            if one.broken:
                yield None
            yield one.first, one.least[1]

    def highs(self) -> Iterator[Point | None]:
        """The greatest value of each bin, likewise."""
        for one in self._bins:
            if one.broken:
                yield None
            yield one.first, one.greatest[1]


@attrs.define(eq=False)
class Tally:
    """How many there were in each bin.

    Args:
        start: before which there is none.
    """

    start: float
    width: float = FINEST
    counts: dict[int, int] = attrs.Factory(dict)
    """By the bin's number."""

    def add(self, at: float, count: int = 1) -> None:
        """Count some."""
        while (index := max(0, int((at - self.start) / self.width))) >= MOST_BINS:
            self.widen(self.width * 2)
        self.counts[index] = self.counts.get(index, 0) + count

    def widen(self, width: float) -> None:
        """Make the bins as wide as that: a power of two times what they are."""
        while self.width < width:
            self.width *= 2
            halved: dict[int, int] = {}
            for index, count in self.counts.items():
                halved[index // 2] = halved.get(index // 2, 0) + count
            self.counts = halved
