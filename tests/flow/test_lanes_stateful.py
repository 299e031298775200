"""Lanes against a simple model, after any interleaving of what can be done to them."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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
        self.hand = None
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
        self.expect(event)

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
        self.lanes.put_run(run, sum(sizes))
        for event in run:
            self.expect(event)

    def in_order(self):
        return [event for priority in EventPriority for event in self.waiting[priority]]

    @precondition(lambda self: self.hand is None)
    @rule(limit=st.integers(1, 6))
    def take(self, limit):
        expected = self.in_order()[:limit]
        for event in expected:
            self.waiting[event.priority].remove(event)
        self.done += len(expected)
        assert self.lanes.take(limit) == expected

    @rule()
    def draw(self):
        if self.hand is None and (waiting := self.in_order()):
            self.hand = waiting[0]
            self.waiting[self.hand.priority].remove(self.hand)
        assert self.lanes.draw() is self.hand

    @precondition(lambda self: self.hand is not None)
    @rule(well=st.booleans())
    def finish(self, well):
        assert self.lanes.finish() is self.hand
        self.hand = None
        self.done += 1
        if well:
            self.lanes.books.processed += 1
        else:
            self.lanes.books.failed += 1

    @precondition(lambda self: self.hand is not None)
    @rule()
    def follow_the_run(self):
        """As the crew does: finish the hand, and go on with what is behind it in its run."""
        run, at, lane = self.lanes.behind()
        self.lanes.books.processed += 1
        self.lanes.finish()
        self.hand = None
        self.done += 1
        if at < len(run):
            event = run[at]
            lane.at = at + 1
            lane.count -= 1
            lane.bytes -= event.size
            self.lanes.hand = self.hand = event
            assert self.waiting[event.priority].pop(0) is event

    @precondition(lambda self: self.hand is not None)
    @rule()
    def expire(self):
        self.lanes.expire()
        self.lose(self.hand, "expired")
        self.hand = None

    @rule()
    def close(self):
        self.lanes.close()
        self.closed = True

    @precondition(lambda self: self.closed or self.received > 8)
    @rule()
    def abandon(self):
        self.lanes.abandon("drain")
        self.closed = True
        for event in [*([self.hand] if self.hand else ()), *self.in_order()]:
            self.lose(event, "drain")
        self.hand = None
        for lane in self.waiting.values():
            lane.clear()

    @invariant()
    def the_hand_is_that_of_the_model(self):
        assert self.lanes.hand is self.hand

    @invariant()
    def every_lane_is_within_its_bounds(self):
        for lane, priority in zip(self.lanes.snapshots()[1:], EventPriority, strict=True):
            assert lane.depth == len(self.waiting[priority]) <= lane.capacity == CAPACITY[priority]
            assert lane.bytes == sum(e.size for e in self.waiting[priority]) <= MAX_BYTES
            assert lane.peak == self.peak[priority]

    @invariant()
    def the_books_balance(self):
        books = self.lanes.balance()
        queued = (self.hand is not None) + sum(map(len, self.waiting.values()))
        assert books.balanced
        assert books.received == self.received
        assert books.processed + books.failed == self.done
        assert books.queued == self.lanes.queued == self.outstanding.count == queued
        assert Counter(books.lost_by) == self.lost


LanesMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
TestLanes = LanesMachine.TestCase
