"""What calls add to what logs say: ether, and swaps of contracts whose logs are not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..chain.logs import venues
from ..model.intents import ETHER
from ..model.opportunity import SwapRecord
from .acts import Act, Said


def ether_moved(act: Act) -> list[Said]:
    """The transfers of ether in a transaction, from its calls."""
    return [
        (one, event)
        for one, event in act.said
        if one.address == ETHER and type(event) is venues.Transfer
    ]


def complete(acts: Sequence[Act], called: Sequence[Act]) -> int:
    """Add to what logs say what calls say more: swaps of which no log with tokens tells, and where
    in the calls the others are.

    Args:
        acts: by their logs; they are changed.
        called: the same by their calls.

    Returns:
        How many swaps have no tokens even so.
    """
    lacking = 0
    for act, other in zip(acts, called, strict=True):
        told = {swap.pool for swap in act.swaps}
        more = [swap for swap in other.swaps if swap.pool not in told]
        paths = {(one.pool, one.amount_in, one.amount_out): one for one in other.swaps}
        act.swaps = [_placed(swap, paths) for swap in act.swaps] + more
        act.exchanges = max(act.exchanges, len(act.swaps))
        act.moved |= other.moved
        lacking += act.exchanges - len(act.swaps)
    return lacking


def _placed(swap: SwapRecord, paths: Mapping[tuple[str, int, int], SwapRecord]) -> SwapRecord:
    one = paths.get((swap.pool, swap.amount_in, swap.amount_out))
    return swap if one is None else attrs.evolve(swap, trace_address=one.trace_address)
