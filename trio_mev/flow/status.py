"""What is known of a feed: its state, its counters, its subscriptions."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Mapping

import attrs
import trio


class FeedState(enum.Enum):
    """Where a feed is in its life."""

    CONNECTING = "connecting"
    READY = "ready"
    """Connected, every subscription confirmed."""
    WAITING = "waiting"
    """Lost a moment ago, backing off before the next try."""
    LOST = "lost"
    """The restarts are spent; it is still tried at the longest delay."""
    REFUSED = "refused"
    """The server says no; it is not tried again."""
    ENDED = "ended"
    """It is over: the tape has been played, or the stream was closed."""


@attrs.frozen
class FeedSnapshot:
    """A feed's figures. Times are seconds of the stream's monotonic clock."""

    name: str
    state: FeedState
    detail: str
    """Why it is in that state, where there is a reason to tell."""
    attempts: int
    connections: int
    """Handshakes that succeeded."""
    failures: int
    reconnects: int
    """Connections after the first."""
    frames: int
    bytes: int
    events: int
    last_connected_at: float | None
    last_frame_at: float | None
    last_event_at: float | None
    subscriptions: Mapping[str, str]
    """What was asked for, to the server's id of it or ``pending``."""
    refused: Mapping[str, int]
    """Frames, or parts of them, that could not be used, by reason."""
    ignored: Mapping[str, int]
    """Sound frames that carry nothing for us, by kind."""
    round_trip: float | None
    """Seconds that the last ping took."""


@attrs.define(eq=False)
class FeedStatus:
    """Written by the feed's own tasks, read by everybody through ``snapshot``."""

    name: str
    state: FeedState = FeedState.CONNECTING
    detail: str = ""
    attempts: int = 0
    connections: int = 0
    failures: int = 0
    frames: int = 0
    bytes: int = 0
    events: int = 0
    last_connected_at: float | None = None
    ready_at: float | None = None
    """When the present life became ready; None while it is not."""
    last_frame_at: float | None = None
    last_event_at: float | None = None
    subscriptions: dict[str, str] = attrs.Factory(dict)
    refused: Counter[str] = attrs.Factory(Counter)
    ignored: Counter[str] = attrs.Factory(Counter)
    round_trip: float | None = None
    told: Callable[[FeedStatus], None] | None = None
    """Is called whenever a state is entered, which is then that of the argument."""

    _changed: trio.Event = attrs.Factory(trio.Event)

    def enter(self, state: FeedState, detail: str = "") -> None:
        """Change the state, saying why."""
        self.state = state
        self.detail = detail
        self._changed.set()
        self._changed = trio.Event()
        if self.told is not None:
            self.told(self)

    async def wait_for(self, *states: FeedState) -> FeedState:
        """Return once the feed is in one of these states. The caller bounds the wait."""
        while self.state not in states:
            await self._changed.wait()
        return self.state

    def snapshot(self) -> FeedSnapshot:
        """The figures now."""
        return FeedSnapshot(
            self.name,
            self.state,
            self.detail,
            self.attempts,
            self.connections,
            self.failures,
            max(0, self.connections - 1),
            self.frames,
            self.bytes,
            self.events,
            self.last_connected_at,
            self.last_frame_at,
            self.last_event_at,
            dict(self.subscriptions),
            dict(self.refused),
            dict(self.ignored),
            self.round_trip,
        )
