"""Work at once, results in order."""

from __future__ import annotations

import pytest
import trio

from trio_mev.flow.ordered import in_order


async def test_results_come_in_the_order_of_the_items(autojump_clock):
    found = []

    async def work(number: int) -> int:
        await trio.sleep(10 - number)
        return number * number

    async def deliver(number: int, result: int) -> None:
        found.append((number, result))

    await in_order(range(10), work, deliver, 10)
    assert found == [(number, number * number) for number in range(10)]


@pytest.mark.parametrize("ahead", [2, 3, 7])
async def test_no_more_than_so_many_are_under_way_or_waiting(autojump_clock, ahead: int):
    begun, delivered, most = 0, 0, 0

    async def work(number: int) -> None:
        nonlocal begun, most
        begun += 1
        most = max(most, begun - delivered)
        await trio.sleep(1)

    async def deliver(number: int, result: None) -> None:
        nonlocal delivered
        await trio.sleep(5)
        delivered += 1

    await in_order(range(30), work, deliver, ahead)
    assert (begun, delivered, most) == (30, 30, ahead)


async def test_a_failure_ends_all_the_others(autojump_clock):
    ended = []

    async def work(number: int) -> None:
        if number == 3:
            raise ValueError(number)
        try:
            await trio.sleep_forever()
        finally:
            ended.append(number)

    async def deliver(number: int, result: None) -> None:
        raise AssertionError("nothing is ready")

    with pytest.raises(ExceptionGroup) as caught:
        await in_order(range(100), work, deliver, 8)
    assert caught.group_contains(ValueError)
    assert sorted(ended) == sorted(set(ended))
    assert 3 not in ended


async def test_items_are_taken_no_earlier_than_they_are_begun(autojump_clock):
    taken = 0

    def items():
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    async def work(number: int) -> None:
        await trio.sleep_forever()

    async def deliver(number: int, result: None) -> None:
        raise AssertionError("nothing is ready")

    with trio.move_on_after(1):
        await in_order(items(), work, deliver, 5)
    assert taken == 5


async def test_nothing_to_do_is_done_at_once():
    async def never(*_: object) -> None:
        raise AssertionError("there is nothing")

    await in_order((), never, never, 4)
