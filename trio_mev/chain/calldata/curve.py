"""Calls of a Curve pool, which names its coins by their places."""

from __future__ import annotations

from typing import Any

from ...model.intents import Hop, PoolKind, SwapIntent
from ..abi import BadData
from ..contracts import curve as data
from .plan import Contract, Handle, Plan, methods_of


def _exchange(kind: PoolKind, recipient_at: int | None = None) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        one, two, amount, least = arguments[:4]
        if min(one, two) < 0:
            raise BadData("a coin before the first")
        hop = Hop(kind, pool=plan.to, index_in=one, index_out=two)
        to = plan.sender if recipient_at is None else arguments[recipient_at]
        name = plan.contract.name
        plan.intents.append(SwapIntent(name, (hop,), None, None, False, amount, least, to))

    return handle


_OWN, _UNDERNEATH = PoolKind.CURVE, PoolKind.CURVE_UNDERLYING
POOL = Contract(
    "Curve pool",
    methods_of(
        data.METHODS,
        {
            "0x3df02124": _exchange(_OWN),
            "0x5b41b908": _exchange(_OWN),
            "0xa6417ed6": _exchange(_UNDERNEATH),
            "0x394747c5": _exchange(_OWN),
            "0xce7d6503": _exchange(_OWN, recipient_at=5),
            "0x65b2489b": _exchange(_UNDERNEATH),
            "0xddc1f59d": _exchange(_OWN, recipient_at=4),
            # The pool has been paid beforehand, as much as the call says or more.
            "0xafb43012": _exchange(_OWN, recipient_at=4),
        },
    ),
)
