"""How a stream begins and ends: draining, deadlines, errors, cancellation, sinks."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_mev.errors import (
    ProcessingTimeoutError,
    ProcessorFailed,
    RestartLimitReached,
)
from trio_mev.flow.status import FeedStatus
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import StreamConfig
from trio_mev.stream import open_stream

STAGES = [
    (DataType.QUOTE, DataType.PRICE),
    (DataType.PRICE, DataType.FINDING),
]


@pytest.fixture
def make_chain(make_processor):
    """Two processors, one after the other; ``work`` is called with the place of each."""

    def make(work):
        def link(place, consumes, emits):
            async def step(event):
                await work(place, event)
                return [event.finding(event.sequence, emits, EventPriority.NORMAL)]

            return make_processor([consumes], [emits], step, f"Link{place}")

        return [link(place, *stage) for place, stage in enumerate(STAGES)]

    return make


async def test_what_is_queued_at_the_exit_is_drained_stage_by_stage(
    opened, make_chain, make_event, autojump_clock
):
    seen = []

    async def work(place, event):
        await trio.sleep(0.05)

    async with opened(processors=make_chain(work)) as stream:
        stream.add_event_handler(DataType.FINDING, lambda e: seen.append(e.data))
        for number in range(10):
            stream.emit_event(make_event(number))
    assert seen == list(range(10))
    books = stream.get_stats().books
    assert (books.received, books.processed, books.lost) == (30, 30, 0)
    assert trio.current_time() == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("hung", "ends_at", "lost"),
    [
        ({0}, 1.0, {"normal:drain": 3}),
        ({1}, 2.0, {"normal:drain": 3}),
        ({0, 1}, 1.0, {"normal:drain": 3}),
    ],
)
async def test_a_hung_processor_is_cut_at_its_share_of_the_drain_deadline(
    opened, make_chain, make_event, autojump_clock, hung, ends_at, lost
):
    async def work(place, event):
        if place in hung:
            await trio.sleep_forever()

    async with opened(processors=make_chain(work), budget=100.0, drain_timeout=2.0) as stream:
        for number in range(3):
            stream.emit_event(make_event(number))
    assert trio.current_time() == pytest.approx(ends_at)
    assert stream.get_stats().books.lost_by == lost


async def test_a_stage_that_overruns_the_whole_drain_leaves_the_later_ones_their_end(
    opened, make_chain, make_event, autojump_clock
):
    async def work(place, event):
        if place == 0:
            with trio.CancelScope(shield=True):
                await trio.sleep(10)

    async with opened(processors=make_chain(work), budget=100.0, drain_timeout=2.0) as stream:
        stream.emit_event(make_event())
        await wait_all_tasks_blocked()
    assert trio.current_time() == 10
    books = stream.get_stats().books
    assert books.received == books.processed + books.lost + books.filtered


async def test_what_comes_after_the_end_is_lost(opened, make_event, settled):
    async with opened() as stream:
        stream.add_event_handler(DataType.QUOTE, print)
    stream.emit_event(make_event())
    books = stream.get_stats().books
    assert books.lost_by == {"normal:closed": 1}
    assert [event async for event in stream.subscribe(DataType.QUOTE)] == []
    settled(stream)


async def test_the_bodys_exception_comes_out_as_itself_with_its_cause(opened, make_event):
    async def wait(event):
        await trio.sleep_forever()

    cause = OSError("deep")
    error = LookupError("mine")
    streams = []

    async def course():
        async with opened(prepare=streams.append) as stream:
            stream.add_event_handler(DataType.QUOTE, wait)
            stream.emit_event(make_event())
            await wait_all_tasks_blocked()
            raise error from cause

    with pytest.raises(LookupError) as caught:
        await course()
    assert caught.value is error
    assert caught.value.__cause__ is cause
    assert streams[0].get_stats().books.lost_by == {"normal:cancelled": 1}


async def strict_course(opened, handler, event):
    async with opened(strict=True) as stream:
        stream.add_event_handler(DataType.QUOTE, handler)
        stream.emit_event(event)
        await trio.sleep_forever()


async def test_the_bodys_own_group_comes_out_as_it_was(opened):
    mine = ExceptionGroup("mine", [ValueError("one")])
    with pytest.raises(ExceptionGroup) as caught:
        async with opened():
            raise mine
    assert caught.value is mine


async def test_a_feed_that_is_added_to_a_stream_without_feeds_runs(opened, make_event):
    class Late:
        statuses = (FeedStatus("late"),)

        async def run(self, emit, outstanding):
            emit([make_event(1)])

    async with opened() as stream:
        quotes = stream.subscribe(DataType.QUOTE)
        stream.manager.add(Late())
        assert (await quotes.__anext__()).sequence == 1


async def test_a_failure_in_strict_mode_comes_out_as_itself(opened, make_event):
    def broken(event):
        raise ValueError("odd")

    with pytest.raises(ProcessorFailed, match=r"broken\(quote\) failed on quote") as caught:
        await strict_course(opened, broken, make_event())
    assert isinstance(caught.value.__cause__, ValueError)


async def test_a_time_out_in_strict_mode_comes_out_as_itself(opened, make_event, autojump_clock):
    async def slow(event):
        await trio.sleep(1)

    with pytest.raises(
        ProcessingTimeoutError, match=r"slow\(quote\): an event ran over its deadline"
    ):
        await strict_course(opened, slow, make_event())


async def test_a_lost_required_feed_ends_the_stream_as_itself(opened, make_feed):
    error = RestartLimitReached("feed node: 10 restarts in a row failed")
    with pytest.raises(RestartLimitReached) as caught:
        async with opened([make_feed(end=error)]):
            await trio.sleep_forever()
    assert caught.value is error


async def test_several_errors_at_once_stay_a_group(opened, make_feed):
    async def course():
        async with opened([make_feed(end=OSError("theirs"))]):
            try:
                await trio.sleep_forever()
            finally:
                raise LookupError("mine")

    with pytest.raises(ExceptionGroup) as caught:
        await course()
    assert caught.group_contains(OSError)
    assert caught.group_contains(LookupError)


async def test_cancelling_the_scope_around_it_ends_it_now(
    opened, make_event, make_feed, autojump_clock
):
    async def slow(event):
        await trio.sleep(50)

    with trio.move_on_after(3) as scope:
        async with opened([make_feed(stays=True)], budget=100.0) as stream:
            stream.add_event_handler(DataType.QUOTE, slow)
            for number in range(3):
                stream.emit_event(make_event(number))
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == 3.0
    assert stream.get_stats().books.lost_by == {"normal:cancelled": 3}
    assert stream.get_stats().uptime == 3.0


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope after so many steps of any task."""

    def __init__(self, scope, at):
        self.scope = scope
        self.left = at

    def after_task_step(self, task):
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()


