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
        self._feeds: list[Feed] = []
        self._scopes: dict[int, trio.CancelScope] = {}
        self._running: tuple[trio.Nursery, Emit, Outstanding] | None = None
        for feed in feeds:
            self.add(feed)

    def add(self, feed: Feed) -> None:
        """Run one more feed, at once if the others run.

        Raises:
            ConfigError: one of that name is there already.
        """
        taken = {status.name for status in self.statuses}
        for status in feed.statuses:
            if status.name in taken:
                raise ConfigError(f"two feeds are named {status.name}; names must differ")
        self._feeds.append(feed)
        if self._running is not None:
            self._running[0].start_soon(self._run_one, feed)

    def remove(self, name: str) -> None:
        """Close a feed and forget it.

        Raises:
            ConfigError: there is none of that name.
        """
        for feed in self._feeds:
            if any(status.name == name for status in feed.statuses):
                self._feeds.remove(feed)
                scope = self._scopes.get(id(feed))
                if scope is not None:
                    scope.cancel()
                return
        raise ConfigError(f"no feed is named {name}")

    async def run(
        self, emit: Emit, outstanding: Outstanding, until_cancelled: bool = False
    ) -> None:
        """Run every feed, until all of them have ended or, where asked to, until cancelled."""
        async with trio.open_nursery() as nursery:
            self._running = nursery, emit, outstanding
            try:
                for feed in self._feeds:
                    nursery.start_soon(self._run_one, feed)
                if until_cancelled:
                    await trio.sleep_forever()
                await trio.lowlevel.checkpoint()
            except BaseException:
                self._running = None
                raise
        self._running = None

    async def _run_one(self, feed: Feed) -> None:
        assert self._running is not None
        _, emit, outstanding = self._running
        with trio.CancelScope() as scope:
            self._scopes[id(feed)] = scope
            try:
                await feed.run(emit, outstanding)
            finally:
                del self._scopes[id(feed)]
                for status in feed.statuses:
                    if status.state is not FeedState.REFUSED:
                        status.enter(FeedState.ENDED, status.detail)

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """Every feed's."""
        return tuple(status for feed in self._feeds for status in feed.statuses)

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
