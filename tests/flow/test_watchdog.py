"""Silence: the watchdog barks at the exact time at which a subscription was quiet too long."""

from __future__ import annotations

import pytest
import trio

from trio_mev.errors import HeartbeatLost
from trio_mev.flow.watchdog import watch


async def barks_at(heard, limit, *changes):
    """When and why the watchdog ends, if ``heard`` is changed at the given times."""

    async def change():
        for at, how in changes:
            await trio.sleep_until(at)
            how()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change)
        with pytest.raises(HeartbeatLost) as caught:
            await watch(heard, limit)
        nursery.cancel_scope.cancel()
    return trio.current_time(), str(caught.value)


async def test_the_one_that_was_quiet_the_longest_is_lost_at_its_limit(autojump_clock):
    assert await barks_at({"heads": 0.0, "logs": 1.0}, 90.0) == (90.0, "heads was silent for 90 s")


async def test_what_is_heard_pushes_the_time_forward(autojump_clock):
    heard = {"heads": 0.0}
    changes = [(at, lambda at=at: heard.update(heads=at)) for at in (5.0, 14.0, 20.0)]
    at, why = await barks_at(heard, 10.0, *changes)
    assert (at, why) == (30.0, "heads was silent for 10 s")


async def test_a_busy_subscription_does_not_hide_a_dead_one(autojump_clock):
    heard = {"dead": 0.0, "busy": 0.0}
    changes = [(float(at), lambda at=at: heard.update(busy=float(at))) for at in range(1, 10)]
    assert await barks_at(heard, 10.0, *changes) == (10.0, "dead was silent for 10 s")


async def test_one_that_is_added_is_watched_from_then_on(autojump_clock):
    heard = {}
    at, why = await barks_at(heard, 10.0, (25.0, lambda: heard.update(new=25.0)))
    assert (at, why) == (35.0, "new was silent for 10 s")


async def test_one_that_is_removed_is_watched_no_longer(autojump_clock):
    heard = {"old": 0.0, "other": 3.0}
    assert await barks_at(heard, 10.0, (9.0, lambda: heard.pop("old"))) == (
        13.0,
        "other was silent for 10 s",
    )


async def test_nothing_to_watch_is_no_silence(autojump_clock):
    with trio.move_on_after(1000) as scope:
        await watch({}, 10.0)
    assert scope.cancelled_caught


async def test_one_that_was_silent_already_is_lost_at_once(autojump_clock):
    await trio.sleep(50)
    assert await barks_at({"heads": 1.0}, 10.0) == (50.0, "heads was silent for 10 s")
