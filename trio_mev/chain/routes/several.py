"""One sandwich about several pending swaps in one pool: where fees leave nothing of each alone, all
of them together may move the price far enough."""

from __future__ import annotations

from collections.abc import Sequence

from ...model.noun import Noun
from ..pools.swap import PoolState
from .hop import AskedHop, hop_of
from .victim import Victim


class Joint(Noun, frozen=True):
    """The swaps of a sandwich about several, and what they leave."""

    paid: int
    """Before them, of what they pay too."""
    bought: int
    victims: tuple[tuple[int, int], ...]
    """What each pays and gets, in their order."""
    sold_for: int
    """All that was bought, sold after them."""

    @property
    def profit(self) -> int:
        """In the token that they pay, gross of gas."""
        return self.sold_for - self.paid


def play_all(pool: PoolState, victims: Sequence[Victim], paid: int) -> Joint | None:
    """A sandwich that begins with this payment; None where one of its swaps would revert.

    Args:
        pool: before all of them.
        victims: one at least, all in one direction, in their order.
        paid: before them.
    """
    first = victims[0]
    front = pool.swap(first.token_in, first.token_out, paid)
    first.spend(2 * front.steps)
    if front.stop is not None:
        return None
    state, done = front.after, []
    for victim in victims:
        swap = victim.accepts(state)
        if swap is None:
            return None
        done.append((swap.amount_in, swap.amount_out))
        state = swap.after
    back = state.swap(first.token_out, first.token_in, front.amount_out)
    if back.stop is not None:
        return None
    return Joint(paid, front.amount_out, tuple(done), back.amount_out)


def joint_sandwich(pool: PoolState, victims: Sequence[Victim], least: int = 1) -> Joint | None:
    """A sandwich about several swaps that pays what it must; None where none was found.

    It is searched for up to the payment that all of them bear, as if what it leaves had one
    maximum, and is not proven to be the best. What it says of a payment is exact.

    Args:
        pool: before all of them.
        victims: one at least, all in one direction, in their order.
        least: what it must pay.

    Raises:
        TooMuch: the swaps have a limit to what may be spent on them.
    """
    limit = _largest(pool, victims)

    def leaves(paid: int) -> int:
        played = play_all(pool, victims, paid)
        return -paid if played is None else played.profit

    low, high = 0, limit
    while high - low > 2:
        third = max((high - low) * 382 // 1000, 1)
        left, right = low + third, high - third
        if leaves(left) < leaves(right):
            low = left
        else:
            high = right
    best = max((low, (low + high) // 2, high, limit), key=leaves)
    found = play_all(pool, victims, best) if best else None
    return found if found is not None and found.profit >= least else None


def _largest(pool: PoolState, victims: Sequence[Victim]) -> int:
    """The largest payment before them that all of them bear; 0 where there is none.

    The more is paid before them, the less each gets.
    """
    places = victims[0].token_in, victims[0].token_out
    first = (hop_of(pool, *places) or AskedHop(pool, *places, 1)).needed(1)
    if first is None or play_all(pool, victims, first) is None:
        return 0
    low, high = first, 2 * first
    while play_all(pool, victims, high) is not None:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if play_all(pool, victims, middle) is None:
            high = middle
        else:
            low = middle
    return low
