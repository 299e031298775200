"""Figures about a series of prices. Floats: statistics, never amounts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from decimal import Decimal

from ..model.market import Trend


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle value; the mean of the two middle ones of an even number. At least one."""
    return statistics.median(values)


def volatility(prices: Sequence[float]) -> float | None:
    """Standard deviation over mean of a series, a fraction of one, not annualised.

    None below two prices: an unknown is not zero.
    """
    if len(prices) < 2:
        return None
    return statistics.pstdev(prices) / statistics.fmean(prices)


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
