"""A search for the best integer that knows when it has found it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...model.noun import Noun
from .curve import SHIFT

Bound: TypeAlias = Callable[[int], int]
_CHUNK = 8
"""Candidates between two looks at the bound."""


class Edge(Noun, frozen=True):
    """The best that was found."""

    amount: int
    pays: int
    bound: int
    """No amount pays more than this."""


def outward(
    start: int,
    ceiling: Bound,
    pays: Callable[[int], int],
    most: int,
    last: int | None = None,
    sides: tuple[Bound, Bound] | None = None,
    least: int = 1,
    enough: int | None = None,
) -> Edge | None:
    """The amount that pays best; None where none pays, or none so much as it must.

    Amounts are tried from the best real one outwards, a few on the side whose bound is higher,
    until what has been found reaches the bound on both sides.

    Args:
        start: near the best real amount.
        ceiling: what no amount pays more than, scaled by 2**SHIFT; it rises to one maximum and
            falls from there on. Below zero where an amount is out of reach.
        pays: what an amount pays, exactly; 0 or less where it pays nothing.
        most: amounts that are tried before the search gives up, and says so by its bound.
        last: the highest amount that is allowed.
        sides: closer bounds: what neither an amount nor any below it pays more than, and neither
            an amount nor any above it; the ceiling, where they are not given.
        least: what it must pay.
        enough: from here on nothing better is looked for.
    """
    low = _crest(start, ceiling, last)
    high = low + 1
    found, best, tried = 0, least - 1, 0

    under, over = sides or (ceiling, ceiling)

    def bound(amount: int, side: Bound) -> int:
        allowed = amount > 0 and (last is None or amount <= last)
        return side(amount) >> SHIFT if allowed else -1

    below, above = bound(low, under), bound(high, over)
    while max(below, above) > best and tried < most and (enough is None or best < enough):
        if below >= above:
            some = range(low, max(low - _CHUNK, 0), -1)
            low = some[-1] - 1
            below = bound(low, under)
        else:
            some = range(high, high + _CHUNK if last is None else min(high + _CHUNK, last + 1))
            high = some[-1] + 1
            above = bound(high, over)
        tried += len(some)
        for amount in some:
            paid = pays(amount)
            if paid > best:
                found, best = amount, paid
    return Edge(found, best, max(best, below, above)) if best >= least else None


def _crest(start: int, ceiling: Bound, last: int | None) -> int:
    """An amount that the ceiling does not rise from."""
    at = max(start, 1) if last is None else max(min(start, last), 1)
    here, step = ceiling(at), 1
    while step:
        left = ceiling(at - step) if at > step else -1
        right = ceiling(at + step) if last is None or at + step <= last else -1
        if max(left, right) > here:
            at, here = (at - step, left) if left > right else (at + step, right)
            step *= 2
        else:
            step //= 2
    return at
