"""The most that a sandwich could have taken from a swap with a limit.

This is exposure: what the swap leaves open to others. Somebody buys before it what it buys, as
far as its limit still allows it, and sells all of that after it.
"""

from __future__ import annotations

from ..pools.product import ProductPool
from ..pools.swap import PoolState
from ..pools.ticked import TickedPool
from .curve import SHIFT
from .exact import MOST_CANDIDATES
from .front import largest_front
from .hop import ProductHop
from .outward import outward
from .ranges import Ranges
from .victim import Sandwich, Victim, play

_SLACK = 1 << SHIFT // 2


def sandwich(
    pool: PoolState,
    victim: Victim,
    most: int = MOST_CANDIDATES,
    least: int = 1,
    enough: int | None = None,
    front: int | None = None,
) -> Sandwich | None:
    """The best sandwich of a swap; None where none pays what it must.

    In a pair it is exact, and in a pool of concentrated liquidity where its ranges allow a proof;
    it says so by its bound. Elsewhere it is searched for, up to the swap's limit, as if what it
    leaves had one maximum.

    Args:
        pool: before the swap.
        victim: the swap.
        most: candidates that are tried before an exact search gives up.
        least: what it must pay.
        enough: from here on no better one is looked for.
        front: the largest payment before it, where that is known.

    Raises:
        TooMuch: the swap has a limit to what may be spent on it.
    """
    limit = largest_front(pool, victim) if front is None else front
    if not limit:
        return None
    if isinstance(pool, ProductPool):
        return _Pair(pool, victim).best(limit, most, least, enough)
    if isinstance(pool, TickedPool) and victim.price_limit is None:
        return Ranges(pool, victim).best(limit, most, least, enough)
    found = _sampled(pool, victim, limit)
    return found if found is not None and found.profit >= least else None


def _sampled(pool: PoolState, victim: Victim, limit: int) -> Sandwich | None:
    def leaves(paid: int) -> int:
        played = play(pool, victim, paid)
        return -paid if played is None else played.profit

    low, high = 1, limit
    while high - low > 2:
        third = (high - low) * 382 // 1000 or 1
        left, right = low + third, high - third
        if leaves(left) < leaves(right):
            low = left
        else:
            high = right
    paid = max((low, (low + high) // 2, high, limit), key=leaves)
    played = play(pool, victim, paid)
    return played if played is not None and played.profit > 0 else None


class _Pair:
    """A swap in a pair, and the real numbers about it; these are scaled by 2**SHIFT."""

    def __init__(self, pool: ProductPool, victim: Victim) -> None:
        held, given = pool.reserve0, pool.reserve1
        self._held, self._given = (given, held) if victim.token_in else (held, given)
        self._pool, self._victim = pool, victim
        self._hop = ProductHop(pool, victim.token_in)
        self._g, self._d = pool.fee.kept, pool.fee.of

    def best(self, limit: int, most: int, least: int, enough: int | None) -> Sandwich | None:
        by_input = self._given > self._held
        most_bought = self._hop.out(limit)
        last = limit if by_input else most_bought
        ceiling = self._leaves_of_input if by_input else self._leaves
        start = self._peak(most_bought << SHIFT)
        start = self._costs(start) >> SHIFT if by_input else start >> SHIFT
        pays = self._pays if by_input else self._pays_bought
        found = outward(start, ceiling, pays, most, last, None, least, enough)
        if found is None:
            return None
        paid = found.amount if by_input else self._hop.needed(found.amount) or 0
        played = play(self._pool, self._victim, paid)
        assert played is not None, "the search only found what can be played"
        return Sandwich(
            played.paid,
            played.bought,
            played.victim_in,
            played.victim_out,
            played.sold_for,
            found.bound,
        )

    def _pays(self, paid: int) -> int:
        played = play(self._pool, self._victim, paid)
        return 0 if played is None else played.profit

    def _pays_bought(self, bought: int) -> int:
        return self._pays(self._hop.needed(bought) or 0)

    def _costs(self, bought: int) -> int:
        return (self._held * bought * self._d << SHIFT) // (
            ((self._given << SHIFT) - bought) * self._g
        )

    def _leaves(self, bought: int) -> int:
        return self._real(bought << SHIFT)

    def _leaves_of_input(self, paid: int) -> int:
        # What an input buys is rounded down, and that may cost up to one unit less.
        counted = (paid << SHIFT) * self._g
        here = counted * self._given // (self._held * self._d + paid * self._g)
        counted -= self._g << SHIFT
        before = counted * self._given // (self._held * self._d + (paid - 1) * self._g)
        return max(self._real(here), self._real(before))

    def _real(self, bought: int) -> int:
        """What a sandwich leaves at most that buys this; both scaled."""
        g, d, one = self._g, self._d, 1 << SHIFT
        paid = self._costs(bought)
        held, given = (self._held << SHIFT) + paid, (self._given << SHIFT) - bought
        amount = self._victim.amount << SHIFT
        if self._victim.exact_out:
            # The router asks for up to one unit more than is needed, and if it hands that over
            # itself, the pair gives something for it.
            more = 0 if self._victim.handed is None else 2 * one * given * g // (held * d) + one
            held += held * amount * d // ((given - amount) * g) + one
            given -= amount + more
        else:
            given -= -(-amount * g * given // (held * d + amount * g))
            held += amount
        return -(-bought * g * held // (given * d + bought * g)) - paid + _SLACK

    def _peak(self, most: int) -> int:
        """What is bought where the real sandwich leaves most, up to this; both scaled."""
        low, high = 0, most
        if self._real(most) > self._real(most - (most >> 20) - 1):
            return most  # it still rises there
        while high - low > 2:
            third = (high - low) * 382 // 1000 or 1
            left, right = low + third, high - third
            if self._real(left) < self._real(right):
                low = left
            else:
                high = right
        return high
