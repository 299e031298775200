"""What a swap comes to, and why it may come to less than was asked for."""

from __future__ import annotations

import enum
from typing import Protocol

from ...model.noun import Noun


class Stop(enum.Enum):
    """Why a swap is not what was asked for."""

    LIMIT = "price_limit"
    """The price is at its limit, the pool's own or the swap's; the rest is left over."""
    UNKNOWN_TICKS = "unknown_ticks"
    """Beyond here nobody has read which ticks there are; the amounts are those up to here."""
    STEPS = "steps"
    """More steps than a block has gas for."""
    REVERTS = "reverts"
    """The contract refuses it: nothing, or more than there is, or more than fits its integers."""


class PoolState(Protocol):
    """What a pool holds at one moment; a swap makes another one and leaves this as it is."""

    def swap(self, token_in: int, token_out: int, amount: int, exact_out: bool = False) -> Swap:
        """A swap between two of the pool's tokens, named by their places in its own order.

        Args:
            token_in: the place of what is paid.
            token_out: the place of what is taken.
            amount: what is paid, in the smallest unit.
            exact_out: whether the amount is what is taken instead.
        """
        ...


class Swap(Noun, frozen=True):
    """A swap in one pool."""

    amount_in: int
    """What the pool takes, fee included."""
    amount_out: int
    """What it gives."""
    after: PoolState
    """The pool afterwards."""
    stop: Stop | None = None
    """None where the swap is whole."""
    crossed: int = 0
    """Initialised ticks that the price went over."""
    steps: int = 0
    """That it took, in a pool of concentrated liquidity; of a refused one those before that."""


def refused(state: PoolState, steps: int = 0) -> Swap:
    """Nothing happens, but that steps were followed."""
    return Swap(0, 0, state, Stop.REVERTS, steps=steps)
