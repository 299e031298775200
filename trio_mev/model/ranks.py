"""Percentiles by the nearest-rank method: always a value that occurred."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def nearest_rank(ordered: Sequence[T], share: float) -> T:
    """The smallest value with at least ``share`` of all values at or below it.

    Args:
        ordered: values in rising order, at least one.
        share: over 0 and up to 1.
    """
    # Without the rounding 0.07 * 100 would be 7.000000000000001, and its ceiling 8.
    return ordered[max(0, math.ceil(round(share * len(ordered), 9)) - 1)]
