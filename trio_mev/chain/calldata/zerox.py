"""Calls of 0x: its AllowanceHolder with the Settler behind it, and the legacy proxy."""

from __future__ import annotations

from typing import Any

from ...model.intents import ETHER, Basis, Hop, SwapIntent, Unread
from ..contracts import uniswap_v2
from ..contracts import zerox as data
from ..contracts.tokens import WETH
from .oneinch import ether
from .plan import Contract, Plan, methods_of
from .settler import swaps_of
from .uniswap_v2 import hops_of
from .uniswap_v3 import path_of

ALL = (1 << 256) - 1


def _settled(
    plan: Plan, token: str | None, amount: int | None, settler: str, arguments: tuple[Any, ...]
) -> None:
    """Swap by swap where the actions say it, else what is sold for what."""
    slippage, actions = arguments[:2]
    swaps = swaps_of(plan, settler, slippage, actions)
    if swaps is not None:
        plan.intents += swaps
        return
    recipient, target, least = slippage
    basis = Basis.BALANCE if amount is None else Basis.GIVEN
    to = None if recipient == ETHER else recipient
    name, out = plan.contract.name, ether(target)
    plan.intents.append(SwapIntent(name, (), token, out, False, amount, least, to, basis=basis))


def _settle(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Called directly: what is sold is in the actions, but for ether that is sent along."""
    _settled(plan, ETHER if plan.value else None, plan.value or None, plan.to, arguments)


_SETTLER = methods_of(data.SETTLER_METHODS, dict.fromkeys(data.SETTLER_METHODS, _settle))
SETTLER = Contract("0x Settler", _SETTLER)


def _exec(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The token and how much of it may be taken, and then a call, of a Settler as a rule."""
    _, token, amount, target, call = arguments
    method = _SETTLER.get(call[:4])
    if method is None:
        plan.say(Unread.OPAQUE, f"0x{call[:4].hex()} of another contract")
        return
    # Ether that is sent along is what is sold, whatever else may be taken.
    sold, much = (ETHER, plan.value) if plan.value else (ether(token), amount)
    _settled(plan, sold, much, target, method.read(call, 4))


def _transform(plan: Plan, arguments: tuple[Any, ...]) -> None:
    source, target, amount, least, _ = arguments
    given = None if amount == ALL else amount
    plan.intents.append(
        SwapIntent(
            plan.contract.name,
            (),
            ether(source),
            ether(target),
            False,
            given,
            least,
            plan.sender,
            basis=Basis.BALANCE if given is None else Basis.GIVEN,
        )
    )


def _wrapped(token: str) -> str:
    """What a pool trades in place of ether."""
    return WETH if ether(token) == ETHER else token


def _sell_to_uniswap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    path, amount, least, sushi = arguments
    factory = uniswap_v2.SUSHISWAP_FACTORY if sushi else uniswap_v2.UNISWAP_FACTORY
    _sell(plan, hops_of(tuple([_wrapped(token) for token in path]), factory), amount, least, None)


def _sell(
    plan: Plan, hops: tuple[Hop, ...], amount: int, least: int, recipient: str | None
) -> None:
    to = plan.sender if recipient in {None, ETHER} else recipient
    one, two = hops[0].token_in, hops[-1].token_out
    plan.intents.append(SwapIntent(plan.contract.name, hops, one, two, False, amount, least, to))


def _sell_ether_v3(plan: Plan, arguments: tuple[Any, ...]) -> None:
    path, least, recipient = arguments
    _sell(plan, path_of(path, backwards=False), plan.value, least, recipient)


def _sell_v3(plan: Plan, arguments: tuple[Any, ...]) -> None:
    path, amount, least, recipient = arguments
    _sell(plan, path_of(path, backwards=False), amount, least, recipient)


_PROXY = methods_of(
    data.PROXY_METHODS,
    {
        "0x415565b0": _transform,
        "0xd9627aa4": _sell_to_uniswap,
        "0x3598d8ab": _sell_ether_v3,
        "0x6af479b2": _sell_v3,
        "0x803ba26d": _sell_v3,
    },
)

CONTRACTS = {
    **{
        address: Contract(name, methods_of(data.HOLDER_METHODS, {"0x2213bc0b": _exec}))
        for address, name in data.ALLOWANCE_HOLDERS.items()
    },
    **{address: Contract(name, _PROXY) for address, name in data.PROXIES.items()},
}
