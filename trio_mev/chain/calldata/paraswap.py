"""Calls of ParaSwap's Augustus v6.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ...model.intents import ETHER, Hop, PoolKind, SwapIntent, Unread
from ..abi import BadData, TooLarge, number
from ..abi_values import address_of
from ..contracts import paraswap as data
from ..contracts.tokens import WETH
from ..contracts.uniswap_v2 import UNISWAP_FACTORY
from ..contracts.uniswap_v3 import FACTORY
from . import balancer
from .oneinch import ether
from .plan import MAX_HOPS, Contract, Handle, Plan, methods_of

_LOW = (1 << 160) - 1
_HALF = (1 << 128) - 1
_SIGN = 1 << 7
_V2_SIZE, _V3_SIZE = 64, 96


def _terms(
    plan: Plan, terms: tuple[Any, ...], exact_out: bool, hops: tuple[Hop, ...], to: str
) -> None:
    """Tokens, what goes in, what comes out; the one is the limit where the other is exact."""
    source, target, given, received = terms
    amount, limit = (received, given) if exact_out else (given, received)
    one, two = ether(source), ether(target)
    recipient = plan.sender if to == ETHER else to
    name = plan.contract.name
    plan.intents.append(SwapIntent(name, hops, one, two, exact_out, amount, limit, recipient))


def _generic(exact_out: bool) -> Handle:
    """Its executor knows the route; nobody else does."""

    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        terms = arguments[1]
        _terms(plan, terms[:4], exact_out, (), terms[6])

    return handle


def _v2_hop(pools: bytes, at: int) -> Hop:
    """Two addresses, and a last bit that says that the first is what goes in."""
    one, two = f"0x{pools[at : at + 20].hex()}", f"0x{pools[at + 20 : at + 40].hex()}"
    first = bool(pools[at + _V2_SIZE - 1] & 1)
    if not first:
        one, two = two, one
    return Hop(PoolKind.V2, one, two, None, None, UNISWAP_FACTORY, zero_for_one=first)


def _v3_hop(pools: bytes, at: int) -> Hop:
    """Three words; the first bit of the first says that the first token is what goes in."""
    first = bool(pools[at] & _SIGN)
    one = f"0x{pools[at + 12 : at + 32].hex()}"
    two, fee = address_of(pools[at + 32 : at + 64]), number(pools[at + 64 : at + 96])
    if fee >> 24:
        raise BadData("a fee of more than 24 bits")
    if not first:
        one, two = two, one
    return Hop(PoolKind.V3, one, two, fee, None, FACTORY, zero_for_one=first)


def _way(hops: list[Hop], source: str) -> tuple[Hop, ...]:
    """In trading order; an exact output is written from its end."""
    start = WETH if ether(source) == ETHER else source
    return tuple(hops if hops[0].token_in == start else hops[::-1])


def _pools(exact_out: bool, hop: Callable[[bytes, int], Hop], size: int) -> Handle:
    def handle(plan: Plan, arguments: tuple[Any, ...]) -> None:
        terms = arguments[0]
        pools = terms[7]
        count, rest = divmod(len(pools), size)
        if not count or rest:
            raise BadData("no whole number of pools")
        if count > MAX_HOPS:
            raise TooLarge(f"more than {MAX_HOPS} hops")
        hops = [hop(pools, at) for at in range(0, len(pools), size)]
        _terms(plan, terms[:4], exact_out, _way(hops, terms[0]), terms[6])

    return handle


def _curve_v1(plan: Plan, arguments: tuple[Any, ...]) -> None:
    packed, coins, *terms = arguments[0]
    _curve(plan, packed, f"0x{packed & _LOW:040x}", coins >> 128, coins & _HALF, tuple(terms))


def _curve_v2(plan: Plan, arguments: tuple[Any, ...]) -> None:
    packed, one, two, pool, *terms = arguments[0]
    _curve(plan, packed, pool, one, two, tuple(terms))


def _curve(plan: Plan, packed: int, pool: str, one: int, two: int, terms: tuple[Any, ...]) -> None:
    underneath = bool((packed >> 163) & 3)
    kind = PoolKind.CURVE_UNDERLYING if underneath else PoolKind.CURVE
    hop = Hop(kind, pool=pool, index_in=one, index_out=two)
    _terms(plan, terms[:4], False, (hop,), terms[6])


def _balancer(plan: Plan, arguments: tuple[Any, ...]) -> None:
    """A call of Balancer's vault, with the router in the place of its recipient."""
    beneficiary = f"0x{arguments[0][4] & _LOW:040x}"
    call = arguments[3]
    method = balancer.METHODS.get(call[:4])
    if method is None:
        plan.say(Unread.OPAQUE, f"0x{call[:4].hex()} of the Balancer vault")
        return
    before = len(plan.intents)
    method.handle(plan, method.read(call, 4))
    to = plan.sender if beneficiary == ETHER else beneficiary
    for place in range(before, len(plan.intents)):
        swap = plan.intents[place]
        assert isinstance(swap, SwapIntent)
        plan.intents[place] = msgspec.structs.replace(swap, recipient=to)


_METHODS = methods_of(
    data.METHODS,
    {
        "0xe3ead59e": _generic(exact_out=False),
        "0x7f457675": _generic(exact_out=True),
        "0xe8bb3b6c": _pools(False, _v2_hop, _V2_SIZE),
        "0x876a02f6": _pools(False, _v3_hop, _V3_SIZE),
        "0xa76f4eb6": _pools(True, _v2_hop, _V2_SIZE),
        "0x5e94e28d": _pools(True, _v3_hop, _V3_SIZE),
        "0x1a01c532": _curve_v1,
        "0xe37ed256": _curve_v2,
        "0xd85ca173": _balancer,
        "0xd6ed22e6": _balancer,
    },
)


CONTRACTS = {address: Contract(name, _METHODS) for address, name in data.ROUTERS.items()}
OPAQUE = data.ROUTERS_V5
