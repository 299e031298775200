"""Calls that say what is swapped, and leave it to a code of their own through which pools: Kyber,
Odos, MetaMask and the CoW settlement."""

from __future__ import annotations

from typing import Any

from ...model.intents import ETHER, SwapIntent, Unread
from ..abi import Arguments, BadData
from ..contracts import cow, kyber, metamask, odos
from .oneinch import PARTIAL, ether
from .plan import Contract, Plan, methods_of


def _swap(
    plan: Plan,
    source: str,
    target: str | None,
    amount: int,
    least: int | None,
    recipient: str,
) -> None:
    """A swap whose route nobody says."""
    out = None if target is None else ether(target)
    to = plan.sender if recipient == ETHER else recipient
    name = plan.contract.name
    plan.intents.append(SwapIntent(name, (), ether(source), out, False, amount, least, to))


def _described(plan: Plan, description: tuple[Any, ...]) -> None:
    """Kyber's description of a swap; a part of the amount needs a part of the least amount."""
    source, target, *_, recipient, amount, least, flags, _ = description
    _swap(plan, source, target, amount, None if flags & PARTIAL else least, recipient)


def _kyber(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _described(plan, arguments[0][3])


def _kyber_simple(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _described(plan, arguments[1])


def _odos(plan: Plan, arguments: tuple[Any, ...]) -> None:
    source, amount, _, target, _, least, recipient = arguments[0]
    _swap(plan, source, target, amount, least, recipient)


def _odos_multi(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Several tokens in, several out; of each input only a single output says what it becomes."""
    inputs, outputs, *_ = arguments
    target = outputs[0][0] if len(outputs) == 1 else None
    recipient = outputs[0][2] if len(outputs) == 1 else plan.sender
    for token, amount, _ in inputs:
        plan.step()
        _swap(plan, token, target, amount, None, recipient)


def _odos_compact(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.say(Unread.OPAQUE, "packed arguments, which name tokens by a list of the contract's")


_FEE_DYNAMIC = Arguments("address,address,uint256,uint256,uint256,uint256,address,bool")
"""What most of MetaMask's adapters are given: the tokens, the amount that goes on to the
aggregator, the least that is wanted, a place, the fee, who gets it, and whether it is of the
output."""
_PLACE = 9 * 32
"""Of the aggregator's call: the router puts the caller before all this."""


def _metamask(plan: Plan, arguments: tuple[Any, ...]) -> None:
    _, token, amount, inner = arguments
    target, least = _wanted(token, amount, inner)
    _swap(plan, token, target, amount, least, plan.sender)


def _wanted(token: str, amount: int, inner: bytes) -> tuple[str | None, int | None]:
    """What MetaMask's adapter is told to get, and the least of it. How it reads its data is its
    own affair, so that is believed only where it repeats the call's token and amount."""
    try:
        source, wanted, given, least, place, fee, _, of_output = _FEE_DYNAMIC.read(inner)
    except BadData:
        return None, None
    if place != _PLACE or source != token or given + (0 if of_output else fee) != amount:
        return None, None
    # Whether a fee of the output counts against the least amount is not known.
    return wanted, max(least - fee, 0) if of_output else least


_BUYS = 1


def _cow(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Orders that their owners signed; how they are met is the solver's affair."""
    tokens, _, trades, _ = arguments
    for trade in trades:
        plan.step()
        sells, buys, recipient, given, received, until, _, _, flags = trade[:9]
        if max(sells, buys) >= len(tokens):
            raise BadData("a token that is not there")
        exact_out = bool(flags & _BUYS)
        amount, limit = (received, given) if exact_out else (given, received)
        plan.intents.append(
            SwapIntent(
                plan.contract.name,
                (),
                tokens[sells],
                ether(tokens[buys]),
                exact_out,
                amount,
                limit,
                # Without one it is the order's owner, whom a signature names.
                None if recipient == ETHER else recipient,
                until,
            )
        )


_KYBER = {"0xe21fd0e9": _kyber, "0x8af033fb": _kyber_simple, "0x59e50fed": _kyber}
_ODOS = {
    "0x83bd37f9": _odos_compact,
    "0x3b635ce4": _odos,
    "0x84a7f3dd": _odos_compact,
    "0x7bf2d6d4": _odos_multi,
}

CONTRACTS = {
    address: Contract(name, methods)
    for names, methods in (
        (kyber.ROUTERS, methods_of(kyber.METHODS, _KYBER)),
        (odos.ROUTERS, methods_of(odos.METHODS, _ODOS)),
        (metamask.ROUTERS, methods_of(metamask.METHODS, {"0x5f575529": _metamask})),
        (cow.SETTLEMENTS, methods_of(cow.METHODS, {"0x13d79a0b": _cow})),
    )
    for address, name in names.items()
}
OPAQUE = metamask.OPAQUE
