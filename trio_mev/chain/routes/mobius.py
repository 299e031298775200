"""The closed form of a route through constant product pools.

A hop y = g*Ro*x / (d*Ri + g*x), with a fee that keeps g of d, is a Möbius transformation, and so
is any row of them: y = K*x / (M + N*x). Sources: Angeris et al., "An analysis of Uniswap
markets", appendix A; the recurrences are exact over the rationals.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isqrt

Reserves = tuple[int, int, int, int]
"""Of what is paid, of what is given, and the fee's g and d."""


def compose(hops: Iterable[Reserves]) -> tuple[int, int, int]:
    """K, M and N of a route."""
    k, m, n = 1, 1, 0
    for reserve_in, reserve_out, kept, of in hops:
        n = of * reserve_in * n + kept * k
        k *= kept * reserve_out
        m *= of * reserve_in
    return k, m, n


def optimum(k: int, m: int, n: int) -> int:
    """The input below the best real one, (sqrt(K*M) - M) / N; 0 where nothing pays, K <= M."""
    return (isqrt(k * m) - m) // n if k > m else 0
