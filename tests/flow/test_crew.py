"""Processors that await nothing share one task."""

from __future__ import annotations

import types

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow import crew as crews
from trio_mev.flow.lane import Run
from trio_mev.flow.lanes import Lanes
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import Pump
from trio_mev.flow.waiting import watched
from trio_mev.model.event import DataType
from trio_mev.model.settings import LaneSettings, StreamConfig


class Probe(DataProcessor):
    consumes = frozenset({DataType.QUOTE, DataType.BLOCK})

    def __init__(self):
        self.seen = []
        self.tasks = set()

    async def process_event(self, event):
        self.seen.append(event.sequence)
        self.tasks.add(trio.lowlevel.current_task())
        if event.data is not None:
            await event.data()


def pump_of(name="probe", room=None, processor=Probe, **config):
    lanes = Lanes(LaneSettings(5, 50, 5), Outstanding())
    return Pump(name, processor, StreamConfig(**config), lanes, lambda event: None, room=room)


async def test_one_task_serves_them_all_and_each_ends_by_itself(make_event, autojump_clock):
    first, second = pump_of("first"), pump_of("second")
    first.crew.join(second)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.run)
        await wait_all_tasks_blocked()
        for number in range(3):
            first.lanes.put(make_event(number))
            second.lanes.put(make_event(10 + number))
        await wait_all_tasks_blocked()
        first.lanes.close()
        await wait_all_tasks_blocked()
        assert first.ended.is_set()
        assert not second.ended.is_set()
        second.lanes.put(make_event(20))
        second.lanes.close()
    assert first.processor.seen == [0, 1, 2]
    assert second.processor.seen == [10, 11, 12, 20]
    assert first.processor.tasks == second.processor.tasks
    assert len(first.processor.tasks) == 1


async def test_one_that_waits_after_all_is_cancelled_and_the_others_go_on(
    make_event, autojump_clock
):
    first, second = pump_of("first"), pump_of("second")
    first.crew.join(second)
    first.lanes.put(make_event(1, data=trio.sleep_forever))
    first.lanes.put(make_event(2))
    second.lanes.put(make_event(3))
    for pump in (first, second):
        pump.lanes.close()
    await first.run()
    assert first.timing.timeouts == 1
    assert (first.processor.seen, second.processor.seen) == ([1, 2], [3])


async def test_one_can_be_dismissed_at_rest_or_at_work(make_event, autojump_clock):
    first, second, third = (pump_of(name) for name in "abc")
    first.crew.join(second)
    first.crew.join(third)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.run)
        await wait_all_tasks_blocked()
        second.cancel("drain")
        assert second.ended.is_set()
        second.cancel("drain")
        first.lanes.put(make_event(1, data=trio.sleep_forever))
        first.lanes.put(make_event(2))
        await wait_all_tasks_blocked()
        first.cancel("drain")
        await first.ended.wait()
        assert first.lanes.books.lost_by == {"normal:drain": 2}
        third.lanes.put(make_event(3))
        await wait_all_tasks_blocked()
        third.cancel("drain")
    assert third.processor.seen == [3]
    for pump in (first, second, third):
        assert pump.lanes.balance().balanced


async def test_long_synchronous_work_lets_others_have_their_turn(
    make_event, monkeypatch, autojump_clock
):
    monkeypatch.setattr(crews, "SLICE", -1.0)
    pump = pump_of()
    for number in range(20):
        pump.lanes.put(make_event(number))
    pump.lanes.close()
    turns = []

    async def other():
        while not pump.ended.is_set():
            turns.append(len(pump.processor.seen))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        nursery.start_soon(other)
    assert len(set(turns)) >= 10


async def test_a_desynchronised_processor_begins_anew(make_event, autojump_clock):
    pump = pump_of()
    before = pump.processor
    for number in range(6):
        pump.lanes.put(make_event(number, kind=DataType.BLOCK))
    pump.lanes.close()
    await pump.run()
    assert pump.processor is not before
    assert pump.processor.seen == [5]
    assert pump.restarts == 1
    assert "desynchronised" in pump.snapshot().last_error


class Echo(DataProcessor):
    consumes = frozenset({DataType.QUOTE})

    async def process_event(self, event):
        return [event.finding(None)]


async def test_waiting_for_room_is_not_the_processors_time(make_event, autojump_clock):
    class Slow:
        free = False

        def has_room(self, event):
            return self.free

        async def wait_room(self, event):
            await trio.sleep(60)
            self.free = True

    pump = pump_of(room=Slow(), processor=Echo)
    pump.lanes.put(make_event(1))
    pump.lanes.put(make_event(2, at=0.0))
    pump.lanes.close()
    with pytest.raises(AssertionError):
        assert pump.ended.is_set()
    await pump.run()
    assert trio.current_time() == 60
    assert pump.timing.timeouts == 0
    assert pump.lanes.books.processed == 1
    assert pump.lanes.books.lost_by == {"normal:expired": 1}


async def test_in_a_run_only_what_is_old_expires(make_event, autojump_clock):
    await trio.sleep(100)
    pump = pump_of(max_age=60.0)
    arrivals = (90.0, 39.0, 99.0, 40.5, 95.0)
    events = [make_event(number, at=at) for number, at in enumerate(arrivals)]
    pump.lanes.put_run(Run(events, 5))
    pump.lanes.close()
    await pump.run()
    assert pump.processor.seen == [0, 2, 3, 4]
    assert pump.lanes.books.lost_by == {"normal:expired": 1}
    assert pump.lanes.balance().balanced


def test_who_watches_a_coroutine_hands_on_what_is_thrown_into_it():
    pauses = []

    async def work():
        try:
            await pause("first")
        except ValueError as error:
            pauses.append(str(error))
        await pause("second")

    @types.coroutine
    def pause(word):
        pauses.append((yield word))

    work = watched(work(), lambda: pauses.append("pausing"))
    assert work.send(None) == "first"
    assert work.throw(ValueError("thrown")) == "second"
    with pytest.raises(StopIteration):
        work.send("value")
    assert pauses == ["pausing", "thrown", "pausing", "value"]


async def test_the_news_of_a_loss_is_finished_whatever_comes_in_between(make_event):
    lanes = Lanes(LaneSettings(5, 1, 5), Outstanding(), announce=True)
    for number in range(3):
        lanes.put(make_event(number))
    assert lanes.draw().event_type is DataType.LOST
    lanes.put(make_event(3))
    lanes.books.processed += 1
    assert lanes.finish().event_type is DataType.LOST
    assert [e.data.count for e in lanes.take(1)] == [1]
    assert [e.sequence for e in lanes.take(5)] == [3]
    assert lanes.balance().balanced


class Noting:
    """A journal that keeps what it is told."""

    def __init__(self):
        self.taken = []

    def took(self, events):
        self.taken += [event.sequence for event in events]


async def test_what_fails_or_is_late_has_been_taken_too(make_event, autojump_clock):
    async def fail():
        raise ValueError

    pump = pump_of(budget=0.1)
    journal = pump.lanes.journal = Noting()
    deeds = (None, fail, trio.sleep_forever, None)
    for number, deed in enumerate(deeds):
        pump.lanes.put(make_event(number, data=deed, at=trio.current_time()))
    pump.lanes.close()
    await pump.run()
    assert journal.taken == [0, 1, 2, 3]
    assert pump.lanes.balance().failed == 2
