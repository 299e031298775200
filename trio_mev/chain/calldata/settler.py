"""Actions of 0x's Settlers: swaps of shares of what a Settler holds, one after the other.

A share is in basis points or in millionths, by the Settler's version, which its address does not
say; so no amount is made of it. Where an action is not known here, or tokens do not say which
swap gives what is wanted, nothing is read at all: half a route would be a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ...model.intents import ETHER, WETH, Basis, Hop, PoolKind, SwapIntent
from ..abi import BadData, Read, arguments_of, number
from ..contracts import zerox as data
from ..contracts.uniswap_v3 import FACTORY
from .oneinch import ether
from .plan import MAX_HOPS, Plan

_V2, _V3, _V4 = PoolKind.V2, PoolKind.V3, PoolKind.V4
_WRAPS = {(ETHER, bytes.fromhex("d0e30db0")), (WETH, bytes.fromhex("2e1a7d4d"))}
"""What is paid to WETH, and the method."""
_TRANSFER = bytes.fromhex("a9059cbb")
_FIRST, _TAXED, _HUNDREDTHS = 1, 2, 8
"""Flags of a V2 swap, and where its fee in basis points begins."""
_NUMBERS = 1 << 255
"""Permitted amounts from there on stand for shares of what is owned."""
_HOP, _LIMITED_HOP = 24, 44
"""Bytes of a V3 hop: fork, fee and token, in newer versions with a price limit before the token."""
_FILL, _ALL, _SAME, _NEXT = 52, 10_000, 1, 2
"""Bytes of a V4 fill without data for hooks; its share; whether it sells the first token, or what
the fill before gave."""


class Hidden(Exception):
    """It cannot be said what the actions swap. Nothing outside of this package raises it."""


class Settling(msgspec.Struct):
    """What the actions so far have said."""

    plan: Plan
    settler: str
    swaps: list[SwapIntent] = []
    paid: dict[str, tuple[str, int]] = {}
    """Token and amount that the user sends to a place."""
    wraps: bool = False
    """Whether ether was wrapped, or unwrapped, on the way."""

    def add(
        self,
        hops: tuple[Hop, ...],
        share: int,
        least: int,
        recipient: str,
        taxed: bool = False,
        price_limit: int = 0,
    ) -> None:
        """A swap; without a share, of what the first pool has been sent."""
        one, two = hops[0].token_in, hops[-1].token_out
        amount, basis = None, Basis.SHARE
        if not share:
            token, amount = self.paid.get(hops[0].pool or "", (None, None))
            if amount is None or token != one:
                amount, basis = None, Basis.PAID
            else:
                basis = Basis.GIVEN
        self.swaps.append(
            SwapIntent(
                self.plan.contract.name,
                hops,
                one,
                two,
                False,
                amount,
                least or None,
                recipient,
                None,
                basis,
                price_limit or None,
                taxed=taxed,
                funded=0 if basis is Basis.GIVEN else None,
            )
        )


def _transfer_from(settling: Settling, arguments: tuple[Any, ...]) -> None:
    recipient, ((token, amount), *_), _ = arguments
    if amount < _NUMBERS:
        settling.paid[recipient] = token, amount


def _v2(settling: Settling, arguments: tuple[Any, ...]) -> None:
    """The pool's other token is not said."""
    recipient, token, share, pool, info, least = arguments
    fee = (info >> _HUNDREDTHS) * 100
    hop = Hop(_V2, ether(token), None, fee, pool, zero_for_one=bool(info & _FIRST))
    settling.add((hop,), share, least, recipient, taxed=bool(info & _TAXED))


def _v3(settling: Settling, arguments: tuple[Any, ...]) -> None:
    recipient, share, path, least = arguments
    if not share or len(path) < 20:
        raise Hidden
    hops, limit = _v3_hops("0x" + path[:20].hex(), path[20:])
    settling.add(hops, share, least, recipient, price_limit=limit)


def _v3_paid(settling: Settling, arguments: tuple[Any, ...]) -> None:
    """Of what the user pays at once; newer versions leave out its token from the path."""
    recipient, ((token, amount), *_), path, _, least = arguments
    hops, limit = _v3_hops(token, path.removeprefix(bytes.fromhex(token[2:])))
    settling.add(hops, 1, least, recipient, price_limit=limit)
    if amount < _NUMBERS:
        swap = msgspec.structs.replace(
            settling.swaps[-1], amount=amount, basis=Basis.GIVEN, funded=0
        )
        settling.swaps[-1] = swap


def _v3_hops(token: str, path: bytes) -> tuple[tuple[Hop, ...], int]:
    """The pools of a path after its first token, and the price limit where there is one pool."""
    plain, limited = len(path) % _HOP == 0, len(path) % _LIMITED_HOP == 0
    size = _HOP if plain else _LIMITED_HOP
    if plain == limited or len(path) > MAX_HOPS * size:
        raise Hidden
    hops = []
    for at in range(0, len(path), size):
        fork, fee = path[at], number(path[at + 1 : at + 4])
        last = "0x" + path[at + size - 20 : at + size].hex()
        hops.append(Hop(_V3, token, last, fee, None, None if fork else FACTORY))
        token = last
    alone = limited and len(hops) == 1
    return tuple(hops), number(path[4:24]) if alone else 0


