"""What is served at once, in the task of whoever put it, and what is not."""

from __future__ import annotations

import functools
import inspect
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.errors import ProcessorFailed
from trio_mev.flow import crew as crews
from trio_mev.flow import waiting
from trio_mev.flow.crew import Crew
from trio_mev.flow.lane import Run
from trio_mev.flow.lanes import Lanes
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import HandlerProcessor, Pump
from trio_mev.flow.waiting import cannot_wait
from trio_mev.model.event import DataType
from trio_mev.model.settings import LaneSettings, StreamConfig

QUOTE = DataType.QUOTE


class Prompt(DataProcessor):
    consumes = frozenset({QUOTE})

    def __init__(self, work=None):
        self.seen = []
        self.tasks = []
        self.work = work

    async def process_event(self, event):
        self.seen.append(event.sequence)
        self.tasks.append(trio.lowlevel.current_task())
        return self.work(event) if self.work is not None else None


class Waiting(Prompt):
    async def process_event(self, event):
        await trio.lowlevel.checkpoint()
        return await super().process_event(event)


def pump_of(processor, name="probe", publish=None, **config):
    lanes = Lanes(LaneSettings(5, 50, 5), Outstanding())
    return Pump(name, lambda: processor, StreamConfig(**config), lanes, publish or pytest.fail)


@asynccontextmanager
async def at_rest(*pumps):
    """A crew that has nothing to do; its pumps end with the block."""
    async with trio.open_nursery() as nursery:

        def start(crew):
            nursery.start_soon(crew.run)

        crew = Crew(pumps, start)
        start(crew)
        await wait_all_tasks_blocked()
        yield crew
        for pump in pumps:
            pump.lanes.close()
    for pump in pumps:
        assert pump.lanes.balance().balanced
        assert pump.lanes.balance().queued == 0


def put_at_once(crew, *puts):
    assert crew.hold()
    for pump, event in puts:
        pump.lanes.put(event)
    crew.serve_at_once()


async def test_what_cannot_wait_is_served_in_the_task_of_whoever_put_it(make_event):
    first, second = Prompt(), Prompt()
    pumps = [pump_of(first), pump_of(second)]
    async with at_rest(*pumps) as crew:
        event = make_event(1, at=trio.current_time())
        put_at_once(crew, *((pump, event) for pump in pumps))
        assert first.seen == second.seen == [1]
        assert first.tasks == second.tasks == [trio.lowlevel.current_task()]
        assert [pump.lanes.books.processed for pump in pumps] == [1, 1]
        assert [pump.timing.count for pump in pumps] == [1, 1]
        await wait_all_tasks_blocked()
        put_at_once(crew, (pumps[0], make_event(2, at=trio.current_time())))
        assert first.seen == [1, 2]


async def test_what_may_wait_is_left_to_the_crew(make_event):
    prompt, waiting = Prompt(), Waiting()
    pumps = [pump_of(waiting), pump_of(prompt)]
    async with at_rest(*pumps) as crew:
        event = make_event(1, at=trio.current_time())
        put_at_once(crew, *((pump, event) for pump in pumps))
        assert (prompt.seen, waiting.seen) == ([1], [])
        await wait_all_tasks_blocked()
        assert waiting.seen == [1]
        assert waiting.tasks != prompt.tasks


async def test_a_crew_that_has_something_to_do_already_is_not_interrupted(make_event):
    pump = pump_of(Prompt())
    async with at_rest(pump) as crew:
        pump.lanes.put(make_event(1, at=trio.current_time()))
        assert not crew.hold()
        await wait_all_tasks_blocked()
        assert crew.hold()
        assert not crew.hold(), "whoever is served at once may put something itself"
        crew.serve_at_once()
    assert pump.processor.seen == [1]


async def test_what_is_found_at_once_is_for_the_crew_where_others_consume_it(make_event):
    hearer = Prompt()
    second = pump_of(hearer)
    first = pump_of(Prompt(lambda event: [event.finding("found")]), publish=second.lanes.put)
    async with at_rest(first, second) as crew:
        put_at_once(crew, (first, make_event(1, at=trio.current_time())))
        assert hearer.seen == []
        await wait_all_tasks_blocked()
        assert len(hearer.seen) == 1
        assert hearer.tasks != [trio.lowlevel.current_task()]


async def test_what_takes_its_slice_of_time_leaves_the_rest_to_the_crew(make_event, monkeypatch):
    monkeypatch.setattr(crews, "SLICE", -1.0)
    pump = pump_of(Prompt())
    async with at_rest(pump) as crew:
        assert crew.hold()
        events = [make_event(n, at=trio.current_time()) for n in range(3)]
        pump.lanes.put_run(Run(events, 3))
        crew.serve_at_once()
        assert pump.processor.seen == [0]
        await wait_all_tasks_blocked()
        assert pump.processor.seen == [0, 1, 2]
        assert pump.processor.tasks[0] != pump.processor.tasks[1]


