"""Liquidity that landed just in time: put into a range of a pool before somebody else's swaps, and
taken out after them.

First a mint, last a burn, of the same pool, range and owner, with swaps of others between
(brontes' rule). The owner in the pool is often the position manager, which holds for everybody;
then it is the number of the position that tells.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence

import attrs

from ..chain.logs import LogEvent, uniswap
from ..model.chain import Log
from ..model.opportunity import Amounts, JustInTime, Kind, Liquidity, SwapRecord
from .acts import Act, Order, Place, order_of
from .budget import Budget, Share
from .findings import Found
from .known import Known

_Owner = tuple[str, str, int, int, int | None]
"""Pool, owner, range, and the number of the position where the owner holds for others."""
_CHANGES = (uniswap.V3Mint, uniswap.V3Burn)
_NUMBERS = (uniswap.PositionIncreased, uniswap.PositionDecreased)


@attrs.frozen(eq=False)
class _Change:
    act: Act
    place: int
    """Among what the transaction says."""
    owner: _Owner
    event: uniswap.V3Mint | uniswap.V3Burn
    liquidity: Liquidity

    @property
    def order(self) -> Order:
        """Where in the block it is."""
        log = self.act.said[self.place][0]
        path = log.path if isinstance(log, Place) else None
        return order_of(self.act.mined.place, log.log_index, path)


@attrs.define(eq=False)
class _Traffic:
    """The swaps of one pool, in the order of the block."""

    orders: list[Order] = attrs.Factory(list)
    swaps: list[tuple[Act, SwapRecord]] = attrs.Factory(list)

    def between(self, first: Order, last: Order) -> list[tuple[Act, SwapRecord]]:
        """Those between two places."""
        return self.swaps[bisect(self.orders, first) : bisect(self.orders, last)]


def find_quick_liquidity(acts: Sequence[Act], known: Known, budget: Budget) -> list[Found]:
    """All of it in a block, by pools of Uniswap V3 and its forks."""
    traffic: dict[str, _Traffic] = {}
    for act in acts:
        for swap in act.swaps:
            pool = traffic.setdefault(swap.pool, _Traffic())
            pool.orders.append(order_of(act.mined.place, swap.log_index, swap.trace_address))
            pool.swaps.append((act, swap))
    open_: dict[_Owner, _Change] = {}
    share = budget.share(sum(len(act.said) for act in acts))
    found: list[Found] = []
    for change in _changes(acts, known):
        if isinstance(change.event, uniswap.V3Mint):
            open_[change.owner] = change
            continue
        mint = open_.pop(change.owner, None)
        if mint is not None and change.liquidity.pool in traffic:
            one = _between(mint, change, traffic[change.liquidity.pool], share, len(found))
            found += [] if one is None else [one]
    return found


def _changes(acts: Sequence[Act], known: Known) -> Iterator[_Change]:
    for act in acts:
        for place, (log, event) in enumerate(act.said):
            if not isinstance(event, _CHANGES) or not event.liquidity:
                continue  # to take out nothing only settles fees
            number = _number(act, place) if event.owner in known.positions else None
            if number is None and event.owner in known.positions:
                continue
            owner = (log.address, event.owner, event.tick_lower, event.tick_upper, number)
            yield _Change(act, place, owner, event, _liquidity(log, event))


def _number(act: Act, place: int) -> int | None:
    """Of the position that the manager names next."""
    for following in range(place + 1, len(act.said)):
        event = act.said[following][1]
        if isinstance(event, _NUMBERS):
            return event.position
        if isinstance(event, _CHANGES):
            break
    return None


def _liquidity(log: Log | Place, event: uniswap.V3Mint | uniswap.V3Burn) -> Liquidity:
    return Liquidity(
        log.address,
        event.owner,
        event.tick_lower,
        event.tick_upper,
        event.liquidity,
        event.amount0,
        event.amount1,
        log.transaction,
        log.log_index,
    )


def _between(
    mint: _Change, burn: _Change, traffic: _Traffic, share: Share, number: int
) -> Found | None:
    if mint.act is burn.act:
        return None
    inside = traffic.between(mint.order, burn.order)
    if not share.spend(len(inside) + len(burn.act.said)):
        return None
    # Who swaps in the transactions of the mint and the burn is the owner too.
    own = (mint.act, burn.act)
    keys = mint.act.keys | burn.act.keys
    hurt = [swap for act, swap in inside if act not in own and not act.keys & keys]
    if not hurt:
        return None
    return Found(
        Kind.JIT,
        own,
        JustInTime(mint.liquidity, tuple(hurt), burn.liquidity),
        _gross(mint, burn, hurt[0]),
        victims=tuple(dict.fromkeys(swap.transaction or "" for swap in hurt)),
        pools=(mint.liquidity.pool,),
        mark=str(number),
        searcher=None if mint.owner[4] is not None else mint.owner[1],
    )


def _gross(mint: _Change, burn: _Change, swap: SwapRecord) -> Amounts | None:
    """What was collected over what was put in, by token; fees are part of it.

    None where it was not collected in the same transaction, and where not the same liquidity was
    taken out as was put in.
    """
    if mint.event.liquidity != burn.event.liquidity:
        return None
    taken = _collected(burn)
    if taken is None:
        return None
    tokens = sorted((swap.token_in, swap.token_out))
    made = (taken.amount0 - mint.event.amount0, taken.amount1 - mint.event.amount1)
    return {token: amount for token, amount in zip(tokens, made, strict=True) if amount}


def _collected(burn: _Change) -> uniswap.V3Collect | None:
    for log, event in burn.act.said[burn.place + 1 :]:
        if _collects(event, burn) and log.address == burn.liquidity.pool:
            assert isinstance(event, uniswap.V3Collect)
            return event
    return None


def _collects(event: LogEvent, burn: _Change) -> bool:
    return isinstance(event, uniswap.V3Collect) and (
        event.owner,
        event.tick_lower,
        event.tick_upper,
    ) == (burn.event.owner, burn.event.tick_lower, burn.event.tick_upper)
