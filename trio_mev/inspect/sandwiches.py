"""Sandwiches that landed: somebody swaps before others in one pool, and back after them.

In one pool, in the order of the block: one or several swaps of one actor in one direction, swaps of
others in the same direction after them, and the actor's swaps back. To sell first is the same
with the tokens exchanged. What an actor did in several pools by the same transactions is one
sandwich.

Who is the same actor follows from who sent a transaction and to which contract, as in
mev-inspect-py and Dune's rule, and not from that alone: see ``_is_one``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import attrs

from ..model.opportunity import Amounts, Kind, Sandwiched, SwapRecord
from .acts import Act, delta
from .budget import Budget, Share
from .findings import Found, pools_of
from .logged import ORDERS

CLOSED = 100
"""An actor holds what it held before where the difference is one part of so many, at most."""


@attrs.define(eq=False)
class Leg:
    """What one transaction swaps at one pool in one direction."""

    place: int
    """In the order of the pool's legs."""
    act: Act
    swaps: list[SwapRecord]

    @property
    def paid(self) -> int:
        """What the pool gets."""
        return sum(swap.amount_in for swap in self.swaps)

    @property
    def got(self) -> int:
        """What the pool gives for it."""
        return sum(swap.amount_out for swap in self.swaps)


@attrs.frozen(eq=False)
class _Part:
    """A sandwich in one pool."""

    fronts: tuple[Leg, ...]
    victims: tuple[Leg, ...]
    backs: tuple[Leg, ...]

    @property
    def own(self) -> tuple[Leg, ...]:
        return (*self.fronts, *self.backs)


def find_sandwiches(acts: Sequence[Act], budget: Budget) -> list[Found]:
    """All sandwiches of a block, each once."""
    parts: dict[tuple[int, ...], _Part] = {}
    for legs in _pools(acts).values():
        share = budget.share(len(legs))
        actors: dict[str, list[Leg]] = {}
        for leg in legs:
            for key in leg.act.keys:
                actors.setdefault(key, []).append(leg)
        for own in actors.values():
            for part in _parts(own, legs, share):
                parts.setdefault(tuple(id(leg) for leg in part.own), part)
    return [_found(group) for group in _joined(list(parts.values()))]


def _pools(acts: Sequence[Act]) -> dict[str, list[Leg]]:
    """The legs at each pool, in the order of the block."""
    pools: dict[str, list[Leg]] = {}
    for act in acts:
        for swap in act.swaps:
            if swap.protocol == ORDERS:
                continue  # whoever made an order has its price, whatever comes before
            legs = pools.setdefault(swap.pool, [])
            leg = Leg(len(legs), act, [swap])
            if legs and legs[-1].act is act and _direction(legs[-1]) == _direction(leg):
                legs[-1].swaps.append(swap)
            else:
                legs.append(leg)
    return pools


def _parts(own: Sequence[Leg], legs: Sequence[Leg], share: Share) -> Iterator[_Part]:
    """The sandwiches of one actor at one pool."""
    fronts: list[Leg] = []
    for _, run in groupby(own, key=_direction):
        following = list(run)
        if not fronts or _direction(fronts[0])[::-1] != _direction(following[0]):
            fronts = following
            continue
        backs = _closing(fronts, following)
        part = _surrounding(_covering(fronts, backs), backs, legs, share)
        if part is not None and _is_one(part):
            yield part
        fronts = following[len(backs) :]


def _direction(leg: Leg) -> tuple[str, str]:
    return leg.swaps[0].token_in, leg.swaps[0].token_out


def _covers(one: int, other: int) -> bool:
    return one * CLOSED >= other * (CLOSED - 1)


def _closing(fronts: Sequence[Leg], backs: Sequence[Leg]) -> list[Leg]:
    """The first ones that bring back what the fronts took or paid, or all."""
    bought, paid, sold, back = _got(fronts), _paid(fronts), 0, 0
    for number, leg in enumerate(backs, 1):
        sold, back = sold + leg.paid, back + leg.got
        if _covers(sold, bought) or _covers(back, paid):
            return list(backs[:number])
    return list(backs)


def _covering(fronts: Sequence[Leg], backs: Sequence[Leg]) -> list[Leg]:
    """The last ones that account for what comes back, or all: what was swapped long before may
    be of no sandwich."""
    sold, back, bought, paid = _paid(backs), _got(backs), 0, 0
    for number in range(len(fronts) - 1, -1, -1):
        bought, paid = bought + fronts[number].got, paid + fronts[number].paid
        if _covers(bought, sold) or _covers(paid, back):
            return list(fronts[number:])
    return list(fronts)


