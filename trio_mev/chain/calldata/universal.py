"""Plans of the Universal Router: one byte a command, and an input for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ...model.intents import ETHER, Basis, SwapIntent, Unread
from ..abi import Arguments, BadData
from ..contracts import universal_router as data
from ..contracts.tokens import WETH
from ..contracts.uniswap_v2 import UNISWAP_FACTORY
from . import universal_v4
from .plan import Contract, Method, Plan, methods_of
from .uniswap_v2 import hops_of
from .uniswap_v3 import ROUTER, SENDER, mapped, nothing, path_of
from .universal_v4 import CONTRACT_BALANCE

MAY_FAIL = 0x80
_UINT160 = (1 << 160) - 1
_GIVEN, _BALANCE, _PAID = Basis.GIVEN, Basis.BALANCE, Basis.PAID


class Version(msgspec.Struct, frozen=True):
    """What a version of the router makes of its commands."""

    mask: int
    """Of the bits that number a command."""
    commands: Mapping[int, Method]


def _swap(
    plan: Plan,
    hops: tuple[Any, ...],
    exact_out: bool,
    fields: tuple[Any, ...],
    amount: int | None,
    basis: Basis = _GIVEN,
) -> None:
    recipient, to, token = fields[0], plan.to, hops[0].token_in
    sources: tuple[int, ...] = ()
    funded: int | None = 0
    if basis is _BALANCE:
        sources, funded = plan.spend(token)
    elif amount is not None and not fields[4]:
        plan.moves.append((token, None if exact_out else -amount))
    if recipient == SENDER:
        recipient = plan.sender
    elif recipient in (ROUTER, to):
        recipient = to
        plan.keep()
    plan.intents.append(
        SwapIntent(
            plan.contract.name,
            hops,
            token,
            hops[-1].token_out,
            exact_out,
            amount,
            fields[2],
            recipient,
            plan.deadline,
            basis,
            None,
            None,
            False,
            False,
            sources,
            funded,
        )
    )


def _v3_in(plan: Plan, fields: tuple[Any, ...]) -> None:
    amount, hops = fields[1], path_of(fields[3], backwards=False)
    if amount == CONTRACT_BALANCE:
        _swap(plan, hops, False, fields, None, _BALANCE)
    else:
        _swap(plan, hops, False, fields, amount)


def _v3_out(plan: Plan, fields: tuple[Any, ...]) -> None:
    _swap(plan, path_of(fields[3], backwards=True), True, fields, fields[1])


def _v2_in(plan: Plan, fields: tuple[Any, ...]) -> None:
    amount, hops = fields[1], hops_of(fields[3], UNISWAP_FACTORY)
    if amount == 0:
        _swap(plan, hops, False, fields, None, _PAID)
    elif amount == CONTRACT_BALANCE:
        _swap(plan, hops, False, fields, None, _BALANCE)
    else:
        _swap(plan, hops, False, fields, amount)


def _v2_out(plan: Plan, fields: tuple[Any, ...]) -> None:
    _swap(plan, hops_of(fields[3], UNISWAP_FACTORY), True, fields, fields[1])


def _sweep(plan: Plan, fields: tuple[Any, ...]) -> None:
    """These versions read 160 bits of the least amount."""
    token, recipient, least = fields
    plan.hand_over(plan.kept, token, least & _UINT160, mapped(plan, recipient))


def _transfer(plan: Plan, fields: tuple[Any, ...]) -> None:
    """Of all that is held; what a part of it leaves is told by the sweep that follows."""
    token, recipient, amount = fields
    if amount == CONTRACT_BALANCE:
        plan.hand_over(plan.kept, token, 0, mapped(plan, recipient))
    else:
        plan.fund(token, -amount)


def _pull(plan: Plan, fields: tuple[Any, ...]) -> None:
    token, recipient, amount = fields
    if mapped(plan, recipient) == plan.to:
        plan.fund(token, amount)


def _pull_many(plan: Plan, fields: tuple[Any, ...]) -> None:
    for _, recipient, amount, token in fields[0]:
        if recipient == plan.to:
            plan.fund(token, amount)


def _wrap(plan: Plan, fields: tuple[Any, ...]) -> None:
    recipient, amount = fields
    if amount == CONTRACT_BALANCE:
        # What swaps gave of ether is not said in numbers.
        swaps, ether = plan.spend(ETHER)
        amount = None if swaps else ether
    else:
        plan.moves.append((ETHER, -amount))
    if recipient == ROUTER or mapped(plan, recipient) == plan.to:
        plan.moves.append((WETH, amount))


def _portion(denominator: int) -> Callable[[Plan, tuple[Any, ...]], None]:
    def handle(plan: Plan, fields: tuple[Any, ...]) -> None:
        plan.take_portion(fields[0], fields[2], denominator)

    return handle


def _unwrap(plan: Plan, fields: tuple[Any, ...]) -> None:
    recipient, least = fields
    to = mapped(plan, recipient)
    plan.hand_over(plan.kept, WETH, least, to)
    if to == plan.to:
        plan.fund(ETHER, None)


def _opaque(what: str) -> Callable[[Plan, tuple[Any, ...]], None]:
    def handle(plan: Plan, fields: tuple[Any, ...]) -> None:
        plan.say(Unread.OPAQUE, what)

    return handle


def _sub_plan(plan: Plan, fields: tuple[Any, ...]) -> None:
    run(plan, *fields)


def run(plan: Plan, commands: bytes, inputs: tuple[bytes, ...]) -> None:
    """Read a plan.

    Raises:
        BadData: it has not one input for each command, or one of them is malformed.
        TooLarge: it goes beyond the bounds.
    """
    if len(commands) != len(inputs):
        raise BadData("not one input for each command")
    version: Version = plan.contract.detail
    known, mask = version.commands, version.mask
    plan.enter(inputs)
    for command, given in zip(commands, inputs, strict=True):
        method = known.get(command & mask)
        if method is None:
            plan.say(Unread.UNKNOWN_METHOD, f"command 0x{command & mask:02x}")
        elif method.handle is not nothing:
            if command & MAY_FAIL and method.handle is _sub_plan:
                # A swap that fails takes the whole call with it, whatever its own flag says.
                before = len(plan.intents)
                method.handle(plan, method.read(given))
                plan.may_fail(before)
            else:
                method.handle(plan, method.read(given))
    plan.leave()


def _method(types: str, handle: Callable[[Plan, tuple[Any, ...]], None]) -> Method:
    return Method(Arguments(types).read, handle)


_MINIMA = ",uint256[]"
"""Where the newer versions say a least price for each hop."""


def _swaps(more: str) -> dict[int, Method]:
    v3 = "address,uint256,uint256,bytes,bool" + more
    v2 = "address,uint256,uint256,address[],bool" + more
    return {
        0x00: _method(v3, _v3_in),
        0x01: _method(v3, _v3_out),
        0x08: _method(v2, _v2_in),
        0x09: _method(v2, _v2_out),
    }


_PERMIT = "(address,uint160,uint48,uint48)"
_BASIC = {
    0x02: _method("address,address,uint160", _pull),
    0x03: _method(f"({_PERMIT}[],address,uint256),bytes", nothing),
    0x04: _method("address,address,uint256", _sweep),
    0x05: _method("address,address,uint256", _transfer),
    0x06: _method("address,address,uint256", _portion(10_000)),
    0x0A: _method(f"({_PERMIT},address,uint256),bytes", nothing),
    0x0B: _method("address,uint256", _wrap),
    0x0C: _method("address,uint256", _unwrap),
    0x0D: _method("(address,address,uint160,address)[]", _pull_many),
}
# What it checks is all that somebody owns, with what was there before: no limit of a swap.
_CHECK = {0x0E: _method("address,address,uint256", nothing)}
_MARKETS = {
    number: _method("", _opaque("a market of collectibles")) for number in range(0x10, 0x20)
}
_SUB_PLAN = {0x21: _method("bytes,bytes[]", _sub_plan)}
_FULL = {0x07: _method("address,address,uint256", _portion(10**18))}
_BRIDGE = {0x40: _method("", _opaque("a bridge to another chain"))}


def _fourth(swap: Callable[[Plan, tuple[Any, ...]], None]) -> dict[int, Method]:
    """V4 and the managers of positions."""
    return {
        0x10: _method("bytes,bytes[]", swap),
        0x11: _method("", _opaque("a position manager")),
        0x12: _method("", _opaque("a position manager")),
        0x13: _method("(address,address,uint24,int24,address),uint160", nothing),
        0x14: _method("", _opaque("a position manager")),
    }


_PLAIN = {**_BASIC, **_CHECK, **_swaps(""), **_SUB_PLAN}
_LATEST = Version(
    0x7F,
    {
        **_BASIC,
        **_CHECK,
        **_FULL,
        **_swaps(_MINIMA),
        **_fourth(universal_v4.run_with_minima),
        **_SUB_PLAN,
        **_BRIDGE,
    },
)
VERSIONS = {
    "Universal Router 1.0": Version(0x1F, {**_BASIC, **_swaps(""), **_MARKETS}),
    "Universal Router 1.2": Version(
        0x3F,
        {
            **_PLAIN,
            **_MARKETS,
            0x20: _method("", _opaque("a market of collectibles")),
            0x22: _method("address,uint256", nothing),
        },
    ),
    "Universal Router 2.0": Version(0x3F, {**_PLAIN, **_fourth(universal_v4.run)}),
    "Universal Router 2.1.1": _LATEST,
    "Universal Router 2.2.0": _LATEST,
}
"""By name: what each makes of its commands."""


def _execute(plan: Plan, arguments: tuple[Any, ...]) -> None:
    run(plan, arguments[0], arguments[1])


def _execute_until(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The deadline is the last argument."""
    plan.deadline = arguments[-1]
    run(plan, arguments[0], arguments[1])


_OLD = {"0x3593564c": _execute_until, "0x24856bc3": _execute}
_METHODS = methods_of(data.METHODS, _OLD)
_SIGNED = methods_of(data.METHODS, {**_OLD, "0x44684dc3": _execute_until})

CONTRACTS = {
    address: Contract(name, _SIGNED if VERSIONS[name] is _LATEST else _METHODS, VERSIONS[name])
    for address, name in data.ROUTERS.items()
}
