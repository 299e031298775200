"""Calls of the 1inch routers: those that name their pools, and those that hide them.

A pool is a word: its address in the low 160 bits, the direction and the kind in the high ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...model.intents import ETHER, Hop, PoolKind, SwapIntent
from ..abi import BadData, TooLarge
from ..contracts import oneinch as data
from ..contracts.tokens import WETH
from .plan import MAX_HOPS, Contract, Handle, Plan, methods_of

_LOW = (1 << 160) - 1
_SIGN, _KIND, _NOT_WRAPPED, _UNWRAP, _SECOND = 255, 253, 1 << 251, 1 << 252, 1 << 247
_UNWRAP_V2, _UNWRAP_V3 = 1 << 254, 1 << 253
_V2, _V3, _CURVE = 0, 1, 2
_CURVE_FROM, _CURVE_TO, _CURVE_METHOD = 224, 232, 184
# Of the 18 methods that a word may choose from: those of the coins underneath, and one that is not
# known here.
_UNDERLYING, _UNKNOWN, _METHODS = frozenset({1, 3, 5, 7, 10, 12, 14, 16}), 8, 18
_NUMERATOR, _THIRTY_BASIS_POINTS, _WHOLE = 160, 997_000_000, 10**9
_ETHER = "0x" + "e" * 40
PARTIAL = 1
"""Flag of a description: less than the whole amount may be swapped."""


def ether(token: str) -> str:
    """One name for ether itself, which has several."""
    return ETHER if token == _ETHER else token


def _address(word: int) -> str:
    return f"0x{word & _LOW:040x}"


def _fee(word: int) -> int:
    """Millionths; zero in the word stands for the usual."""
    numerator = (word >> _NUMERATOR) & 0xFFFFFFFF or _THIRTY_BASIS_POINTS
    return (_WHOLE - numerator) // 1000


def _curve_hop(word: int, pool: str) -> Hop:
    method = (word >> _CURVE_METHOD) & 0xFF
    if method >= _METHODS:
        raise BadData("no method of Curve has this number")
    if method == _UNKNOWN:
        return Hop(PoolKind.CURVE, pool=pool)
    one, two = (word >> _CURVE_FROM) & 0xFF, (word >> _CURVE_TO) & 0xFF
    kind = PoolKind.CURVE_UNDERLYING if method in _UNDERLYING else PoolKind.CURVE
    return Hop(kind, pool=pool, index_in=one, index_out=two)


def _hop(word: int) -> Hop:
    """Of version 6."""
    kind, pool = word >> _KIND, _address(word)
    if kind == _CURVE:
        return _curve_hop(word, pool)
    first = bool(word & _SECOND)
    if kind == _V3:
        return Hop(PoolKind.V3, pool=pool, zero_for_one=first)
    if kind == _V2:
        return Hop(PoolKind.V2, fee=_fee(word), pool=pool, zero_for_one=first)
    raise BadData("no kind of pool has this number")


def _unoswap(to: bool, pays_ether: bool) -> Handle:
    """A swap of the token of a word, or of ether."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        words = list(arguments)
        recipient = _address(words.pop(0)) if to else plan.sender
        if pays_ether:
            token, amount = WETH, plan.value
        else:
            token, amount = _address(words.pop(0)), words.pop(0)
        least, *dexes = words
        if pays_ether and dexes[0] & _NOT_WRAPPED:
            token = ETHER
        hops = tuple([_hop(word) for word in dexes])
        out = ETHER if dexes[-1] & _UNWRAP else None
        name = plan.contract.name
        plan.intents.append(SwapIntent(name, hops, token, out, False, amount, least, recipient))

    return handle


def _directed(word: int, kind: PoolKind) -> Hop:
    """Of the versions before: the sign says that token1 goes in."""
    fee = _fee(word) if kind is PoolKind.V2 else None
    return Hop(kind, fee=fee, pool=_address(word), zero_for_one=not word >> _SIGN)


def _older(
    plan: Plan,
    token: str | None,
    amount: int,
    least: int,
    words: tuple[int, ...],
    kind: PoolKind,
    recipient: str,
) -> None:
    if not words:
        raise BadData("a swap without a pool")
    if len(words) > MAX_HOPS:
        raise TooLarge(f"more than {MAX_HOPS} hops")
    unwraps = words[-1] & (_UNWRAP_V2 if kind is PoolKind.V2 else _UNWRAP_V3)
    hops = tuple([_directed(word, kind) for word in words])
    out, name = ETHER if unwraps else None, plan.contract.name
    plan.intents.append(SwapIntent(name, hops, token, out, False, amount, least, recipient))


