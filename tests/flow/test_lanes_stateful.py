"""Lanes against a simple model, after any interleaving of what can be done to them."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from trio_mev.flow.lane import Run
from trio_mev.flow.lanes import Lanes
from trio_mev.flow.outstanding import Outstanding
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import LaneSettings

CAPACITY = {EventPriority.HIGH: 2, EventPriority.NORMAL: 4, EventPriority.LOW: 3}
MAX_BYTES = 10


class LanesMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.outstanding = Outstanding()
        self.lanes = Lanes(LaneSettings(*CAPACITY.values(), MAX_BYTES), self.outstanding)
        self.waiting = {priority: [] for priority in EventPriority}
        self.hand = []
        self.lost = Counter()
        self.peak = dict.fromkeys(EventPriority, 0)
        self.received = self.done = 0
        self.closed = False

    def lose(self, event, reason):
        self.lost[f"{event.priority.name.lower()}:{reason}"] += 1

    @rule(priority=st.sampled_from(EventPriority), size=st.integers(1, MAX_BYTES + 2))
    def put(self, priority, size):
        event = DataEvent(
            DataType.QUOTE, priority, None, "feed", 0.0, sequence=self.received, size=size
        )
        self.received += 1
        self.lanes.put(event)
        self.interrupt()
        self.expect(event)

    def interrupt(self):
        """What is behind the event being worked on goes back to where it was."""
        for event in reversed(self.hand[1:]):
            self.waiting[event.priority].insert(0, event)
        del self.hand[1:]

    def expect(self, event):
        lane, capacity = self.waiting[event.priority], CAPACITY[event.priority]
        if self.closed:
            self.lose(event, "closed")
        elif event.size > MAX_BYTES:
            self.lose(event, "oversized")
        else:
            while len(lane) == capacity or sum(e.size for e in lane) + event.size > MAX_BYTES:
                self.lose(lane.pop(0), "shed")
            lane.append(event)
            self.peak[event.priority] = max(self.peak[event.priority], len(lane))

    @rule(
        priority=st.sampled_from(EventPriority),
        sizes=st.lists(st.integers(1, MAX_BYTES + 2), min_size=1, max_size=6),
    )
    def put_run(self, priority, sizes):
        run = [
            DataEvent(DataType.QUOTE, priority, None, "feed", 0.0, sequence=number, size=size)
            for number, size in enumerate(sizes, self.received)
        ]
        self.received += len(run)
        self.lanes.put_run(Run(run, sum(sizes)))
        self.interrupt()
        for event in run:
            self.expect(event)

    def in_order(self):
        return [event for priority in EventPriority for event in self.waiting[priority]]

    @precondition(lambda self: not self.hand)
    @rule(limit=st.integers(1, 6))
    def take(self, limit):
        expected = self.in_order()[:limit]
        for event in expected:
            self.waiting[event.priority].remove(event)
        self.done += len(expected)
        assert self.lanes.take(limit) == expected

    @rule()
    def draw(self):
        """What is drawn goes on as the model's does: in which runs is not the model's affair."""
        if not self.lanes.waiting:
            with pytest.raises(trio.WouldBlock):
                self.lanes.draw()
            return
        event = self.lanes.draw()
        if not self.hand:
            self.hand = list(self.lanes.hand[self.lanes.place :])
            for drawn in self.hand:
                assert self.in_order()[0] is drawn
                self.waiting[drawn.priority].pop(0)
        assert event is self.hand[0]

    @precondition(lambda self: self.hand)
    @rule(count=st.integers(1, 6))
    def work(self, count):
        """Process events of the hand as the crew does, without a word to the lanes in between."""
        count = min(count, len(self.hand))
        self.lanes.place += count
        self.lanes.enter()
        del self.hand[:count]
        self.done += count

    @precondition(lambda self: self.hand)
    @rule()
    def work_without_an_entry(self):
        """The books are read in the middle of the crew's work."""
        self.lanes.place += 1
        del self.hand[:1]
        self.done += 1

    @precondition(lambda self: self.hand)
    @rule()
    def put_down(self):
        """The slice is over before the hand is empty."""
        self.lanes.enter()
        self.lanes.begun = False
        for event in reversed(self.hand):
            self.waiting[event.priority].insert(0, event)
        self.hand.clear()

    @precondition(lambda self: self.hand)
    @rule()
    def fail(self):
        self.lanes.books.failed += 1
        assert self.lanes.finish() is self.hand.pop(0)
        self.done += 1

    @precondition(lambda self: self.hand)
    @rule()
    def expire(self):
        self.lanes.expire()
        self.lose(self.hand.pop(0), "expired")

    @rule()
    def look(self):
        """Who looks at the fill sees what is behind the event being worked on where it waits."""
        depths = [lane.depth for lane in self.lanes.snapshots()[1:]]
        self.interrupt()
        assert depths == [len(lane) for lane in self.waiting.values()]

    @rule()
    def close(self):
        self.lanes.close()
        self.closed = True

    @precondition(lambda self: self.closed or self.received > 8)
    @rule()
    def abandon(self):
        self.lanes.abandon("drain")
        self.closed = True
        for event in [*self.hand, *self.in_order()]:
            self.lose(event, "drain")
        self.hand.clear()
        for lane in self.waiting.values():
            lane.clear()

    @invariant()
    def the_hand_is_that_of_the_model(self):
        assert self.lanes.begun == bool(self.hand)
        if self.hand:
            assert list(self.lanes.hand[self.lanes.place :]) == self.hand

    @invariant()
    def every_lane_is_within_its_bounds(self):
        laid = [] if self.hand else self.lanes.hand[self.lanes.place :]
        lanes = [lane.snapshot() for lane in self.lanes._in_order[1:]]
        for lane, priority in zip(lanes, EventPriority, strict=True):
            # An event that nobody has begun with may lie in the hand as well as in its lane.
            ours = [event for event in laid if event.priority is priority]
            size = lane.bytes + sum(event.size for event in ours)
            assert lane.depth + len(ours) == len(self.waiting[priority])
            assert len(self.waiting[priority]) <= lane.capacity == CAPACITY[priority]
            assert size == sum(e.size for e in self.waiting[priority]) <= MAX_BYTES
            assert lane.peak <= self.peak[priority]  # it counts what had to wait

    @invariant()
    def the_books_balance(self):
        books = self.lanes.balance()
        queued = len(self.hand) + sum(map(len, self.waiting.values()))
        assert books.balanced
        assert books.received == self.received
        assert books.processed + books.failed == self.done
        assert books.queued == self.lanes.queued == self.outstanding.count == queued
        assert Counter(books.lost_by) == self.lost


LanesMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
TestLanes = LanesMachine.TestCase
