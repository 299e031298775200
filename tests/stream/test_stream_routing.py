"""Where events go: by type and priority, through filters, from stage to stage."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.errors import ConfigError, DataStreamError
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.settings import FilterSettings, LaneSettings, StreamConfig
from trio_mev.stream import open_stream

HIGH, NORMAL, LOW = EventPriority


async def test_every_consumer_gets_the_types_it_consumes_and_no_others(
    opened, make_processor, make_event
):
    seen = {"quotes": [], "both": [], "handler": []}

    def keeper(name, *kinds):
        async def work(event):
            seen[name].append(event.sequence)

        return make_processor(kinds, [], work)

    processors = [
        keeper("quotes", DataType.QUOTE),
        keeper("both", DataType.QUOTE, DataType.BLOCK),
    ]
    async with opened(processors=processors) as stream:
        stream.add_event_handler(DataType.BLOCK, lambda e: seen["handler"].append(e.sequence))
        stream.emit_event(make_event(1))
        stream.emit_event(make_event(2, DataType.BLOCK))
        stream.emit_event(make_event(3, DataType.TRADE))
    assert {name: sorted(numbers) for name, numbers in seen.items()} == {
        "quotes": [1],
        "both": [1, 2],
        "handler": [2],
    }
    stats = stream.get_stats()
    assert stats.events == {"quote": 1, "block": 1, "trade": 1}
    assert (stats.books.received, stats.books.processed, stats.books.filtered) == (5, 4, 1)


async def test_urgent_events_are_served_first(opened, make_event):
    served = []
    async with opened() as stream:
        stream.add_event_handler(DataType.QUOTE, lambda e: served.append(e.sequence))
        for number, priority in enumerate([LOW, NORMAL, HIGH, LOW, HIGH]):
            stream.emit_event(make_event(number, priority=priority))
    assert served == [2, 4, 1, 0, 3]


async def test_an_event_that_nobody_consumes_is_filtered(opened, make_event):
    async with opened() as stream:
        stream.emit_event(make_event())
    books = stream.get_stats().books
    assert (books.received, books.filtered) == (1, 1)


async def test_an_event_of_low_priority_behind_empty_lanes_is_served_at_once(
    opened, make_event, autojump_clock
):
    delays = []
    async with opened() as stream:
        stream.add_event_handler(
            DataType.QUOTE, lambda e: delays.append(trio.current_time() - e.received_at)
        )
        for number in range(50):
            await trio.sleep(1)
            stream.emit_event(make_event(number, priority=LOW))
            await wait_all_tasks_blocked()
            assert len(delays) == number + 1
    assert delays == [0.0] * 50


async def test_a_full_lane_sheds_its_own_oldest_event_and_no_other_lanes(opened, make_event):
    served = []
    async with opened(lanes=LaneSettings(high=2, normal=2, low=2)) as stream:
        stream.add_event_handler(DataType.QUOTE, lambda e: served.append(e.sequence))
        await wait_all_tasks_blocked()
        stream.emit_event(make_event(0, priority=LOW))
        for number in (1, 2, 3):
            stream.emit_event(make_event(number, priority=HIGH))
    assert served == [2, 3, 0]
    assert stream.get_stats().books.lost_by == {"high:shed": 1}


async def test_what_a_processor_emits_reaches_the_later_stages(
    opened, make_processor, make_event, make_feed
):
    async def price(event):
        return [event.finding("price", DataType.PRICE, NORMAL)]

    async def found(event):
        return [event.finding(event.data + " found")]

    processors = [
        make_processor([DataType.PRICE], [DataType.FINDING], found, "Finder"),
        make_processor([DataType.QUOTE], [DataType.PRICE], price, "Pricer"),
    ]
    feed = make_feed([(0.0, make_event(7))])
    async with opened([feed], processors) as stream:
        findings = [finding async for finding in stream.findings]
    assert [(f.data, f.source, f.sequence) for f in findings] == [("price found", "Finder", 7)]
    assert findings[0].metadata["cause"] == "Pricer#7.0"


async def test_importance_is_a_new_urgent_event_and_not_a_change_of_the_old_one(
    opened, make_processor, make_event, make_feed
):
    event = make_event(priority=LOW)

    async def important(seen):
        return [seen.finding("important", priority=HIGH)]

    probe = make_processor([DataType.QUOTE], [DataType.FINDING], important)
    async with opened([make_feed([(0.0, event)])], [probe]) as stream:
        findings = [finding async for finding in stream.findings]
    assert findings[0].priority is HIGH
    assert event.priority is LOW


@pytest.mark.parametrize(
    ("consumes", "emits"),
    [(DataType.QUOTE, DataType.TRADE), (DataType.PRICE, DataType.PRICE)],
)
async def test_a_cycle_is_refused_before_anything_runs(make_processor, make_feed, consumes, emits):
    feed = make_feed()
    with pytest.raises(ConfigError, match="emit only later stages"):
        async with open_stream([feed], [make_processor([consumes], [emits], None)]):
            pytest.fail("it must not run")
    assert feed.status.state.value == "connecting"


async def test_a_wrong_filter_is_refused_before_anything_runs():
    config = StreamConfig(filters=(FilterSettings("data.nonsense", "equals", 1),))
    with pytest.raises(ConfigError, match=r"stream.filters\[0\]: path 'data.nonsense'"):
        async with open_stream(config=config):
            pytest.fail("it must not run")


async def test_filters_apply_to_what_comes_in_and_not_to_what_processors_make(
    opened, make_processor, make_event
):
    seen = []

    async def work(event):
        return [event.finding(event.sequence)]

    filters = (
        FilterSettings("sequence", "greater_than", 1),
        FilterSettings("source", "regex", "^t"),
    )
    probe = make_processor([DataType.QUOTE], [DataType.FINDING], work)
    async with opened(processors=[probe], filters=filters) as stream:
        stream.add_event_handler(DataType.FINDING, lambda e: seen.append(e.data))
        for number in range(4):
            stream.emit_event(make_event(number))
    assert seen == [2, 3]
    stats = stream.get_stats()
    assert (stats.filter.total_events, stats.filter.events_passed) == (4, 2)
    assert stats.books.filtered == 2
    assert stats.events == {"quote": 4, "finding": 2}


async def test_only_the_admitted_types_come_in(opened, make_event):
    seen = []
    async with opened(data_types=frozenset({DataType.QUOTE})) as stream:
        stream.add_event_handler(DataType.QUOTE, lambda e: seen.append("quote"))
        stream.add_event_handler(DataType.TRADE, lambda e: seen.append("trade"))
        stream.emit_event(make_event())
        stream.emit_event(make_event(kind=DataType.TRADE))
    assert seen == ["quote"]
    assert stream.get_stats().books.filtered == 1


async def test_a_processor_may_be_added_while_the_stream_runs(opened, make_processor, make_event):
    seen = []

    async def work(event):
        seen.append(event.sequence)

    async with opened() as stream:
        stream.emit_event(make_event(1))
        stream.add_processor(make_processor([DataType.QUOTE], [], work))
        stream.emit_event(make_event(2))
        await wait_all_tasks_blocked()
        assert seen == [2]


async def test_none_can_be_added_to_a_stream_that_ends_or_has_ended(
    opened, make_event, autojump_clock
):
    refused = []

    async def late(event):
        await trio.sleep(0.01)
        try:
            stream.add_event_handler(DataType.TRADE, print)
        except DataStreamError as error:
            refused.append(str(error))

    async with opened() as stream:
        stream.add_event_handler(DataType.QUOTE, late)
        stream.emit_event(make_event())
    assert refused == ["the stream has ended"]
    with pytest.raises(DataStreamError, match="the stream has ended"):
        stream.add_event_handler(DataType.TRADE, print)
    assert stream.get_stats().handler_counts == {"quote": 1}


async def test_two_of_one_class_have_different_names(opened, make_processor):
    probe = make_processor([DataType.QUOTE], [], None)
    async with opened(processors=[probe, probe, probe]) as stream:
        stream.add_event_handler(DataType.QUOTE, print)
        stream.add_event_handler(DataType.QUOTE, print)
        stream.add_event_handler(DataType.TRADE, print)
    assert [consumer.name for consumer in stream.get_stats().consumers] == [
        "Probe",
        "Probe#2",
        "Probe#3",
        "print(quote)",
        "print(quote)#2",
        "print(trade)",
    ]


async def test_a_processor_that_fails_too_often_is_made_anew_by_its_factory(
    opened, make_processor, make_event
):
    made = []

    async def work(event):
        raise ValueError

    probe = make_processor([DataType.QUOTE], [], work)

    def factory():
        made.append(probe())
        return made[-1]

    async with opened(processors=[factory], failures_before_restart=2) as stream:
        for _ in range(4):
            stream.emit_event(make_event())
    assert len(made) == 3
    assert stream.get_stats().consumers[0].restarts == 2


async def test_findings_and_subscriptions_end_when_the_feeds_end_by_themselves(
    opened, make_processor, make_event, make_feed, autojump_clock
):
    async def work(event):
        return [event.finding(event.sequence)]

    feeds = [
        make_feed([(float(n), make_event(n)) for n in range(3)], "one"),
        make_feed([(9.0, make_event(9, at=9.0))], "two"),
    ]
    quotes, findings = [], []

    async def read(subscription):
        async for event in subscription:
            quotes.append(event.sequence)

    async with opened(feeds, [make_processor([DataType.QUOTE], [DataType.FINDING], work)]) as s:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, s.subscribe(DataType.QUOTE))
            async for finding in s.findings:
                findings.append(finding.data)
        await s.ended.wait()
    assert quotes == findings == [0, 1, 2, 9]
    assert trio.current_time() == 9.0


async def test_a_subscription_can_be_left_while_the_stream_runs(opened, make_event):
    async with opened() as stream:
        async with stream.subscribe(DataType.QUOTE, DataType.QUOTE, DataType.TRADE) as events:
            for number in range(3):
                stream.emit_event(make_event(number))
            assert (await anext(events)).sequence == 0
        stream.emit_event(make_event(9))
        books = stream.get_stats().books
    assert books.lost_by == {"normal:unsubscribed": 2}
    assert (books.received, books.processed, books.filtered) == (4, 1, 1)


async def test_there_is_one_subscription_to_the_findings():
    async with open_stream() as stream:
        assert stream.findings is stream.findings
    assert [finding async for finding in stream.findings] == []


async def test_what_no_subscriber_took_is_lost_as_unread(opened, make_event):
    async with opened() as stream:
        stream.subscribe(DataType.QUOTE)
        stream.emit_event(make_event())
    assert stream.get_stats().books.lost_by == {"normal:unread": 1}


async def test_what_is_prepared_sees_the_first_event(opened, make_event, make_feed):
    seen = []

    def prepare(stream):
        stream.add_event_handler(DataType.QUOTE, lambda e: seen.append(e.sequence))
        stream.emit_event(make_event(0))

    async with opened([make_feed([(0.0, make_event(1))])], prepare=prepare) as stream:
        await stream.ended.wait()
    assert seen == [0, 1]


@pytest.mark.parametrize("data_types", [(), (DataType.QUOTE,)])
async def test_events_that_come_together_go_where_each_would_go_alone(
    opened, make_event, data_types
):
    kinds = [DataType.QUOTE] * 70 + [DataType.TRADE, DataType.QUOTE] * 5 + [DataType.BLOCK]
    async with opened(data_types=frozenset(data_types)) as stream:
        seen = []
        stream.add_event_handler(DataType.QUOTE, lambda event: seen.append(event.sequence))
        stream.emit_events([make_event(n, kind=kind) for n, kind in enumerate(kinds)])
        stream.emit_events([make_event(99)])
        stream.emit_events([])
        await stream.outstanding.wait_idle()
        stats = stream.get_stats()
    quotes = [n for n, kind in enumerate(kinds) if kind is DataType.QUOTE]
    assert seen == [*quotes, 99]
    assert stats.events == {"quote": 76, "trade": 5, "block": 1}
    assert (stats.books.processed, stats.books.filtered) == (76, 6)
