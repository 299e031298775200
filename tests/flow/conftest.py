"""What the tests of flow share: events, lanes, and the lines that were logged."""

from __future__ import annotations

import pytest
from loguru import logger

from trio_mev.flow.lanes import Lanes
from trio_mev.flow.outstanding import Outstanding
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import LaneSettings


@pytest.fixture
def make_event():
    def make(
        sequence=0,
        priority=EventPriority.NORMAL,
        kind=DataType.QUOTE,
        at=0.0,
        size=1,
        data=None,
    ):
        return DataEvent(kind, priority, data, "feed", at, sequence=sequence, size=size)

    return make


@pytest.fixture
def make_lanes():
    def make(high=1000, normal=1000, low=1000, max_bytes=2**20, outstanding=None):
        return Lanes(LaneSettings(high, normal, low, max_bytes), outstanding or Outstanding())

    return make


@pytest.fixture
def logged():
    lines = []
    sink = logger.add(lambda line: lines.append(line.rstrip()), format="{message}", level="INFO")
    logger.enable("trio_mev")
    yield lines
    logger.disable("trio_mev")
    logger.remove(sink)
