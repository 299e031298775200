"""The set of connections: added and removed while running, with one view of them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
import trio

from ..errors import ConfigError
from ..flow.feed import Emit, Feed
from ..flow.outstanding import Outstanding
from ..flow.status import FeedSnapshot, FeedState, FeedStatus


@attrs.frozen
class ConnectionStatistics:
    """Sums over all connections."""

    total_connections: int
    """Tries."""
    successful_connections: int
    failed_connections: int
    """Lives that ended in a failure, before or after the handshake."""
    reconnection_attempts: int
    last_connected: float | None
    """Seconds of the stream's clock."""


class WebSocketStreamManager:
    """Runs feeds side by side, each supervised on its own; itself a feed."""

    def __init__(self, feeds: Iterable[Feed] = ()) -> None:
        self._scopes: dict[Feed, trio.CancelScope] = {}
        self._ending: set[Feed] = set()
        """Removed, but not yet closed."""
        self._held = False
        self._running: tuple[trio.Nursery, Emit, Outstanding] | None = None
        for feed in feeds:
            self.add(feed)

    @property
    def feeds(self) -> Sequence[Feed]:
        """Those that run, or will."""
        return tuple(self._scopes)

    def add(self, feed: Feed) -> None:
        """Run one more feed, at once if the others run.

        Raises:
            ConfigError: one of that name is there already, or it is still closing.
        """
        taken = {status.name for status in self.statuses}
        for status in feed.statuses:
            if status.name in taken:
                raise ConfigError(f"two feeds are named {status.name}; names must differ")
        if feed in self._ending:
            raise ConfigError("the feed is still closing; make another")
        scope = self._scopes[feed] = trio.CancelScope()
        if self._running is not None:
            self._running[0].start_soon(self._run_one, feed, scope)

    def remove(self, name: str) -> None:
        """Close a feed and forget it.

        A stream goes on without it, even if it was the last: only feeds that end by themselves
        end a stream.

        Raises:
            ConfigError: there is none of that name.
        """
        for feed in self._scopes:
            if any(status.name == name for status in feed.statuses):
                if self._running is not None:
                    self._ending.add(feed)
                    if not self._held:
                        self._held = True
                        self._running[0].start_soon(trio.sleep_forever)
                self._scopes.pop(feed).cancel()
                return
        raise ConfigError(f"no feed is named {name}")

    async def run(
        self, emit: Emit, outstanding: Outstanding, until_cancelled: bool = False
    ) -> None:
        """Run every feed, until all of them have ended or, where asked to, until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._running = nursery, emit, outstanding
                for feed, scope in self._scopes.items():
                    nursery.start_soon(self._run_one, feed, scope)
                if until_cancelled:
                    await trio.sleep_forever()
                await trio.lowlevel.checkpoint()
        finally:
            self._running, self._held = None, False

    async def _run_one(self, feed: Feed, scope: trio.CancelScope) -> None:
        assert self._running is not None
        _, emit, outstanding = self._running
        try:
            with scope:
                await trio.lowlevel.checkpoint_if_cancelled()
                await feed.run(emit, outstanding)
        finally:
            self._ending.discard(feed)
            for status in feed.statuses:
                if status.state is not FeedState.REFUSED:
                    status.enter(FeedState.ENDED, status.detail)

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """Every feed's."""
        return tuple(status for feed in self._scopes for status in feed.statuses)

    def snapshots(self) -> tuple[FeedSnapshot, ...]:
        """Every feed's figures."""
        return tuple(status.snapshot() for status in self.statuses)

    def statistics(self) -> ConnectionStatistics:
        """Sums over all connections."""
        all_of = self.snapshots()
        connected = [s.last_connected_at for s in all_of if s.last_connected_at is not None]
        return ConnectionStatistics(
            sum(s.attempts for s in all_of),
            sum(s.connections for s in all_of),
            sum(s.failures for s in all_of),
            sum(max(0, s.attempts - 1) for s in all_of),
            max(connected, default=None),
        )
