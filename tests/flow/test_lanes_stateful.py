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
        lane = self.waiting[priority]
        if self.closed:
            self.lose(event, "closed")
        elif size > MAX_BYTES:
            self.lose(event, "oversized")
        else:
            while len(lane) == CAPACITY[priority] or sum(e.size for e in lane) + size > MAX_BYTES:
                self.lose(lane.pop(0), "shed")
            lane.append(event)
            self.peak[priority] = max(self.peak[priority], len(lane))

    @rule(limit=st.integers(1, 6))
    def take(self, limit):
        in_order = [event for priority in EventPriority for event in self.waiting[priority]]
        for event in in_order[: max(0, limit - len(self.hand))]:
            self.waiting[event.priority].remove(event)
            self.hand.append(event)
        assert self.lanes.take(limit) == bool(self.hand)

    @precondition(lambda self: self.hand)
    @rule(well=st.booleans())
    def finish(self, well):
        assert self.lanes.finish() is self.hand.pop(0)
        self.done += 1
        if well:
            self.lanes.books.processed += 1
        else:
            self.lanes.books.failed += 1

    @precondition(lambda self: self.hand)
    @rule()
    def expire(self):
        self.lanes.expire()
        self.lose(self.hand.pop(0), "expired")

    @rule()
    def close(self):
        self.lanes.close()
        self.closed = True

    @precondition(lambda self: self.closed or self.received > 8)
    @rule()
    def abandon(self):
        self.lanes.abandon("drain")
        self.closed = True
        for event in [*self.hand, *(e for lane in self.waiting.values() for e in lane)]:
            self.lose(event, "drain")
        self.hand.clear()
        for lane in self.waiting.values():
            lane.clear()

    @invariant()
    def the_hand_is_that_of_the_model(self):
        assert list(self.lanes.hand) == self.hand

    @invariant()
    def every_lane_is_within_its_bounds(self):
        for lane, priority in zip(self.lanes.snapshots()[1:], EventPriority, strict=True):
            assert lane.depth == len(self.waiting[priority]) <= lane.capacity == CAPACITY[priority]
            assert lane.bytes == sum(e.size for e in self.waiting[priority]) <= MAX_BYTES
            assert lane.peak == self.peak[priority]

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
