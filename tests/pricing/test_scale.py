"""Prices as Decimals and as basis points of log price."""

from __future__ import annotations

from decimal import Decimal
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.pricing.scale import BP, FURTHEST, deviation, price_of

PRICES = st.floats(-69, 69).map(exp)


@pytest.mark.parametrize(
    ("price", "width", "expected", "confidence"),
    [
        (2955.0812345678, 0.41149, "2955.0812", "0.412"),
        (2955.0812345678, 0.00041149, "2955.081235", "0.000412"),
        (2000.0, 3999.0, "2000.0000", "4.00E+3"),
        (1.0, 0.00004999, "1.0000000", "0.0000500"),
        (1.23456789e-12, 9.995e-16, "1.2345679E-12", "1.000E-15"),
        (64123.0, 1.499, "64123.000", "1.50"),
    ],
)
def test_a_price_is_as_fine_as_its_interval_and_has_eight_digits_or_more(
    price, width, expected, confidence
):
    middle = BP * log(price)
    found = price_of(middle, BP * log(1 + width / price))
    assert [str(each) for each in found] == [expected, confidence]


@given(PRICES, st.floats(1e-3, 1e5))
def test_a_price_goes_there_and_back_and_is_never_zero(price, half_width):
    found, confidence = price_of(BP * log(price), half_width)
    assert found > 0
    assert confidence > 0
    assert float(found) == pytest.approx(price, rel=1e-7)
    assert float(confidence / found) == pytest.approx(exp(half_width / BP) - 1, rel=1.1e-2)


def test_an_interval_without_a_width_has_the_least_there_is():
    found, confidence = price_of(0.0, 0.0)
    assert (found, confidence) == (1, Decimal("1.01E-10"))


def test_the_extremes_of_what_is_taken_can_be_told():
    for middle in (FURTHEST, -FURTHEST):
        found, confidence = price_of(middle, 2 * FURTHEST)
        assert found.is_finite()
        assert confidence.is_finite()


def test_a_deviation_is_a_factor_either_way():
    assert deviation(Decimal("0.25")) == pytest.approx(BP * log(1.25))
    assert deviation(Decimal(0)) == 0.0
