"""Swaps in pools that anybody may make, from the calls that make them: Uniswap V2 and V3 and their
forks, Curve, and pools that say less than these.

Which tokens a pool has is told by itself: it reads its own balances of them while it swaps, and
moves them. Amounts are what the call answers, or what the pool's balances say, or else what moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from ..model.noun import Noun
from .calls import Call, How
from .known import Known
from .view import Move, View, account, word

_HALF, _WHOLE = 1 << 255, 1 << 256


class Side(Noun, frozen=True):
    """A token and how much of it."""

    token: str
    amount: int


class Trade(Noun, frozen=True):
    """A swap as a call tells of it."""

    pool: str
    protocol: str
    paid: Side | None
    """None where the token cannot be told."""
    got: Side | None
    sender: str | None
    recipient: str | None


@attrs.define(eq=False)
class Pools:
    """What a block's calls have told of its pools so far."""

    known: Known
    reserves: dict[str, tuple[int, int]] = attrs.Factory(dict)
    """Of a V2 pair, as it has written them last."""
    since: dict[str, int] = attrs.Factory(dict)
    """Within one transaction: the rank after a pool's last swap."""


class Spot(Noun, frozen=True):
    """A call that is to be read."""

    place: int
    call: Call
    view: View

    @property
    def own(self) -> str:
        """In whose name it acts: what is called, or of a delegate call who made it."""
        call = self.call
        return call.source if call.how is How.DELEGATE else call.target


Read = Callable[[Spot, Pools], Trade | None]
"""None where it is no swap; raises ValueError where its data cannot be what it should be."""


def signed(value: int) -> int:
    """A word in two's complement."""
    return value - _WHOLE if value >= _HALF else value


def sides(tokens: Sequence[str | None], amounts: Sequence[int]) -> tuple[Side | None, Side | None]:
    """What was paid and got, by what a pool got of its two tokens.

    Raises:
        ValueError: it did not get one for the other.
    """
    first, second = amounts
    if first > 0 > second:
        paid, got = (tokens[0], first), (tokens[1], -second)
    elif second > 0 > first:
        paid, got = (tokens[1], second), (tokens[0], -first)
    else:
        raise ValueError("a pool did not get one token for the other")
    return (
        None if paid[0] is None else Side(paid[0], paid[1]),
        None if got[0] is None else Side(got[0], got[1]),
    )


def v2(spot: Spot, pools: Pools) -> Trade | None:
    """``swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data)`` of a pair.

    What it gets is what was sent to it since its last swap: of a token that takes a fee it counts
    less. Where nothing was sent that calls show, its balances tell.
    """
    call, pool, view = spot.call, spot.call.target, spot.view
    out = word(call.input, 0), word(call.input, 1)
    recipient = account(call.input, 2)
    read = view.balances(spot.place, pool)[-2:]
    first, before = pools.since.get(pool, 0), pools.reserves.pop(pool, None)
    tokens = _pair_of(pool, pools.known, read) or _pair_by_moves(spot, first, out)
    if tokens is None:
        return Trade(pool, "uniswap_v2", None, None, call.source, recipient)
    moved = view.into(pool, spot.place, first)
    got = _sum(moved, tokens[0]), _sum(moved, tokens[1])
    if tuple(token for token, _ in read) == tokens:
        balances = pools.reserves[pool] = read[0][1], read[1][1]
        if before is not None and not any(got):
            got = _gained(balances, before, out)
    paid, gave = sides(tokens, (got[0] - out[0], got[1] - out[1]))
    return Trade(pool, "uniswap_v2", paid, gave, call.source, recipient)


def _pair_of(pool: str, known: Known, read: Sequence[tuple[str, int]]) -> tuple[str, str] | None:
    """A pair's tokens, as they are known or as it has read its balances of them."""
    listed = known.tokens_of(pool) or [token for token, _ in read]
    return (listed[0], listed[1]) if len(listed) == 2 and listed[0] != listed[1] else None


def _gained(
    balances: tuple[int, int], before: tuple[int, int], out: tuple[int, int]
) -> tuple[int, int]:
    """What a pair got, as it reckons itself: what it has over what it would have."""
    return (
        max(0, balances[0] - (before[0] - out[0])),
        max(0, balances[1] - (before[1] - out[1])),
    )


