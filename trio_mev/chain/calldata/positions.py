"""Calls of Uniswap V3's NonfungiblePositionManager, which holds the positions of people."""

from __future__ import annotations

from typing import Any

from ...model.intents import Hop, LiquidityIntent, PoolKind, Providing
from ..contracts import uniswap_v3 as data
from .plan import Contract, Plan, methods_of
from .uniswap_v3 import nothing


def _tell(plan: Plan, action: Providing, **more: Any) -> None:
    plan.intents.append(LiquidityIntent(plan.contract.name, action, **more))


def _mint(plan: Plan, arguments: tuple[Any, ...]) -> None:
    one, two, fee, lower, upper, amount0, amount1, least0, least1, owner, deadline = arguments[0]
    _tell(
        plan,
        Providing.ADD,
        pool=Hop(PoolKind.V3, one, two, fee, None, data.FACTORY),
        tick_lower=lower,
        tick_upper=upper,
        amount0=amount0,
        amount1=amount1,
        least0=least0,
        least1=least1,
        owner=owner,
        deadline=deadline,
    )


def _increase(plan: Plan, arguments: tuple[Any, ...]) -> None:
    position, amount0, amount1, least0, least1, deadline = arguments[0]
    _tell(
        plan,
        Providing.INCREASE,
        amount0=amount0,
        amount1=amount1,
        least0=least0,
        least1=least1,
        position=position,
        deadline=deadline,
    )


def _decrease(plan: Plan, arguments: tuple[Any, ...]) -> None:
    position, liquidity, least0, least1, deadline = arguments[0]
    _tell(
        plan,
        Providing.DECREASE,
        least0=least0,
        least1=least1,
        position=position,
        liquidity=liquidity,
        deadline=deadline,
    )


def _collect(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The zero address is the manager itself, from where later steps hand it on."""
    position, owner, amount0, amount1 = arguments[0]
    to = plan.to if not int(owner, 16) else owner
    more = {"amount0": amount0, "amount1": amount1, "owner": to, "position": position}
    _tell(plan, Providing.COLLECT, **more)


def _burn(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _tell(plan, Providing.BURN, position=arguments[0])


def _multicall(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.nested(arguments[0])


_METHODS = {
    **methods_of(
        data.POSITION_METHODS,
        {
            "0x88316456": _mint,
            "0x219f5d17": _increase,
            "0x0c49ccbe": _decrease,
            "0xfc6f7865": _collect,
            "0x42966c68": _burn,
            # Of a pool that is there already it does nothing; another one is not watched yet.
            "0x13ead562": nothing,
            "0xac9650d8": _multicall,
            "0x49404b7c": nothing,
            "0xdf2ab5bb": nothing,
            "0x12210e8a": nothing,
        },
    ),
    **methods_of(data.PERMITS, dict.fromkeys(data.PERMITS, nothing)),
}
CONTRACTS = {address: Contract(name, _METHODS) for address, name in data.POSITION_MANAGERS.items()}
