"""What a price was, how much it varies and where it goes. Floats: statistics, never amounts."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from math import exp, log, sqrt

import attrs

from ..model.market import Trend

YEAR = 365 * 86_400.0
"""Seconds."""
SPACING = 10.0
"""Least seconds between the two prices of a return. Closer ones tell the error of the price
rather than its movement."""
SHORT, LONG = 5, 20
"""Prices whose means make the trend."""
THRESHOLD = 0.001
"""By which they must differ, a fraction of one."""


@attrs.define(eq=False)
class Volatility:
    """Exponentially weighted mean of squared log returns a second.

    Each return is scaled by the time that it took and weighs by that time, so prices may come
    as they like; after ``half_life`` seconds it weighs half.
    """

    half_life: float
    variance: float | None = None
    """Of a second; None until there is a return."""
    _mark: tuple[float, float] | None = None
    """Time and log price that the next return begins with."""

    def add(self, price: float, now: float) -> None:
        """Take in a price, over zero."""
        if self._mark is None:
            self._mark = now, log(price)
            return
        since, before = self._mark
        elapsed = now - since
        if elapsed < SPACING:
            return
        self._mark = now, log(price)
        rate = (self._mark[1] - before) ** 2 / elapsed
        if self.variance is None:
            self.variance = rate
        else:
            self.variance += (1 - exp(-log(2) * elapsed / self.half_life)) * (rate - self.variance)

    @property
    def annualised(self) -> float | None:
        """Standard deviation of the log returns of 365 days; 0.6 is 60 %. None without returns."""
        return None if self.variance is None else sqrt(self.variance * YEAR)


@attrs.define(eq=False)
class History:
    """An instrument's latest prices: changes only, at most so many, for at most so long.

    Args:
        length: prices that are kept.
        retention: seconds for which they are.
        half_life: of the volatility, in seconds.
    """

    length: int
    retention: float
    half_life: float
    _prices: deque[tuple[float, Decimal]] = attrs.field(init=False)
    _volatility: Volatility = attrs.field(init=False)
    _recent: deque[float] = attrs.field(init=False)
    """The last prices that are kept, for the trend."""

    def __attrs_post_init__(self) -> None:
        self._prices = deque(maxlen=self.length)
        self._recent = deque(maxlen=LONG)
        self._volatility = Volatility(self.half_life)

    def add(self, price: Decimal, now: float) -> None:
        """Take in a price, over zero, at a time that is not before the last."""
        value = float(price)
        self._volatility.add(value, now)
        prices = self._prices
        while prices and now - prices[0][0] > self.retention:
            prices.popleft()
        if not prices or prices[-1][1] != price:
            prices.append((now, price))
            self._recent.append(value)

    def latest(self, limit: int) -> list[tuple[float, Decimal]]:
        """So many prices at most, oldest first, each with its time."""
        count = len(self._prices)
        return [self._prices[place] for place in range(max(0, count - limit), count)]

    @property
    def count(self) -> int:
        """Prices that are kept."""
        return len(self._prices)

    @property
    def volatility(self) -> float | None:
        """Annualised, of log returns; None until two prices are ten seconds apart."""
        return self._volatility.annualised

    @property
    def trend(self) -> Trend:
        """The mean of the last 5 prices against that of the last 20."""
        if len(self._prices) < LONG:
            return Trend.INSUFFICIENT_DATA
        return trend(list(self._recent), SHORT, LONG, THRESHOLD)


def trend(prices: Sequence[float], short: int, long: int, threshold: float) -> Trend:
    """The mean of the last ``short`` prices against that of the last ``long``.

    Bullish or bearish where they differ by over ``threshold``, a fraction of one; insufficient
    below ``long`` prices, for a mean of fewer would not be what it says.
    """
    if len(prices) < long:
        return Trend.INSUFFICIENT_DATA
    ratio = statistics.fmean(prices[-short:]) / statistics.fmean(prices[-long:])
    if ratio > 1 + threshold:
        return Trend.BULLISH
    return Trend.BEARISH if ratio < 1 - threshold else Trend.SIDEWAYS
