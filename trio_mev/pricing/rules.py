"""The rules by which many sources become one price, by name.

Sources: pyth-client, ``upd_aggregate.h`` and ``price_model.c``, for Pyth's; libocr,
``OCR2Aggregator.sol`` and ``report_generation_follower.go``, for Chainlink's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import attrs

from ..model.market import PriceStatus
from .consensus import Z95, Estimate, Rule, Vector, calibrated, unweighted
from .scale import FURTHEST

PARTS = 10**6
"""Of a basis point, in which Pyth's rule, which counts in integers, is given log prices."""

_OK, _DEGRADED, _DISPUTED = PriceStatus.OK, PriceStatus.DEGRADED, PriceStatus.DISPUTED


@attrs.frozen
class PythPrice:
    """What Pyth's rule makes of the publishers' prices: integers of one exponent."""

    price: int = 0
    confidence: int = 0
    trading: bool = False
    """False is Pyth's status unknown: price and confidence are those of before."""


def pyth(
    quotes: Sequence[tuple[int, int]],
    min_publishers: int = 1,
    previous: PythPrice = PythPrice(),
) -> PythPrice:
    """Pyth's aggregate of (price, confidence) pairs.

    Each publisher whose confidence is over zero votes its price less its confidence, its price,
    and the sum of both. The price is the votes' median, of an even number the floor of the mean
    of the middle two; the confidence is the larger distance to the two quartiles. It is over
    zero, since no publisher votes twice for one price, and so at most a third of the votes are
    equal. Where too few publish, the previous price is kept and is not trading.

    That a confidence over a third of the price does not count, and which publishers are too
    old, is decided before.
    """
    valid = [(price, confidence) for price, confidence in quotes if confidence > 0]
    votes = sorted(v for p, c in valid for v in (p - c, p, p + c))
    count = len(votes)
    if not valid or len(valid) < min_publishers:
        return attrs.evolve(previous, trading=False)
    middle = (votes[(count - 1) // 2] + votes[count // 2]) // 2
    lower, upper = votes[count >> 2], votes[count - 1 - (count >> 2)]
    return PythPrice(middle, max(middle - lower, upper - middle), trading=True)


def chainlink(
    observations: Sequence[float], faulty: int, lowest: float, highest: float
) -> float | None:
    """Chainlink's off-chain reporting: the middle of the sorted observations, the upper of two.

    None, which leaves the last answer, where there are no more observations than may be faulty,
    or where the answer is outside its bounds.
    """
    if len(observations) <= faulty:
        return None
    answer = sorted(observations)[len(observations) // 2]
    return answer if lowest <= answer <= highest else None


def _told(seen: Vector, middle: float, half_width: float, limit: float) -> Estimate:
    """A borrowed rule's price with a status, which the rule itself has not.

    Who is further from the price than the limit is named, and counts all the same. Of two or
    three that is a dispute, and where they are half or more.
    """
    count = len(seen.values)
    if count == 1:
        half_width = Z95 * seen.errors[0]
    kept = tuple(abs(value - middle) <= limit for value in seen.values)
    if count == 2 and abs(seen.values[0] - seen.values[1]) > limit:
        kept = (False, False)
    admitted = sum(kept)
    status = _OK if count > 2 else _DEGRADED
    if admitted < count:
        disputed = count <= 3 or 2 * admitted <= count
        status = _DISPUTED if disputed else _DEGRADED
    return Estimate(middle, half_width, status, kept, whole=True)


def _by_pyth(seen: Vector, kappa: float, limit: float) -> Estimate | None:
    quotes = [
        (round(value * PARTS), round(error * PARTS))
        for value, error in zip(seen.values, seen.errors, strict=True)
    ]
    found = pyth(quotes)
    if not found.trading:
        return None
    return _told(seen, found.price / PARTS, found.confidence / PARTS, limit)


def _by_chainlink(seen: Vector, kappa: float, limit: float) -> Estimate | None:
    answer = chainlink(seen.values, 0, -FURTHEST, FURTHEST)
    return None if answer is None else _told(seen, answer, _reach(seen, answer), limit)


def _by_median(seen: Vector, kappa: float, limit: float) -> Estimate:
    middle = median(seen.values)
    return _told(seen, middle, _reach(seen, middle), limit)


def _reach(seen: Vector, middle: float) -> float:
    """Half-width for rules that have none: from the price to the further of Pyth's quartiles."""
    lower, _, upper = unweighted(seen)
    return max(middle - lower, upper - middle)


RULES: Mapping[str, Rule] = {
    "calibrated": calibrated,
    "pyth": _by_pyth,
    "chainlink": _by_chainlink,
    "median": _by_median,
}
"""By the name that the settings have for it."""
