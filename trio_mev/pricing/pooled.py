"""What pools have to say beside venues: all of an instrument's together have one vote.

Anybody can make pools, as many as there are fees and factories; venues are few. So pools are
merged first, by their depth, and what comes of it is one more source beside the venues, if it
agrees with them. It never is the reason why a venue is left out, and ends no dispute of theirs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import inf, sqrt

import attrs
from msgspec.structs import replace

from ..model.identity import Venue
from ..model.market import Price, PriceStatus
from ..model.noun import Noun
from .consensus import Estimate, Vector
from .constituent import Constituent, names, spread_of
from .panel import Panel, Seen
from .scale import price_of

WIDEST = 100.0
"""Half-width of a band in bp, over which it says nothing that venues do not know better."""
_OK, _DEGRADED, _DISPUTED = PriceStatus.OK, PriceStatus.DEGRADED, PriceStatus.DISPUTED


@attrs.define(eq=False)
class Pools:
    """The pools of one instrument."""

    alone: Panel
    """What makes a price of them where no venue has ever quoted it."""
    constituents: dict[Venue, Constituent] = attrs.Factory(dict)

    @property
    def latest(self) -> float:
        """Time of the latest quote of any; before the first, none is later."""
        return max((one.time for one in self.constituents.values()), default=-inf)

    def fresh(self, now: float) -> list[Constituent]:
        """Those whose quotes count, read."""
        found = []
        for one in self.constituents.values():
            if one.source.is_active and now - one.time <= one.source.max_age:
                if one.unread:
                    one.read()
                found.append(one)
        return found


class Vote(Noun, frozen=True):
    """What pools say together."""

    value: float
    """In bp."""
    half_width: float
    """Of the band about it, in bp."""
    kept: Sequence[Constituent]
    """Those that agree with it."""
    others: Sequence[Constituent]

    @property
    def error(self) -> float:
        """Standard deviation, in bp: evenly distributed in the band."""
        return self.half_width / sqrt(3)


def vote_of(fresh: Sequence[Constituent], drift: float, now: float) -> Vote:
    """What at least one pool says, with the age of the oldest.

    Value and width are each that of the pool in the middle, with half of all depth on either side:
    who would shift them has to put in more than all the others together.
    """
    age = max(now - min(one.time for one in fresh), 0.0)
    value = _middle([(one.value, one.depth) for one in fresh])
    noise = _middle([(one.floor, one.depth) for one in fresh])
    half_width = sqrt(3 * (noise + drift * age))
    kept: list[Constituent] = []
    others: list[Constituent] = []
    for one in fresh:
        agrees = abs(one.value - value) <= half_width + sqrt(3 * one.floor)
        (kept if agrees else others).append(one)
    return Vote(value, half_width, kept, others)


def _middle(votes: list[tuple[float, float]]) -> float:
    """The lowest value up to which at least half of all depth is."""
    votes.sort()
    sums = list(accumulate(depth for _, depth in votes))
    return votes[bisect_left(sums, sums[-1] / 2)][0]


def with_pools(
    own: Price, panel: Panel, seen: Seen, fresh: Sequence[Constituent], now: float
) -> Price:
    """A price of venues with what pools say.

    Args:
        own: the price that the venues make, without any other's legs.
        panel: of the venues.
        seen: what it was made from.
        fresh: the pools, at least one.
        now: the time.
    """
    vote = vote_of(fresh, panel.calibration.drift, now)
    if not seen.fresh and not seen.left_out:
        estimate = _of_pools(panel, vote)
        return _without(own, fresh) if estimate is None else _told(own, estimate, [], vote, now)
    if vote.half_width > WIDEST or seen.estimate is None or own.status is _DISPUTED:
        return _without(own, fresh)
    used = [
        one
        for one, kept in zip(seen.fresh, seen.estimate.kept, strict=True)
        if kept or seen.estimate.whole
    ]
    estimate = _of_both(panel, seen.estimate, used, vote, now)
    if estimate is None:
        return _without(_degraded(own), fresh)
    found = _told(own, estimate, used, vote, now)
    return _degraded(found) if own.rejected else found


def _of_pools(panel: Panel, vote: Vote) -> Estimate | None:
    """What they make alone: the price of a single source."""
    if panel.least > 1:
        return None
    return panel.rule(Vector([vote.value], [vote.error], [1.0], [False]), 1.0, panel.limit)


def _of_both(
    panel: Panel, own: Estimate, used: Sequence[Constituent], vote: Vote, now: float
) -> Estimate | None:
    """What venues and pools make together; None where they contradict each other, which is where
    the venues' interval and the pools' band do not meet."""
    apart = abs(vote.value - own.middle)
    if apart > min(panel.limit, own.half_width + vote.half_width):
        return None
    venues = panel.vector(used, now)
    every = Vector(
        [*venues.values, vote.value],
        [*venues.errors, vote.error],
        [*venues.reliabilities, 1.0],
        [*venues.rejected, False],
    )
    found = panel.rule(every, panel.calibration.kappa, panel.limit)
    if found is None or found.status is _DISPUTED or sum(found.kept) <= sum(own.kept):
        return None  # nor may it be at the expense of a venue
    return found


def _told(
    own: Price, estimate: Estimate, venues: Sequence[Constituent], vote: Vote, now: float
) -> Price:
    price, confidence = price_of(estimate.middle, estimate.half_width)
    used = [*venues, *vote.kept]
    return Price(
        own.instrument,
        price,
        confidence,
        estimate.status,
        names(used),
        tuple(sorted((*own.rejected, *names(vote.others)))),
        spread=spread_of(used),
        age=max(0.0, now - max(one.time for one in used)),
        on_chain=names(vote.kept),
    )


def _without(own: Price, fresh: Sequence[Constituent]) -> Price:
    """The venues' price, which pools have no say in."""
    return replace(own, rejected=tuple(sorted((*own.rejected, *names(fresh)))))


def _degraded(price: Price) -> Price:
    return replace(price, status=_DEGRADED) if price.status is _OK else price
