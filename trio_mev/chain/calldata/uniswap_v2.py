"""Calls of the V2 routers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ...model.intents import Basis, Hop, PoolKind, SwapIntent
from ..abi import BadData, TooLarge
from ..contracts import uniswap_v2 as data
from .plan import MAX_HOPS, Contract, Handle, Plan, methods_of

_V2, _GIVEN = PoolKind.V2, Basis.GIVEN


def hops_of(path: tuple[str, ...], factory: str | None) -> tuple[Hop, ...]:
    """A way through pairs.

    Raises:
        BadData: it has no pair.
        TooLarge: it has too many.
    """
    if len(path) == 2:
        return (Hop(_V2, path[0], path[1], None, None, factory),)
    if len(path) == 3:
        one, two, three = path
        hop = Hop(_V2, one, two, None, None, factory)
        return hop, Hop(_V2, two, three, None, None, factory)
    if len(path) < 2:
        raise BadData("a path without a pair")
    if len(path) > MAX_HOPS + 1:
        raise TooLarge(f"more than {MAX_HOPS} hops")
    return tuple([Hop(_V2, a, b, None, None, factory) for a, b in pairwise(path)])


def _handle(exact_out: bool, taxed: bool = False) -> Handle:
    """A handle of the methods that say both the amount and the limit."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        amount, limit, path, recipient, deadline = arguments
        _swap(plan, exact_out, amount, limit, path, recipient, deadline, taxed)

    return handle


def _pays_ether(taxed: bool) -> Handle:
    """The input is what the transaction carries."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        limit, path, recipient, deadline = arguments
        _swap(plan, False, plan.value, limit, path, recipient, deadline, taxed)

    return handle


def _at_most_ether(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The output is given, and the limit is what the transaction carries."""
    amount, path, recipient, deadline = arguments
    _swap(plan, True, amount, plan.value, path, recipient, deadline, False)


def _swap(
    plan: Plan,
    exact_out: bool,
    amount: int,
    limit: int,
    path: tuple[str, ...],
    recipient: str,
    deadline: int,
    taxed: bool,
) -> None:
    contract = plan.contract
    hops, one, two = hops_of(path, contract.detail), path[0], path[-1]
    plan.intents.append(
        SwapIntent(
            contract.name,
            hops,
            one,
            two,
            exact_out,
            amount,
            limit,
            recipient,
            deadline,
            _GIVEN,
            None,
            None,
            False,
            taxed,
        )
    )


_METHODS = methods_of(
    data.METHODS,
    {
        "0x38ed1739": _handle(exact_out=False),
        "0x8803dbee": _handle(exact_out=True),
        "0x7ff36ab5": _pays_ether(taxed=False),
        "0x4a25d94a": _handle(exact_out=True),
        "0x18cbafe5": _handle(exact_out=False),
        "0xfb3bdb41": _at_most_ether,
        "0x5c11d795": _handle(exact_out=False, taxed=True),
        "0xb6f9de95": _pays_ether(taxed=True),
        "0x791ac947": _handle(exact_out=False, taxed=True),
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