async def collect(events):
    async for _ in events:
        await trio.lowlevel.checkpoint()


async def test_a_processor_may_have_a_budget_of_its_own(make_processor, autojump_clock):
    """Its events may take longer than those of the others, and no longer than that."""

    async def wait(event):
        await trio.sleep(event.sequence)

    def patient():
        made = make_processor([DataType.QUOTE], [], wait, "Patient")()
        made.budget = 2.0
        return made

    config = StreamConfig(budget=0.1)
    hasty = make_processor([DataType.QUOTE], [], wait, "Hasty")
    async with open_stream((), [patient, hasty], config) as stream:
        stream.emit_event(quote(1))
        stream.emit_event(quote(3))
        await trio.sleep(4)
        by_name = {one.name: one.books for one in stream.get_stats().consumers}
        assert (by_name["Patient"].processed, by_name["Patient"].failed) == (1, 1)
        assert (by_name["Hasty"].processed, by_name["Hasty"].failed) == (0, 2)


def quote(number):
    return DataEvent(DataType.QUOTE, EventPriority.NORMAL, None, "feed", 0.0, sequence=number)


async def small_run(feed, processors, prepare):
    """Feed, two stages, a sink and a reader of the findings, for 50 ms."""
    config = StreamConfig(budget=1.0)
    async with open_stream([feed], processors, config, prepare) as stream:
        stream.emit_event(quote(9))
        with trio.move_on_after(0.05):
            await collect(stream.findings)


def test_cancelled_at_any_checkpoint_the_books_balance_and_no_task_is_left(
    make_chain, make_feed, settled
):
    async def work(place, event):
        await trio.sleep(0.01)
        if event.sequence == 2:
            raise ValueError

    async def run(at):
        streams = []

        def prepare(stream):
            streams.append(stream)
            stream.add_sink(collect, DataType.PRICE)

        living = trio.lowlevel.current_statistics().tasks_living
        feed = make_feed([(n * 0.02, quote(n)) for n in range(4)], stays=True)
        with trio.CancelScope() as scope:
            trio.lowlevel.add_instrument(CancelAtStep(scope, at))
            await small_run(feed, make_chain(work), prepare)
        assert trio.lowlevel.current_statistics().tasks_living == living
        settled(streams[0])
        return scope.cancelled_caught

    cut = []
    while sum(cut[-30:]) or len(cut) < 60:
        cut.append(trio.run(run, len(cut) + 1, clock=MockClock(autojump_threshold=0)))
    assert sum(cut) > 30


async def test_sinks_end_last_and_take_what_is_left(opened, make_chain, make_event, autojump_clock):
    async def work(place, event):
        await trio.sleep(0.01)

    written = []

    async def sink(events):
        async for event in events:
            await trio.sleep(0.1)
            written.append(event.data)

    def prepare(stream):
        stream.add_sink(sink, DataType.FINDING)

    async with opened(processors=make_chain(work), prepare=prepare) as stream:
        for number in range(10):
            stream.emit_event(make_event(number))
    assert written == list(range(10))
    assert stream.get_stats().books.lost == 0


async def test_a_sink_that_hangs_is_cut_at_the_drain_timeout(opened, make_event, autojump_clock):
    async def sink(events):
        await trio.sleep_forever()

    def prepare(stream):
        stream.add_sink(sink, DataType.QUOTE)

    async with opened(prepare=prepare, drain_timeout=3.0) as stream:
        stream.emit_event(make_event())
    assert trio.current_time() == 3.0
    assert stream.get_stats().books.lost_by == {"normal:unread": 1}


async def test_a_tape_does_not_wait_for_a_sink_that_has_left(
    opened, make_event, make_feed, autojump_clock
):
    async def sink(events):
        await anext(events)

    def prepare(stream):
        stream.add_sink(sink, DataType.QUOTE)

    feed = make_feed([(float(n), make_event(n)) for n in range(3)])
    with trio.fail_after(60):
        async with opened([feed], prepare=prepare) as stream:
            await stream.ended.wait()
    books = stream.get_stats().books
    assert (books.processed, books.filtered) == (1, 2)


async def test_a_failing_sink_ends_the_stream_as_itself(opened):
    async def sink(events):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        async with opened(prepare=lambda stream: stream.add_sink(sink, DataType.QUOTE)):
            await trio.sleep_forever()
