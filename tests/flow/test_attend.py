"""What a processor does besides its events: for as long as its instance, and the feeds, are."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.errors import ProcessorFailed
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.pump import ATTEND_AGAIN, Pump
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.settings import StreamConfig
from trio_mev.stream import open_stream


class Attending(DataProcessor):
    """Writes down what it attends to."""

    consumes = frozenset({DataType.QUOTE})

    def __init__(self, diary: list[str], script: list[str]) -> None:
        self.diary, self.script = diary, script
        self.name = f"{len([one for one in diary if one.startswith('made')])}"
        diary.append(f"made {self.name}")

    async def process_event(self, event: DataEvent) -> None:
        raise ValueError("on purpose")

    async def attend(self) -> None:
        self.diary.append(f"attends {self.name}")
        does = self.script.pop(0) if self.script else "wait"
        if does == "raise":
            raise OSError("out of paper")
        try:
            if does == "wait":
                await trio.sleep_forever()
        finally:
            self.diary.append(f"leaves {self.name}")


@pytest.fixture
def diary() -> list[str]:
    return []


def pump_of(make_lanes, factory, **config) -> Pump:
    return Pump("probe", factory, StreamConfig(**config), make_lanes(), lambda _: None)


def test_only_who_does_something_besides_is_attended_to(make_lanes, diary):
    assert pump_of(make_lanes, lambda: Attending(diary, [])).attends

    class Plain(Attending):
        attend = DataProcessor.attend

    assert not pump_of(make_lanes, lambda: Plain(diary, [])).attends


async def test_by_default_nothing_is_done(diary):
    class Plain(Attending):
        attend = DataProcessor.attend

    assert await Plain(diary, []).attend() is None


@pytest.mark.parametrize("first", ["wait", "return"])
async def test_a_new_instance_is_attended_to_in_place_of_the_old_one(
    make_lanes, diary, make_event, autojump_clock, first
):
    pump = pump_of(make_lanes, lambda: Attending(diary, [first]), failures_before_restart=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.attend)
        await wait_all_tasks_blocked()
        nursery.start_soon(pump.run)
        pump.lanes.put(make_event())
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert diary[:2] == ["made 0", "attends 0"]
    assert [one for one in diary if one.startswith("attends")] == ["attends 0", "attends 1"]
    assert diary.index("leaves 0") < diary.index("attends 1")
    assert diary[-1] == "leaves 1"


async def test_a_failure_is_told_and_a_new_instance_tries_after_a_while(
    make_lanes, diary, autojump_clock
):
    pump = pump_of(make_lanes, lambda: Attending(diary, ["raise"] if not diary else []))
    start = trio.current_time()
    with trio.move_on_after(ATTEND_AGAIN + 1):
        await pump.attend()
    assert diary == ["made 0", "attends 0", "made 1", "attends 1", "leaves 1"]
    assert trio.current_time() - start == ATTEND_AGAIN + 1
    assert pump.last_error == "OSError: out of paper"
    assert pump.restarts == 1


async def test_where_it_cannot_be_made_anew_the_old_one_tries_again(
    make_lanes, diary, autojump_clock
):
    def make() -> Attending:
        if diary:
            raise OSError("no more of these")
        return Attending(diary, ["raise"])

    pump = pump_of(make_lanes, make)
    with trio.move_on_after(ATTEND_AGAIN + 1):
        await pump.attend()
    assert diary == ["made 0", "attends 0", "attends 0", "leaves 0"]


async def test_in_strict_mode_a_failure_ends_the_stream(diary):
    with pytest.raises(ProcessorFailed, match="besides its events"):
        async with open_stream(
            [], [lambda: Attending(diary, ["raise"])], StreamConfig(strict=True)
        ):
            await trio.sleep_forever()


async def test_it_ends_with_the_feeds_and_before_the_lanes_do(diary):
    async with open_stream([], [lambda: Attending(diary, [])]) as stream:
        await wait_all_tasks_blocked()
        assert diary == ["made 0", "attends 0"]
        stream.add_processor(lambda: Attending(diary, []))
        await wait_all_tasks_blocked()
        assert diary[2:] == ["made 1", "attends 1"]
    assert sorted(diary[4:]) == ["leaves 0", "leaves 1"]
