"""What a price was, how much it varies and where it goes."""

from __future__ import annotations

import random
from decimal import Decimal
from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.market import Trend
from trio_mev.pricing.history import YEAR, History, Volatility, trend

PRICES = st.lists(st.floats(0.01, 1e6), min_size=20, max_size=60)


def filled(prices, every: float = 1.0, **settings) -> History:
    history = History(**({"length": 100, "retention": 3600.0, "half_life": 600.0} | settings))
    for place, price in enumerate(prices):
        history.add(Decimal(price), place * every)
    return history


def test_it_holds_changes_only_and_at_most_its_length():
    history = filled([10, 10, 11, 12, 12, 13], length=3)
    assert history.latest(100) == [(2.0, 11), (3.0, 12), (5.0, 13)]
    assert history.latest(2) == [(3.0, 12), (5.0, 13)]
    assert history.latest(0) == []
    assert history.count == 3


def test_it_holds_prices_no_longer_than_it_has_to():
    history = filled([1, 2, 3, 4], every=10.0, retention=15.0)
    assert history.latest(100) == [(20.0, 3), (30.0, 4)]


def test_volatility_is_annualised_over_365_days():
    volatility = Volatility(600.0)
    volatility.add(100.0, 0.0)
    volatility.add(101.0, 20.0)
    assert volatility.annualised == pytest.approx(log(1.01) * sqrt(YEAR / 20.0))


def test_volatility_is_found_whatever_the_times_between_prices():
    """A year of 60 % is 1.07 bp a root second."""
    dice = random.Random(1)
    volatility = Volatility(3600.0)
    now = price = 0.0
    deviation = 0.6 / sqrt(YEAR)
    for _ in range(20_000):
        step = dice.choice([0.1, 1.0, 30.0])
        now += step
        price += dice.gauss(0.0, deviation * sqrt(step))
        volatility.add(exp(price), now)
    assert volatility.annualised == pytest.approx(0.6, rel=0.15)


def test_after_the_half_life_a_return_weighs_half():
    volatility = Volatility(100.0)
    volatility.add(1.0, 0.0)
    volatility.add(exp(0.1), 10.0)
    first = volatility.variance
    volatility.add(exp(0.1), 110.0)
    assert volatility.variance == pytest.approx(first / 2)


@pytest.mark.parametrize("prices", [[], [1.0], [1.0, 2.0]])
def test_volatility_is_unknown_and_not_zero_before_two_prices_are_ten_seconds_apart(prices):
    history = filled(prices, every=9.0)
    assert history.volatility is None


def test_volatility_of_a_price_that_stands_is_zero():
    assert filled([5, 5], every=10.0).volatility == 0.0


@pytest.mark.parametrize(
    ("count", "expected"), [(19, Trend.INSUFFICIENT_DATA), (20, Trend.BULLISH)]
)
def test_a_rising_price_has_no_trend_before_twenty_changes(count, expected):
    assert filled(range(100, 100 + count)).trend is expected


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
