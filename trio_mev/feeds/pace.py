"""How often one may connect to a server, all feeds of a run together."""

from __future__ import annotations

import trio

_NEXT: trio.lowlevel.RunVar[dict[str, float]] = trio.lowlevel.RunVar("next_connection")


async def turn(server: str, interval: float) -> None:
    """Wait until a connection to a server is due, and take its place in the queue.

    Args:
        server: its host and port; venues count connections by address, whoever makes them.
        interval: least seconds between two; 0 lets everybody through.
    """
    if not interval:
        return
    try:
        places = _NEXT.get()
    except LookupError:
        _NEXT.set(places := {})
    now = trio.current_time()
    at = max(now, places.get(server, now))
    places[server] = at + interval
    if at > now:
        await trio.sleep_until(at)
