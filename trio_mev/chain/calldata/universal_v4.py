"""V4 swaps as the Universal Router writes them: one byte an action, and parameters for each.

What a swap gives is first owed by the pool manager; an action that takes it says who gets it, and
may say how much it must be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ...model.intents import Basis, Hop, PoolKind, SwapIntent, Unread
from ..abi import Arguments, BadData, TooLarge
from .plan import MAX_HOPS, Plan
from .uniswap_v3 import mapped

_V4 = PoolKind.V4
_KEY = "(address,address,uint24,int24,address)"
CONTRACT_BALANCE = 1 << 255
_PATH = "(address,uint24,int24,address,bytes)[]"


class _Open:
    """What is owed within one V4 command."""

    __slots__ = ("brought", "paid", "places", "plan", "start")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.start = len(plan.intents)
        self.places: list[int] = []
        """Of the swaps whose results nobody has taken yet."""
        self.paid: dict[str, int | None] = {}
        """By token, what was paid in, less what swaps use of it; None where no number is said."""
        self.brought: dict[str, tuple[int, ...]] = {}
        """By token that the router paid in all it held of: the swaps that it had it from."""

    def swap(self, hops: tuple[Hop, ...], exact_out: bool, amount: int, limit: int) -> None:
        """A swap; an amount of zero is what is open of its token."""
        plan, token = self.plan, hops[0].token_in
        assert token is not None
        basis, sources, funded = Basis.GIVEN, tuple[int, ...](), 0 if amount else None
        if amount:
            self.pay(token, None if exact_out else -amount)
        elif exact_out:
            basis = Basis.OPEN
        else:
            basis, sources, funded = self._open(token)
        self.places.append(len(plan.intents))
        plan.intents.append(
            SwapIntent(
                plan.contract.name,
                hops,
                token,
                hops[-1].token_out,
                exact_out,
                amount or None,
                limit,
                None,
                plan.deadline,
                basis,
                sources=sources,
                funded=funded,
            )
        )

    def pay(self, token: str, amount: int | None) -> None:
        """So much of a token is paid in, or used where it is below zero."""
        before = self.paid.get(token, 0)
        self.paid[token] = None if before is None or amount is None else before + amount

    def _open(self, token: str) -> tuple[Basis, tuple[int, ...], int | None]:
        """All that is open of a token is put into a swap."""
        swaps = tuple(self.plan.swaps_into(self.places, token))
        self.places[:] = [place for place in self.places if place not in swaps]
        basis = Basis.BALANCE if token in self.brought else Basis.OPEN
        return basis, (*self.brought.pop(token, ()), *swaps), self.paid.pop(token, 0)

    def limit_input(self, token: str, most: int) -> None:
        """No more of a token may be owed."""
        intents = self.plan.intents
        found = [
            (place, swap)
            for place, swap in enumerate(intents[self.start :], self.start)
            if isinstance(swap, SwapIntent) and swap.token_in == token
        ]
        if len(found) == 1 and found[0][1].exact_out:
            place, swap = found[0]
            limit = most if swap.limit is None else min(swap.limit, most)
            intents[place] = msgspec.structs.replace(swap, limit=limit)


_Act = Callable[[_Open, tuple[Any, ...]], None]


def _single(exact_out: bool) -> _Act:
    def act(pending: _Open, arguments: tuple[Any, ...]) -> None:
        key, zero_for_one, amount, limit = arguments[0][:4]
        one, two, fee, spacing, hooks = key
        if not zero_for_one:
            one, two = two, one
        hop = Hop(_V4, one, two, fee, None, None, spacing, hooks, zero_for_one)
        pending.swap((hop,), exact_out, amount, limit)

    return act


def _hop(token_in: str, token_out: str, key: tuple[Any, ...]) -> Hop:
    _, fee, spacing, hooks, _ = key
    first = token_in < token_out
    return Hop(_V4, token_in, token_out, fee, None, None, spacing, hooks, first)


def _checked(path: tuple[Any, ...]) -> tuple[Any, ...]:
    if not path:
        raise BadData("a path without a pool")
    if len(path) > MAX_HOPS:
        raise TooLarge(f"more than {MAX_HOPS} hops")
    return path


def _path_in(pending: _Open, arguments: tuple[Any, ...]) -> None:
    """Each key names the token that comes out of its pool."""
    token, path, *_, amount, limit = arguments[0]
    hops = []
    for key in _checked(path):
        hops.append(_hop(token, key[0], key))
        token = key[0]
    pending.swap(tuple(hops), False, amount, limit)


def _path_out(pending: _Open, arguments: tuple[Any, ...]) -> None:
    """Each key names the token that goes into its pool."""
    token, path, *_, amount, limit = arguments[0]
    hops = []
    for key in reversed(_checked(path)):
        hops.append(_hop(key[0], token, key))
        token = key[0]
    pending.swap(tuple(reversed(hops)), True, amount, limit)


def _settle_all(pending: _Open, arguments: tuple[Any, ...]) -> None:
    pending.limit_input(*arguments)
    pending.paid.pop(arguments[0], None)


def _settle(pending: _Open, arguments: tuple[Any, ...]) -> None:
    """An amount of zero is what is owed."""
    token, amount, from_sender = arguments
    plan = pending.plan
    if amount == CONTRACT_BALANCE:
        pending.brought[token], held = plan.spend(token)
        pending.pay(token, None if from_sender else held)
        return
    if not from_sender:
        plan.fund(token, -amount or None)
    if amount:
        pending.pay(token, amount)
    else:
        pending.paid.pop(token, None)


def _take(pending: _Open, arguments: tuple[Any, ...]) -> None:
    """An amount of zero is all; a part of it demands at least as much."""
    token, recipient, least = arguments
    plan = pending.plan
    plan.hand_over(pending.places, token, least, mapped(plan, recipient))
    pending.paid[token] = None


def _take_all(pending: _Open, arguments: tuple[Any, ...]) -> None:
    token, least = arguments
    plan = pending.plan
    plan.hand_over(pending.places, token, least, plan.sender)


def _take_portion(pending: _Open, arguments: tuple[Any, ...]) -> None:
    pending.plan.take_portion(arguments[0], arguments[2])
    pending.paid[arguments[0]] = None


def _actions(minima: bool) -> Mapping[int, tuple[Arguments, _Act]]:
    each, one = (",uint256[]", ",uint256") if minima else ("", "")
    single = Arguments(f"({_KEY},bool,uint128,uint128{one},bytes)")
    path = Arguments(f"(address,{_PATH}{each},uint128,uint128)")
    return {
        0x06: (single, _single(exact_out=False)),
        0x07: (path, _path_in),
        0x08: (single, _single(exact_out=True)),
        0x09: (path, _path_out),
        0x0B: (Arguments("address,uint256,bool"), _settle),
        0x0C: (Arguments("address,uint256"), _settle_all),
        0x0E: (Arguments("address,address,uint256"), _take),
        0x0F: (Arguments("address,uint256"), _take_all),
        0x10: (Arguments("address,address,uint256"), _take_portion),
    }


_PLAIN, _WITH_MINIMA = _actions(minima=False), _actions(minima=True)


def run(plan: Plan, fields: tuple[Any, ...]) -> None:
    """Read a V4 command of version 2.0."""
    _run(plan, fields, _PLAIN)


def run_with_minima(plan: Plan, fields: tuple[Any, ...]) -> None:
    """Read a V4 command of the versions from 2.1.1 on, which say a least price for each hop."""
    _run(plan, fields, _WITH_MINIMA)


def _run(plan: Plan, fields: tuple[Any, ...], known: Mapping[int, tuple[Arguments, _Act]]) -> None:
    actions, parameters = fields
    if len(actions) != len(parameters):
        raise BadData("not one parameter for each action")
    pending = _Open(plan)
    plan.enter(parameters)
    for action, given in zip(actions, parameters, strict=True):
        if action not in known:
            plan.say(Unread.UNKNOWN_METHOD, f"action 0x{action:02x}")
            continue
        arguments, act = known[action]
        act(pending, arguments.read(given))
    plan.leave()
