"""What the swaps of a pending call would come to in the next block, for whoever reports it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...model.chain import Outlook, SwapProspect
from ...model.intents import Intent
from ..pools.view import PoolsView
from .apply import apply
from .impact import price_impact
from .outcome import SwapOutcome, Terms
from .pending import SLOT


def outlook(intents: Sequence[Intent], view: PoolsView) -> Outlook | None:
    """What becomes of a call on pools as of a block; None where none of its pools is known, and
    nothing else refuses it.

    Args:
        intents: all of the call.
        view: the pools.
    """
    effect = apply(intents, view, Terms(time=view.timestamp + SLOT, parent=view.hash))
    if effect.refusal is None and not any(swap.fills for swap in effect.swaps):
        return None
    together = _together(effect.swaps)
    return Outlook(
        view.number,
        effect.verdict.value,
        None if effect.refusal is None else effect.refusal.reason.value,
        tuple([_prospect(swap, together) for swap in effect.swaps]),
    )


def _prospect(swap: SwapOutcome, together: Mapping[object, int]) -> SwapProspect:
    doubt = None if swap.doubt is None else swap.doubt.reason.value
    return SwapProspect(
        swap.amount_in, swap.amount_out, price_impact(swap), _slippage_left(swap, together), doubt
    )


def _together(swaps: Iterable[SwapOutcome]) -> Mapping[object, int]:
    """What swaps give together of which the call demands it, where all of that is known."""
    given: dict[object, int] = {}
    unknown: set[object] = set()
    for swap in swaps:
        if swap.intent.joint_limit is None:
            continue
        key = _joint(swap)
        if swap.amount_out is None:
            unknown.add(key)
        given[key] = given.get(key, 0) + (swap.amount_out or 0)
    return {key: amount for key, amount in given.items() if key not in unknown}


def _joint(swap: SwapOutcome) -> object:
    intent = swap.intent
    return intent.token_out, intent.joint_limit, intent.recipient


def _slippage_left(swap: SwapOutcome, together: Mapping[object, int]) -> float | None:
    """What share of what it would give, or take, it may still lose; None without a limit, and
    where the amounts are not known."""
    intent, paid, got = swap.intent, swap.amount_in, swap.amount_out
    if not paid or not got:
        return None
    if intent.limit is not None:
        return intent.limit / paid - 1 if intent.exact_out else 1 - intent.limit / got
    joint, given = intent.joint_limit, together.get(_joint(swap))
    return 1 - joint / given if joint is not None and given else None
