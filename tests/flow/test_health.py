"""Health: each thing that can be wrong, exactly at its limit and over it."""

from __future__ import annotations

import attrs
import pytest
import trio

from trio_mev.flow.books import BooksSnapshot
from trio_mev.flow.health import HealthWatch, examine
from trio_mev.flow.lane import LaneSnapshot
from trio_mev.flow.pump import ConsumerSnapshot
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.flow.timing import Timing
from trio_mev.model.event import DataType
from trio_mev.model.health import HealthIssue
from trio_mev.model.settings import StreamConfig

CONFIG = StreamConfig()


def look(at, consumers, feeds, lag=0.0, before=None):
    return examine(at, consumers, feeds, lag, CONFIG, before)


def consumer(depth=0, mean=None, processed=0, failed=0):
    timing = Timing()
    if mean is not None:
        timing.add(mean, 10.0)
    books = BooksSnapshot(processed + failed, processed, 0, 0, failed, 0, {})
    lanes = (LaneSnapshot("high", depth, 10, depth, 0), LaneSnapshot("low", 0, 10, 0, 0))
    return ConsumerSnapshot("probe", ("quote",), books, timing.snapshot(), lanes, 0, None)


def feed(state, detail="", **times):
    status = FeedStatus("node", **times)
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
    health = look(7.0, [consumer(**of)], [])
    assert health.issues == (issue,)
    assert not health.healthy
    assert health.at == 7.0


@pytest.mark.parametrize("of", [{}, {"depth": 8}, {"mean": 1.0}, {"processed": 95, "failed": 5}])
def test_a_consumer_exactly_at_a_limit_is_well(of):
    assert look(0.0, [consumer(**of)], []).healthy


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
    issues = look(0.0, [], [feed(state, detail)]).issues
    assert issues == (HealthIssue("feed_down", "node", said),)


@pytest.mark.parametrize("state", [FeedState.READY, FeedState.ENDED])
def test_a_feed_that_is_ready_or_over_is_well(state):
    assert look(0.0, [], [feed(state)]).healthy


def test_a_feed_that_is_ready_and_brings_nothing_is_stale():
    quiet = feed(FeedState.READY, last_connected_at=5.0, last_event_at=10.0)
    assert look(100.0, [], [quiet]).healthy
    (issue,) = look(100.5, [], [quiet]).issues
    assert issue == HealthIssue("feed_stale", "node", "no event for 90 s")
    fresh = feed(FeedState.READY, last_connected_at=50.0, last_event_at=10.0)
    assert look(100.5, [], [fresh]).healthy
    assert look(1e6, [], [feed(FeedState.READY)]).healthy


def test_a_late_event_loop_is_an_issue():
    assert look(0.0, [], [], lag=0.1).healthy
    (issue,) = look(0.0, [], [], lag=0.25).issues
    assert issue == HealthIssue("loop_lag", "event loop", "0.250 s late")


def test_means_and_failures_are_those_since_the_last_look():
    before = {"probe": consumer(mean=0.5, processed=10_000)}
    now = consumer(processed=10_080, failed=20)
    (issue,) = look(0.0, [now], [], before=before).issues
    assert issue == HealthIssue("error_rate", "probe", "20.0% of 100 events failed")
    assert look(0.0, [now], [], before={"probe": now}).healthy
    slow = Timing()
    for seconds in (0.5, 1.5, 2.5):
        slow.add(seconds, 10.0)
    later = attrs.evolve(consumer(), timing=slow.snapshot())
    (issue,) = look(0.0, [later], [], before={"probe": consumer(mean=0.5)}).issues
    assert issue == HealthIssue("slow_processor", "probe", "mean 2.000 s an event")


async def test_what_comes_and_what_goes_is_told_once(autojump_clock, logged):
    told = []
    status = FeedStatus("node", FeedState.READY)
    config = StreamConfig(health_interval=10.0)
    watch = HealthWatch(config, list, lambda: [status.snapshot()], told.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run)
        await trio.sleep(15)
        status.enter(FeedState.WAITING, "cut")
        watch.lag.note(0.3)
        await trio.sleep(20)
        assert watch.examine().issues == (HealthIssue("feed_down", "node", "waiting cut"),)
        status.enter(FeedState.READY)
        await trio.sleep(10)
        assert watch.examine().healthy
        nursery.cancel_scope.cancel()
    down, late = told[0].data, told[1].data
    assert down == HealthIssue("feed_down", "node", "waiting cut")
    assert late == HealthIssue("loop_lag", "event loop", "0.300 s late")
    assert [event.data for event in told[2:]] == [
        attrs.evolve(late, over=True),
        attrs.evolve(down, over=True),
    ]
    assert {event.event_type for event in told} == {DataType.HEALTH}
    assert [event.name for event in told] == [
        "health#2.0",
        "health#2.1",
        "health#3.0",
        "health#4.0",
    ]
    assert logged == [
        "health: feed_down node: waiting cut",
        "health: loop_lag event loop: 0.300 s late",
        "health: loop_lag event loop is over",
        "health: feed_down node is over",
    ]