def _pair_by_moves(spot: Spot, first: int, out: tuple[int, int]) -> tuple[str, str] | None:
    """A pair's tokens by what it moved, where that is one of each and no other."""
    pool = spot.call.target
    if bool(out[0]) is bool(out[1]):
        return None
    gave = {move.token for move in spot.view.out_of(pool, spot.place)}
    got = {move.token for move in spot.view.into(pool, spot.place, first)}
    if len(gave) != 1 or len(got) != 1 or gave == got:
        return None
    (one,), (other,) = gave, got
    return (one, other) if out[0] else (other, one)


def _sum(moved: Sequence[Move], token: str) -> int:
    return sum(move.amount for move in moved if move.token == token)


def reserves(spot: Spot, pools: Pools) -> None:
    """``getReserves()`` of a pair: what it has written last."""
    pools.reserves[spot.call.target] = word(spot.call.output, 0, 2), word(spot.call.output, 1, 2)


def rewritten(spot: Spot, pools: Pools) -> None:
    """A call after which a pair's reserves are the balances that it has read, or not known."""
    pool = spot.call.target
    pools.reserves.pop(pool, None)
    read = spot.view.balances(spot.place, pool)[-2:]
    if len({token for token, _ in read}) == 2:
        pools.reserves[pool] = read[0][1], read[1][1]
    pools.since[pool] = spot.view.calls.rank(spot.place) + 1


_PANCAKE = "0x23a69e75"


def v3(spot: Spot, pools: Pools) -> Trade | None:
    """``swap(address recipient, bool zeroForOne, int256, uint160, bytes)``, which answers what the
    pool got of each token."""
    call, pool, view = spot.call, spot.call.target, spot.view
    recipient = account(call.input, 0)
    if call.broke:
        return _begun(spot, recipient)
    amounts = signed(word(call.output, 0, 2)), signed(word(call.output, 1, 2))
    tokens: Sequence[str | None] | None = pools.known.tokens_of(pool)
    if tokens is None or len(tokens) != 2:
        tokens = _ticked(spot, amounts)
    paid, got = sides(tokens, amounts)
    pancake = any(one.input[:10] == _PANCAKE for _, one in view.calls.made_by(spot.place))
    return Trade(pool, "pancake_v3" if pancake else "uniswap_v3", paid, got, call.source, recipient)


def _begun(spot: Spot, recipient: str) -> Trade | None:
    """A swap that failed after the pool had given something: what it gave, and was to be paid."""
    pool, view = spot.call.target, spot.view
    gave, got = view.out_of(pool, spot.place), view.into(pool, spot.place)
    if not gave or not got:
        return None
    paid, given = Side(got[0].token, got[0].amount), Side(gave[0].token, gave[0].amount)
    return Trade(pool, "uniswap_v3", paid, given, spot.call.source, recipient)


def _ticked(spot: Spot, amounts: tuple[int, int]) -> list[str | None]:
    """The pool reads its balance of what it is paid, and sends what it gives."""
    pool, view = spot.call.target, spot.view
    down = amounts[0] > 0
    paid = [token for token, _ in view.balances(spot.place, pool)]
    gave = -amounts[1] if down else -amounts[0]
    sent = [
        move.token
        for move in view.out_of(pool, spot.place)
        if move.amount == gave and move.token not in paid
    ]
    one, other = (paid[0] if paid else None), (sent[0] if sent else None)
    return [one, other] if down else [other, one]


def by_moves(
    protocol: str,
    offered: Callable[[Call], int | None],
    answered: Callable[[Call], int | None],
    recipient: int | None = None,
    earlier: bool = False,
) -> Read:
    """A pool whose tokens only show by what it moves.

    Args:
        protocol: its name.
        offered: what of the call is paid, where it says so.
        answered: what the call says that it gave.
        recipient: which argument is who gets it; None where it is the caller.
        earlier: whether the pool was paid before it was called.
    """

    def read(spot: Spot, pools: Pools) -> Trade | None:
        call, pool, view = spot.call, spot.call.target, spot.view
        receiver = call.source if recipient is None else account(call.input, recipient)
        first = pools.since.get(pool, 0) if earlier else None
        paid = _paid(view.into(pool, spot.place, first), offered(call))
        got = _got(view.out_of(pool, spot.place), answered(call), {receiver, call.source})
        if paid is None or got is None or paid.token == got.token:
            return Trade(pool, protocol, None, None, call.source, receiver)
        return Trade(pool, protocol, paid, got, call.source, receiver)

    return read


