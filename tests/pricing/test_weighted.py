"""Weighted quartiles, and weights of which none is too heavy."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.pricing.weighted import capped, quartiles

VALUES = st.floats(-1e6, 1e6)
WEIGHTS = st.floats(0.01, 100)
VOTES = st.lists(st.tuples(VALUES, WEIGHTS), min_size=1, max_size=30)


def test_between_two_votes_the_quartile_is_interpolated():
    """Of weights 1, 2, 1 the votes stand at 1/8, 1/2 and 7/8."""
    assert quartiles([(30.0, 1.0), (0.0, 1.0), (10.0, 2.0)]) == pytest.approx((10 / 3, 10, 70 / 3))


def test_before_the_first_and_after_the_last_vote_the_quartile_is_theirs():
    assert quartiles([(1.0, 9.0), (2.0, 1.0)])[0] == 1.0
    assert quartiles([(1.0, 1.0), (2.0, 9.0)])[2] == 2.0
    assert quartiles([(7.0, 3.0)]) == (7.0, 7.0, 7.0)


@given(VOTES, st.randoms())
def test_the_order_of_the_votes_does_not_matter(votes, random):
    shuffled = list(votes)
    random.shuffle(shuffled)
    assert quartiles(shuffled) == quartiles(votes)


@given(VOTES)
def test_quartiles_rise_and_stay_among_the_votes(votes):
    lower, middle, upper = quartiles(votes)
    values = [value for value, _ in votes]
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= lower <= middle + slack
    assert middle <= upper + slack <= max(values) + 2 * slack


@given(VOTES)
def test_half_of_the_weight_is_on_either_side_of_the_median(votes):
    """Half of the weight lies on either side, but for the vote that the median is at."""
    _, middle, _ = quartiles(votes)
    total = sum(weight for _, weight in votes)
    heaviest = max(weight for _, weight in votes)
    below = sum(weight for value, weight in votes if value < middle)
    above = sum(weight for value, weight in votes if value > middle)
    assert below <= total / 2 + heaviest / 2 + 1e-9
    assert above <= total / 2 + heaviest / 2 + 1e-9


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([2, 3, 5], [0.24, 0.36, 0.4]),
        ([1, 1, 1], [1 / 3, 1 / 3, 1 / 3]),
        ([1, 1, 8], [0.3, 0.3, 0.4]),
        ([1, 7, 12], [0.2, 0.4, 0.4]),
        ([1, 1, 50, 48], [0.1, 0.1, 0.4, 0.4]),
        ([1, 99], [0.5, 0.5]),
        ([5], [1.0]),
    ],
)
def test_what_is_cut_off_is_spread_in_proportion_until_none_is_above(weights, shares):
    assert capped(weights) == pytest.approx(shares)


@given(st.lists(WEIGHTS, min_size=1, max_size=20))
def test_shares_are_one_together_and_none_is_over_the_cap(weights):
    shares = capped(weights)
    assert sum(shares) == pytest.approx(1)
    assert max(shares) <= max(0.4, 1 / len(weights)) + 1e-9
    order = sorted(range(len(weights)), key=weights.__getitem__)
    ranked = [shares[place] for place in order]
    assert all(one <= other + 1e-9 for one, other in pairwise(ranked))
