"""Silence: a subscription with a natural period must be heard within its limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import trio

from ..errors import HeartbeatLost


async def watch(heard: Mapping[str, float], limit: float) -> NoReturn:
    """Bark when a subscription was silent for too long.

    A healthy socket whose subscription is dead is caught by nothing else, so only what belongs
    to a subscription counts for it. The watchdog sleeps until the first deadline and does not
    poll.

    Args:
        heard: subscriptions to the time each was last heard, on Trio's clock; its owner keeps
            it up to date, and may add and remove some.
        limit: seconds.

    Raises:
        HeartbeatLost: one of them was not heard for ``limit`` seconds.
    """
    while True:
        now = trio.current_time()
        if not heard:
            await trio.sleep(limit)
            continue
        quietest = min(heard, key=heard.__getitem__)
        due = heard[quietest] + limit
        if due <= now:
            raise HeartbeatLost(f"{quietest} was silent for {limit:g} s")
        await trio.sleep_until(due)
