"""A pending swap in one pool, as whoever swaps before and after it would meet it."""

from __future__ import annotations

from collections.abc import Callable

from ...model.noun import Noun
from ..pools.swap import PoolState, Stop, Swap
from ..pools.ticked import TickedPool

_A_SWAP = 3
"""What a swap takes beside its steps."""


class TooMuch(Exception):
    """It would take more than may be spent on looking at it."""


class Effort:
    """How much may still be spent on looking at a swap.

    Args:
        most: in the time that a step in a pool takes, some microseconds.
    """

    __slots__ = ("left",)

    def __init__(self, most: int) -> None:
        self.left = most

    def spend(self, amount: int) -> None:
        """Count what something takes.

        Raises:
            TooMuch: nothing is left.
        """
        self.left -= amount
        if self.left < 0:
            raise TooMuch


class Victim(Noun, frozen=True):
    """A swap between two of a pool's tokens, and what it insists on."""

    token_in: int
    token_out: int
    amount: int
    limit: int
    """The least that is taken; of an exact output, the most that is paid."""
    exact_out: bool = False
    price_limit: int | None = None
    """Square root of the price at which it stops with less; of concentrated liquidity only."""
    handed: Callable[[int], int] | None = None
    """Of an exact output whose router computes the payment, and then swaps that: what reaches the
    pool of a payment. None where the pool itself is asked for the output."""

    effort: Effort | None = None
    """That may be spent on looking at it; without one there is no end but that of each search."""

    def spend(self, amount: int) -> None:
        """See `Effort.spend`."""
        if self.effort is not None:
            self.effort.spend(amount)

    def asks(self, pool: PoolState) -> Swap:
        """What the limit is held against, in a pool as it is."""
        if self.price_limit is not None and isinstance(pool, TickedPool):
            down = self.token_in == 0
            done = pool.swap_to(down, self.amount, self.exact_out, self.price_limit)
        else:
            done = pool.swap(self.token_in, self.token_out, self.amount, self.exact_out)
        self.spend(_A_SWAP + done.steps)
        return done

    def accepts(self, pool: PoolState) -> Swap | None:
        """The swap in a pool as it is; None where it would revert."""
        done = self.asks(pool)
        if done.stop is not None and (self.price_limit is None or done.stop is not Stop.LIMIT):
            return None
        if done.amount_in > self.limit if self.exact_out else done.amount_out < self.limit:
            return None
        if self.handed is None:
            return done
        done = pool.swap(self.token_in, self.token_out, self.handed(done.amount_in))
        return done if done.stop is None else None


class Sandwich(Noun, frozen=True):
    """The three swaps, and what they leave."""

    paid: int
    """Before the swap, of what it pays too."""
    bought: int
    victim_in: int
    victim_out: int
    sold_for: int
    """All that was bought, sold after it."""
    bound: int | None
    """No amount before it leaves more; None where that is not known."""

    @property
    def profit(self) -> int:
        """In the token that the swap pays, gross of gas."""
        return self.sold_for - self.paid


def play(pool: PoolState, victim: Victim, paid: int) -> Sandwich | None:
    """A sandwich that begins with this payment; None where one of its swaps would revert."""
    front = pool.swap(victim.token_in, victim.token_out, paid)
    victim.spend(2 * _A_SWAP + 2 * front.steps)
    middle = victim.accepts(front.after) if front.stop is None else None
    if middle is None:
        return None
    back = middle.after.swap(victim.token_out, victim.token_in, front.amount_out)
    if back.stop is not None:
        return None
    amounts = front.amount_out, middle.amount_in, middle.amount_out, back.amount_out
    return Sandwich(paid, *amounts, None)


def bears(pool: PoolState, victim: Victim, paid: int) -> bool:
    """Whether the swap still goes through after a payment before it."""
    front = pool.swap(victim.token_in, victim.token_out, paid)
    victim.spend(_A_SWAP + front.steps)
    return front.stop is None and victim.accepts(front.after) is not None
