"""What the tests of the stream share: a stream whose books must balance, feeds, processors."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio
from loguru import logger

from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import StreamConfig
from trio_mev.stream import open_stream


def assert_settled(stream):
    """Every delivery is accounted for, and none is under way."""
    books = stream.get_stats().books
    assert books.balanced, books
    assert books.queued == 0
    assert stream.outstanding.count == 0


@pytest.fixture
def settled():
    return assert_settled


@pytest.fixture
def opened():
    """``open_stream``, whose books must balance whatever the course of the block."""

    @asynccontextmanager
    async def opening(feeds=(), processors=(), prepare=None, **config):
        streams = []

        def prepare_and_keep(stream):
            streams.append(stream)
            if prepare is not None:
                prepare(stream)

        try:
            async with open_stream(
                feeds, processors, StreamConfig(**config), prepare_and_keep
            ) as stream:
                assert streams == [stream]
                yield stream
                assert stream.get_stats().books.balanced
        finally:
            for stream in streams:
                assert_settled(stream)

    return opening


@pytest.fixture
def make_event():
    def make(
        sequence=0,
        kind=DataType.QUOTE,
        priority=EventPriority.NORMAL,
        data=None,
        at=None,
        metadata=None,
    ):
        arrived = trio.current_time() if at is None else at
        return DataEvent(
            kind, priority, data, "test", arrived, sequence=sequence, metadata=metadata or {}
        )

    return make


@pytest.fixture
def make_processor():
    """A processor's class: what it consumes, what it emits, and a function of the event."""

    def make(consumes, emits, work, name="Probe"):
        async def process_event(self, event):
            return await work(event)

        return type(
            name,
            (DataProcessor,),
            {
                "consumes": frozenset(consumes),
                "emits": frozenset(emits),
                "process_event": process_event,
            },
        )

    return make


class ScriptedFeed:
    """Emits events at their times and ends, or raises, or stays silent for ever."""

    def __init__(self, events=(), name="feed", end=None, stays=False):
        self.status = FeedStatus(name)
        self.statuses = (self.status,)
        self._events = events
        self._end = end
        self._stays = stays

    async def run(self, emit, outstanding):
        self.status.enter(FeedState.READY)
        for at, event in self._events:
            await trio.sleep_until(at)
            emit([event])
        await trio.lowlevel.checkpoint()
        if self._end is not None:
            raise self._end
        if self._stays:
            await trio.sleep_forever()
        await outstanding.wait_idle()


@pytest.fixture
def make_feed():
    return ScriptedFeed


@pytest.fixture
def logged():
    lines = []
    sink = logger.add(lambda line: lines.append(line.rstrip()), format="{message}", level="INFO")
    logger.enable("trio_mev")
    yield lines
    logger.disable("trio_mev")
    logger.remove(sink)
