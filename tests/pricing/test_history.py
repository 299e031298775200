"""Median, volatility and trend of a series."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio_mev.pricing.statistics import median, trend, volatility

from trio_mev.model.market import Trend

PRICES = st.lists(st.floats(0.01, 1e6), min_size=20, max_size=60)


def test_the_median_is_the_middle_or_the_mean_of_the_two_middle_ones():
    assert median([Decimal(3), Decimal(1), Decimal(2)]) == Decimal(2)
    assert median([Decimal(4), Decimal(1), Decimal(2), Decimal("2.5")]) == Decimal("2.25")
    assert median([Decimal(7)]) == Decimal(7)


def test_volatility_is_the_deviation_over_the_mean():
    assert volatility([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]) == 0.4
    assert volatility([3.0, 3.0]) == 0.0


@pytest.mark.parametrize("prices", [[], [1.0]])
def test_volatility_of_fewer_than_two_prices_is_unknown_and_not_zero(prices):
    assert volatility(prices) is None


@pytest.mark.parametrize("count", range(20))
def test_a_trend_needs_as_many_prices_as_its_long_mean(count):
    rising = [float(n + 1) for n in range(count)]
    assert trend(rising, 5, 20, 0.001) is Trend.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("last_five", "expected"),
    [
        (100.2, Trend.BULLISH),
        (99.8, Trend.BEARISH),
        (100.1, Trend.SIDEWAYS),
        (99.9, Trend.SIDEWAYS),
        (100.0, Trend.SIDEWAYS),
    ],
)
def test_the_last_five_are_held_against_the_last_twenty(last_five, expected):
    """Of 100.2 the ratio is 100.2 / 100.05, of 100.1 it is 100.1 / 100.025."""
    assert trend([100.0] * 15 + [last_five] * 5, 5, 20, 0.001) is expected


def test_what_lies_before_the_long_mean_does_not_count():
    assert trend([1.0] * 30 + [100.0] * 20, 5, 20, 0.001) is Trend.SIDEWAYS


@given(PRICES)
def test_a_series_turned_upside_down_never_has_the_same_direction(prices):
    mirrored = [2e6 - price for price in prices]
    both = {trend(prices, 5, 20, 0.0), trend(mirrored, 5, 20, 0.0)}
    assert both in (
        {Trend.BULLISH, Trend.BEARISH},
        {Trend.SIDEWAYS},
        {Trend.SIDEWAYS, Trend.BULLISH},
        {Trend.SIDEWAYS, Trend.BEARISH},
    )
