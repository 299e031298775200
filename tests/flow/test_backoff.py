"""Delays before the next try: they rise to a cap, with jitter, for ever."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.flow.backoff import Backoff


@given(
    first=st.floats(0.001, 100),
    factor=st.floats(1, 10),
    cap=st.floats(0.001, 1000),
    seed=st.integers(),
)
def test_every_delay_is_between_half_and_all_of_the_exponential_or_the_cap(
    first, factor, cap, seed
):
    backoff = Backoff(first, factor, cap, random.Random(seed))
    for attempt in range(12):
        whole = min(first * factor**attempt, cap)
        assert 0.5 * whole * (1 - 1e-9) <= backoff.next_delay() <= whole * (1 + 1e-9)
    assert backoff.attempts == 12


def test_the_jitter_comes_from_the_given_random():
    drawn = random.Random(7)
    expected = [whole * drawn.uniform(0.5, 1.0) for whole in (1.0, 2.0, 4.0, 5.0, 5.0)]
    backoff = Backoff(1.0, 2.0, 5.0, random.Random(7))
    assert [backoff.next_delay() for _ in range(5)] == expected


@pytest.mark.parametrize("factor", [1.0, 1.5, 1e300])
def test_ten_thousand_attempts_neither_overflow_nor_exceed_the_cap(factor):
    backoff = Backoff(5.0, factor, 60.0, random.Random(1), attempts=10_000)
    largest = 5.0 if factor == 1.0 else 60.0
    assert largest / 2 <= backoff.next_delay() <= largest
    assert backoff.attempts == 10_001


def test_a_reset_begins_with_the_first_delay_again():
    backoff = Backoff(1.0, 10.0, 1000.0, random.Random(3))
    delays = [backoff.next_delay() for _ in range(3)]
    assert delays[2] >= 50
    backoff.reset()
    assert backoff.next_delay() <= 1.0
