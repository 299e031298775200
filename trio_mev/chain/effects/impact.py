"""How far a swap moves what it trades at: a figure for people, not for arithmetic."""

from __future__ import annotations

from ..pools.product import ProductPool
from ..pools.ticked import TickedPool
from .outcome import Fill, SwapOutcome


def _spot(fill: Fill, zero_for_one: bool) -> float | None:
    """Units of the other token for one, before the swap and without a fee."""
    state = fill.before
    if isinstance(state, ProductPool):
        price = state.reserve1 / state.reserve0
    elif isinstance(state, TickedPool):
        price = (state.root / 2**96) ** 2
    else:
        return None
    return price if zero_for_one else 1 / price


def price_impact(outcome: SwapOutcome) -> float | None:
    """What share less a swap gives than at the pools' prices before it, fees included: 0.01 is 1 %.

    None where the amounts are not known, or a pool's price is not told by its state.
    """
    ideal = 1.0
    for fill in outcome.fills:
        spot = _spot(fill, fill.token_in < fill.token_out)
        if spot is None:
            return None
        ideal *= spot
    if not outcome.amount_in or outcome.amount_out is None:
        return None
    return 1 - outcome.amount_out / (outcome.amount_in * ideal)
