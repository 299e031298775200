"""What is learned of the sources' errors from their quotes alone; no true price is needed.

Lengths are basis points of log price, times seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, sqrt

import attrs

from .consensus import GATE, Z95, Estimate

NOISE = 2.0
"""Standard deviation that a source's error begins with, in bp."""
LEAST = 0.1
"""And below which none is believed to be."""
OUTLIER = 9.0
"""Squares of three standard deviations are as large as anything counts that is learned from."""
SLOWEST = 0.004
"""Weight of the latest difference of two sources, once there have been 250."""
KAPPA_STEP, KAPPA_LEAST, KAPPA_MOST = 0.01, 0.5, 4.0
MISSED = 0.05
"""Share of new quotes that a 95 % interval misses."""
DRIFT = 4.0
"""Variance of the price that is begun with, in bp² a second."""
DRIFT_INTERVAL = 10.0
"""Seconds between two prices that it is learned from."""
DRIFT_SLOWEST = 0.02


@attrs.define(eq=False)
class Pair:
    """Two sources' squared difference, in bp², less what the price moved between their times."""

    square: float = 2 * NOISE * NOISE
    count: int = 0


@attrs.define(eq=False)
class Constituent:
    """One source of one instrument: its latest quote, and what is known of its error."""

    source: str
    value: float = 0.0
    """Its mid, in bp of log price."""
    time: float = -inf
    """The earlier of the quote's event and receipt."""
    floor: float = LEAST
    """Its error is not below this whatever the others say: half a spread, evenly distributed."""
    variance: float = NOISE * NOISE
    """Of its quotes less the true price at their time, in bp²."""
    rejected: bool = False
    reliability: float = 1.0
    pairs: dict[str, Pair] = attrs.Factory(dict)
    """By the other source's name; both hold the same one."""

    @property
    def noise(self) -> float:
        """Variance of its quotes, not below its floor's."""
        return max(self.variance, self.floor * self.floor)


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
        return sqrt(one.noise + self.drift * max(0.0, now - one.time))

    def test_interval(self, others: Estimate, one: Constituent, error: float) -> None:
        """Hold the interval that the others made without it against a source's new quote.

        The quote's own error is added to it in quadrature. What is beyond the gate is a fault,
        not a miss.
        """
        apart = abs(one.value - others.middle)
        deviation = others.half_width / Z95
        if apart > GATE * sqrt(deviation * deviation + error * error):
            return
        missed = apart > Z95 * sqrt(deviation * deviation + error * error)
        kappa = self.kappa * exp(KAPPA_STEP * (missed - MISSED))
        self.kappa = min(max(kappa, KAPPA_LEAST), KAPPA_MOST)

    def compare(self, one: Constituent, others: Sequence[Constituent]) -> None:
        """Learn the difference of a source's new quote from each of the others'."""
        noise = one.noise
        for other in others:
            pair = one.pairs.get(other.source)
            if pair is None:
                pair = one.pairs[other.source] = other.pairs[one.source] = Pair()
            moved = self.drift * abs(one.time - other.time)
            expected = noise + other.noise
            apart = one.value - other.value
            square = min(apart * apart - moved, OUTLIER * (expected + moved))
            trust = expected / (expected + moved)
            pair.count += 1
            pair.square += max(SLOWEST, 1 / pair.count) * trust * trust * (square - pair.square)

    def learn_drift(self, middle: float, now: float) -> None:
        """Learn how fast the price moves, from what it was a while ago and is now."""
        if self.mark is None:
            self.mark = now, middle
            return
        since, before = self.mark
        if now - since < DRIFT_INTERVAL:
            return
        self.mark = now, middle
        self.drifts += 1
        moved = (middle - before) ** 2 / (now - since)
        step = max(DRIFT_SLOWEST, 1 / self.drifts)
        self.drift += step * (min(moved, OUTLIER * self.drift) - self.drift)


def attribute(present: Sequence[Constituent], *, disputed: bool) -> None:
    """Divide the pairs' differences among the sources: the three-cornered hat.

    Where errors are independent, a pair's squared difference is the sum of two variances; of
    three sources or more these can be told apart, of two they are taken to be equal.
    """
    count = len(present)
    if count < 2 or (count == 2 and disputed):
        return
    if count == 2:
        one, other = present
        pair = one.pairs.get(other.source)
        if pair is not None:
            one.variance = other.variance = pair.square / 2
        return
    unknown = 2 * NOISE * NOISE
    rows = []
    for one in present:
        row = 0.0
        for other in present:
            if other is not one:
                pair = one.pairs.get(other.source)
                row += unknown if pair is None else pair.square
        rows.append(row)
    total = sum(rows) / (2 * (count - 1))
    for one, row in zip(present, rows, strict=True):
        one.variance = (row - total) / (count - 2)
