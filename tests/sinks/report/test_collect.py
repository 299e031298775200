"""The collector as a sink of a real stream: it is told of all, and what it missed is counted."""

from __future__ import annotations

import trio

from tests.support.reports import ABOUT, EPOCH, NOTHING, price, quote
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.model.settings import LaneSettings
from trio_mev.sinks.report.collect import COLLECTED, Collector
from trio_mev.stream import open_stream


class Flapping:
    """A feed that is lost for three seconds, and brings two quotes before and one after."""

    def __init__(self) -> None:
        self.status = FeedStatus("binance:test")
        self.statuses = (self.status,)

    async def run(self, emit, outstanding):
        await trio.sleep(1)
        self.status.enter(FeedState.READY)
        emit([quote(trio.current_time()), quote(trio.current_time(), 101.0)])
        await trio.sleep(5)
        self.status.enter(FeedState.WAITING, "it went away")
        await trio.sleep(3)
        self.status.enter(FeedState.READY)
        emit([quote(trio.current_time(), 102.0)])
        await trio.sleep(30)


async def test_it_is_told_of_every_state_and_every_event(autojump_clock):
    collectors = []

    def prepare(stream):
        collector = Collector(ABOUT, EPOCH, 10.0)
        collector.watch(stream.manager.statuses)
        stream.add_sink(collector.run, *COLLECTED)
        collectors.append(collector)

    start = trio.current_time()
    async with open_stream([Flapping()], prepare=prepare) as stream:
        await stream.ended.wait()
    report = collectors[0].report(NOTHING)
    (feed,) = report.feeds
    lives = [(one.start - start, one.end - start, one.state) for one in feed.lives]
    assert lives == [(0, 1, "connecting"), (1, 6, "ready"), (6, 9, "waiting"), (9, 39, "ready")]
    assert feed.lives[2].detail == "it went away"
    assert [(one.start - start, one.end - start) for one in feed.silences] == [(9, 39)]
    assert sum(feed.rate.values()) == 3
    assert report.prices[0].sources[0].quotes == 3
    assert report.missed == 0
    assert (report.start, report.end) == (start, start + 39)


async def test_what_comes_too_fast_is_counted_as_missed(autojump_clock):
    collectors = []

    def prepare(stream):
        collectors.append(Collector(ABOUT, EPOCH, 10.0))
        lanes = LaneSettings(normal=10)
        stream.add_sink(collectors[0].run, *COLLECTED, lanes=lanes)

    async with open_stream(prepare=prepare) as stream:
        for number in range(100):
            stream.emit_event(price(float(number)))
    report = collectors[0].report(NOTHING)
    assert report.missed == 90
    assert report.prices[0].count == 10


async def test_what_is_left_when_the_stream_is_cancelled_is_missed_too(autojump_clock):
    collectors = []

    def prepare(stream):
        collectors.append(Collector(ABOUT, EPOCH, 10.0))
        stream.add_sink(collectors[0].run, *COLLECTED)

    with trio.CancelScope() as scope:
        async with open_stream(prepare=prepare) as stream:
            await trio.sleep(1)
            scope.cancel()
            for number in range(7):
                stream.emit_event(price(float(number)))
    report = collectors[0].report(NOTHING)
    taken = sum(one.count for one in report.prices)
    assert (taken, report.missed) == (0, 7)
