"""Health: each thing that can be wrong, exactly at its limit and over it."""

from __future__ import annotations

import pytest

from trio_mev.flow.books import BooksSnapshot
from trio_mev.flow.health import HealthIssue, examine
from trio_mev.flow.lane import LaneSnapshot
from trio_mev.flow.pump import ConsumerSnapshot
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.flow.timing import Timing


def consumer(depth=0, mean=None, processed=0, failed=0):
    timing = Timing()
    if mean is not None:
        timing.add(1, mean)
    books = BooksSnapshot(processed + failed, processed, 0, 0, failed, 0, {})
    lanes = (LaneSnapshot("high", depth, 10, depth, 0), LaneSnapshot("low", 0, 10, 0, 0))
    return ConsumerSnapshot("probe", ("quote",), books, timing.snapshot(), lanes, 0, None)


def feed(state, detail=""):
    status = FeedStatus("node")
    status.enter(state, detail)
    return status.snapshot()


@pytest.mark.parametrize(
    ("of", "issue"),
    [
        ({"depth": 9}, HealthIssue("lane_full", "probe.high", "9 of 10 events")),
        ({"mean": 1.25}, HealthIssue("slow_processor", "probe", "mean 1.250 s an event")),
        (
            {"processed": 94, "failed": 6},
            HealthIssue("error_rate", "probe", "6.0% of 100 events failed"),
        ),
    ],
)
def test_a_consumer_over_a_limit_is_an_issue(of, issue):
    health = examine(7.0, [consumer(**of)], [])
    assert health.issues == (issue,)
    assert not health.healthy
    assert health.at == 7.0


@pytest.mark.parametrize("of", [{}, {"depth": 8}, {"mean": 1.0}, {"processed": 95, "failed": 5}])
def test_a_consumer_exactly_at_a_limit_is_well(of):
    assert examine(0.0, [consumer(**of)], []).healthy


@pytest.mark.parametrize(
    ("state", "detail", "said"),
    [
        (FeedState.CONNECTING, "", "connecting"),
        (FeedState.WAITING, "cut", "waiting cut"),
        (FeedState.LOST, "cut", "lost cut"),
        (FeedState.REFUSED, "no", "refused no"),
    ],
)
def test_a_feed_that_is_not_ready_is_down(state, detail, said):
    issues = examine(0.0, [], [feed(state, detail)]).issues
    assert issues == (HealthIssue("feed_down", "node", said),)


@pytest.mark.parametrize("state", [FeedState.READY, FeedState.ENDED])
def test_a_feed_that_is_ready_or_over_is_well(state):
    assert examine(0.0, [], [feed(state)]).healthy