def _paid(moves: Sequence[Move], offered: int | None) -> Side | None:
    """The first that is what was offered; without that, all of the one token that came."""
    if offered is None:
        tokens = {move.token for move in moves}
        return Side(tokens.pop(), sum(move.amount for move in moves)) if len(tokens) == 1 else None
    for move in moves:
        if move.amount == offered:
            return Side(move.token, offered)
    return None


def _got(moves: Sequence[Move], answered: int | None, who: set[str]) -> Side | None:
    """The last that went to who was to get it."""
    for move in reversed(moves):
        if move.target in who and (answered is None or move.amount == answered):
            return Side(move.token, move.amount)
    return None


def argument(number: int) -> Callable[[Call], int]:
    """An amount in a call's arguments."""
    return lambda call: word(call.input, number)


def answer(number: int) -> Callable[[Call], int | None]:
    """An amount in a call's answer, where there is one; older pools answer nothing."""
    return lambda call: word(call.output, number, 2) if len(call.output) > 2 else None


def unsaid(_: Call) -> None:
    """An amount that nothing says."""


def ether_paid(call: Call) -> int:
    """What goes with a call."""
    return call.value


_CURVE = by_moves("curve", argument(2), answer(0))
_UNDER = by_moves("curve_underlying", argument(2), answer(0))
_DODO = by_moves("dodo", unsaid, answer(0), recipient=0, earlier=True)
_MAVERICK = by_moves("maverick", answer(0), answer(1), recipient=0, earlier=True)

POOLS: dict[str, tuple[str, Read]] = {
    "0x022c0d9f": ("swap(uint256,uint256,address,bytes)", v2),
    "0x128acb08": ("swap(address,bool,int256,uint160,bytes)", v3),
    "0x3df02124": ("exchange(int128,int128,uint256,uint256)", _CURVE),
    "0x5b41b908": ("exchange(uint256,uint256,uint256,uint256)", _CURVE),
    "0x394747c5": ("exchange(uint256,uint256,uint256,uint256,bool)", _CURVE),
    "0xce7d6503": (
        "exchange(uint256,uint256,uint256,uint256,bool,address)",
        by_moves("curve", argument(2), answer(0), recipient=5),
    ),
    "0xddc1f59d": (
        "exchange(int128,int128,uint256,uint256,address)",
        by_moves("curve", argument(2), answer(0), recipient=4),
    ),
    "0xafb43012": (
        "exchange_received(int128,int128,uint256,uint256,address)",
        by_moves("curve", argument(2), answer(0), recipient=4, earlier=True),
    ),
    "0xa6417ed6": ("exchange_underlying(int128,int128,uint256,uint256)", _UNDER),
    "0x65b2489b": ("exchange_underlying(uint256,uint256,uint256,uint256)", _UNDER),
    "0xbd6015b4": ("sellBase(address)", _DODO),
    "0xdd93f59a": ("sellQuote(address)", _DODO),
    "0xf39b5b9b": (
        "ethToTokenSwapInput(uint256,uint256)",
        by_moves("uniswap_v1", ether_paid, unsaid),
    ),
    "0xad65d76d": (
        "ethToTokenTransferInput(uint256,uint256,address)",
        by_moves("uniswap_v1", ether_paid, unsaid, recipient=2),
    ),
    "0x95e3c50b": (
        "tokenToEthSwapInput(uint256,uint256,uint256)",
        by_moves("uniswap_v1", argument(0), answer(0)),
    ),
    "0x7237e031": (
        "tokenToEthTransferInput(uint256,uint256,uint256,address)",
        by_moves("uniswap_v1", argument(0), answer(0), recipient=3),
    ),
    "0x013efd8b": (
        "tokenToEthSwapOutput(uint256,uint256,uint256)",
        by_moves("uniswap_v1", answer(0), argument(0)),
    ),
    "0xd4e4841d": (
        "tokenToEthTransferOutput(uint256,uint256,uint256,address)",
        by_moves("uniswap_v1", answer(0), argument(0), recipient=3),
    ),
    "0xc51c9029": ("swap(address,uint256,bool,bool,uint256,bytes)", _MAVERICK),
    "0x3eece7db": ("swap(address,(uint256,bool,bool,int32),bytes)", _MAVERICK),
}
"""Selector to signature, and how it is read."""
