"""Arbitrage that landed: in one transaction, by a cycle of tokens or by what the searcher's
addresses have more of afterwards.

The cycle: swaps of which each takes what the one before gave, or a part of it, or up to one percent
more, from a token back to it through another pool, and more of it in the end (mev-inspect-py's
rule, without its links by address, which break on flash swaps and helpers). The flow: where amounts
do not link, but nothing that the searcher holds got less, and something that it paid out came back
as more (brontes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence, Set
from itertools import pairwise

import attrs

from ..model.intents import ETHER
from ..model.opportunity import Amounts, Kind, Path, SwapRecord
from .acts import WRAPPED, Act, delta, wrapped
from .budget import Budget, Share
from .findings import Found, pools_of
from .known import Known
from .logged import ORDERS

MILLION = 10**6
LINK = 10_000
"""Millionths by which a swap may take more than the one before gave."""
MOST_SWAPS = 200
"""Of one transaction that is looked at."""


def find_arbitrage(act: Act, known: Known, budget: Budget) -> Found | None:
    """The arbitrage in a transaction, if it is one."""
    if act.exchanges < 2 or not act.swaps or settles(act, known):
        return None
    if act.exchanges > MOST_SWAPS:
        budget.cut = True
        return None
    chosen = _cycles(act.swaps, budget.share(len(act.said)))
    routed = act.mined.to in known.shared
    if chosen and not (routed and len(chosen) < act.exchanges):
        return _found(act, chosen, wrapped(delta(chosen)), "cycle")
    if routed or act.keeps:
        return None
    gross = _gain(act)
    return _found(act, act.swaps, gross, "net_flow") if gross else None


def find_attempt(
    act: Act, undone: Sequence[SwapRecord], known: Known, budget: Budget
) -> Found | None:
    """The arbitrage that a transaction attempted, and that was reverted.

    Args:
        act: the transaction.
        undone: its swaps that were reverted.
        known: what is known of contracts.
        budget: how much work there may be at most.
    """
    if not 2 <= len(undone) <= MOST_SWAPS or act.mined.to in known.shared:
        return None
    # Who comes too late sees that nothing is to be made, and reverts for that.
    chosen = _cycles(undone, budget.share(len(undone)), losing=True)
    if not chosen:
        return None
    return attrs.evolve(_found(act, chosen, {}, "cycle"), reverted=True)


def _found(act: Act, swaps: Sequence[SwapRecord], gross: Amounts, rule: str) -> Found:
    path = tuple(swaps)
    return Found(
        Kind.ARBITRAGE,
        (act,),
        Path(path),
        gross,
        pools=pools_of(path),
        searcher=path[0].sender,
        extra={"rule": rule},
    )


def settles(act: Act, known: Known) -> bool:
    """Whether many people's orders are settled together: what is kept is a fee."""
    if act.mined.to in known.settlements:
        return True
    if any(log.address in known.settlements for log in act.mined.logs):
        return True
    return any(call.target in known.settlements for call in act.mined.calls or ())


@attrs.frozen(order=False)
class _Cycle:
    gap: int
    """Millionths by which its links do not fit, summed up."""
    path: tuple[int, ...]

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.gap, len(self.path), self.path[0]


def _cycles(swaps: Sequence[SwapRecord], share: Share, losing: bool = False) -> list[SwapRecord]:
    """The swaps of the cycles that pay, or of all, the best fitting first, none in two of them."""
    starts: dict[str, list[int]] = {}
    for number, swap in enumerate(swaps):
        starts.setdefault(_asset(swap.token_in), []).append(number)
    chosen: dict[int, None] = {}
    while True:
        free = [number for number in range(len(swaps)) if number not in chosen]
        found = [_cycle(swaps, starts, first, chosen.keys(), share, losing) for first in free]
        cycles = sorted((one for one in found if one is not None), key=lambda one: one.rank)
        if not cycles:
            return [swaps[number] for number in chosen]
        for cycle in cycles:
            if chosen.keys().isdisjoint(cycle.path):
                chosen.update(dict.fromkeys(cycle.path))


