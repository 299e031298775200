"""The pump: each event under its deadline, failures counted, nothing lost without a reason."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.errors import ProcessingTimeoutError, ProcessorFailed
from trio_mev.flow.crew import BATCH
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import HandlerProcessor, Pump
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.health import HealthIssue
from trio_mev.model.settings import StreamConfig

HIGH, LOW = EventPriority.HIGH, EventPriority.LOW


class Scripted(DataProcessor):
    """Does what its script says for each event, and keeps what it has seen."""

    consumes = frozenset({DataType.QUOTE, DataType.BLOCK})
    emits = frozenset({DataType.FINDING})

    def __init__(self, script):
        self.script = script
        self.seen = []

    async def process_event(self, event):
        self.seen.append(event.sequence)
        return await self.script(event)


@pytest.fixture
def make_pump(make_lanes):
    def make(script, lanes=None, factory=None, **config):
        published = []
        pump = Pump(
            "probe",
            factory or (lambda: Scripted(script)),
            StreamConfig(**config),
            lanes or make_lanes(),
            published.append,
        )
        pump.published = published
        return pump

    return make


def put_all(pump, *events, close=True):
    for event in events:
        pump.lanes.put(event)
    if close:
        pump.lanes.close()


async def nothing(event):
    return None


async def stuck(event):
    await trio.sleep_forever()


async def failing(event):
    raise ValueError(f"no {event.sequence}")


async def test_every_event_is_processed_and_findings_carry_name_and_ordinal(make_pump, make_event):
    async def two(event):
        return [event.finding("a"), event.finding("b")]

    pump = make_pump(two)
    put_all(pump, make_event(4, at=trio.current_time()), make_event(5, at=trio.current_time()))
    await pump.run()
    assert [(e.data, e.sequence, e.source, e.ordinal) for e in pump.published] == [
        ("a", 4, "probe", 0),
        ("b", 4, "probe", 1),
        ("a", 5, "probe", 0),
        ("b", 5, "probe", 1),
    ]
    snapshot = pump.snapshot()
    assert (snapshot.books.processed, snapshot.books.queued) == (2, 0)
    assert snapshot.books.balanced
    assert snapshot.consumes == ("block", "quote")
    assert snapshot.timing.count == 2
    assert pump.ended.is_set()


async def test_it_sleeps_until_something_comes(make_pump, make_event, autojump_clock):
    pump = make_pump(nothing)
    assert pump.snapshot().last_processed_at is None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        await trio.sleep(1000)
        pump.lanes.put(make_event(1, at=trio.current_time()))
        await wait_all_tasks_blocked()
        assert pump.processor.seen == [1]
        assert trio.current_time() == 1000
        assert pump.snapshot().last_processed_at == 1000
        pump.lanes.close()
    assert pump.lanes.balance().processed == 1


@pytest.mark.parametrize("before", [0.0, 0.004, 0.0099, 0.02, 0.07])
async def test_a_stuck_processor_is_cancelled_between_its_budget_and_ten_milliseconds_more(
    make_pump, make_event, autojump_clock, before
):
    spans = []

    async def script(event):
        start = trio.current_time()
        if event.sequence < 3:
            await trio.sleep(before)
            return
        try:
            await trio.sleep_forever()
        finally:
            spans.append(trio.current_time() - start)

    pump = make_pump(script, budget=0.1)
    put_all(pump, *(make_event(number) for number in range(6)))
    await pump.run()
    assert len(spans) == 3
    assert all(0.1 - 1e-9 <= span <= 0.11 + 1e-9 for span in spans)
    books = pump.lanes.balance()
    assert (books.processed, books.failed) == (3, 3)
    assert books.balanced


async def test_the_time_between_two_events_belongs_to_neither(
    make_pump, make_event, autojump_clock
):
    async def script(event):
        await trio.sleep(0.09)

    pump = make_pump(script, budget=0.1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        for number in range(5):
            pump.lanes.put(make_event(number, at=trio.current_time()))
            await trio.sleep(0.1)
        pump.lanes.close()
    assert pump.lanes.balance().processed == 5


async def test_time_outs_are_counted_apart_and_are_not_in_the_mean(
    make_pump, make_event, autojump_clock
):
    async def script(event):
        if event.sequence == 1:
            await trio.sleep_forever()

    pump = make_pump(script)
    put_all(pump, make_event(0), make_event(1), make_event(2))
    await pump.run()
    timing = pump.snapshot().timing
    assert (timing.count, timing.timeouts) == (2, 1)
    assert timing.mean < 10
    assert pump.last_error == (
        "ProcessingTimeoutError: quote ran over its deadline, at most 100 ms from its start"
    )


async def test_a_synchronous_overrun_is_counted_and_not_cancelled(make_pump, make_event):
    async def script(event):
        sum(range(50_000))

    pump = make_pump(script, budget=1e-6)
    put_all(pump, *(make_event(n, at=trio.current_time()) for n in range(3)))
    await pump.run()
    assert pump.snapshot().timing.overruns == 3
    assert pump.lanes.balance().processed == 3


async def test_a_processor_that_shields_itself_past_its_deadline_has_finished_and_others_go_on(
    make_pump, make_event, autojump_clock
):
    async def script(event):
        if event.sequence == 0:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.5)
        elif event.sequence == 1:
            await trio.sleep(0.05)
        return [event.finding(event.sequence)]

    pump = make_pump(script, budget=0.1)
    put_all(pump, *(make_event(n) for n in range(3)))
    await pump.run()
    books = pump.lanes.balance()
    assert (books.processed, books.failed) == (3, 0)
    assert [event.data for event in pump.published] == [0, 1, 2]


async def test_a_thread_that_outlives_the_budget_ends_the_last_event_and_not_the_pump(
    make_pump, make_event
):
    release = trio.Event()

    async def script(event):
        await trio.to_thread.run_sync(trio.from_thread.run, release.wait)

    pump = make_pump(script, budget=0.001)
    put_all(pump, make_event(0, at=trio.current_time()), close=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        while not pump.crew._scope.cancel_called:
            await trio.lowlevel.checkpoint()
        release.set()
        while pump.lanes.queued:
            await trio.lowlevel.checkpoint()
        put_all(pump, make_event(1, at=trio.current_time()))
    books = pump.lanes.balance()
    assert books.processed + books.failed == 2
    assert books.balanced


async def test_a_processor_that_fails_while_it_is_cancelled_has_timed_out(
    make_pump, make_event, autojump_clock, logged
):
    async def child():
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("in the clean-up")

    async def script(event):
        if event.sequence == 0:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child)
                await trio.sleep_forever()

    pump = make_pump(script)
    put_all(pump, make_event(0), make_event(1))
    await pump.run()
    books = pump.lanes.balance()
    assert (books.processed, books.failed) == (1, 1)
    assert pump.timing.timeouts == 1
    assert any("failed while it was cancelled" in line for line in logged)


async def test_a_failing_event_is_counted_and_the_rest_go_on(make_pump, make_event):
    async def script(event):
        if event.sequence == 1:
            raise ValueError("odd")
        return [event.finding(event.sequence)]

    pump = make_pump(script)
    put_all(pump, *(make_event(n, at=trio.current_time()) for n in range(4)))
    await pump.run()
    books = pump.lanes.balance()
    assert (books.processed, books.failed) == (3, 1)
    assert [event.data for event in pump.published] == [0, 2, 3]
    assert pump.snapshot().last_error == "ValueError: odd"
    assert pump.restarts == 0


async def test_it_is_made_anew_after_so_many_failures_in_a_row(
    make_pump, make_event, autojump_clock
):
    made = []

    async def script(event):
        if event.data == "fail":
            raise ValueError
        if event.data == "hang":
            await trio.sleep_forever()

    def factory():
        made.append(Scripted(script))
        return made[-1]

    pump = make_pump(None, factory=factory, failures_before_restart=3)
    course = ["fail", "fail", "", "fail", "hang", "fail", "", "fail"]
    put_all(pump, *(make_event(n, data=data) for n, data in enumerate(course)))
    await pump.run()
    assert [processor.seen for processor in made] == [[0, 1, 2, 3, 4, 5], [6, 7]]
    assert pump.snapshot().restarts == 1


async def test_a_factory_that_fails_leaves_the_processor_as_it_is(make_pump, make_event, logged):
    made = []

    def factory():
        if made:
            raise OSError("no more of them")
        made.append(Scripted(failing))
        return made[-1]

    pump = make_pump(None, factory=factory, failures_before_restart=1)
    put_all(pump, *(make_event(n, at=trio.current_time()) for n in range(2)))
    await pump.run()
    assert made[0].seen == [0, 1]
    assert pump.lanes.balance().failed == 2
    assert pump.restarts == 0
    assert pump.last_error == "OSError: no more of them"
    assert any("cannot be made anew" in line for line in logged)


async def test_strict_mode_raises_the_failure_with_its_cause(make_pump, make_event):
    pump = make_pump(failing, strict=True)
    put_all(pump, *(make_event(n, at=trio.current_time()) for n in range(2)))
    with pytest.raises(ProcessorFailed, match="probe failed on quote") as caught:
        await pump.run()
    assert isinstance(caught.value.__cause__, ValueError)
    books = pump.lanes.balance()
    assert (books.failed, books.lost_by) == (1, {"normal:cancelled": 1})
    assert books.balanced
    assert pump.ended.is_set()


async def test_strict_mode_raises_the_time_out(make_pump, make_event, autojump_clock):
    pump = make_pump(stuck, strict=True, budget=0.25)
    put_all(pump, make_event())
    with pytest.raises(
        ProcessingTimeoutError, match="probe: an event ran over its deadline, at most 250 ms"
    ):
        await pump.run()
    assert 0.25 <= trio.current_time() <= 0.26 + 1e-9
    assert pump.lanes.balance().failed == 1


@pytest.mark.parametrize(("emits", "said"), [((), "nothing"), ((DataType.ALERT,), "alert")])
async def test_an_undeclared_emission_is_the_processors_failure(make_pump, make_event, emits, said):
    async def script(event):
        return [event.finding("undeclared")]

    class Narrow(Scripted):
        pass

    Narrow.emits = frozenset(emits)
    pump = make_pump(None, factory=lambda: Narrow(script))
    put_all(pump, make_event(at=trio.current_time()))
    await pump.run()
    assert pump.published == []
    assert pump.lanes.balance().failed == 1
    assert pump.last_error == f"ProcessorFailed: probe emitted finding, its emits says {said}"


async def test_what_a_processor_does_not_admit_is_filtered(make_pump, make_event):
    class Even(Scripted):
        def admits(self, event):
            return event.sequence % 2 == 0

    pump = make_pump(None, factory=lambda: Even(nothing))
    put_all(pump, *(make_event(n, at=trio.current_time()) for n in range(5)))
    await pump.run()
    books = pump.lanes.balance()
    assert (books.processed, books.filtered) == (3, 2)
    assert pump.processor.seen == [0, 2, 4]
    assert pump.timing.count == 3


async def test_an_expired_event_is_lost_and_a_block_never_expires(
    make_pump, make_event, autojump_clock
):
    pump = make_pump(nothing, max_age=10.0)
    await trio.sleep(10)
    put_all(
        pump,
        make_event(0, at=0.0),
        make_event(1, at=0.001),
        make_event(2, kind=DataType.BLOCK, at=-1e6),
    )
    await pump.run()
    assert pump.processor.seen == [2, 1]
    assert pump.lanes.balance().lost_by == {"normal:expired": 1}
    assert pump.lanes.balance().balanced


async def test_an_event_is_cancelled_when_its_age_is_over_though_its_budget_is_not(
    make_pump, make_event, autojump_clock
):
    pump = make_pump(stuck, budget=5.0, max_age=10.0)
    await trio.sleep(9)
    put_all(pump, make_event(0, at=0.0))
    await pump.run()
    assert 10 <= trio.current_time() <= 10.01 + 1e-9
    assert pump.lanes.balance().failed == 1


async def test_a_block_has_a_budget_all_the_same(make_pump, make_event, autojump_clock):
    pump = make_pump(stuck, budget=0.1)
    put_all(pump, make_event(kind=DataType.BLOCK, at=-math.inf))
    await pump.run()
    assert 0.1 <= trio.current_time() <= 0.11 + 1e-9
    assert pump.lanes.balance().failed == 1


async def test_a_cancellation_in_the_middle_of_an_event_loses_no_counted_event(
    make_pump, make_event, autojump_clock
):
    pump = make_pump(stuck, budget=10.0)
    put_all(pump, *(make_event(n) for n in range(3)), make_event(9, LOW), close=False)
    with trio.move_on_after(1):
        await pump.run()
    books = pump.lanes.balance()
    assert pump.processor.seen == [0]
    assert books.lost_by == {"normal:cancelled": 3, "low:cancelled": 1}
    assert (books.received, books.queued) == (4, 0)
    assert books.balanced


async def test_a_cancelled_pump_counts_what_is_left_under_the_reason(
    make_pump, make_event, autojump_clock
):
    pump = make_pump(stuck, budget=10.0)
    put_all(pump, make_event(0), make_event(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        await trio.sleep(1)
        pump.cancel("drain")
    assert pump.lanes.balance().lost_by == {"normal:drain": 2}
    assert trio.current_time() == 1


async def test_what_is_urgent_overtakes_what_came_in_the_same_batch(make_pump, make_event):
    async def script(event):
        if event.sequence == 0:
            pump.lanes.put(make_event(100, HIGH, at=trio.current_time()))

    pump = make_pump(script)
    put_all(pump, *(make_event(n, LOW, at=trio.current_time()) for n in range(3)), close=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        await wait_all_tasks_blocked()
        pump.lanes.close()
    assert pump.processor.seen == [0, 100, 1, 2]


async def test_others_run_after_every_batch(make_pump, make_event, autojump_clock):
    pump = make_pump(nothing)
    put_all(pump, *(make_event(n, at=trio.current_time()) for n in range(3 * BATCH)))
    progress = []

    async def look():
        while not pump.ended.is_set():
            progress.append(len(pump.processor.seen))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        nursery.start_soon(pump.run)
    assert any(0 < done < 3 * BATCH for done in progress)
    assert {done % BATCH for done in progress} == {0}


async def test_a_processor_says_what_is_wrong_and_may_fail_at_that(make_pump):
    pump = make_pump(nothing)
    assert list(pump.health(1.0)) == []
    issue = HealthIssue("dry", "well", "no water")
    pump.processor.health = lambda now: [issue] if now > 1 else 1 / 0
    assert list(pump.health(2.0)) == [issue]
    (failed,) = pump.health(0.5)
    assert (failed.kind, failed.where) == ("health_failed", pump.name)
    assert failed.detail == "ZeroDivisionError: division by zero"


async def test_failures_are_logged_once_a_minute(make_pump, make_event, autojump_clock, logged):
    pump = make_pump(failing, failures_before_restart=1000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        for number in range(13):
            pump.lanes.put(make_event(number, at=trio.current_time()))
            await trio.sleep(10)
        pump.lanes.close()
    lines = [line.splitlines()[0] for line in logged]
    assert lines == [
        "processor probe failed; 1 failures so far",
        "processor probe failed; 7 failures so far",
        "processor probe failed; 13 failures so far",
    ]


async def test_an_event_is_a_new_one_when_it_becomes_urgent(make_pump, make_event):
    async def script(event):
        return [event.finding("urgent", priority=HIGH)]

    pump = make_pump(script)
    event = make_event(3, LOW, at=trio.current_time())
    put_all(pump, event)
    await pump.run()
    assert event.priority is LOW
    assert pump.published[0].priority is HIGH
    assert pump.published[0].received_at == event.received_at
    with pytest.raises(AttributeError):
        event.priority = HIGH


@pytest.fixture
def handle(make_lanes):
    """Run handlers side by side over the same events; their pumps."""

    async def run(handlers, events, **config):
        pumps = [
            Pump(
                str(number),
                lambda handler=handler: HandlerProcessor(DataType.QUOTE, handler),
                StreamConfig(**config),
                make_lanes(),
                pytest.fail,
            )
            for number, handler in enumerate(handlers)
        ]
        async with trio.open_nursery() as nursery:
            for pump in pumps:
                put_all(pump, *events)
                nursery.start_soon(pump.run)
        return pumps

    return run


async def test_a_handler_may_be_a_function_or_a_coroutine_function(handle, make_event):
    seen = []

    async def waiting(event: DataEvent):
        await trio.lowlevel.checkpoint()
        seen.append(("async", event.sequence))

    await handle(
        [lambda event: seen.append(("sync", event.sequence)), waiting],
        [make_event(n, at=trio.current_time()) for n in (1, 2)],
    )
    assert sorted(seen) == [("async", 1), ("async", 2), ("sync", 1), ("sync", 2)]


async def test_a_failing_handler_harms_no_other(handle, make_event):
    seen = []

    def broken(event):
        raise ValueError

    pumps = await handle(
        [broken, lambda event: seen.append(event.sequence)],
        [make_event(n, at=trio.current_time()) for n in range(3)],
    )
    assert seen == [0, 1, 2]
    assert [pump.lanes.balance().failed for pump in pumps] == [3, 0]


async def test_a_slow_handler_is_cancelled_at_its_budget_and_delays_no_other(
    handle, make_event, autojump_clock
):
    times = []

    async def slow(event):
        await trio.sleep(3600)

    pumps = await handle(
        [slow, lambda event: times.append(trio.current_time())],
        [make_event(n) for n in range(2)],
    )
    assert times == [0.0, 0.0]
    assert 0.2 <= trio.current_time() <= 0.22 + 1e-9
    assert [pump.timing.timeouts for pump in pumps] == [2, 0]


async def test_what_a_handler_returns_is_not_published(handle, make_event):
    pumps = await handle([lambda event: [event.finding("x")]], [make_event(at=trio.current_time())])
    assert pumps[0].lanes.balance().processed == 1
