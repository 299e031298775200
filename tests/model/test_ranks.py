"""Percentiles by nearest rank."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.ranks import nearest_rank


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.05, 15), (0.30, 20), (0.40, 20), (0.50, 35), (1.0, 50)],
)
def test_the_textbook_example(share, value):
    assert nearest_rank([15, 20, 35, 40, 50], share) == value


def test_a_share_that_is_inexact_in_binary_does_not_move_the_rank():
    assert nearest_rank(range(1, 101), 0.07) == 7
    assert nearest_rank(range(1, 101), 0.29) == 29


@given(st.lists(st.integers(), min_size=1, max_size=300).map(sorted), st.integers(1, 1000))
def test_it_is_the_smallest_value_that_occurred_with_the_share_at_or_below_it(ordered, thousandths):
    value = nearest_rank(ordered, thousandths / 1000)
    share = Fraction(thousandths, 1000)
    reaching = [v for v in ordered if Fraction(sum(o <= v for o in ordered), len(ordered)) >= share]
    assert value == min(reaching)
