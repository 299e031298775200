"""What a route pays at most, by floats: within microseconds, where none of its hops leaves the
first piece of its curve."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, sqrt

from .curve import Curve

_SHARE, _OF_AMOUNT, _OF_RESERVES = 1e-9, 1e-12, 1e-25
"""Far above what floats lose. They have K and M of a route to some 1e-15 of themselves. So what it
pays, (sqrt(K) - sqrt(M))**2 / N, is wrong by less than 1e-14 of the best input, which is
(sqrt(K*M) - M) / N, and 1e-29 of M / N."""


def roughly(curves: Iterable[Curve]) -> int | None:
    """What no integer input pays more than; None where this does not tell.

    Args:
        curves: of its hops, in order, each giving what the next one takes.
    """
    k, m, n = 1.0, 1.0, 0.0
    firsts = [curve.first for curve in curves]
    for first in firsts:
        if first is None:
            return 0
        held, given, kept, _ = first
        n = held * n + kept * k
        k *= kept * given
        m *= held
    if not all(0.0 < one < inf for one in (k, m, n)):
        return None
    gain, scale = sqrt(k) - sqrt(m), m / n
    paid = max(gain, 0.0) * sqrt(m) / n
    pays = max(gain, 0.0) ** 2 / n
    amount = paid * (1 + _SHARE) + scale * _OF_AMOUNT
    for held, given, kept, length in (first for first in firsts if first is not None):
        if amount > length:
            return None
        amount = kept * amount * given / (held + kept * amount)
    return int(pays * (1 + _SHARE) + paid * _OF_AMOUNT + scale * _OF_RESERVES) + 2
