"""The calibrated rule: sources weighted by what their errors have been, outliers outside a gate.

Everything is in basis points of log price, 10^4 ln(price): there errors are fractions of the
price, and no currency or number of digits matters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import hypot
from statistics import median

from ..model.market import PriceStatus
from ..model.noun import Noun
from .weighted import Vote, capped, quartiles, weighted_median

Z95 = 1.96
"""Standard deviations on either side that hold 95 % of a normal error."""
GATE, NARROW = 4.0, 2.0
"""Standard deviations from the median within which a source counts, and counts again."""

_OK, _DEGRADED, _DISPUTED = PriceStatus.OK, PriceStatus.DEGRADED, PriceStatus.DISPUTED


class Vector(Noun, frozen=True):
    """What a rule sees of the sources that are fresh, each at the same place in every list."""

    values: Sequence[float]
    """Their prices, in bp."""
    errors: Sequence[float]
    """Standard deviations of price less true price, in bp: noise and age together."""
    reliabilities: Sequence[float]
    rejected: Sequence[bool]
    """Whether they stood outside the gate when last a price was committed."""


class Estimate(Noun, frozen=True):
    """A price in bp, the half-width of its 95 % interval, and how far it can be believed."""

    middle: float
    half_width: float
    status: PriceStatus
    kept: tuple[bool, ...]
    """Which sources stand inside the gate."""
    whole: bool = False
    """Whether it was made of all sources, since none could be preferred."""


Rule = Callable[[Vector, float, float], Estimate | None]
"""At least one source, kappa and limit to a price; None where the rule has none."""


def calibrated(seen: Vector, kappa: float, limit: float, *, votes_only: bool = False) -> Estimate:
    """The price of at least one source.

    Args:
        seen: the sources.
        kappa: by which the votes' spread is multiplied to make the interval, as learned.
        limit: a source further than this from where the majority is densest is never admitted,
            in bp.
        votes_only: whether the interval of two is made as that of more is, for ``kappa`` to be
            learned from, instead of on the safe side.
    """
    count = len(seen.values)
    if count == 1:
        return Estimate(seen.values[0], Z95 * seen.errors[0], _DEGRADED, (True,))
    if count == 2:
        return _of_two(seen, kappa, limit, votes_only)
    kept = gated(seen, limit)
    admitted = sum(kept)
    if admitted < (3 if count == 3 else count // 2 + 1):
        whole = count > 3 or admitted < 2
        middle = unweighted(seen)[1] if whole else _voted(seen, kept)[0]
        return Estimate(middle, _span(seen, middle), _DISPUTED, kept, whole)
    middle, raw = _voted(seen, kept)
    status = _OK if admitted == count else _DEGRADED
    return Estimate(middle, kappa * raw, status, kept)


def gated(seen: Vector, limit: float) -> tuple[bool, ...]:
    """Which sources are near enough to where the majority lies closest together.

    The gate has the centre's own error in it, else it would shut out the most precise source.
    """
    centre, typical = densest(seen)
    return tuple(
        [
            abs(value - centre) <= min(limit, (NARROW if out else GATE) * hypot(error, typical))
            for value, error, out in zip(seen.values, seen.errors, seen.rejected, strict=True)
        ]
    )


def densest(seen: Vector) -> tuple[float, float]:
    """The centre of the shortest interval that holds a majority, and what error is usual there."""
    ordered = sorted(zip(seen.values, seen.errors, strict=True))
    half = len(ordered) // 2 + 1
    widths = [far[0] - near[0] for near, far in zip(ordered, ordered[half - 1 :], strict=False)]
    start = widths.index(min(widths))
    chosen = ordered[start : start + half]
    centre = weighted_median([(value, 1 / error) for value, error in chosen])
    return centre, median([error for _, error in chosen])


def _of_two(seen: Vector, kappa: float, limit: float, votes_only: bool) -> Estimate:
    """Two cannot tell which of them is wrong, so neither weighs more."""
    (one, other), (error, another) = seen.values, seen.errors
    apart = abs(one - other)
    if apart > min(limit, GATE * hypot(error, another)):
        middle = (one + other) / 2
        return Estimate(middle, _span(seen, middle), _DISPUTED, (True, True), whole=True)
    middle, raw = _spread([*_votes(one, error, 0.5), *_votes(other, another, 0.5)])
    half_width = kappa * raw
    if not votes_only:
        half_width = max(half_width, apart / 2 + Z95 * min(error, another))
    return Estimate(middle, half_width, _DEGRADED, (True, True))


def _voted(seen: Vector, kept: Sequence[bool]) -> tuple[float, float]:
    """Middle and spread of the votes of those that are kept, by reliability over error."""
    chosen = [place for place, admitted in enumerate(kept) if admitted]
    errors = seen.errors
    weights = capped([seen.reliabilities[place] / errors[place] for place in chosen])
    votes: list[Vote] = []
    for place, weight in zip(chosen, weights, strict=True):
        value, error = seen.values[place], errors[place]
        votes += (value - error, weight), (value, weight), (value + error, weight)
    return _spread(votes)


def _votes(value: float, error: float, weight: float) -> tuple[Vote, Vote, Vote]:
    return (value - error, weight), (value, weight), (value + error, weight)


def _spread(votes: Sequence[Vote]) -> tuple[float, float]:
    lower, middle, upper = quartiles(votes)
    return middle, max(middle - lower, upper - middle)


def unweighted(seen: Vector) -> tuple[float, float, float]:
    """Pyth's quartiles, on floats."""
    votes = sorted(
        vote
        for value, error in zip(seen.values, seen.errors, strict=True)
        for vote in (value - error, value, value + error)
    )
    count = len(votes)
    middle = (votes[(count - 1) // 2] + votes[count // 2]) / 2
    return votes[count >> 2], middle, votes[count - 1 - (count >> 2)]


def _span(seen: Vector, middle: float) -> float:
    """Half of an interval around the middle that holds every source's own."""
    pairs = list(zip(seen.values, seen.errors, strict=True))
    lowest = min(value - Z95 * error for value, error in pairs)
    highest = max(value + Z95 * error for value, error in pairs)
    return max(middle - lowest, highest - middle)
