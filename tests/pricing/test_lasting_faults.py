"""A source that is wrong for forty minutes and was good before: it may not become believed by being
wrong for long, and the others' interval may not suffer from it.

All quote every second, with errors of 1 bp, around a price that moves by 1 bp a root second. So
slow a market takes every bad source through the gate's whole width by and by.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from math import exp

import attrs
import pytest

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import PriceStatus
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.aggregator import PriceFeedAggregator

ETH = Instrument("ETH", "USD")
WARM, WRONG, AFTER = 400, 2400, 1200
EVERY = 2
"""Seconds between two prices."""
OK, DISPUTED = PriceStatus.OK, PriceStatus.DISPUTED

Wrong = Callable[[float, float, float, random.Random], float]
"""Seconds since it began, the truth then and now, and chance, to what it quotes, in bp."""


def stuck(since: float, then: float, truth: float, dice: random.Random) -> float:
    """The same quote again and again, each time with a new time."""
    return then


def shaking(since: float, then: float, truth: float, dice: random.Random) -> float:
    """Stuck, but never twice with the same digits."""
    return then + dice.gauss(0.0, 1.0)


def creeping(since: float, then: float, truth: float, dice: random.Random) -> float:
    """Further off by a basis point in 50 s, up to 60."""
    return truth + min(since / 50, 60.0) + dice.gauss(0.0, 1.0)


@attrs.define
class Run:
    """What came out while the source was wrong."""

    held: int = 0
    statuses: Counter[PriceStatus] = attrs.Factory(Counter)
    after: list[PriceStatus] = attrs.Factory(list)

    def share(self, status: PriceStatus) -> float:
        return self.statuses[status] / self.statuses.total()


def run(wrong: Wrong, count: int, seed: int = 3) -> Run:
    dice = random.Random(seed)
    prices, out = PriceFeedAggregator(PriceSettings()), Run()
    truth = then = 0.0
    for second in range(WARM + WRONG + AFTER):
        truth += dice.gauss(0.0, 1.0)
        since = second - WARM
        then = truth if since == 0 else then
        for place in range(count):
            value = truth + dice.gauss(0.0, 1.0)
            if place == count - 1 and 0 <= since < WRONG:
                value = wrong(since, then, truth, dice)
            mid = Decimal(f"{2000 * exp(value / 1e4):.3f}")
            half = Decimal("0.05")
            prices.update_quote(Venue("abcde"[place]), ETH, mid - half, mid + half, second)
        if second % EVERY:
            continue
        found = prices.tick(ETH, second)
        if 0 <= since < WRONG:
            out.statuses[found.status] += 1
            out.held += abs(float(found.price) - 2000 * exp(truth / 1e4)) <= found.confidence
        elif since >= WRONG:
            out.after.append(found.status)
    return out


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("wrong", [stuck, shaking, creeping], ids=lambda wrong: wrong.__name__)
def test_the_interval_holds_and_who_is_wrong_for_long_is_left_out_of_it(wrong, count):
    out = run(wrong, count)
    assert out.held / out.statuses.total() >= 0.95
    assert out.share(OK) <= 0.2, "until it is noticed"
    assert out.share(DISPUTED) <= 0.1
    assert set(out.after[-100:]) == {OK}
