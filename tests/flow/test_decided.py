"""Lanes and pumps that lose again what they lost when a tape was recorded."""

from __future__ import annotations

import pytest
import trio

from trio_mev.errors import ProcessingTimeoutError
from trio_mev.flow.clock import TapeClock
from trio_mev.flow.decided import TIMED_OUT, DecidedLanes
from trio_mev.flow.journal import Made
from trio_mev.flow.lane import Run
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import Pump
from trio_mev.model.event import DataType
from trio_mev.model.settings import LaneSettings, StreamConfig
from trio_mev.wire.decisions import Decided, encode_decision, event_key
from trio_mev.wire.order import encode_taken


@pytest.fixture
def decided():
    return Decided()


@pytest.fixture
def lanes(decided):
    return DecidedLanes(LaneSettings(), Outstanding(), True, "A", decided, Made(event_key))


def decide(decided, reason, *events, lane="normal"):
    decided.read_ahead(encode_decision("A", lane, reason, [event_key(one) for one in events]))


def taken(lanes):
    return [event.sequence for event in lanes.take(100) if event.event_type is not DataType.LOST]


def test_what_was_lost_is_lost_by_its_lane_and_reason(lanes, decided, make_event):
    decide(decided, "shed", make_event(2))
    decide(decided, "expired", make_event(3), lane="low")
    for number in range(1, 5):
        lanes.put(make_event(number))
    assert lanes.books.lost_by == {"normal:shed": 1, "low:expired": 1}
    assert taken(lanes) == [1, 4]
    balance = lanes.balance()
    assert balance.balanced
    assert balance.received == 6  # the news of both losses too
    assert not lanes.desynchronised


def test_of_two_that_are_called_the_same_the_one_is_lost_that_was(decided, make_event):
    names = Made(event_key)
    lanes = DecidedLanes(LaneSettings(), Outstanding(), True, "A", decided, names)
    first, second = make_event(1, data="first"), make_event(1, data="second")
    for event in (first, second):
        names.note(event)
    decided.read_ahead(encode_decision("A", "normal", "shed", [names.name(second)]))
    for event in (first, second):
        lanes.put(event)
    assert [event.data for event in lanes.take(2)][1:] == ["first"]  # behind the news of the loss


def test_of_a_run_only_what_was_lost_is(lanes, decided, make_event):
    events = [make_event(number) for number in range(1, 5)]
    lanes.put_run(Run(events[:2], 2))
    decide(decided, "shed", events[2])
    lanes.put_run(Run(events[2:], 2))
    assert taken(lanes) == [1, 2, 4]


def test_who_lost_what_is_vital_begins_anew(lanes, decided, make_event):
    block = make_event(1, kind=DataType.BLOCK)
    decide(decided, "desynchronised", block, lane="vital")
    lanes.put(block)
    assert lanes.desynchronised
    assert lanes.books.lost_by == {"vital:desynchronised": 1}


def test_a_lane_that_is_not_known_is_the_normal_one(lanes, decided, make_event):
    decide(decided, "shed", make_event(1), lane="")
    lanes.put(make_event(1))
    assert lanes.books.lost_by == {"normal:shed": 1}


def test_what_was_late_is_asked_once(lanes, decided, make_event):
    decide(decided, TIMED_OUT, make_event(1), lane="")
    lanes.put(make_event(1))
    lanes.put(make_event(2))
    assert not lanes.was_late(make_event(2))
    assert lanes.was_late(make_event(1))
    assert not lanes.was_late(make_event(1))
    assert taken(lanes) == [1, 2]


class Waits(DataProcessor):
    """Waits a moment in the middle of each event."""

    consumes = frozenset({DataType.QUOTE})

    def __init__(self, diary):
        self.diary = diary

    async def process_event(self, event):
        self.diary.append(("begins", event.sequence))
        await trio.lowlevel.checkpoint()
        self.diary.append(("ends", event.sequence))


def pumped(lanes, factory, *events, **config):
    async def main():
        pump = Pump("A", factory, StreamConfig(**config), lanes, lambda _: None)
        for event in events:
            lanes.put(event)
        lanes.close()
        await pump.run()
        return pump

    return trio.run(main, clock=TapeClock())


def test_what_ran_over_its_deadline_is_given_up_where_it_waits(lanes, decided, make_event):
    diary = []
    decide(decided, TIMED_OUT, make_event(2), lane="")
    events = [make_event(number) for number in (1, 2, 3)]
    pump = pumped(lanes, lambda: Waits(diary), *events)
    assert diary == [("begins", 1), ("ends", 1), ("begins", 2), ("begins", 3), ("ends", 3)]
    books = lanes.balance()
    assert (books.processed, books.failed, books.lost) == (2, 1, 0)
    assert pump.timing.timeouts == 1
    assert "ran over its deadline" in pump.last_error


def test_what_it_asks_of_a_node_it_waits_for(lanes, decided, make_event):
    diary = []

    class Asks(Waits):
        rpc = object()

    decide(decided, TIMED_OUT, make_event(1), lane="")
    pumped(lanes, lambda: Asks(diary), make_event(1))
    assert diary == [("begins", 1), ("ends", 1)]
    assert lanes.balance().failed == 1


def test_in_strict_mode_it_is_raised(lanes, decided, make_event):
    decide(decided, TIMED_OUT, make_event(1), lane="")
    with pytest.raises(ProcessingTimeoutError):
        pumped(lanes, lambda: Waits([]), make_event(1), strict=True)


def test_whoever_wants_to_know_is_told_of_every_loss(make_event):
    settings = LaneSettings(high=2, normal=2, low=2)
    lanes = DecidedLanes(settings, Outstanding(), False, "A", Decided(), Made(event_key))
    told = []

    def lost(lane, reason, events):
        told.extend((lane, reason, event.sequence) for event in events)

    lanes.on_loss = lost
    for number in range(4):
        lanes.put(make_event(number))
    lanes.draw()
    lanes.abandon("drain")
    assert told == [
        ("normal", "shed", 0),
        ("normal", "shed", 1),
        ("normal", "drain", 2),
        ("normal", "drain", 3),
    ]
    assert lanes.balance().balanced


def test_what_waits_for_its_turn_is_there_when_they_close(lanes, decided, make_event):
    decided.orders.read_ahead(encode_taken("A", ["quote:feed#9.0", "quote:feed#1.0"]))
    for number in range(1, 4):
        lanes.put(make_event(number))
    assert lanes.queued == 1
    lanes.close()
    assert sorted(taken(lanes)) == [1, 2, 3]
    assert lanes.balance().balanced


def test_what_is_refused_leaves_its_turn_to_the_next(lanes, decided, make_event):
    decided.orders.read_ahead(encode_taken("A", []))
    lanes.put(make_event(1, size=2**40))
    lanes.put_run(Run([make_event(2), make_event(3)], 2))
    assert taken(lanes) == [2, 3]
    assert lanes.books.lost_by == {"normal:oversized": 1}
