"""Calls of the V2 routers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ...model.intents import Hop, PoolKind, SwapIntent
from ..abi import BadData
from ..contracts import uniswap_v2 as data
from .plan import MAX_HOPS, Contract, Handle, Plan, TooLarge, methods_of

_V2 = PoolKind.V2


def hops_of(path: tuple[str, ...], factory: str | None) -> tuple[Hop, ...]:
    """A way through pairs.

    Raises:
        BadData: it has no pair.
        TooLarge: it has too many.
    """
    if len(path) < 2:
        raise BadData("a path without a pair")
    if len(path) > MAX_HOPS + 1:
        raise TooLarge(f"more than {MAX_HOPS} hops")
    return tuple([Hop(_V2, a, b, None, None, factory) for a, b in pairwise(path)])


def _handle(
    arrange: Callable[[Plan, tuple[Any, ...]], tuple[int, int]],
    exact_out: bool,
    taxed: bool = False,
) -> Handle:
    """A handle, by the amount and the limit of its arguments; path, recipient and deadline end
    every method's."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        amount, limit = arrange(plan, arguments)
        path, recipient, deadline = arguments[-3:]
        hops = hops_of(path, plan.contract.detail)
        plan.intents.append(
            SwapIntent(
                plan.contract.name,
                hops,
                path[0],
                path[-1],
                exact_out,
                amount,
                limit,
                recipient,
                deadline,
                taxed=taxed,
            )
        )

    return handle


def _given(plan: Plan, arguments: tuple[Any, ...]) -> tuple[int, int]:
    return arguments[0], arguments[1]


def _pays_ether(plan: Plan, arguments: tuple[Any, ...]) -> tuple[int, int]:
    """The input is what the transaction carries."""
    return plan.value, arguments[0]


def _at_most_ether(plan: Plan, arguments: tuple[Any, ...]) -> tuple[int, int]:
    """The output is given, and the limit is what the transaction carries."""
    return arguments[0], plan.value


_METHODS = methods_of(
    data.METHODS,
    {
        "0x38ed1739": _handle(_given, exact_out=False),
        "0x8803dbee": _handle(_given, exact_out=True),
        "0x7ff36ab5": _handle(_pays_ether, exact_out=False),
        "0x4a25d94a": _handle(_given, exact_out=True),
        "0x18cbafe5": _handle(_given, exact_out=False),
        "0xfb3bdb41": _handle(_at_most_ether, exact_out=True),
        "0x5c11d795": _handle(_given, exact_out=False, taxed=True),
        "0xb6f9de95": _handle(_pays_ether, exact_out=False, taxed=True),
        "0x791ac947": _handle(_given, exact_out=False, taxed=True),
    },
)

CONTRACTS = {
    address: Contract(name, _METHODS, data.FACTORIES[address])
    for address, name in data.ROUTERS.items()
}


def _pair(plan: Plan, arguments: tuple[Any, ...]) -> None:
    amount0, amount1, recipient, _ = arguments
    if bool(amount0) == bool(amount1):
        raise BadData("a pair that gives both of its tokens, or none")
    hop = Hop(_V2, pool=plan.to, zero_for_one=amount0 == 0)
    name, amount = plan.contract.name, amount0 or amount1
    plan.intents.append(SwapIntent(name, (hop,), None, None, True, amount, None, recipient))


PAIR = Contract("V2 pair", methods_of(data.PAIR_METHODS, {"0x022c0d9f": _pair}))
