"""What a swap in one pool leaves open to a sandwich that has to pay for its gas, and the limit
that leaves nothing open."""

from __future__ import annotations

import msgspec

from ...model.noun import Noun
from ..pools.product import ProductPool
from ..pools.swap import PoolState, Swap
from ..pools.ticked import TickedPool
from ..pools.ticks import Q96
from .exact import MOST_CANDIDATES
from .front import largest_front
from .sandwich import sandwich
from .victim import Sandwich, Victim, play

_MARGIN = 1 + 1e-9


class Exposed(Noun, frozen=True):
    """What is open. Figures are of what the limit is held against: what the swap gets, or what
    is asked of it for an exact output."""

    best: Sandwich
    """The one that leaves most."""
    alone: int
    attacked: int
    """With the best one's front run before it."""
    worst: int
    """With the largest front run before it that it bears."""
    prevents: int | None
    """The limit with which nothing would pay; None where none prevents it."""


def expose(
    pool: PoolState, victim: Victim, least: int = 1, most: int = MOST_CANDIDATES
) -> Exposed | None:
    """What a swap leaves open; None where no sandwich pays.

    Args:
        pool: before the swap.
        victim: the swap.
        least: what a sandwich must pay, in the token that the swap pays.
        most: candidates that are tried before an exact search gives up.
    """
    alone = victim.asks(pool)
    if victim.accepts(pool) is None or is_safe(pool, victim, alone, least):
        return None
    front = largest_front(pool, victim)
    best = sandwich(pool, victim, most, least, front=front)
    if best is None:
        return None
    search = _Limits(pool, victim, least, most)
    attacked = search.told(best.paid)
    worst = search.told(front) if victim.limit else attacked
    return Exposed(best, search.of(alone), attacked, worst, search.prevents(best))


def is_safe(pool: PoolState, victim: Victim, alone: Swap, least: int) -> bool:
    """Whether it is plain that no sandwich pays as much; False where that has to be looked for.

    After a sandwich a pool has at least as much as its curve demands, so what was made is no more
    than what the swap lost, at the price that it alone would have left: the worst one. And where a
    pair's price moves by less than both fees, not even the first unit pays.
    """
    if victim.exact_out:
        return victim.limit - alone.amount_in < least - 2
    if isinstance(pool, ProductPool) and victim.price_limit is None:
        held = pool.reserve1 if victim.token_in else pool.reserve0
        v, g, d = victim.amount, pool.fee.kept, pool.fee.of
        if (held + v) * (d * held + g * v) * g * g <= d * d * d * held * held:
            return True
    after, room = alone.after, alone.amount_out - victim.limit
    if isinstance(after, ProductPool):
        price = after.reserve0 / after.reserve1
    elif isinstance(after, TickedPool):
        price = (Q96 / after.root) ** 2
    else:
        return False
    worth = (room + 2) * (1 / price if victim.token_in else price)
    return worth * _MARGIN < least - 2


class _Limits:
    """Other limits in place of a swap's own; larger figures are better for whoever swaps."""

    def __init__(self, pool: PoolState, victim: Victim, least: int, most: int) -> None:
        self._pool, self._victim, self._least, self._most = pool, victim, least, most
        self._sign = -1 if victim.exact_out else 1

    def of(self, swap: Swap) -> int:
        """What the limit is held against."""
        return swap.amount_in if self._victim.exact_out else swap.amount_out

    def told(self, paid: int) -> int:
        """The same after a front run."""
        victim = self._victim
        front = self._pool.swap(victim.token_in, victim.token_out, paid)
        return self.of(victim.asks(front.after))

    def prevents(self, best: Sandwich) -> int | None:
        """The first limit with which nothing pays, going up from where something does."""
        sign = self._sign
        end = sign * self.of(self._victim.asks(self._pool))
        own = sign * self._victim.limit
        # Ranges round such that a limit may be kept by a payment and not by a smaller one.
        low, high = self._falling(max(sign * self.told(self._first(best.paid)), own), own)
        step = 1
        while high is None and low < end:
            tried = min(low + step, end)
            if self._pays(tried):
                low, step = tried, step * 2
            else:
                high = tried
        if high is None:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._pays(middle) else (low, middle)
        return sign * high

    def _falling(self, low: int, own: int) -> tuple[int, int | None]:
        """From about a limit down to one with which something pays, and one with which not."""
        high, step = None, 1
        while low > own and not self._pays(low):
            low, high, step = max(low - step, own), low, step * 2
        return low, high

    def _pays(self, figure: int) -> bool:
        """Whether any sandwich within this limit pays what it must."""
        victim = msgspec.structs.replace(self._victim, limit=self._sign * figure)
        return sandwich(self._pool, victim, self._most, self._least, self._least) is not None

    def _first(self, paid: int) -> int:
        """About the smallest payment that pays, itself one that does."""

        def over(amount: int) -> int:
            played = play(self._pool, self._victim, amount)
            return (-amount if played is None else played.profit) - self._least

        low, high, under, above = 0, paid, -self._least, over(paid)
        step = 0
        while high - low > 1:
            step += 1
            # By the chord, and now and then by halves, which cannot get stuck.
            cut = low + (high - low) * -under // (above - under) if step % 3 else (low + high) // 2
            middle = min(max(cut, low + 1), high - 1)
            here = over(middle)
            if here >= 0:
                high, above = middle, here
            else:
                low, under = middle, here
        return high
