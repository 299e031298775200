"""Weighted quartiles of votes, and weights of which none is too heavy."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

HEAVIEST = 0.4
"""Share of all weights that one source may have, where there are three or more."""

Vote = tuple[float, float]
"""A value and its weight, which is over zero."""


def quartiles(votes: Sequence[Vote]) -> tuple[float, float, float]:
    """The weighted quartiles of at least one vote.

    In order of value, vote k stands at (w1 + ... + wk - wk/2) / W; between two votes the value is
    interpolated, before the first and after the last it is theirs.
    """
    ordered = sorted(votes)
    sums = list(accumulate([weight for _, weight in ordered]))
    total = sums[-1]
    return (
        _at(ordered, sums, 0.25 * total),
        _at(ordered, sums, 0.5 * total),
        _at(ordered, sums, 0.75 * total),
    )


def weighted_median(votes: Sequence[Vote]) -> float:
    """The weighted median of at least one vote, which is the second of the quartiles."""
    ordered = sorted(votes)
    sums = list(accumulate([weight for _, weight in ordered]))
    return _at(ordered, sums, 0.5 * sums[-1])


def _at(ordered: list[Vote], sums: list[float], wanted: float) -> float:
    index = bisect_left(sums, wanted)
    value, weight = ordered[index]
    beyond = wanted - (sums[index] - weight / 2)
    other = index + 1 if beyond > 0 else index - 1
    if not 0 <= other < len(ordered):
        return value
    next_value, next_weight = ordered[other]
    return value + (next_value - value) * abs(beyond) / ((weight + next_weight) / 2)


def capped(weights: Sequence[float]) -> list[float]:
    """The weights, over zero, as shares of one: none over 0.4, or over 1/n where that is more.

    What is cut off is spread over the others in proportion, until none is above.
    """
    total = sum(weights)
    shares = [weight / total for weight in weights]
    cap = max(HEAVIEST, 1 / len(shares))
    held: set[int] = set()
    while max(shares) > cap + 1e-12:
        held.update(i for i, share in enumerate(shares) if share > cap)
        free = sum(share for i, share in enumerate(shares) if i not in held)
        scale = (1 - cap * len(held)) / free
        shares = [cap if i in held else share * scale for i, share in enumerate(shares)]
    return shares