def _cycle(
    swaps: Sequence[SwapRecord],
    starts: dict[str, list[int]],
    first: int,
    taken: Set[int],
    share: Share,
    losing: bool,
) -> _Cycle | None:
    """The shortest way from a swap back to the token that it takes, if it pays.

    Each swap is reached once at most, so this ends after as many steps as there are links.
    """
    start, before, waiting = swaps[first], {first: first}, deque([first])
    while waiting:
        number = waiting.popleft()
        swap = swaps[number]
        if _asset(swap.token_out) == _asset(start.token_in) and _apart(swap, start):
            if swap.amount_out > start.amount_in or losing:
                cycle = _paying(swaps, _way(before, number), losing)
                if cycle is not None:
                    return cycle
            continue
        candidates = starts.get(_asset(swap.token_out), ())
        if not share.spend(len(candidates)):
            return None
        links = [
            n for n in candidates if n not in before and n not in taken and _links(swap, swaps[n])
        ]
        # Of those that fit as well, the one that comes next.
        links.sort(key=lambda n: (_gap(swap, swaps[n]), n < number, abs(n - number)))
        before.update(dict.fromkeys(links, number))
        waiting += links
    return None


def _asset(token: str) -> str:
    """Ether is wrapped and unwrapped between pools, one for one."""
    return ETHER if token in WRAPPED else token


def _apart(one: SwapRecord, other: SwapRecord) -> bool:
    """Whether they are of two pools; each order is one of its own."""
    return one.pool != other.pool or (one.protocol == ORDERS and one is not other)


def _links(one: SwapRecord, other: SwapRecord) -> bool:
    """Whether one may have paid for the other; what is left over is a gain like any other."""
    short = other.amount_in - one.amount_out
    return _apart(one, other) and short * MILLION <= LINK * other.amount_in


def _gap(one: SwapRecord, other: SwapRecord) -> int:
    return abs(one.amount_out - other.amount_in) * MILLION // other.amount_in


def _way(before: dict[int, int], last: int) -> tuple[int, ...]:
    way = [last]
    while before[way[-1]] != way[-1]:
        way.append(before[way[-1]])
    return tuple(reversed(way))


def _paying(swaps: Sequence[SwapRecord], path: tuple[int, ...], losing: bool) -> _Cycle | None:
    """A cycle whose gain is more than dust and more than what its links took from elsewhere."""
    own = [swaps[number] for number in path]
    gap = taken = 0
    for one, other in pairwise(own):
        short = other.amount_in - one.amount_out
        gap += _gap(one, other)
        # What was short had to be brought along: by its part of the whole.
        taken += max(0, short) * MILLION // other.amount_in
    gain = (own[-1].amount_out - own[0].amount_in) * MILLION // own[0].amount_in
    return _Cycle(gap, path) if losing or gain > taken else None


def _gain(act: Act) -> Amounts | None:
    """What the addresses behind a transaction have more of, where that is all that changed.

    What only came in is no gain of a cycle: somebody swapped for it. Nor is what somebody gave who
    got nothing: that was handed on, or paid for with ether that no log shows. Less than a millionth
    of what was paid out is dust.
    """
    if act.mined.sender is None or len({swap.pool for swap in act.swaps}) < 2:
        return None
    accounts = act.keys | {act.mined.sender}
    flow = {**act.flow(accounts)}
    for token, amount in act.given(accounts).items():
        flow[token] = flow.get(token, 0) - amount
    flow = {token: amount for token, amount in flow.items() if amount}
    if not flow or min(flow.values()) < 0:
        return None
    paid = {token: act.paid_out(accounts, token) for token in flow}
    turned = any(paid[token] and flow[token] * MILLION >= paid[token] for token in flow)
    return flow if turned else None
