"""Swaps as their logs have them, with tokens by their places in the pool; and what the transfers
about them say which tokens these are.

A log of Uniswap or Curve does not name tokens. Where nobody knows the pool, a token is told by its
transfer: of exactly the swap's amount, to the pool or from it, since the pool's last swap in the
same transaction. Some tokens log less than they move, since they take a fee; in a pool of two
tokens the second one is told all the same where the first is, and no other has moved that way.
What two tokens could be is neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import msgspec

from ..chain.logs import LogEvent, venues
from ..model.chain import Log
from ..model.intents import ETHER
from ..model.noun import Noun
from .acts import Act, Place
from .known import Known
from .logged import BANCOR, LOGGED, ORDERED, UNDERLYING

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
    sure: bool = False
    """Whether the log names the tokens and is of a contract that is known; others must have moved
    what they say."""

    @property
    def named(self) -> bool:
        """Whether the log names both tokens."""
        return isinstance(self.token_in, str) and isinstance(self.token_out, str)

    @property
    def coins(self) -> str:
        """The list that the places are of; Curve's pools may have two."""
        return f"{self.pool}/{self.protocol}" if self.protocol == UNDERLYING else self.pool


def exchange_of(log: Log, event: LogEvent, known: Known) -> Exchange | bool:
    """The swap that a log tells of; False where it tells of none, True where of an odd one: a
    pool that gives nothing, or gets nothing."""
    read = LOGGED.get(type(event))
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
        protocol in ORDERED,
        log.address in known.told,
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


def _named(token: int | str, moved: dict[str, _Moved], amount: int) -> list[str]:
    """The tokens that one may be. Ether is the one that logs do not show."""
    if token == ETHER:
        return [ETHER]
    fitting = _matching(moved, amount)
    return fitting if isinstance(token, int) else [one for one in fitting if one == token]


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


def heard(act: Act, known: Known) -> Iterator[Heard | None]:
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
        found = exchange_of(log, event, known)
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
    if exchange.sure:
        return Heard(exchange)
    if exchange.holder != exchange.pool:
        return None
    pairs = _pairs(exchange, into.pop(exchange.pool, {}), out.pop(exchange.pool, {}))
    return Heard(exchange, pairs) if pairs else None


def _pairs(
    exchange: Exchange, paid: dict[str, _Moved], got: dict[str, _Moved]
) -> tuple[tuple[str, str], ...]:
    firsts = _named(exchange.token_in, paid, exchange.amount_in)
    seconds = _named(exchange.token_out, got, exchange.amount_out)
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


def joined(swaps: Sequence[Heard | None]) -> list[Heard | None]:
    """The same, with the steps of a path through Bancor's network as the one swap that they are."""
    found: list[Heard | None] = []
    for one in swaps:
        last = found[-1] if found else None
        if last is not None and one is not None and _follows(last.exchange, one.exchange):
            found[-1] = Heard(
                msgspec.structs.replace(
                    one.exchange,
                    token_in=last.exchange.token_in,
                    amount_in=last.exchange.amount_in,
                )
            )
        else:
            found.append(one)
    return found


def _follows(one: Exchange, other: Exchange) -> bool:
    return (
        one.protocol == other.protocol == BANCOR
        and (one.token_out, one.amount_out) == (other.token_in, other.amount_in)
        and one.token_in != other.token_out
    )
