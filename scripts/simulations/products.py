"""How often the interval of a joined price holds the truth, when its legs are wrong together."""

from __future__ import annotations

import math
import random
from decimal import Decimal

import attrs

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Price, PriceStatus
from trio_mev.pricing.joins import join
from trio_mev.pricing.scale import BP, price_of

CORRELATIONS = (-0.9, 0.0, 0.5, 0.9)
RATIOS = (1.0, 0.2)
"""The second leg's error over the first's."""
ETH_USDT, USDT_USD = Instrument("ETH", "USDT"), Instrument("USDT", "USD")
ETH_USD = Instrument("ETH", "USD")


@attrs.frozen
class Coverage:
    """Of one pair of legs, each of whose own intervals holds the truth 95 % of the time."""

    correlation: float
    ratio: float
    sum: float
    """Of what ``join`` gives, which adds the half-widths."""
    quadrature: float
    """Were their squares added instead."""


def products(draws: int, seed: int) -> list[Coverage]:
    """One row for each correlation and ratio."""
    return [_of(c, r, draws, seed) for r in RATIOS for c in CORRELATIONS]


def _of(correlation: float, ratio: float, draws: int, seed: int) -> Coverage:
    dice = random.Random(f"{seed} {correlation} {ratio}")
    held = narrow = 0
    first_width, second_width = 1.96, 1.96 * ratio
    for _ in range(draws):
        common, own = dice.gauss(0.0, 1.0), dice.gauss(0.0, 1.0)
        error = ratio * (correlation * common + math.sqrt(1 - correlation**2) * own)
        joined = join(
            ETH_USD,
            _leg(ETH_USDT, 3000.0, common, first_width),
            _leg(USDT_USD, 1.0, error, second_width),
        )
        assert joined is not None
        assert joined.price is not None
        assert joined.confidence is not None
        held += abs(joined.price - Decimal(3000)) <= joined.confidence
        narrow += abs(common + error) <= math.hypot(first_width, second_width)
    return Coverage(correlation, ratio, held / draws, narrow / draws)


def _leg(instrument: Instrument, truth: float, error: float, half_width: float) -> Price:
    price, confidence = price_of(BP * math.log(truth) + error, half_width)
    return Price(instrument, price, confidence, PriceStatus.OK, (Venue("any"),), age=0.0)
