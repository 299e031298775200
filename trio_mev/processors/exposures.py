"""Which pending swaps leave something open to a sandwich, and how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs
import msgspec

from ..chain.effects.apply import apply
from ..chain.effects.outcome import Effect, Fill, Terms, Verdict
from ..chain.effects.overlay import Overlay
from ..chain.effects.pending import SLOT, PendingEffect
from ..chain.effects.places import Place, places
from ..chain.effects.walk import Steps, steps_of
from ..chain.pools.view import PoolsView
from ..chain.pools.worth import Worth
from ..chain.routes.exposure import Exposed, expose
from ..chain.routes.gas import gas_of
from ..chain.routes.victim import Effort, TooMuch
from ..model.opportunity import Exposure, SwapRecord

MOST_PLACES = 16
"""Pools of one transaction that are looked at."""
MOST_CANDIDATES = 32
"""Payments about the best real one that are tried exactly."""
MOST_EFFORT = 60_000
"""Of looking at one transaction, in steps of a microsecond or two: nearly all take less than a
tenth of it. Where a pool rounds such that a smaller payment may pay where a larger one does not,
the limit that prevents all of them takes up to 53,000 steps, 80 ms, to find."""


@attrs.frozen
class Open:
    """A swap that leaves something open, in the pool where that pays most."""

    swap: int
    """Its place among the call's intents."""
    pool: str
    token: str
    """That the attacker pays, and is paid in."""
    exposure: Exposure
    exact_out: bool
    gas_wei: int
    net_wei: int
    exact: bool
    """Whether it is known that no other payment leaves more."""


class ExposureWatch:
    """Looks at pending swaps on the state of a view.

    Args:
        least: wei that a sandwich must leave after gas.
    """

    def __init__(self, least: int = 1) -> None:
        self._least = least
        self.view: PoolsView | None = None
        self._worth: Worth | None = None
        self.unknown: Counter[str] = Counter()
        """Pools on the way of swaps of which nothing is said, by the reason."""

    def advance(self, view: PoolsView) -> None:
        """Go on to a view."""
        self.view, self._worth = view, Worth(view)

    def places(self, pending: PendingEffect) -> list[Place]:
        """Where somebody may swap before and after a transaction; as of the same view only."""
        if self.view is None or pending.view.hash != self.view.hash:
            return []
        found, unclear = places(pending.intents, pending.effect, self.view, MOST_PLACES)
        self.unknown["route"] += unclear
        self.unknown["too_many"] += max(_passed(pending.effect) - MOST_PLACES, 0)
        return found

    def look(self, pending: PendingEffect, found: Sequence[Place] | None = None) -> list[Open]:
        """What each swap of a transaction leaves open.

        Args:
            pending: the transaction.
            found: its places, where they are known already.
        """
        if found is None:
            found = self.places(pending)
        opens: dict[int, list[Open]] = {}
        effort = Effort(MOST_EFFORT)
        for place in found:
            try:
                one = self._open(place, pending, effort)
            except TooMuch:
                self.unknown["effort"] += 1
                continue
            if one is not None:
                opens.setdefault(one.swap, []).append(one)
        return [_worst(every) for every in opens.values()]

    def _open(self, place: Place, pending: PendingEffect, effort: Effort) -> Open | None:
        """One pool of it; None where nothing pays there."""
        assert self.view is not None
        pool, token = self.view.entries[place.fill.pool].pool, place.fill.token_in
        priced = self.least(pool.id, token)
        if priced is None:
            return None
        gas, least = priced
        victim = msgspec.structs.replace(place.victim, effort=effort)
        exposed = expose(place.fill.before, victim, least, MOST_CANDIDATES)
        if exposed is None:
            return None
        if not self._holds(place, exposed, pending, effort):
            self.unknown["unconfirmed"] += 1
            return None
        net = self.in_wei(token, exposed.best.profit) - gas
        exact = exposed.best.bound == exposed.best.profit
        exposure = _exposure(place, exposed, pool.protocol.value)
        out = place.victim.exact_out
        return Open(place.swap, pool.id, token, exposure, out, gas, net, exact)

    def least(self, pool: str, token: str) -> tuple[int, int] | None:
        """What the gas of a sandwich in a pool costs, in wei, and what it must pay at least, in the
        token that it begins with; None where nobody can tell."""
        assert self.view is not None
        fee = self.view.next_base_fee
        if fee is None:
            self.unknown["base_fee"] += 1
            return None
        gas = 2 * gas_of([self.view.entries[pool].pool.protocol]) * fee
        least = self._worth_of(token, gas + self._least)
        if least is None:
            self.unknown["worth"] += 1
            return None
        return gas, least

    def in_wei(self, token: str, amount: int) -> int:
        """What an amount of a token is worth of which the worth was asked before."""
        assert self._worth is not None
        found = self._worth.in_wei(token, amount)
        assert found is not None, "the worth of it was asked before"
        return found

    def _worth_of(self, token: str, wei: int) -> int | None:
        """The least amount of a token that is worth as much; None where no pool tells."""
        assert self._worth is not None
        return self._worth.amount_of(token, wei)

    def _holds(
        self, place: Place, exposed: Exposed, pending: PendingEffect, effort: Effort
    ) -> bool:
        """Whether the whole transaction, after the front run, does what was reckoned of it."""
        assert self.view is not None
        fill, victim = place.fill, place.victim
        front = fill.before.swap(victim.token_in, victim.token_out, exposed.best.paid)
        pools = Overlay(self.view)
        pools.put({fill.pool: front.after})
        terms = Terms(time=self.view.timestamp + SLOT, parent=self.view.hash)
        steps = Steps(min(steps_of(pending.transaction.gas), effort.left))
        effect = apply(pending.intents, pools, terms, steps)
        effort.spend(steps.taken)
        return effect.verdict is Verdict.SUCCEEDS and any(
            (one.amount_in, one.amount_out) == (exposed.best.victim_in, exposed.best.victim_out)
            for one in _fills(effect, fill.pool)
        )


