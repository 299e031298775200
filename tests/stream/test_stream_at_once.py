"""What a feed brings alone is processed before the feed goes on."""

from __future__ import annotations

import pytest
import trio

from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedStatus
from trio_mev.model.event import DataType
from trio_mev.model.settings import LaneSettings, StreamConfig
from trio_mev.stream import open_stream
from trio_mev.stream.router import FEW


class Prompt(DataProcessor):
    consumes = frozenset({DataType.QUOTE})

    def __init__(self):
        self.seen = []

    async def process_event(self, event):
        self.seen.append(event.sequence)


class OneAfterTheOther:
    """Emits batches, and notes what a processor has seen when each emission returns."""

    waits = True

    def __init__(self, batches, processor):
        self.statuses = (FeedStatus("feed"),)
        self.batches = batches
        self.processor = processor
        self.noted = []

    async def run(self, emit, outstanding):
        for batch in self.batches:
            await outstanding.wait_idle()
            await trio.testing.wait_all_tasks_blocked()
            emit(batch)
            self.noted.append(list(self.processor.seen))
        await outstanding.wait_idle()


@pytest.fixture
def emitted(make_event, autojump_clock):
    async def run(sizes, config=None):
        processor, number = Prompt(), 0
        batches = []
        for size in sizes:
            batches.append([make_event(sequence=number + n) for n in range(size)])
            number += size
        feed = OneAfterTheOther(batches, processor)
        async with open_stream([feed], [lambda: processor], config) as stream:
            await stream.ended.wait()
        assert processor.seen == list(range(number))
        assert stream.get_stats().books.processed == number
        return [len(seen) for seen in feed.noted]

    return run


async def test_few_events_are_processed_at_once(emitted):
    assert await emitted([1, 3, FEW]) == [1, 4, 4 + FEW]


async def test_with_many_the_crew_s_own_task_has_little_to_lose(emitted):
    assert await emitted([1, FEW + 1, 1]) == [1, 1, FEW + 3]


async def test_where_a_lane_makes_its_producers_wait_nothing_is_processed_at_once(emitted):
    config = StreamConfig(lanes=LaneSettings(normal_overflow="block"))
    assert await emitted([1, 1], config) == [0, 1]
