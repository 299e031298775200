"""Swaps as their logs have them, with tokens by their places in the pool; and what the transfers
about them say which tokens these are.

A log of Uniswap or Curve does not name tokens. Where nobody knows the pool, a token is told by its
transfer: of exactly the swap's amount, to the pool or from it, since the pool's last swap in the
same transaction. Some tokens log less than they move, since they take a fee; in a pool of two
tokens the second one is told all the same where the first is, and no other has moved that way.
What two tokens could be is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from ..chain.logs import LogEvent, uniswap, venues
from ..model.chain import Log
from ..model.noun import Noun
from .acts import Act, Place

_MOST = 8
"""Tokens that may be candidates; where there are more, none of them is told."""
_MOST_MOVED = 64
"""Tokens that may have moved; among more of them none is looked for."""


class Exchange(Noun, frozen=True):
    """A swap; a token is its place in the pool, or its address where the log names it."""

    pool: str
    protocol: str
    token_in: int | str
    amount_in: int
    token_out: int | str
    amount_out: int
    transaction: str
    log_index: int
    holder: str
    """Whose balances it moves: the pool itself, or what holds the tokens of all pools."""
    sender: str | None = None
    recipient: str | None = None
    ordered: bool = False
    """Whether the pool's tokens are in the order of their addresses."""

    @property
    def coins(self) -> str:
        """The list that the places are of; Curve's pools may have two."""
        return f"{self.pool}/{self.protocol}" if self.protocol == UNDERLYING else self.pool


UNDERLYING = "curve_underlying"
_Sides = tuple[int | str, int, int | str, int]


def _pair(amount0: int, amount1: int) -> _Sides | None:
    """By what the pool gets of each; None where it does not get one for the other."""
    if amount0 > 0 > amount1:
        return 0, amount0, 1, -amount1
    if amount1 > 0 > amount0:
        return 1, amount1, 0, -amount0
    return None


def _named(token_in: int | str, paid: int, token_out: int | str, got: int) -> _Sides | None:
    if paid <= 0 or got <= 0 or token_in == token_out:
        return None
    return token_in, paid, token_out, got


_Told = tuple[str, str, _Sides | None, str | None, str | None]
"""Pool, protocol, sides, sender, recipient."""


def _v2(event: uniswap.V2Swap, at: str) -> _Told:
    sides = _pair(event.amount0_in - event.amount0_out, event.amount1_in - event.amount1_out)
    return at, "uniswap_v2", sides, event.sender, event.to


def _v3(event: uniswap.V3Swap | uniswap.PancakeV3Swap, at: str) -> _Told:
    name = "uniswap_v3" if isinstance(event, uniswap.V3Swap) else "pancake_v3"
    return at, name, _pair(event.amount0, event.amount1), event.sender, event.recipient


def _v4(event: uniswap.V4Swap, _: str) -> _Told:
    sides = _pair(-event.amount0, -event.amount1)
    return event.pool, "uniswap_v4", sides, event.sender, None


def _curve(event: Any, at: str) -> _Told:
    under = isinstance(event, venues.CurveExchangeUnderlying)
    sides = _named(event.sold, event.amount_sold, event.bought, event.amount_bought)
    return at, UNDERLYING if under else "curve", sides, event.buyer, None


def _balancer(version: int) -> Callable[[Any, str], _Told]:
    def told(event: Any, at: str) -> _Told:
        sides = _named(event.token_in, event.amount_in, event.token_out, event.amount_out)
        pool, caller = (at, event.caller) if version == 1 else (event.pool, None)
        return pool, f"balancer_v{version}", sides, caller, None

    return told