def _paid(legs: Sequence[Leg]) -> int:
    return sum(leg.paid for leg in legs)


def _got(legs: Sequence[Leg]) -> int:
    return sum(leg.got for leg in legs)


def _surrounding(
    fronts: list[Leg], backs: list[Leg], legs: Sequence[Leg], share: Share
) -> _Part | None:
    first, last = fronts[0].place, backs[-1].place
    own = {leg.act.mined.hash for leg in (*fronts, *backs)}
    keys = frozenset[str]().union(*(leg.act.keys for leg in (*fronts, *backs)))
    if fronts[-1].act is backs[0].act or not share.spend(last - first):
        return None
    victims = tuple(
        leg
        for leg in legs[first + 1 : last]
        if _direction(leg) == _direction(fronts[0])
        and leg.act.mined.hash not in own
        and not leg.act.keys & keys
    )
    return _Part(tuple(fronts), victims, tuple(backs)) if victims else None


def _is_one(part: _Part) -> bool:
    """Whether it is more than somebody who swaps there and back.

    The way back must be at a better rate than the way there, or end with what was there before.
    Where not both the sender and a contract of its own are the same throughout, it must be both.
    """
    paid, bought = _paid(part.fronts), _got(part.fronts)
    sold, back = _paid(part.backs), _got(part.backs)
    better = back * bought > sold * paid
    closed = any(_covers(a, b) and _covers(b, a) for a, b in ((sold, bought), (back, paid)))
    shared = frozenset.intersection(*(leg.act.keys for leg in part.own))
    if len(shared) > 1 and part.own[0].act.mined.sender in shared:
        return better or closed
    return better and closed


def _joined(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Parts that have a transaction of the actor in common are one sandwich."""
    group_of: dict[str, int] = {}
    groups: dict[int, list[_Part]] = {}
    for number, part in enumerate(parts):
        names = {leg.act.mined.hash for leg in part.own}
        groups[number] = [part]
        for old in {group_of[name] for name in names if name in group_of}:
            groups[number] += groups.pop(old)
        for one in groups[number]:
            group_of.update(dict.fromkeys((leg.act.mined.hash for leg in one.own), number))
    return [sorted(group, key=_first) for group in groups.values()]


def _first(part: _Part) -> tuple[int, int]:
    act = part.fronts[0].act
    return act.mined.place, act.numbers[id(part.fronts[0].swaps[0])]


def _found(parts: Sequence[_Part]) -> Found:
    acts = {leg.act.mined.hash: leg.act for part in parts for leg in part.own}
    own = sorted(acts.values(), key=lambda act: act.mined.place)
    fronts = _records(leg for part in parts for leg in part.fronts)
    victims = _records(
        leg for part in parts for leg in part.victims if leg.act.mined.hash not in acts
    )
    backs = _records(leg for part in parts for leg in part.backs)
    gross, at_pools = _gross(own), _at_pools((*fronts, *backs))
    return Found(
        Kind.SANDWICH,
        tuple(own),
        Sandwiched(fronts, victims, backs),
        gross,
        victims=tuple(dict.fromkeys(swap.transaction or "" for swap in victims)),
        pools=pools_of((*fronts, *backs)),
        searcher=fronts[0].sender,
        extra=None if list(at_pools.values()) == [gross] else {"at_pools": at_pools},
    )


def _at_pools(swaps: Iterable[SwapRecord]) -> dict[str, Amounts]:
    """What the swaps about the victims bring at each pool: it may be sold on through others, which
    `gross` counts too."""
    held: dict[str, list[SwapRecord]] = {}
    for swap in swaps:
        held.setdefault(swap.pool, []).append(swap)
    return {pool: delta(own) for pool, own in held.items()}


def _records(legs: Iterable[Leg]) -> tuple[SwapRecord, ...]:
    """Their swaps, in the order of the block."""
    found = {
        (leg.act.mined.place, leg.act.numbers[id(swap)]): swap for leg in legs for swap in leg.swaps
    }
    return tuple(found[order] for order in sorted(found))


def _gross(own: Sequence[Act]) -> Amounts | None:
    """What the actor's transactions brought it, in all the pools that they went through.

    A swap whose tokens are not known is in none of these sums. Then the transfers to and from the
    actor's addresses tell, where these are known.
    """
    if all(len(act.swaps) == act.exchanges for act in own):
        return delta([swap for act in own for swap in act.swaps])
    if any(act.mined.sender is None for act in own):
        return None
    total: Counter[str] = Counter()
    for act in own:
        total.update(act.flow(act.keys))
    return {token: amount for token, amount in total.items() if amount}
