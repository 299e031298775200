"""A swap with a limit, and three swaps of which it is the middle one."""

from __future__ import annotations

from ...model.noun import Noun
from ..pools.swap import PoolState, Swap


class Victim(Noun, frozen=True):
    """A swap between two of a pool's tokens, and what it insists on."""

    token_in: int
    token_out: int
    amount: int
    limit: int
    """The least that is taken; of an exact output, the most that is paid."""
    exact_out: bool = False

    def accepts(self, pool: PoolState) -> Swap | None:
        """The swap in a pool as it is; None where it would revert."""
        done = pool.swap(self.token_in, self.token_out, self.amount, self.exact_out)
        if done.stop is not None:
            return None
        good = done.amount_in <= self.limit if self.exact_out else done.amount_out >= self.limit
        return done if good else None


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
    middle = victim.accepts(front.after) if front.stop is None else None
    if middle is None:
        return None
    back = middle.after.swap(victim.token_out, victim.token_in, front.amount_out)
    if back.stop is not None:
        return None
    amounts = front.amount_out, middle.amount_in, middle.amount_out, back.amount_out
    return Sandwich(paid, *amounts, None)