_READ: dict[type[LogEvent], Callable[[Any, str], _Told]] = {
    uniswap.V2Swap: _v2,
    uniswap.V3Swap: _v3,
    uniswap.PancakeV3Swap: _v3,
    uniswap.V4Swap: _v4,
    venues.CurveExchange: _curve,
    venues.CurveExchangeUnderlying: _curve,
    venues.CurveCryptoExchange: _curve,
    venues.BalancerV1Swap: _balancer(1),
    venues.BalancerSwap: _balancer(2),
    venues.BalancerV3Swap: _balancer(3),
}
_ORDERED = frozenset({"uniswap_v2", "uniswap_v3", "pancake_v3", "uniswap_v4"})


def exchange_of(log: Log, event: LogEvent) -> Exchange | bool:
    """The swap that a log tells of; False where it tells of none, True where of an odd one: a
    pool that gives nothing, or gets nothing."""
    read = _READ.get(type(event))
    if read is None:
        return False
    pool, protocol, sides, sender, recipient = read(event, log.address)
    if sides is None:
        return True
    return Exchange(
        pool,
        protocol,
        *sides,
        log.transaction,
        log.log_index,
        log.address,
        sender,
        recipient,
        protocol in _ORDERED,
    )


@attrs.define(eq=False)
class _Moved:
    """Of one token to one account, or from it."""

    total: int = 0
    single: set[int] = attrs.Factory(set)

    def add(self, amount: int) -> None:
        self.total += amount
        self.single.add(amount)


_Sums = dict[str, dict[str, _Moved]]
"""Account to token."""


def _add(sums: _Sums, account: str, token: str, amount: int) -> None:
    sums.setdefault(account, {}).setdefault(token, _Moved()).add(amount)


def _matching(moved: dict[str, _Moved], amount: int) -> list[str]:
    if len(moved) > _MOST_MOVED:
        return []
    return [token for token, one in moved.items() if amount == one.total or amount in one.single]


@attrs.frozen
class Heard:
    """A swap, and the tokens that may be its."""

    exchange: Exchange
    pairs: tuple[tuple[str, str], ...] = ()
    """In and out."""


def heard(act: Act) -> Iterator[Heard | None]:
    """The swaps of a transaction with the tokens that its transfers allow; None for an odd one."""
    into: _Sums = {}
    out: _Sums = {}
    late: list[Exchange] = []
    for log, event in act.said:
        if isinstance(event, venues.Transfer):
            _add(into, event.target, log.address, event.amount)
            _add(out, event.source, log.address, event.amount)
            continue
        assert not isinstance(log, Place)  # of calls, only what they move is among logs
        found = exchange_of(log, event)
        if isinstance(found, Exchange):
            one = _at_once(found, into, out)
            if one is None:
                late.append(found)
            else:
                yield one
        elif found:
            yield None
    for waiting in late:
        holder = waiting.holder
        yield Heard(waiting, _pairs(waiting, into.get(holder, {}), out.get(holder, {})))


def _at_once(exchange: Exchange, into: _Sums, out: _Sums) -> Heard | None:
    """With what has moved up to its log; None where it takes all of the transaction to tell.

    What holds the tokens of many pools settles at the end, and some forks log first and move the
    tokens then.
    """
    if isinstance(exchange.token_in, str):
        return Heard(exchange)
    if exchange.holder != exchange.pool:
        return None
    pairs = _pairs(exchange, into.pop(exchange.pool, {}), out.pop(exchange.pool, {}))
    return Heard(exchange, pairs) if pairs else None


def _pairs(
    exchange: Exchange, paid: dict[str, _Moved], got: dict[str, _Moved]
) -> tuple[tuple[str, str], ...]:
    firsts = _matching(paid, exchange.amount_in)
    seconds = _matching(got, exchange.amount_out)
    if exchange.ordered and exchange.holder == exchange.pool:
        if firsts and not seconds and len(got) == 1:
            seconds = list(got)
        elif seconds and not firsts and len(paid) == 1:
            firsts = list(paid)
    if max(len(firsts), len(seconds)) > _MOST:
        return ()
    down = exchange.token_in == 0
    return tuple(
        (one, other)
        for one in firsts
        for other in seconds
        if one != other and (not exchange.ordered or (one < other) == down)
    )
