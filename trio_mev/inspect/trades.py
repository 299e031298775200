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