async def test_events_of_several_priorities_are_for_the_crew(make_event):
    pump = pump_of(Prompt())
    async with at_rest(pump) as crew:
        now = trio.current_time()
        put_at_once(crew, *((pump, make_event(n, at=now)) for n in range(3)))
        assert pump.processor.seen == []
        await wait_all_tasks_blocked()
        assert pump.processor.seen == [0, 1, 2]


async def test_a_failure_is_counted_and_the_next_event_served(make_event, logged):
    pump = pump_of(Prompt(lambda event: 1 // event.sequence and None))
    async with at_rest(pump) as crew:
        for number in (0, 1):
            put_at_once(crew, (pump, make_event(number, at=trio.current_time())))
            await wait_all_tasks_blocked()
    books = pump.lanes.balance()
    assert (books.failed, books.processed) == (1, 1)
    assert "ZeroDivisionError" in pump.last_error


async def test_in_strict_mode_a_failure_ends_the_crew_and_not_whoever_put_the_event(make_event):
    pump = pump_of(Prompt(lambda event: 1 // 0), strict=True)

    async def put_and_go_on():
        async with at_rest(pump) as crew:
            put_at_once(crew, (pump, make_event(1, at=trio.current_time())))
            await trio.sleep_forever()  # what ends this is the crew

    with pytest.raises(BaseExceptionGroup) as caught:
        await put_and_go_on()
    (error,) = caught.value.exceptions
    assert isinstance(error, ProcessorFailed)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert pump.ended.is_set()
    assert pump.lanes.balance().failed == 1


async def test_what_is_no_failure_goes_to_whoever_put_the_event(make_event):
    def interrupt(event):
        raise KeyboardInterrupt

    pump = pump_of(Prompt(interrupt))
    async with at_rest(pump) as crew:
        with pytest.raises(KeyboardInterrupt):
            put_at_once(crew, (pump, make_event(1, at=trio.current_time())))
        pump.cancel("cancelled")
    assert pump.lanes.balance().lost_by == {"normal:cancelled": 1}


async def test_a_processor_may_end_itself_at_once(make_event):
    pumps = []
    ending = pump_of(Prompt(lambda event: pumps[0].cancel("had enough")))
    other = pump_of(Prompt())
    pumps += [ending, other]
    async with at_rest(ending, other) as crew:
        event = make_event(1, at=trio.current_time())
        put_at_once(crew, (ending, event), (other, event))
        assert other.processor.seen == [1]
        await ending.ended.wait()
        put_at_once(crew, (ending, event), (other, make_event(2, at=trio.current_time())))
        assert other.processor.seen == [1, 2]
    assert ending.lanes.balance().processed == 1
    assert ending.lanes.balance().lost_by == {"normal:closed": 1}


async def for_ever():
    await trio.sleep_forever()


def handling(handler, **config):
    return pump_of(HandlerProcessor(QUOTE, handler), **config)


async def test_a_function_is_called_at_once_and_what_it_returns_is_waited_for_elsewhere(make_event):
    tasks = []

    async def later(event):
        tasks.append(trio.lowlevel.current_task())
        await trio.lowlevel.checkpoint()
        tasks.append(trio.lowlevel.current_task())

    def handler(event):
        tasks.append(trio.lowlevel.current_task())
        return later(event)

    pump, other = handling(handler), pump_of(Prompt())
    async with at_rest(pump, other) as crew:
        event = make_event(1, at=trio.current_time())
        put_at_once(crew, (pump, event), (other, event))
        mine = trio.lowlevel.current_task()
        assert tasks == [mine]
        await wait_all_tasks_blocked()
        assert len(set(tasks)) == 2
        assert mine not in tasks[1:]
        assert other.processor.seen == [1]
        assert crew.closed, "the handler has it for itself from now on"
    assert pump.lanes.balance().processed == 1


async def test_what_is_waited_for_elsewhere_has_its_deadline(make_event, autojump_clock):
    pump = handling(lambda event: for_ever(), budget=0.1)
    async with at_rest(pump) as crew:
        start = trio.current_time()
        put_at_once(crew, (pump, make_event(1, at=start)))
        await wait_all_tasks_blocked()
        await trio.sleep(0.2)
        assert pump.timing.timeouts == pump.lanes.balance().failed == 1


async def test_who_is_replaced_by_one_that_waits_is_left_to_the_crew(make_event, logged):
    instances = [Prompt(lambda event: 1 // 0), waiting := Waiting()]
    lanes = Lanes(LaneSettings(5, 50, 5), Outstanding())
    config = StreamConfig(failures_before_restart=1)
    pump = Pump("probe", lambda: instances.pop(0), config, lanes, pytest.fail)
    async with at_rest(pump) as crew:
        assert crew.hold()
        lanes.put_run(Run([make_event(n, at=trio.current_time()) for n in range(3)], 3))
        crew.serve_at_once()
        assert waiting.seen == []
        await wait_all_tasks_blocked()
        assert waiting.seen == [1, 2]
        assert trio.lowlevel.current_task() not in waiting.tasks
    assert (lanes.balance().failed, lanes.balance().processed) == (1, 2)


async def test_room_is_waited_for_by_the_crew(make_event):
    published = []
    full = Lanes(LaneSettings(high=1, high_overflow="block"), Outstanding())

    def publish(event):
        full.put(event)
        published.append(event.data)

    lanes = Lanes(LaneSettings(5, 50, 5), Outstanding())
    prompt = Prompt(lambda event: [event.finding(1), event.finding(2)])
    pump = Pump("probe", lambda: prompt, StreamConfig(), lanes, publish, room=full)
    async with at_rest(pump) as crew:
        put_at_once(crew, (pump, make_event(1, at=trio.current_time())))
        assert published == [1]
        await wait_all_tasks_blocked()
        assert published == [1]
        full.take(1)
        await wait_all_tasks_blocked()
        assert published == [1, 2]
    assert lanes.balance().processed == 1


async def test_what_cancels_the_crew_at_once_is_gone_on_with_until_it_waits(make_event):
    went_on = []

    async def later():
        went_on.append(True)
        await trio.sleep_forever()

    def handler(event):
        scope.cancel()
        return later()

    pump = handling(handler)
    with trio.CancelScope() as scope:
        async with at_rest(pump) as crew:
            put_at_once(crew, (pump, make_event(1, at=trio.current_time())))
            await trio.sleep_forever()
    assert went_on
    assert pump.lanes.balance().lost_by == {"normal:cancelled": 1}


async def test_in_strict_mode_a_failure_is_told_though_the_crew_was_cancelled_with_it(make_event):
    def handler(event):
        scope.cancel()
        raise ValueError

    pump = handling(handler, strict=True)
    with pytest.RaisesGroup(ProcessorFailed), trio.CancelScope() as scope:
        async with at_rest(pump) as crew:
            put_at_once(crew, (pump, make_event(1, at=trio.current_time())))
            await trio.sleep_forever()
    assert pump.lanes.balance().failed == 1


async def test_a_cancellation_before_the_crew_goes_on_loses_nothing(make_event):
    pump = handling(lambda event: for_ever())
    with trio.CancelScope() as scope:
        async with at_rest(pump) as crew:
            put_at_once(crew, (pump, make_event(1, at=trio.current_time())))
            scope.cancel()
            await trio.lowlevel.checkpoint()
    books = pump.lanes.balance()
    assert books.lost_by == {"normal:cancelled": 1}
    assert (books.balanced, books.queued) == (True, 0)


async def plain(event): ...


async def with_a_wait(event):
    await plain(event)


async def with_a_block(event):
    async with trio.open_nursery():
        pass


async def with_a_loop(event):
    async for _ in event:
        pass


async def with_a_comprehension(event):
    return [one async for one in event]


async def with_a_function_in_it(event):
    async def inner():
        await plain(event)

    return inner


def no_coroutine(event):
    return plain(event)


@getattr(inspect, "markcoroutinefunction", lambda function: function)  # Python 3.12 has it
def marked(event):
    return with_a_wait(event)


@functools.wraps(plain)
async def wrapped(event):
    return await plain(event)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (plain, True),
        (with_a_function_in_it, True),
        (Prompt().process_event, True),
        (Waiting().process_event, False),
        (with_a_wait, False),
        (with_a_block, False),
        (with_a_loop, False),
        (with_a_comprehension, False),
        (no_coroutine, False),
        (wrapped, False),
        (marked, False),
        (functools.partial(plain, None), False),
        (len, False),
    ],
)
def test_whether_a_coroutine_can_wait_is_seen_in_its_code(function, expected):
    assert cannot_wait(function) is expected


def test_where_python_compiles_to_something_else_it_cannot_be_told(monkeypatch):
    monkeypatch.setattr(waiting, "_TOLD", False)
    assert not cannot_wait(plain)


def test_a_coroutine_function_as_handler_is_known_to_wait():
    assert not handling(with_a_wait).prompt
    assert handling(len).prompt
