"""The rules by which many sources become one price, by name.

Sources: pyth-client, ``upd_aggregate.h`` and ``price_model.c``, for Pyth's; libocr,
``OCR2Aggregator.sol`` and ``report_generation_follower.go``, for Chainlink's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from statistics import median
from typing import Literal

import attrs

from ..model.market import PriceStatus
from .consensus import Estimate, Vector, Z95, calibrated, unweighted

PUBLISHED = 10**6
"""Parts of a basis point in which Pyth's rule, which counts in integers, is given prices."""


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
    previous: PythPrice = PythPrice(),  # noqa: B008 -- it is frozen
) -> PythPrice:
    """Pyth's aggregate of (price, confidence) pairs.

    Each publisher whose confidence is over zero votes its price less its confidence, its price,
    and the sum of both. The price is the votes' median, of an even number the floor of the mean
    of the middle two; the confidence is the larger distance to the two quartiles. Where too few
    publish, or the confidence comes out at zero, the previous price is kept and is not trading.

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
    confidence = max(middle - lower, upper - middle)
    if confidence <= 0:
        return attrs.evolve(previous, trading=False)
    return PythPrice(middle, confidence, trading=True)


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
