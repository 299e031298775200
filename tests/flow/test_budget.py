"""A budget of calls: at most so many in any second, and whoever comes too late hears so at once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.flow.budget import CallBudget


def test_those_that_come_together_go_together_up_to_the_budget():
    budget = CallBudget(3)
    assert [budget.turn(10.0, 99.0) for _ in range(7)] == [10.0] * 3 + [11.0] * 3 + [12.0]


def test_a_turn_after_the_deadline_is_none_and_is_not_taken():
    budget = CallBudget(1)
    assert budget.turn(0.0, 5.0) == 0.0
    assert budget.turn(0.5, 1.0) is None
    assert budget.turn(0.5, 1.1) == 1.0


def test_less_than_one_a_second():
    budget = CallBudget(0.25)
    assert [budget.turn(0.0, 99.0) for _ in range(3)] == [0.0, 4.0, 8.0]


def test_held_it_gives_no_turn_before():
    budget = CallBudget(2)
    budget.hold(7.0)
    budget.hold(3.0)
    assert budget.turn(1.0, 6.0) is None
    assert [budget.turn(1.0, 99.0) for _ in range(3)] == [7.0, 7.0, 8.0]


@given(
    st.floats(0.01, 50),
    st.lists(st.tuples(st.floats(0, 3), st.floats(0, 5), st.booleans()), max_size=60),
)
def test_no_second_has_more_than_the_budget(rate, wishes):
    budget, now, turns = CallBudget(rate), 0.0, []
    for step, patience, held in wishes:
        now += step
        if held:
            budget.hold(now + patience)
        turn = budget.turn(now, now + patience)
        if turn is not None:
            assert now <= turn < now + patience
            turns.append(turn)
    assert turns == sorted(turns)
    most, window = max(1, math.floor(rate)), max(1.0, 1 / rate)
    for first, later in zip(turns, turns[most:], strict=False):
        assert later >= first + window


@pytest.mark.parametrize(("rate", "had"), [(0.5, 0.5), (1, 1), (2.5, 2), (1000, 1000)])
def test_in_the_long_run_it_is_the_rate(rate, had):
    budget = CallBudget(rate)
    turns = [budget.turn(0.0, math.inf) for _ in range(5000)]
    assert len(turns) / turns[-1] == pytest.approx(had, rel=0.3)
