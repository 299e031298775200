"""The mempool and the open opportunities as a line of JSON; the schema is in
``docs/reference/json.md``."""

from __future__ import annotations

from typing import Any

import attrs

from ..model.chain import MempoolView, Outlook
from ..model.event import DataEvent
from ..model.mempool import NextBlock, Rivals
from ..model.snapshot import MempoolSnapshot, OpenOpportunity


def snapshot_line(event: DataEvent, told: MempoolSnapshot) -> dict[str, Any]:
    """A snapshot's line."""
    total = told.total_potential_profit
    return {
        "kind": "mempool",
        "seen_at": None,
        "view": None if told.view is None else _view(told.view),
        "price_tracking": {name: format(one, "f") for name, one in told.price_tracking.items()},
        "opportunity_count": told.opportunity_count,
        "total_potential_profit": None if total is None else format(total, "f"),
        "unpriced": told.unpriced,
        "opportunities": [_open(one) for one in told.opportunities],
    }


def _open(one: OpenOpportunity) -> dict[str, Any]:
    found = one.opportunity
    return {
        "id": found.id,
        "opportunity": found.kind.value,
        "detector": found.detector,
        "cause": found.cause,
        "usd": None if found.usd is None else format(found.usd, "f"),
        "confidence": one.confidence,
        "remaining": one.remaining,
        "expires_block": found.expires_block,
    }


def _view(view: MempoolView) -> dict[str, Any]:
    gas = view.gas
    return {
        "block": view.block,
        "window": view.window,
        "pending": view.pending,
        "without_body": view.without_body,
        "included": view.included,
        "gas": None
        if gas is None
        else {"count": gas.count, "p50": str(gas.p50), "p90": str(gas.p90), "p99": str(gas.p99)},
        "oldest": view.oldest,
        "median_wait": view.median_wait,
        "value": str(view.value),
        "next_block": None if view.next_block is None else _next_block(view.next_block),
        "contested": view.contested,
        "rivals": [_rivals(one) for one in view.rivals],
    }


def _next_block(block: NextBlock) -> dict[str, Any]:
    least = block.least_tip
    return {
        "base_fee": str(block.base_fee),
        "gas_limit": block.gas_limit,
        "gas": block.gas,
        "transactions": list(block.transactions),
        "least_tip": None if least is None else str(least),
        "tip_needed": str(block.tip_needed),
        "unable": block.unable,
        "waiting": block.waiting,
    }


def _rivals(one: Rivals) -> dict[str, Any]:
    return {
        "rivalry": one.rivalry.value,
        "over": one.over,
        "count": one.count,
        "transactions": list(one.transactions),
    }


def outlook_part(outlook: Outlook | None) -> dict[str, Any] | None:
    """What would become of a pending call, as a part of its line."""
    if outlook is None:
        return None
    swaps = [
        {
            "amount_in": None if one.amount_in is None else str(one.amount_in),
            "amount_out": None if one.amount_out is None else str(one.amount_out),
            "price_impact": one.price_impact,
            "slippage_left": one.slippage_left,
            "unknown": one.unknown,
        }
        for one in outlook.swaps
    ]
    return attrs.asdict(outlook, recurse=False) | {"swaps": swaps}


def describe_outlook(outlook: Outlook | None) -> str:
    """The same in a few words for people; of several swaps the worst. Empty where nothing is
    known."""
    if outlook is None:
        return ""
    if outlook.refusal is not None:
        return f", would revert: {outlook.refusal}"
    impacts = [one.price_impact for one in outlook.swaps if one.price_impact is not None]
    left = [one.slippage_left for one in outlook.swaps if one.slippage_left is not None]
    words = f", price impact {max(impacts):.2%}" if impacts else ""
    return words + (f", slippage left {min(left):.2%}" if left else "")
