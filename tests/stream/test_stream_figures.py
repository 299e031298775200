"""What a stream says of itself: statistics, health, and the log."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.settings import LaneSettings


async def test_the_statistics_say_what_there_is(
    opened, make_processor, make_event, make_feed, autojump_clock
):
    async def wait(event):
        await trio.sleep_forever()

    probe = make_processor([DataType.QUOTE], [], wait)
    await trio.sleep(5)
    async with opened(
        [make_feed(name="node", stays=True)], [probe], name="mine", drain_timeout=1.0, budget=60.0
    ) as stream:
        stream.add_event_handler(DataType.TRADE, print)
        stream.add_event_handler(DataType.TRADE, wait)
        for number in range(4):
            stream.emit_event(make_event(number))
        stream.emit_event(make_event(9, priority=EventPriority.LOW))
        await wait_all_tasks_blocked()
        await trio.sleep(7)
        stats = stream.get_stats()
    assert stats.name == "mine"
    assert stats.uptime == 7.0
    assert stats.total_events == 5
    assert stats.events == {"quote": 5}
    assert (stats.processor_count, stats.handler_counts) == (1, {"trade": 2})
    assert stats.queue_sizes == {"vital": 0, "high": 0, "normal": 3, "low": 1}
    assert stats.peak_queue_size == 4
    assert (stats.books.received, stats.books.queued) == (5, 5)
    assert [feed.name for feed in stats.feeds] == ["node"]
    assert stats.filter.pass_rate is None
    assert stats.digest == "0" * 64
    assert stream.get_stats().uptime == 8.0


async def test_without_consumers_the_statistics_are_empty(opened):
    async with opened() as stream:
        stats = stream.get_stats()
    assert (stats.processor_count, stats.peak_queue_size, stats.queue_sizes) == (0, 0, {})


async def digest_of(opened, make_processor, events):
    async def found(event):
        return [event.finding({"seen": event.data})]

    probe = make_processor([DataType.QUOTE], [DataType.FINDING], found)
    async with opened(processors=[probe]) as stream:
        for event in events:
            stream.emit_event(event)
    return stream.get_stats().digest


async def test_the_digest_depends_on_the_findings_and_not_on_their_order_or_arrival(
    opened, make_processor, make_event
):
    now = trio.current_time()
    one, two = make_event(1, data="a", at=now), make_event(2, data="b", at=now)
    late = make_event(2, data="b", at=now + 1)
    other = make_event(2, data="c", at=now)
    first = await digest_of(opened, make_processor, [one, two])
    assert await digest_of(opened, make_processor, [late, one]) == first
    assert await digest_of(opened, make_processor, [one, other]) != first
    assert await digest_of(opened, make_processor, [one]) != first


async def test_health_sees_a_full_lane_and_a_feed_that_is_down(
    opened, make_event, make_feed, autojump_clock
):
    async def wait(event):
        await trio.sleep_forever()

    feed = make_feed(name="node", stays=True)
    lanes = LaneSettings(normal=10)
    async with opened([feed], lanes=lanes, budget=60.0, drain_timeout=1.0) as stream:
        await wait_all_tasks_blocked()
        assert stream.health().healthy
        stream.add_event_handler(DataType.QUOTE, wait)
        for number in range(10):
            stream.emit_event(make_event(number))
            await wait_all_tasks_blocked()
        feed.status.enter(FeedState.WAITING, "cut")
        found = {(issue.kind, issue.where, issue.detail) for issue in stream.health().issues}
    assert found == {
        ("lane_full", "wait(quote).normal", "9 of 10 events"),
        ("feed_down", "node", "waiting cut"),
    }


async def test_an_issue_is_logged_once_until_it_has_gone(opened, make_feed, autojump_clock, logged):
    feed = make_feed(name="node", stays=True)
    async with opened([feed], health_interval=10.0, log_interval=1e6):
        await trio.sleep(5)
        feed.status.enter(FeedState.WAITING, "cut")
        await trio.sleep(30)
        feed.status.enter(FeedState.READY)
        await trio.sleep(10)
        feed.status.enter(FeedState.LOST, "cut")
        await trio.sleep(10)
    assert logged == [
        "health: feed_down node: waiting cut",
        "health: feed_down node is over",
        "health: feed_down node: lost cut",
    ]


async def test_what_is_wrong_with_the_stream_is_an_event(opened, make_feed, autojump_clock):
    feed = make_feed(name="node", stays=True)
    async with opened([feed], health_interval=10.0) as stream:
        issues = stream.subscribe(DataType.HEALTH)
        await trio.sleep(5)
        feed.status.enter(FeedState.WAITING, "cut")
        with trio.fail_after(6):
            came = await anext(issues)
        assert (came.data.kind, came.data.where, came.data.over) == ("feed_down", "node", False)
        feed.status.enter(FeedState.READY)
        with trio.fail_after(11):
            assert (await anext(issues)).data.over
    assert stream.get_stats().lag.longest == 0.0


async def test_the_metrics_are_logged_at_their_interval(opened, make_event, autojump_clock, logged):
    async with opened(log_interval=60.0) as stream:
        stream.add_event_handler(DataType.QUOTE, lambda event: None)
        stream.emit_event(make_event())
        await trio.sleep(130)
    line = "1 events, 1 deliveries: 1 processed, 0 lost, 0 failed, 0 waiting"
    assert logged == [line, line]


@pytest.mark.parametrize("count", [0, 3])
async def test_the_books_balance_at_any_moment(opened, make_event, count):
    async with opened() as stream:
        stream.add_event_handler(DataType.QUOTE, lambda event: None)
        events = stream.subscribe(DataType.QUOTE)
        for number in range(count):
            stream.emit_event(make_event(number))
            assert stream.get_stats().books.balanced
            await anext(events)
            assert stream.get_stats().books.balanced
    assert stream.get_stats().books.processed == 2 * count
