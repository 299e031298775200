"""Lanes that make their producers wait, and losses that are told."""

from __future__ import annotations

import pytest
import trio

from trio_mev.errors import ConfigError
from trio_mev.flow.processor import DataProcessor
from trio_mev.model.event import DataType, Lost
from trio_mev.model.settings import LaneSettings

PATIENT = LaneSettings(1, 1, 1, 2**20, "block", "block", "block")
TINY = LaneSettings(2, 2, 2, 2**20)


class Slow(DataProcessor):
    consumes = frozenset({DataType.QUOTE})
    lanes = PATIENT

    async def process_event(self, event):
        await trio.sleep(0.05)
        return [event.finding(event.sequence)]


async def test_who_emits_patiently_loses_nothing(opened, make_event, autojump_clock):
    async with opened((), [Slow]) as stream:
        seen = []
        stream.add_event_handler(DataType.FINDING, lambda event: seen.append(event.data))
        for number in range(20):
            await stream.emit(make_event(number))
    assert seen == list(range(20))
    assert stream.get_stats().books.lost == 0


async def test_a_patient_sink_slows_its_producers_down(opened, make_event, autojump_clock):
    class Quick(DataProcessor):
        consumes = frozenset({DataType.QUOTE})

        async def process_event(self, event):
            return [event.finding(event.sequence)]

    written = []

    async def sink(events):
        async for event in events:
            await trio.sleep(1)
            written.append(event.data)

    def prepare(stream):
        stream.add_sink(sink, DataType.FINDING, lanes=PATIENT)

    async with opened((), [Quick], prepare, drain_timeout=1000.0, max_age=1000.0) as stream:
        for number in range(20):
            stream.emit_event(make_event(number))
    assert written == list(range(20))


async def test_a_socket_cannot_be_made_to_wait(opened, make_feed):
    feed = make_feed()
    with pytest.raises(ConfigError, match="block is for tapes and sinks"):
        async with opened([feed], [Slow]):
            pass


async def test_a_subscriber_hears_of_what_it_lost(opened, make_event):
    async with opened() as stream:
        quotes = stream.subscribe(DataType.QUOTE, DataType.LOST, lanes=TINY)
        for number in range(6):
            stream.emit_event(make_event(number))
        got = [event.data or event.sequence for event in await quotes.take(10)]
    assert got == [Lost("normal", 4, "test#0.0", "test#3.0"), 4, 5]


async def test_processors_that_await_nothing_share_a_task(opened, make_event):
    tasks = []

    class Sync(DataProcessor):
        consumes = frozenset({DataType.QUOTE})

        async def process_event(self, event):
            tasks.append(trio.lowlevel.current_task())

    async with opened((), [Sync, Sync]) as stream:
        stream.emit_event(make_event(1))
        await stream.outstanding.wait_idle()
        stream.add_processor(Sync)
        stream.emit_event(make_event(2))
        await stream.outstanding.wait_idle()
    assert len(tasks) == 5
    assert len(set(tasks)) == 1


async def test_a_processor_that_waits_has_a_task_of_its_own_and_holds_up_nobody(
    opened, make_event, autojump_clock
):
    tasks = {"slow": [], "quick": [], "late": []}

    async def slow(event):
        tasks["slow"].append(trio.lowlevel.current_task())
        await trio.sleep(0.09)

    def quick(event):
        tasks["quick"].append((trio.current_time(), trio.lowlevel.current_task()))

    def late(event):
        tasks["late"].append(trio.lowlevel.current_task())

    async with opened() as stream:
        stream.add_event_handler(DataType.QUOTE, slow)
        stream.add_event_handler(DataType.QUOTE, quick)
        for number in range(3):
            stream.emit_event(make_event(number))
        await trio.sleep(0.01)
        stream.add_event_handler(DataType.QUOTE, late)  # while the slow one waits
        stream.emit_event(make_event(3))
        await stream.outstanding.wait_idle()
    assert [at for at, _ in tasks["quick"]] == [0.0, 0.0, 0.0, 0.01]
    (alone,) = set(tasks["slow"])
    (shared,) = {task for _, task in tasks["quick"]}
    assert set(tasks["late"]) == {shared}
    assert alone is not shared
    assert trio.current_time() == 0.36


async def test_who_comes_while_the_only_one_waits_does_not_wait_for_it(
    opened, make_event, autojump_clock
):
    seen = []

    async def slow(event):
        await trio.sleep(0.09)

    async with opened() as stream:
        stream.add_event_handler(DataType.QUOTE, slow)
        stream.emit_event(make_event(1))
        await trio.sleep(0.01)
        stream.add_event_handler(DataType.QUOTE, lambda event: seen.append(trio.current_time()))
        stream.emit_event(make_event(2))
        await trio.sleep(0.01)
        assert seen == [0.01]


async def test_the_streams_health_waits_for_nobody(opened):
    async with opened() as stream:
        with pytest.raises(ConfigError, match="lanes of HEALTH cannot"):
            stream.subscribe(DataType.HEALTH, lanes=PATIENT)
