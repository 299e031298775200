"""Calls of the Balancer V2 vault: one pool, or a batch of steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.intents import Hop, PoolKind, SwapIntent
from ..abi import BadData, TooLarge
from ..contracts import balancer as data
from .plan import MAX_HOPS, Contract, Plan, methods_of

_GIVEN_IN, _GIVEN_OUT = 0, 1

Step = tuple[bytes, int, int, int, Any]
"""Pool, places of the two assets, amount, and data of the pool's own."""


def _pool(identity: bytes) -> str:
    return "0x" + identity.hex()


def _exact_out(kind: int) -> bool:
    if kind > _GIVEN_OUT:
        raise BadData("no kind of swap has this number")
    return kind == _GIVEN_OUT


def _swap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    (identity, kind, one, two, amount, _), funds, limit, deadline = arguments
    hop = Hop(PoolKind.BALANCER, one, two, None, _pool(identity))
    plan.intents.append(
        SwapIntent(
            plan.contract.name,
            (hop,),
            one,
            two,
            _exact_out(kind),
            amount,
            limit,
            funds[2],
            deadline,
        )
    )


def _batch(plan: Plan, arguments: tuple[Any, ...]) -> None:
    kind, steps, assets, funds, limits, deadline = arguments
    if len(limits) != len(assets):
        raise BadData("not one limit for each asset")
    exact_out = _exact_out(kind)
    for way in ways(steps, exact_out):
        amount, hops = way[0][3], hops_of(way, assets, exact_out)
        one, two = hops[0].token_in, hops[-1].token_out
        limit = limits[way[-1][1] if exact_out else way[-1][2]]
        # The vault's deltas: what it takes is positive, what it gives negative.
        bound = limit if exact_out else max(-limit, 0)
        plan.intents.append(
            SwapIntent(
                plan.contract.name, hops, one, two, exact_out, amount, bound, funds[2], deadline
            )
        )


def ways(steps: tuple[Step, ...], exact_out: bool) -> Iterator[list[Step]]:
    """Steps that belong together: one without an amount takes that of the step before.

    Raises:
        BadData: the first has no amount, or a step does not go on where the last one ended.
        TooLarge: one way has too many.
    """
    way: list[Step] = []
    for step in steps:
        if step[3]:
            if way:
                yield way
            way = [step]
            continue
        if not way or (step[2] != way[-1][1] if exact_out else step[1] != way[-1][2]):
            raise BadData("a step that does not follow")
        way.append(step)
        if len(way) > MAX_HOPS:
            raise TooLarge(f"more than {MAX_HOPS} hops")
    if way:
        yield way


def hops_of(way: list[Step], assets: tuple[str, ...], exact_out: bool) -> tuple[Hop, ...]:
    """The pools of a way in trading order; where the output is given it is written backwards."""
    if any(one >= len(assets) or two >= len(assets) for _, one, two, _, _ in way):
        raise BadData("an asset that is not there")
    return tuple(
        [
            Hop(PoolKind.BALANCER, assets[one], assets[two], None, _pool(identity))
            for identity, one, two, _, _ in (reversed(way) if exact_out else way)
        ]
    )


METHODS = methods_of(data.METHODS, {"0x52bbbe29": _swap, "0x945bcec9": _batch})
CONTRACTS = {address: Contract(name, METHODS) for address, name in data.VAULTS.items()}
