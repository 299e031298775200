"""What is learned of the sources' errors from their quotes alone; no true price is needed.

Lengths are basis points of log price, times seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt
from statistics import fmean, median

import attrs

from ..model.market import PriceStatus
from .consensus import GATE, Z95, Estimate
from .constituent import Constituent

OUTLIER = 9.0
"""Squares of three standard deviations are as large as anything counts that is learned from."""
SLOWEST = 0.004
"""Weight of the latest difference of two sources, once there have been 250."""
KAPPA_STEP, KAPPA_LEAST, KAPPA_MOST = 0.01, 0.5, 4.0
MISSED = 0.05
"""Share of new quotes that a 95 % interval misses."""
NOISY, QUIET = 25.0, 9.0
"""Of the others' usual variance: over so much a source is left out, under so much it is back."""
USUAL_LEAST = 0.25
"""In bp², below which that is not taken to be: who errs by under 2.5 bp is not left out."""
ENOUGH = 30
"""Differences of two sources without which neither is held to be noisy."""
DRIFT = 4.0
"""Variance of the price that is begun with, in bp² a second."""
DRIFT_INTERVAL = 10.0
"""Seconds between two prices that it is learned from."""
DRIFT_SLOWEST = 0.02


@attrs.define(eq=False)
class Calibration:
    """What the sources of one instrument have in common."""

    drift: float = DRIFT
    """Variance of the price, in bp² a second."""
    kappa: float = 1.0
    """By which the votes' spread is multiplied to make the interval."""
    drifts: int = 0
    mark: tuple[float, float] | None = None
    """When the drift was last learned from, and the price then; None after a dispute."""

    def error(self, one: Constituent, now: float) -> float:
        """Standard deviation of its quote less the true price as of now, in bp."""
        age = now - one.time
        return sqrt(one.noise + self.drift * age if age > 0 else one.noise)

    def repeated_error(self, one: Constituent, now: float) -> float:
        """The same of a quote that is as old as the first that said so."""
        return sqrt(one.noise + self.drift * max(now - one.news_at, 0.0))

    def test_interval(self, others: Estimate, one: Constituent, now: float) -> None:
        """Hold the interval that the others made without it against a source's new quote.

        The quote's own error is added to it in quadrature. What is beyond the gate is a fault,
        not a miss, and a dispute says nothing. Nor is it the interval's miss where a source
        repeats what was so: then its age is in its error.
        """
        if others.status is PriceStatus.DISPUTED:
            return
        error = self.repeated_error(one, now)
        apart = abs(one.value - others.middle)
        deviation = others.half_width / Z95
        expected = sqrt(deviation * deviation + error * error)
        if apart > GATE * expected:
            return
        kappa = self.kappa * exp(KAPPA_STEP * ((apart > Z95 * expected) - MISSED))
        self.kappa = min(max(kappa, KAPPA_LEAST), KAPPA_MOST)

    def compare(self, one: Constituent, others: Sequence[Constituent]) -> None:
        """Learn the difference of a source's new quote from each of the others'.

        A quote that repeats the one before is as old as that: what the price moved meanwhile
        is not the source's error, and teaches little of it.
        """
        noise, news_at = one.noise, one.news_at
        for other in others:
            pair = one.pair_with(other)
            moved = self.drift * abs(news_at - other.news_at)
            expected = noise + other.noise
            apart = one.value - other.value
            square = min(apart * apart - moved, OUTLIER * (expected + moved))
            trust = expected / (expected + moved)
            pair.count += 1
            pair.square += max(SLOWEST, 1 / pair.count) * trust * trust * (square - pair.square)

    def learn_drift(self, middle: float | None, now: float) -> None:
        """Learn how fast the price moves, from what it was a while ago and is now.

        None, for a price in dispute, begins anew.
        """
        if middle is None or self.mark is None:
            self.mark = None if middle is None else (now, middle)
            return
        since, before = self.mark
        if now - since < DRIFT_INTERVAL:
            return
        self.mark = now, middle
        self.drifts += 1
        moved = (middle - before) ** 2 / (now - since)
        step = max(DRIFT_SLOWEST, 1 / self.drifts)
        self.drift += step * (min(moved, OUTLIER * self.drift) - self.drift)


def attribute(present: Sequence[Constituent]) -> None:
    """Divide the pairs' differences among their sources, and find who is too noisy to count.

    A source with much larger errors than the others says nothing of theirs: the differences of
    its differences from two of them are mostly its own, by chance. So they are divided among
    the others, and what is left is its. One alone keeps what was known of it.
    """
    steady = [one for one in present if not one.noisy]
    if len(steady) < 2:
        steady = list(present)
    _divide(steady)
    for one in present:
        if one not in steady:
            one.variance = fmean(one.square_with(other) - other.noise for other in steady)
    _sift(present, steady)


def _divide(present: Sequence[Constituent]) -> None:
    """The N-cornered hat.

    Where errors are independent, a pair's mean squared difference is the sum of two variances.
    Of three sources or more these can be told apart; of two they are taken to be equal.
    """
    count = len(present)
    if count < 2:
        return
    rows = [sum(one.square_with(other) for other in present if other is not one) for one in present]
    if count == 2:
        present[0].variance = present[1].variance = rows[0] / 2
        return
    total = sum(rows) / (2 * (count - 1))
    for one, row in zip(present, rows, strict=True):
        one.variance = (row - total) / (count - 2)


def _sift(present: Sequence[Constituent], steady: Sequence[Constituent]) -> None:
    """Leave out who is far noisier than the others, as long as a majority is left.

    Its error is bounded as well, so that it need not be forgotten for long when it is well again.
    """
    spare = len(steady) - (len(present) // 2 + 1)
    for one in present:
        others = [
            other.noise
            for other in steady
            if other is not one and one.pair_with(other).count >= ENOUGH
        ]
        if len(others) < 2:
            continue
        usual = max(median(others), USUAL_LEAST)
        if one.noisy:
            one.noisy = one.variance > QUIET * usual
        elif one.variance > NOISY * usual and spare > 0:
            one.noisy = True
            spare -= 1
        if one.noisy:
            one.variance = min(one.variance, NOISY * usual)
