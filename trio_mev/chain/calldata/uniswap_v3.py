"""Calls of the V3 SwapRouter and of SwapRouter02."""

from __future__ import annotations

import struct
from typing import Any

from ...model.intents import Basis, Hop, PoolKind, SwapIntent
from ..abi import BadData, TooLarge, number
from ..contracts import uniswap_v3 as data
from ..contracts.tokens import WETH
from ..contracts.uniswap_v2 import UNISWAP_FACTORY
from .plan import MAX_HOPS, Contract, Handle, Plan, methods_of
from .uniswap_v2 import hops_of

_V3, _GIVEN, _BALANCE = PoolKind.V3, Basis.GIVEN, Basis.BALANCE
_FACTORY = data.FACTORY
_ADDRESS, _STEP = 20, 23
"""Bytes of an address, and of a fee with the address that follows it."""
_ONE_POOL, _TWO_POOLS = struct.Struct("20s3s20s"), struct.Struct("20s3s20s3s20s")
"""As nearly all paths are."""
NOBODY = "0x" + "0" * 40
SENDER, ROUTER = "0x" + "0" * 39 + "1", "0x" + "0" * 39 + "2"
"""What the newer routers read as the caller, and as themselves; the oldest reads nobody so."""


def path_of(path: bytes, backwards: bool, factory: str = _FACTORY) -> tuple[Hop, ...]:
    """A way through V3 pools: addresses with a fee between each two of them.

    Args:
        path: as the call has it.
        backwards: whether the last token comes first, as where the output is exact.
        factory: whose pools they are.

    Raises:
        BadData: it has no pool, or ends within one.
        TooLarge: it has too many.
    """
    if len(path) == _ONE_POOL.size:
        first, fee, last = _ONE_POOL.unpack(path)
        one, two = "0x" + first.hex(), "0x" + last.hex()
        if backwards:
            one, two = two, one
        return (Hop(_V3, one, two, number(fee), None, factory),)
    if len(path) == _TWO_POOLS.size:
        first, fee, middle, then, last = _TWO_POOLS.unpack(path)
        one, two, three = "0x" + first.hex(), "0x" + middle.hex(), "0x" + last.hex()
        if backwards:
            one, three, fee, then = three, one, then, fee
        return (
            Hop(_V3, one, two, number(fee), None, factory),
            Hop(_V3, two, three, number(then), None, factory),
        )
    return _long_path(path, backwards, factory)


def _long_path(path: bytes, backwards: bool, factory: str) -> tuple[Hop, ...]:
    pools, rest = divmod(len(path) - _ADDRESS, _STEP)
    if pools < 1 or rest:
        raise BadData("a path that is no way through pools")
    if pools > MAX_HOPS:
        raise TooLarge(f"more than {MAX_HOPS} hops")
    places = range(0, pools * _STEP, _STEP)
    hops = [path_of(path[at : at + _ONE_POOL.size], backwards, factory)[0] for at in places]
    return tuple(hops[::-1] if backwards else hops)


def mapped(plan: Plan, recipient: str) -> str:
    """Who is meant, by the newer routers' constants."""
    if recipient == SENDER:
        return plan.sender
    return plan.to if recipient == ROUTER else recipient


def _swap(
    plan: Plan,
    hops: tuple[Hop, ...],
    exact_out: bool,
    amount: int | None,
    limit: int,
    recipient: str,
    deadline: int | None,
    price_limit: int = 0,
) -> None:
    """A swap; without an amount, of all that the router holds."""
    first = hops[0].token_in
    assert first is not None
    sources, funded = plan.spend(first) if amount is None else ((), 0)
    if recipient == plan.to:
        plan.keep()
    plan.intents.append(
        SwapIntent(
            plan.contract.name,
            hops,
            first,
            hops[-1].token_out,
            exact_out,
            amount,
            limit,
            recipient,
            deadline,
            _BALANCE if amount is None else _GIVEN,
            price_limit or None,
            sources=sources,
            funded=funded,
            parent=plan.parent,
        )
    )


def _newer_swap(
    plan: Plan,
    hops: tuple[Hop, ...],
    exact_out: bool,
    amount: int,
    limit: int,
    recipient: str,
    price_limit: int = 0,
) -> None:
    """Of SwapRouter02, where an exact input of zero is all that the router holds."""
    given = amount if amount or exact_out else None
    to = mapped(plan, recipient)
    _swap(plan, hops, exact_out, given, limit, to, plan.deadline, price_limit)


def _single(exact_out: bool) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        one, two, fee, recipient, deadline, amount, limit, price_limit = arguments[0]
        hops = (Hop(_V3, one, two, fee, None, _FACTORY),)
        to = plan.to if recipient == NOBODY else recipient
        _swap(plan, hops, exact_out, amount, limit, to, deadline, price_limit)

    return handle


