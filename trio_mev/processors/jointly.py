"""What several pending swaps in one pool leave open to one sandwich about all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs
import msgspec

from ..chain.effects.apply import apply
from ..chain.effects.outcome import Terms, Verdict
from ..chain.effects.overlay import Overlay
from ..chain.effects.pending import SLOT, PendingEffect
from ..chain.effects.places import Place
from ..chain.effects.walk import Steps, steps_of
from ..chain.pools.view import PoolsView
from ..chain.routes.several import Joint, joint_sandwich
from ..chain.routes.victim import Effort, TooMuch, Victim
from ..model.opportunity import Exposure, Harm, SwapRecord

MOST_TOGETHER = 6
"""Swaps of one pool and direction that are looked at together: those with the highest tips."""
MOST_KEPT = 64
"""Swaps of one pool and direction that are remembered."""
MOST_EFFORT = 20_000
"""Of looking at those of one pool and direction, in steps of a microsecond or two."""

Way = tuple[str, str]
"""A pool, and the token that is paid into it."""


@attrs.frozen(eq=False)
class Member:
    """One of the swaps."""

    pending: PendingEffect
    place: Place

    @property
    def cause(self) -> str:
        """Its transaction."""
        return self.pending.transaction.hash

    def before(self) -> tuple[int, str]:
        """Those that a builder takes first come first."""
        fee = self.pending.view.next_base_fee or 0
        return fee - (self.pending.transaction.fee_per_gas(fee) or 0), self.cause


@attrs.frozen
class Together:
    """A sandwich about several."""

    members: tuple[Member, ...]
    """In the order of the block."""
    joint: Joint
    exposure: Exposure


class JointWatch:
    """Remembers pending swaps by pool and direction, on the state of a view."""

    def __init__(self) -> None:
        self._view: PoolsView | None = None
        self._ways: dict[Way, dict[str, Member]] = {}
        self.unknown = 0
        """Sandwiches that were too much to look for, or that were not borne out by the whole of
        the transactions."""

    def advance(self, view: PoolsView) -> None:
        """Go on to a view: all that is still pending is told again."""
        self._view = view
        self._ways.clear()

    def take(self, pending: PendingEffect, places: Iterable[Place]) -> list[Way]:
        """Remember a transaction's swaps; where there are several by now."""
        several = []
        for place in places:
            way = place.fill.pool, place.fill.token_in
            members = self._ways.setdefault(way, {})
            if len(members) < MOST_KEPT or pending.transaction.hash in members:
                members[pending.transaction.hash] = Member(pending, place)
            if len(members) > 1:
                several.append(way)
        return several

    def forget(self, transaction: str) -> None:
        """It is pending no more."""
        for members in self._ways.values():
            members.pop(transaction, None)

    def causes(self, way: Way) -> Iterable[str]:
        """Transactions that are remembered there."""
        return self._ways.get(way, {}).keys()

    def has(self, way: Way, transactions: Iterable[str]) -> bool:
        """Whether all of these are remembered there."""
        members = self._ways.get(way, {})
        return all(one in members for one in transactions)

    def look(self, way: Way, least: int, before: Iterable[str] = ()) -> Together | None:
        """The best sandwich about several of the swaps there that pays as much; None without one.

        All are tried, and then without those, one after the other, that bear the least.

        Args:
            way: the pool and direction.
            least: what it must pay.
            before: transactions of which one was told; these are tried too.
        """
        assert self._view is not None
        kept = self._ways[way]
        members = sorted(kept.values(), key=Member.before)[:MOST_TOGETHER]
        effort = Effort(MOST_EFFORT)
        best: Together | None = None
        told = sorted((kept[one] for one in before if one in kept), key=Member.before)
        try:
            for some in (*([told] if len(told) > 1 else []), *_fewer(members)):
                found = self._sandwich(some, least, effort)
                if found is not None and (best is None or found.joint.profit > best.joint.profit):
                    best = found
        except TooMuch:
            self.unknown += 1
        return best

    def _sandwich(self, members: Sequence[Member], least: int, effort: Effort) -> Together | None:
        victims = [_victim(one, effort) for one in members]
        found = joint_sandwich(members[0].place.fill.before, victims, least)
        if found is None:
            return None
        if not self._holds(members, found, effort):
            self.unknown += 1
            return None
        return Together(tuple(members), found, _exposure(members, found))

    def _holds(self, members: Sequence[Member], found: Joint, effort: Effort) -> bool:
        """Whether the whole transactions, after the front run, do what was reckoned of them."""
        assert self._view is not None
        fill, victim = members[0].place.fill, members[0].place.victim
        pools = Overlay(self._view)
        front = fill.before.swap(victim.token_in, victim.token_out, found.paid)
        pools.put({fill.pool: front.after})
        terms = Terms(time=self._view.timestamp + SLOT, parent=self._view.hash)
        for one, amounts in zip(members, found.victims, strict=True):
            steps = Steps(min(steps_of(one.pending.transaction.gas), effort.left))
            effect = apply(one.pending.intents, pools, terms, steps)
            effort.spend(steps.taken)
            fills = [each for swap in effect.swaps if not swap.undone for each in swap.fills]
            done = [(each.amount_in, each.amount_out) for each in fills if each.pool == fill.pool]
            if effect.verdict is not Verdict.SUCCEEDS or amounts not in done:
                return False
            pools = effect.pools
        return True


def _victim(one: Member, effort: Effort) -> Victim:
    return msgspec.structs.replace(one.place.victim, effort=effort)


def _fewer(members: Sequence[Member]) -> Iterator[Sequence[Member]]:
    """All of them, and then ever fewer, without the one that bears least."""
    room = {id(one): _room(one) for one in members}
    some = list(members)
    while len(some) > 1:
        yield tuple(some)
        some.remove(min(some, key=lambda one: room[id(one)]))


def _room(one: Member) -> float:
    """What its limit leaves, as a share."""
    fill, victim = one.place.fill, one.place.victim
    if victim.exact_out:
        return victim.limit / max(fill.amount_in, 1) - 1
    return 1 - victim.limit / max(fill.amount_out, 1)


def _exposure(members: Sequence[Member], found: Joint) -> Exposure:
    """In the terms of each swap's own limit; of the first one, with the others beside it."""
    harms = [_harm(one, amounts) for one, amounts in zip(members, found.victims, strict=True)]
    first, *others = harms
    return Exposure(
        first.swap,
        first.limit,
        first.loss,
        found.paid,
        found.profit,
        None,
        first.loss,
        tuple(others),
    )


def _harm(one: Member, amounts: tuple[int, int]) -> Harm:
    fill, victim, figure = one.place.fill, one.place.victim, one.place.figure
    paid, got = amounts
    protocol = one.pending.view.entries[fill.pool].pool.protocol.value
    swap = SwapRecord(
        fill.pool,
        protocol,
        fill.token_in,
        fill.amount_in,
        fill.token_out,
        fill.amount_out,
        transaction=one.cause,
    )
    if victim.exact_out:
        loss = figure(paid) - figure(fill.amount_in)
    else:
        loss = figure(fill.amount_out) - figure(got)
    return Harm(swap, one.place.limit, loss)