def _passed(effect: Effect) -> int:
    """Pools that a transaction goes through, one after the other."""
    if effect.verdict is not Verdict.SUCCEEDS:
        return 0
    return sum(len(one.fills) for one in effect.swaps if not one.undone)


def _worst(opens: list[Open]) -> Open:
    """Of a swap's pools the one where most is left, with the limit that prevents all of them."""
    worst = max(opens, key=lambda one: one.net_wei)
    limits = [one.exposure.limit_that_prevents for one in opens]
    known = [limit for limit in limits if limit is not None]
    prevents = None
    if len(known) == len(limits):
        prevents = min(known) if worst.exact_out else max(known)
    exposure = attrs.evolve(worst.exposure, limit_that_prevents=prevents)
    return attrs.evolve(worst, exposure=exposure)


def _fills(effect: Effect, pool: str) -> Iterator[Fill]:
    for outcome in effect.swaps:
        if not outcome.undone:
            yield from (fill for fill in outcome.fills if fill.pool == pool)


def _exposure(place: Place, exposed: Exposed, protocol: str) -> Exposure:
    """In the terms of the swap's own limit."""
    fill, figure, best = place.fill, place.figure, exposed.best
    alone, attacked, worst = map(figure, (exposed.alone, exposed.attacked, exposed.worst))
    out = place.victim.exact_out
    more = -1 if out else 1
    prevents = exposed.prevents
    if prevents is not None:
        # One further than what the last figure that pays comes to.
        prevents = figure(prevents - more) + more
    if prevents is not None and not out and place.victim.price_limit is not None:
        # What is swapped only in part is no loss; what it gives is held against its share.
        alone = alone * best.victim_in // fill.amount_in
    return Exposure(
        SwapRecord(
            fill.pool, protocol, fill.token_in, fill.amount_in, fill.token_out, fill.amount_out
        ),
        place.limit,
        max((alone - worst) * more, (alone - attacked) * more),
        best.paid,
        best.profit,
        prevents,
        (alone - attacked) * more,
    )