def _v4(settling: Settling, arguments: tuple[Any, ...]) -> None:
    """Fills that each sell all that the one before gave are one way; others are not read."""
    recipient, token, share, taxed, _, _, fills, least = arguments
    count, rest = divmod(len(fills), _FILL)
    if not count or rest or count > MAX_HOPS or not share:
        raise Hidden
    hops, sold = [], ether(token)
    for at in range(0, len(fills), _FILL):
        fill = fills[at : at + _FILL]
        part, follows, no_data = number(fill[:2]), fill[2], not any(fill[49:])
        if part != _ALL or follows != (_NEXT if at else _SAME) or not no_data:
            raise Hidden
        bought, hooks = ether("0x" + fill[3:23].hex()), "0x" + fill[29:49].hex()
        fee, spacing = number(fill[23:26]), number(fill[26:29])
        hops.append(Hop(_V4, sold, bought, fee, None, None, spacing, hooks, sold < bought))
        sold = bought
    settling.add(tuple(hops), share, least, recipient, taxed=taxed)


def _basic(settling: Settling, arguments: tuple[Any, ...]) -> None:
    """A call of anything; wrapping, unwrapping and payments are known to exchange nothing."""
    token, _, target, _, call = arguments
    paid, method = ether(token), call[:4]
    if target == WETH and (paid, method) in _WRAPS:
        settling.wraps = True
    elif (paid != ETHER or call) and (token != target or method != _TRANSFER):
        raise Hidden


def _nothing(settling: Settling, arguments: tuple[Any, ...]) -> None:
    """It exchanges nothing."""


_Act = Callable[[Settling, tuple[Any, ...]], None]
_ACTS: Mapping[str, _Act] = {
    "0xc1fb425e": _transfer_from,
    "0x103b48be": _v2,
    "0x8d68a156": _v3,
    "0x3036d6a6": _v3_paid,
    "0xaf72634f": _v4,
    "0x38c9c147": _basic,
    "0xc876d21d": _nothing,
    "0x34ee90ca": _nothing,
    "0xbd01c226": _nothing,
}
ACTIONS: Mapping[bytes, tuple[Read, _Act]] = {
    bytes.fromhex(selector[2:]): (arguments_of(data.ACTIONS[selector]).read, act)
    for selector, act in _ACTS.items()
}
"""How an action's arguments are read, and what becomes of them."""


def swaps_of(
    plan: Plan, settler: str, slippage: tuple[str, str, int], actions: tuple[bytes, ...]
) -> list[SwapIntent] | None:
    """The swaps of a Settler's actions; None where they do not say them all.

    Raises:
        TooLarge: they go beyond the bounds.
    """
    plan.enter(actions)
    settling = Settling(plan, settler)
    try:
        for action in actions:
            known = ACTIONS.get(action[:4])
            if known is None:
                return None
            read, act = known
            act(settling, read(action, 4))
        return _checked(settling, *slippage)
    except (Hidden, BadData):
        return None
    finally:
        plan.leave()


def _checked(
    settling: Settling, recipient: str, target: str, least: int
) -> list[SwapIntent] | None:
    """The swaps, with what is demanded in the end of those that give what is wanted.

    Fees that are taken before are not counted: the pools must give at least as much.
    """
    swaps, wanted = settling.swaps, {ether(target)}
    if target == ETHER:
        return swaps or None
    if settling.wraps and wanted & {ETHER, WETH}:
        wanted = {ETHER, WETH}
    unsaid = [place for place, swap in enumerate(swaps) if swap.token_out is None]
    places = [place for place, swap in enumerate(swaps) if swap.token_out in wanted]
    if not places:
        if len(unsaid) != 1:
            return None
        places, unsaid = unsaid, []
        (place,) = places
        swaps[place] = _giving(swaps[place], WETH if ETHER in wanted else target)
    alone = len(places) == 1 and not unsaid
    for place in places:
        swap = swaps[place]
        to: str | None = swap.recipient
        if to == settling.settler:
            to = None if recipient == ETHER else recipient
        if alone:
            limit = max(least, swap.limit or 0) or None
            swaps[place] = msgspec.structs.replace(swap, recipient=to, limit=limit)
        else:
            swaps[place] = msgspec.structs.replace(swap, recipient=to, joint_limit=least or None)
    return swaps


def _giving(swap: SwapIntent, token: str) -> SwapIntent:
    """A swap that does not say what it gives, with what it must be."""
    hops = (*swap.hops[:-1], msgspec.structs.replace(swap.hops[-1], token_out=token))
    return msgspec.structs.replace(swap, hops=hops, token_out=token)
