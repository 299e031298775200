"""A coroutine that has a turn before each of its steps."""

from __future__ import annotations

import pytest
import trio

from trio_mev.flow.rpc import Question, asking
from trio_mev.flow.steps import stepwise


class Turns:
    """Lets each step pass at once, or when it is told to."""

    def __init__(self):
        self.count = 0
        self.closed = trio.Event()
        self.closed.set()

    async def turn(self):
        self.count += 1
        await self.closed.wait()


async def drive(work, turn):
    await stepwise(work, turn)


async def test_before_each_step_but_the_first_there_is_a_turn():
    turns, done = Turns(), []

    async def work():
        for number in range(3):
            done.append((number, turns.count))
            await trio.lowlevel.checkpoint()

    await stepwise(work(), turns.turn)
    assert done == [(0, 0), (1, 1), (2, 2)]


async def test_a_step_waits_for_its_turn(nursery):
    turns, done = Turns(), []
    turns.closed = trio.Event()

    async def work():
        await trio.lowlevel.checkpoint()
        done.append("stepped")

    nursery.start_soon(drive, work(), turns.turn)
    await trio.testing.wait_all_tasks_blocked()
    assert done == []
    turns.closed.set()
    await trio.testing.wait_all_tasks_blocked()
    assert done == ["stepped"]


async def test_who_waits_for_an_answer_has_no_turn_of_its_own():
    turns = Turns()

    async def work():
        before = asking.set(Question("answer:a", lambda *_: None))
        await trio.lowlevel.checkpoint()
        asking.reset(before)
        await trio.lowlevel.checkpoint()

    await stepwise(work(), turns.turn)
    assert turns.count == 1


async def test_errors_come_out_and_go_in():
    turns = Turns()

    async def fails():
        await trio.lowlevel.checkpoint()
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await stepwise(fails(), turns.turn)

    async def heals():
        with trio.fail_after(5), trio.CancelScope() as scope:
            scope.cancel()
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()

    await stepwise(heals(), turns.turn)
    assert turns.count == 2  # to be cancelled is no step


async def test_who_drives_it_may_throw_into_it():
    turns = Turns()

    async def work():
        with pytest.raises(KeyError):
            await trio.lowlevel.checkpoint()

    driven = stepwise(work(), turns.turn)
    driven.send(None)
    with pytest.raises(StopIteration):
        driven.throw(KeyError())
    assert turns.count == 0


async def test_cancelled_in_its_turn_it_goes_on_with_what_it_has_and_is_cancelled_next():
    """What waits for a nursery's tasks must hear of their end: otherwise Trio is confused."""
    turns, done = Turns(), []

    async def work():
        turns.closed = trio.Event()
        async with trio.open_nursery() as inner:
            inner.start_soon(trio.lowlevel.checkpoint)
        done.append("its tasks have ended")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drive, work(), turns.turn)
        await trio.testing.wait_all_tasks_blocked()
        assert done == []
        nursery.cancel_scope.cancel()
    assert done == ["its tasks have ended"]
