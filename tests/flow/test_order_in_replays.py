"""Who gets what first, in a replay, does not depend on how long anybody takes."""

from __future__ import annotations

import time

import pytest
import trio

from trio_mev.flow.clock import replay_clock
from trio_mev.flow.crew import SLICE
from trio_mev.flow.processor import DataProcessor
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.stream import open_stream


class Heavy(DataProcessor):
    """Finds something of each quote, after a while."""

    consumes = frozenset({DataType.QUOTE})

    def __init__(self, takes):
        self.takes = takes

    async def process_event(self, event):
        end = time.perf_counter() + self.takes
        while time.perf_counter() < end:
            pass
        return [event.finding({"of": event.sequence})]


class Hears(DataProcessor):
    """Hears the quotes themselves and what is found of them."""

    consumes = frozenset({DataType.QUOTE, DataType.FINDING})
    emits = frozenset()

    def __init__(self, heard):
        self.heard = heard

    async def process_event(self, event):
        self.heard.append((event.event_type.value, event.sequence))


def heard(takes, clock):
    found = []

    async def main():
        async with open_stream(processors=[lambda: Heavy(takes), lambda: Hears(found)]) as stream:
            for number in range(8):
                stream.emit_event(
                    DataEvent(
                        DataType.QUOTE,
                        EventPriority.NORMAL,
                        None,
                        "feed",
                        trio.current_time(),
                        sequence=number,
                    )
                )
            await stream.outstanding.wait_idle()

    trio.run(main, clock=clock)
    return found


@pytest.mark.parametrize("takes", [SLICE / 4, SLICE, 2 * SLICE])
def test_the_order_is_the_same_however_long_it_takes(takes):
    assert heard(takes, replay_clock(None)) == heard(0.0, replay_clock(None))