def _old_unoswap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    token, amount, least, words = arguments
    _older(plan, token, amount, least, words, PoolKind.V2, plan.sender)


def _old_unoswap_to(plan: Plan, arguments: tuple[Any, ...]) -> None:
    recipient, token, amount, least, words = arguments[:5]
    _older(plan, token, amount, least, words, PoolKind.V2, recipient)


def _v4_unoswap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    token, amount, least, raw = arguments
    words = tuple([int.from_bytes(word, "big") for word in raw])
    _older(plan, token, amount, least, words, PoolKind.V2, plan.sender)


def _v3_swap(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """The token is not said, but for ether that is sent along."""
    amount, least, words = arguments
    token = WETH if plan.value else None
    _older(plan, token, amount, least, words, PoolKind.V3, plan.sender)


def _v3_swap_to(plan: Plan, arguments: tuple[Any, ...]) -> None:
    recipient, amount, least, words = arguments
    token = WETH if plan.value else None
    _older(plan, token, amount, least, words, PoolKind.V3, recipient)


def _v3_swap_with_permit(plan: Plan, arguments: tuple[Any, ...]) -> None:
    recipient, token, amount, least, words, _ = arguments
    _older(plan, token, amount, least, words, PoolKind.V3, recipient)


def _described(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """Its executor knows the route; nobody else does."""
    source, target, _, recipient, amount, least, flags = arguments[1][:7]
    # Of a part of the amount, a part of the least amount is enough.
    limit = None if flags & PARTIAL else least
    to = plan.sender if recipient == ETHER else recipient
    plan.intents.append(
        SwapIntent(plan.contract.name, (), ether(source), ether(target), False, amount, limit, to)
    )


def _clipper(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """An offer of a market maker's own pool."""
    _, source, target, amount, least, until = arguments[:6]
    given = ether(_address(source))
    name = plan.contract.name
    plan.intents.append(
        SwapIntent(name, (), given, ether(target), False, amount, least, plan.sender, until)
    )


def _nothing(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """It exchanges nothing."""


def _permit_and_call(plan: Plan, arguments: tuple[Any, ...]) -> None:
    plan.nested(arguments[1:])


_NAMED = (
    ("0x83800a8e", False, False),
    ("0x8770ba91", False, False),
    ("0x19367472", False, False),
    ("0xa76dfc3b", False, True),
    ("0x89af926a", False, True),
    ("0x188ac35d", False, True),
    ("0xe2c95c82", True, False),
    ("0xea76dddf", True, False),
    ("0xf7a70056", True, False),
    ("0x175accdc", True, True),
    ("0x0f449d71", True, True),
    ("0x493189f0", True, True),
)
"""Selector, whether a recipient is said, whether ether is paid; the rest are pools."""

_V6: dict[str, Callable[[Plan, tuple[Any, ...]], None]] = {
    "0x07ed2379": _described,
    "0x5816d723": _permit_and_call,
    "0xb68fb020": _nothing,
    "0xd2d374e5": _clipper,
    **{selector: _unoswap(to, ether_in) for selector, to, ether_in in _NAMED},
}
_V5: dict[str, Callable[[Plan, tuple[Any, ...]], None]] = {
    "0x12aa3caf": _described,
    "0x0502b1c5": _old_unoswap,
    "0xf78dc253": _old_unoswap_to,
    "0xe449022e": _v3_swap,
    "0xbc80f1a8": _v3_swap_to,
    "0x3c15fd91": _old_unoswap_to,
    "0x2521b930": _v3_swap_with_permit,
}
_V4: dict[str, Callable[[Plan, tuple[Any, ...]], None]] = {
    "0x7c025200": _described,
    "0x2e95b6c8": _v4_unoswap,
}

CONTRACTS = {
    address: Contract(name, methods_of(methods, handles))
    for routers, methods, handles in (
        (data.ROUTERS_V6, data.METHODS_V6, _V6),
        (data.ROUTERS_V5, data.METHODS_V5, _V5),
        (data.ROUTERS_V4, data.METHODS_V4, _V4),
    )
    for address, name in routers.items()
}
