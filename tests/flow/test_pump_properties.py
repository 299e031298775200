"""Pumps against a simple model: whatever comes, in whatever order, and whenever it ends."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_mev.flow.crew import Crew
from trio_mev.flow.lane import Run
from trio_mev.flow.lanes import Lanes
from trio_mev.flow.outstanding import Outstanding
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import Pump
from trio_mev.flow.waiting import in_own_task
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import LaneSettings, StreamConfig

BUDGET = 0.1
CAPACITY = 6
PUMPS = 3


@attrs.frozen
class Deed:
    """What a processor does with an event."""

    what: str
    seconds: float = 0.0


DEEDS = st.one_of(
    st.just(Deed("nothing")),
    st.just(Deed("emit")),
    st.just(Deed("fail")),
    st.just(Deed("refuse")),
    st.just(Deed("checkpoint")),
    st.builds(Deed, st.just("sleep"), st.sampled_from([0.01, 0.05, 0.09])),
    st.just(Deed("hang")),
    st.builds(Deed, st.just("shield"), st.sampled_from([0.05, 0.3])),
    st.just(Deed("fail late", 0.02)),
)
PUTS = st.tuples(
    st.integers(0, PUMPS - 1),
    st.sampled_from(EventPriority),
    st.lists(DEEDS, min_size=1, max_size=5),
    st.booleans(),
)
STEPS = st.one_of(PUTS, st.sampled_from([0.0, 0.03, 0.2]))
"""Events that are put, or a pause."""


class Doer(DataProcessor):
    consumes = frozenset({DataType.QUOTE})

    def __init__(self, log: list[tuple[str, DataEvent]]) -> None:
        self.log = log
        self.busy = 0

    def admits(self, event: DataEvent) -> bool:
        return event.data.what != "refuse"

    async def process_event(self, event: DataEvent) -> list[DataEvent] | None:
        deed = event.data
        assert self.busy == 0, "one at a time"
        self.busy += 1
        self.log.append(("begun", event))
        try:
            if deed.what == "emit":
                return [event.finding(event.sequence)]
            if deed.what == "checkpoint":
                await trio.lowlevel.checkpoint()
            elif deed.what == "hang":
                await trio.sleep_forever()
            elif deed.what == "shield":
                with trio.CancelScope(shield=True):
                    await trio.sleep(deed.seconds)
            elif deed.seconds:
                await trio.sleep(deed.seconds)
            if deed.what.startswith("fail"):
                raise ValueError(deed.what)
            self.log.append(("done", event))
        finally:
            self.busy -= 1
        return None


class Handing(Doer):
    """Does in any task what does not wait."""

    async def process_event(self, event: DataEvent) -> list[DataEvent] | None:
        if event.data.what not in {"nothing", "emit", "fail"}:
            await in_own_task()
        return await super().process_event(event)


class Course:
    """One crew of pumps, what is put into them, and what becomes of it."""

    def __init__(self) -> None:
        self.outstanding = Outstanding()
        self.logs: list[list[tuple[str, DataEvent]]] = [[] for _ in range(PUMPS)]
        self.put: list[list[DataEvent]] = [[] for _ in range(PUMPS)]
        self.found: list[DataEvent] = []
        config = StreamConfig(budget=BUDGET, failures_before_restart=10**6)
        lanes = LaneSettings(CAPACITY, CAPACITY, CAPACITY)
        self.pumps = [
            Pump(
                f"pump {number}",
                lambda log=log, kind=kind: kind(log),
                config,
                Lanes(lanes, self.outstanding),
                self.found.append,
            )
            for number, (kind, log) in enumerate(
                zip((Doer, Handing, Handing), self.logs, strict=True)
            )
        ]
        for pump in self.pumps[1:]:
            pump.prompt = True

    async def run(self, steps: list, end: str, cancel_at: float | None) -> None:
        with trio.CancelScope() as scope:
            if cancel_at is not None:
                scope.deadline = trio.current_time() + cancel_at
            async with trio.open_nursery() as nursery:

                def start(crew: Crew) -> None:
                    nursery.start_soon(crew.run)

                start(Crew(self.pumps, start))
                for step in steps:
                    if isinstance(step, float):
                        await trio.sleep(step)
                    else:
                        self.give(*step)
                    self.check()
                for pump in self.pumps:
                    if end == "close":
                        pump.lanes.close()
                    else:
                        pump.cancel("drain")
                for pump in self.pumps:
                    await pump.ended.wait()

    def give(
        self, number: int, priority: EventPriority, deeds: list[Deed], at_once: bool = False
    ) -> None:
        events = [
            DataEvent(
                DataType.QUOTE,
                priority,
                deed,
                "feed",
                trio.current_time(),
                sequence=len(self.put[number]) + place,
            )
            for place, deed in enumerate(deeds)
        ]
        self.put[number] += events
        crew = self.pumps[number].crew
        held = at_once and crew.hold()
        self.pumps[number].lanes.put_run(Run(events, sum(event.size for event in events)))
        if held:
            crew.serve_at_once()

    def check(self) -> None:
        """What holds at every moment."""
        for number, pump in enumerate(self.pumps):
            snapshot = pump.snapshot()
            assert snapshot.books.balanced
            assert snapshot.books.received == len(self.put[number])
            assert all(lane.depth <= CAPACITY for lane in snapshot.lanes)
        assert self.outstanding.count == sum(pump.lanes.queued for pump in self.pumps)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    steps=st.lists(STEPS, max_size=14),
    end=st.sampled_from(["close", "drain"]),
    cancel_at=st.none() | st.sampled_from([0.0, 0.05, 0.11, 0.25]),
)
def test_the_books_balance_and_the_order_holds_whatever_happens(steps, end, cancel_at):
    course = Course()
    trio.run(course.run, steps, end, cancel_at, clock=MockClock(autojump_threshold=0))
    course.check()
    assert course.outstanding.count == 0
    for pump, put, log in zip(course.pumps, course.put, course.logs, strict=True):
        books = pump.lanes.balance()
        assert books.queued == 0
        assert pump.ended.is_set()
        begun = [event for what, event in log if what == "begun"]
        deeds = Counter(event.data.what for event in begun)
        # What was begun is what is in the books, but for one that the end may have cut short.
        cut = sum(n for name, n in books.lost_by.items() if name.split(":")[1] != "shed")
        assert books.processed + books.failed in {len(begun), len(begun) - 1}
        assert books.processed + books.failed + cut >= len(begun)
        if cancel_at is None and end == "close":
            assert books.processed + books.failed == len(begun)
            assert set(books.lost_by) <= {f"{lane}:shed" for lane in ("high", "normal", "low")}
            assert books.failed == deeds["hang"] + deeds["fail"] + deeds["fail late"]
            assert pump.timing.timeouts == deeds["hang"]
            assert books.filtered + len(begun) + books.lost == len(put)
        # Within a priority nothing overtakes.
        for priority in EventPriority:
            numbers = [event.sequence for event in begun if event.priority is priority]
            assert numbers == sorted(numbers)
    assert len(course.found) == sum(
        1 for log in course.logs for what, event in log if event.data.what == "emit"
    )


async def test_who_waits_holds_up_no_other(autojump_clock):
    course = Course()
    times = []
    for number, deed in enumerate([Deed("sleep", 0.09), Deed("nothing"), Deed("nothing")]):
        course.give(number, EventPriority.NORMAL, [deed] * 3)
    async with trio.open_nursery() as nursery:

        def start(crew: Crew) -> None:
            times.append(trio.current_time())
            nursery.start_soon(crew.run)

        start(Crew(course.pumps, start))
        await trio.sleep(0.01)
        assert [pump.lanes.balance().processed for pump in course.pumps] == [0, 3, 3]
        assert times == [0.0, 0.0]
        assert course.pumps[1].crew is course.pumps[2].crew is not course.pumps[0].crew
        assert course.pumps[0].crew.closed
        for pump in course.pumps:
            pump.lanes.close()
    assert trio.current_time() == pytest.approx(0.27)
    assert course.pumps[0].lanes.balance().processed == 3
    assert times == [0.0, 0.0]