def _path(exact_out: bool) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        path, to, deadline, amount, limit = arguments[0]
        hops = path_of(path, exact_out)
        if to == NOBODY or to == plan.to:
            to = plan.to
            plan.keep()
        one, two, name = hops[0].token_in, hops[-1].token_out, plan.contract.name
        plan.intents.append(
            SwapIntent(name, hops, one, two, exact_out, amount, limit, to, deadline)
        )

    return handle


def _newer_single(exact_out: bool) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        one, two, fee, recipient, amount, limit, price_limit = arguments[0]
        hops = (Hop(_V3, one, two, fee, None, _FACTORY),)
        _newer_swap(plan, hops, exact_out, amount, limit, recipient, price_limit)

    return handle


def _newer_path(exact_out: bool) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        path, recipient, amount, limit = arguments[0]
        _newer_swap(plan, path_of(path, exact_out), exact_out, amount, limit, recipient)

    return handle


def _newer_v2(exact_out: bool) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        amount, limit, path, recipient = arguments
        hops = hops_of(path, plan.contract.detail)
        _newer_swap(plan, hops, exact_out, amount, limit, recipient)

    return handle


def _multicall(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.nested(arguments[-1])


def _multicall_until(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.deadline = arguments[0]
    plan.nested(arguments[1])


def _multicall_after(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.parent = "0x" + bytes(arguments[0]).hex()
    plan.nested(arguments[1])


def _unwrap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The least amount is before any fee that the method takes."""
    least, recipient = arguments[:2]
    plan.hand_over(plan.kept, WETH, least, recipient)


def _sweep(plan: Plan, arguments: tuple[Any, ...]) -> None:
    token, least, recipient = arguments[:3]
    plan.hand_over(plan.kept, token, least, recipient)


def _unwrap_to_sender(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.hand_over(plan.kept, WETH, arguments[0], plan.sender)


def _sweep_to_sender(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.hand_over(plan.kept, arguments[0], arguments[1], plan.sender)


def _wrap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.fund(WETH, arguments[0])


def _pull(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.fund(*arguments)


def nothing(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """A step that exchanges nothing and changes no limit."""


_PAYMENTS = {
    "0x49404b7c": _unwrap,
    "0xdf2ab5bb": _sweep,
    "0x12210e8a": nothing,
    "0x9b2c0a37": _unwrap,
    "0xe0e189a0": _sweep,
}
_BOTH = {
    **methods_of(data.METHODS, {**_PAYMENTS, "0xac9650d8": _multicall}),
    **methods_of(data.PERMITS, dict.fromkeys(data.PERMITS, nothing)),
}
_FIRST = methods_of(
    data.METHODS,
    {
        "0x414bf389": _single(exact_out=False),
        "0xc04b8d59": _path(exact_out=False),
        "0xdb3e2198": _single(exact_out=True),
        "0xf28c0498": _path(exact_out=True),
    },
)
_SECOND = methods_of(
    data.METHODS_02,
    {
        "0x04e45aaf": _newer_single(exact_out=False),
        "0xb858183f": _newer_path(exact_out=False),
        "0x5023b4df": _newer_single(exact_out=True),
        "0x09b81346": _newer_path(exact_out=True),
        "0x472b43f3": _newer_v2(exact_out=False),
        "0x42712a67": _newer_v2(exact_out=True),
        "0x5ae401dc": _multicall_until,
        "0x1f0464d1": _multicall_after,
        "0x49616997": _unwrap_to_sender,
        "0xe90a182f": _sweep_to_sender,
        "0x1c58db4f": _wrap,
        "0xf2d5d56b": _pull,
    },
)

CONTRACTS = {
    **{address: Contract(name, {**_BOTH, **_FIRST}) for address, name in data.SWAP_ROUTERS.items()},
    **{
        address: Contract(name, {**_BOTH, **_SECOND}, UNISWAP_FACTORY)
        for address, name in data.SWAP_ROUTERS_02.items()
    },
}


def _pool(plan: Plan, arguments: tuple[Any, ...]) -> None:
    recipient, zero_for_one, amount, price_limit, _ = arguments
    hop = Hop(_V3, pool=plan.to, zero_for_one=zero_for_one)
    plan.intents.append(
        SwapIntent(
            plan.contract.name,
            (hop,),
            None,
            None,
            amount < 0,
            abs(amount),
            None,
            recipient,
            price_limit=price_limit,
        )
    )


POOL = Contract("V3 pool", methods_of(data.POOL_METHODS, {"0x128acb08": _pool}))
