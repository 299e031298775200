"""Backfill: halving, one question at a time, the cursor behind both halves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.settings import LogFilter
from trio_mev.wire.limits import Answer
from trio_mev.wire.ranges import ATTEMPTS, LogPlan, LogQuery

A, B, C = ("0x" + c * 40 for c in "abc")
T, U, V = ("0x" + c * 64 for c in "123")
ANY = LogFilter()


def test_a_range_and_a_block_are_asked_for_as_the_node_expects():
    wanted = LogFilter((A, B), (T, None, (U, V)))
    assert LogQuery(wanted, 16, 255).params() == [
        {
            "address": [A, B],
            "topics": [T, None, [U, V]],
            "fromBlock": "0x10",
            "toBlock": "0xff",
        }
    ]
    assert LogQuery(ANY, 7, 7, "0xhash").params() == [{"blockHash": "0xhash"}]


@pytest.mark.parametrize(
    ("query", "halves"),
    [
        (LogQuery(ANY, 4, 9), (LogQuery(ANY, 4, 6), LogQuery(ANY, 7, 9))),
        (LogQuery(ANY, 4, 5), (LogQuery(ANY, 4, 4), LogQuery(ANY, 5, 5))),
        (LogQuery(ANY, 4, 4), None),
        (
            LogQuery(LogFilter((A, B, C)), 4, 4),
            (LogQuery(LogFilter((A,)), 4, 4), LogQuery(LogFilter((B, C)), 4, 4)),
        ),
        (
            LogQuery(LogFilter((A,), ((T, U, V), V)), 4, 4, "h"),
            (
                LogQuery(LogFilter((A,), ((T,), V)), 4, 4, "h"),
                LogQuery(LogFilter((A,), ((U, V), V)), 4, 4, "h"),
            ),
        ),
        (LogQuery(LogFilter((A,), (T, (U, V))), 4, 4, "h"), None),
        (LogQuery(LogFilter((A,), ((T,),)), 4, 4, "h"), None),
    ],
)
def test_what_is_too_large_is_halved(query, halves):
    assert query.halves() == halves


def test_one_question_at_a_time_and_the_cursor_waits_for_both_halves():
    plan: LogPlan[str] = LogPlan.over([ANY], 10, 13)
    assert plan.cursor == 9
    assert plan.ask(0.0) == LogQuery(ANY, 10, 13)
    assert plan.ask(0.0) is None
    plan.too_large("query returned more than 10000 results")
    assert plan.ask(0.0) == LogQuery(ANY, 10, 11)
    plan.answered(["x"])
    assert plan.cursor == 11
    assert plan.ask(0.0) == LogQuery(ANY, 12, 13)
    assert (plan.cursor, plan.done) == (11, False)
    plan.answered([])
    assert (plan.cursor, plan.done, plan.logs, plan.asked) == (13, True, ["x"], 3)
    assert plan.ask(0.0) is None


def test_the_cursor_waits_for_every_filter():
    plan: LogPlan[str] = LogPlan.over([LogFilter((A,)), LogFilter((B,))], 10, 13)
    plan.ask(0.0)
    plan.answered([])
    assert plan.cursor == 9
    plan.ask(0.0)
    plan.answered([])
    assert plan.cursor == 13


def test_nothing_to_ask_is_done():
    plan: LogPlan[str] = LogPlan.of_block([], 5, "h")
    assert plan.done
    assert plan.ask(0.0) is None


def test_a_single_block_that_is_too_large_is_an_error_that_says_so():
    plan: LogPlan[str] = LogPlan.of_block([LogFilter((A,))], 5, "h")
    plan.ask(0.0)
    plan.too_large("message over 1024 bytes")
    assert plan.problem == ("block 5: its logs do not fit into one reply: message over 1024 bytes")
    assert not plan.done
    assert plan.ask(0.0) is None


def test_a_spent_quota_waits_longer_each_time_and_asks_the_same():
    plan: LogPlan[str] = LogPlan.over([ANY], 1, 8)
    now, pauses = 0.0, []
    for _ in range(ATTEMPTS - 1):
        assert plan.ask(now) == LogQuery(ANY, 1, 8)
        plan.refused(Answer.WAIT, "rate limited", now, 0.5)
        assert plan.ask(now) is None
        pauses.append(plan.not_before - now)
        now = plan.not_before
    assert pauses == [0.375, 0.75, 1.5, 3.0, 6.0]
    assert plan.ask(now) == LogQuery(ANY, 1, 8)
    plan.answered([])
    assert plan.done


def test_what_is_refused_too_often_or_for_good_is_given_up():
    plan: LogPlan[str] = LogPlan.over([ANY], 1, 8)
    for number in range(ATTEMPTS):
        plan.ask(1000.0 * number)
        plan.refused(Answer.LATER, "unknown block", 1000.0 * number, 0.0)
    assert plan.problem == "blocks 1 to 8: unknown block"
    other: LogPlan[str] = LogPlan.over([ANY], 1, 8)
    other.ask(0.0)
    other.refused(Answer.GIVE_UP, "no such method", 0.0, 0.0)
    assert other.problem == "blocks 1 to 8: no such method"


def test_an_answer_forgets_the_failures_before_it():
    plan: LogPlan[str] = LogPlan([LogQuery(ANY, n, n) for n in range(20)])
    now = 0.0
    while not plan.done:
        assert plan.ask(now) is not None
        plan.refused(Answer.WAIT, "slow down", now, 0.0)
        now = plan.not_before
        assert plan.ask(now) is not None
        plan.answered([])
    assert plan.problem is None


def test_a_lost_connection_asks_again():
    plan: LogPlan[str] = LogPlan.over([ANY], 1, 8)
    plan.interrupted()
    plan.ask(0.0)
    plan.interrupted()
    assert plan.ask(0.0) == LogQuery(ANY, 1, 8)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=40),
    st.integers(1, 12),
    st.integers(1, 40),
    st.integers(0, 2**32),
)
def test_whatever_the_limits_every_log_comes_once_and_no_question_twice_after_its_refusal(
    counts, most_logs, most_blocks, seed
):
    """A node with a cap on results and one on ranges; the model is the list of blocks."""
    plan: LogPlan[tuple[int, int]] = LogPlan.over([ANY], 0, len(counts) - 1)
    refused: set[LogQuery] = set()
    now, busy = 0.0, seed
    while (query := plan.ask(now)) is not None:
        assert query not in refused
        logs = [(n, i) for n in range(query.first, query.last + 1) for i in range(counts[n])]
        busy = (busy * 1103515245 + 12345) % 2**31
        if busy % 5 == 0:
            plan.refused(Answer.WAIT, "slow down", now, 0.3)
        elif busy % 7 == 0:
            plan.interrupted()
        elif query.last - query.first >= most_blocks:
            refused.add(query)
            plan.refused(Answer.SPLIT, "block range", now, 0.0)
        elif len(logs) > most_logs:
            refused.add(query)
            plan.too_large("1009")
        else:
            before = plan.cursor
            plan.answered(logs)
            assert plan.cursor == query.last >= before
        now = max(now, plan.not_before)
    if plan.problem is None:
        assert plan.done
        assert plan.logs == [(n, i) for n, many in enumerate(counts) for i in range(many)]
        assert plan.cursor == len(counts) - 1
    elif "one reply" in plan.problem:
        assert counts[plan.cursor + 1] > most_logs
    else:
        assert "slow down" in plan.problem
