"""How much may be paid before a swap with a limit, so that it is still made."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

from ..pools.product import ProductPool
from ..pools.swap import PoolState
from ..pools.ticked import TickedPool
from .hop import AskedHop, hop_of
from .ranges import Ranges
from .victim import Victim, bears


def largest_front(pool: PoolState, victim: Victim) -> int:
    """The largest payment before the swap that it still accepts; 0 where there is none.

    Exact: the more is paid before it, the less it gets.
    """

    def borne(paid: int) -> bool:
        return bears(pool, victim, paid)

    places = victim.token_in, victim.token_out
    hop = hop_of(pool, *places) or AskedHop(pool, *places, 1)
    first = hop.needed(1)
    if first is None or not borne(first):
        return 0
    near = 0
    if isinstance(pool, ProductPool):
        near = limit_root(pool, victim)
    elif isinstance(pool, TickedPool) and victim.price_limit is None:
        near = Ranges(pool, victim).limit_root()
    return _largest(borne, first, near)


def limit_root(pool: ProductPool, victim: Victim) -> int:
    """Where the swap's limit is reached in a pair, over the real numbers, rounded down.

    With a fee that keeps g, a payment x before it, and a swap that pays v and must get m, that is
    the root of g*x**2 + (R0*(1+g) + g**2*v)*x + R0**2 + g*v*R0 - g*v*R0*R1/m. With an exact
    output m and at most v to be paid it is the same.
    """
    held, given = pool.reserve0, pool.reserve1
    if victim.token_in:
        held, given = given, held
    v, m = victim.amount, victim.limit
    if victim.exact_out:
        v, m = m, v
    if m <= 0:
        return 0
    g, d = pool.fee.kept, pool.fee.of
    # All times d**2 * m.
    a = g * d * m
    b = (held * d * (d + g) + g * g * v) * m
    c = (d * d * held * held + g * d * v * held) * m - g * d * v * held * given
    return max(isqrt(max(b * b - 4 * a * c, 0)) - b, 0) // (2 * a)


def _largest(borne: Callable[[int], bool], low: int, near: int) -> int:
    """The largest number that is borne, from one that is and one that may be near it."""
    step = 1
    if near > low:
        # Where it is reached over the real numbers may be too much for integers.
        high = near
        while not borne(near):
            near, high, step = near - step, near, step * 2
            if near <= low:
                return _between(borne, low, high)
        if high > near:
            return _between(borne, near, high)
        low = near
    # A pool takes no more than fits its integers, so there is an end.
    while borne(low + step):
        low, step = low + step, step * 2
    return _between(borne, low, low + step)


def _between(borne: Callable[[int], bool], low: int, high: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if borne(middle):
            low = middle
        else:
            high = middle
    return low
