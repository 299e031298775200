"""Percentiles by the nearest-rank method: always a value that occurred."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def nearest_rank(ordered: Sequence[T], share: float) -> T:
    """The smallest value with at least ``share`` of all values at or below it.

    Args:
        ordered: values in rising order, at least one.
        share: over 0 and up to 1.
    """
    return ordered[rank_of(share, len(ordered))]


def rank_of(share: float, count: int) -> int:
    """The place, from 0, of the value with at least a share of so many at or below it."""
    # Without the rounding 0.07 * 100 would be 7.000000000000001, and its ceiling 8.
    return max(0, math.ceil(round(share * count, 9)) - 1)


class RankedWindow:
    """The latest values, and what is so many per cent of the way up among them.

    Args:
        most: values that are kept; the oldest are forgotten first.
    """

    __slots__ = ("_latest", "_most", "_ordered")

    def __init__(self, most: int) -> None:
        self._most = most
        self._latest: deque[int] = deque()
        self._ordered: list[int] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def add(self, value: int) -> None:
        """Take a value in."""
        self._latest.append(value)
        insort(self._ordered, value)
        if len(self._latest) > self._most:
            del self._ordered[bisect_left(self._ordered, self._latest.popleft())]

    def nearest_rank(self, share: float) -> int:
        """As the function of that name, of the values that are kept."""
        return nearest_rank(self._ordered, share)
