"""Swaps in pools of Uniswap V2 and V3 and their forks, from the calls that make them.

Which tokens a pool has is told by itself: it reads its own balances of them while it swaps.
"""

from __future__ import annotations

from collections.abc import Sequence

from .known import Known
from .trades import Pools, Side, Spot, Trade, sides, signed
from .view import Move, account, word


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
