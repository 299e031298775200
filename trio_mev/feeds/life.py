"""One life of one connection: reader, writer, keepalive, watchdog and deadlines in one nursery.

The first that fails ends them all.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import trio
from loguru import logger

from ..errors import StreamConnectionError, SubscriptionLost
from ..flow.feed import Emit
from ..flow.status import FeedState, FeedStatus
from ..flow.watchdog import watch
from ..model.event import DataEvent
from ..model.settings import ConnectionSettings
from ..wire.session import PENDING, Session
from ..wire.tape import Direction
from .transport import ClosedForSize, FrameSocket, MessageTooBig, UnusableMessage

REPORT_INTERVAL = 60.0


class Tap(Protocol):
    """Gets every frame as it passes."""

    def __call__(
        self,
        feed: str,
        direction: Direction,
        frame: bytes,
        stamp: tuple[int, int] | None = None,
        /,
    ) -> None:
        """Take it.

        Args:
            feed: its alias.
            direction: which way it goes, or what else it is.
            frame: the bytes.
            stamp: when it came, by which its events are dated: nanoseconds since the epoch, and
                of the stream's clock. None is now.
        """


Wall = Callable[[], int]
"""What time it is, in nanoseconds since the epoch."""


@attrs.define(eq=False)
class Refusals:
    """What a feed could not use, over all its lives: reported now and then, and not borne without
    end."""

    name: str
    limit: int
    """In a minute."""
    _seen: int = 0
    _reported_at: float = float("-inf")
    _minute: float = float("-inf")
    _before: int = 0

    def check(self, status: FeedStatus, now: float) -> None:
        """Look at the counters after a read.

        Raises:
            StreamConnectionError: there were too many.
        """
        if not status.refused or (refused := status.refused.total()) <= self._seen:
            return
        if now - self._minute >= 60:
            self._minute, self._before = now, self._seen
        self._seen = refused
        if now - self._reported_at >= REPORT_INTERVAL:
            self._reported_at = now
            reasons = ", ".join(f"{n} {why}" for why, n in status.refused.most_common(5))
            logger.warning("feed {}: unusable so far: {}", self.name, reasons)
        if refused - self._before > self.limit:
            self._minute = float("-inf")
            raise StreamConnectionError(f"over {self.limit} unusable frames in a minute")


class Life:
    """From an open socket to its loss.

    Args:
        status: the feed's.
        settings: its timeouts.
        session: new for this life.
        socket: open.
        refusals: the feed's.
        emit: takes the events.
        tap: gets every frame.
        wall: the wall clock, in nanoseconds since the epoch.
    """

    def __init__(
        self,
        status: FeedStatus,
        settings: ConnectionSettings,
        session: Session,
        socket: FrameSocket,
        refusals: Refusals,
        emit: Emit,
        tap: Tap | None,
        wall: Wall = time.time_ns,
    ) -> None:
        self.session = session
        self.ready = trio.Event()
        """Every subscription is confirmed."""
        self.leaving = trio.Event()
        """The server asks that the connection be made anew."""
        self._status = status
        self._settings = settings
        self._socket = socket
        self._refusals = refusals
        self._emit_to = emit
        self._tap = tap
        self._wall = wall
        self._confirmed = trio.Event()
        self._rearmed = trio.Event()
        self._armed_for = float("inf")
        # Where no pause at all is wished, as where time is a tape's, there is none.
        self._pause = session.request_interval if settings.subscribe_interval else 0.0
        self._queue: deque[str] = deque()
        self._queued = trio.Event()
        self._next_turn = float("-inf")

    async def run(self) -> None:
        """Live.

        Raises:
            StreamConnectionError: the connection is over, alone or in a group.
            SubscriptionRejected: the server refuses what is asked for.
        """
        self._record(Direction.OPEN)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._socket.write)
                nursery.start_soon(self._subscribe)
                nursery.start_soon(self._send_at_pace)
                nursery.start_soon(self._keepalive)
                nursery.start_soon(watch, self.session.heard, self._settings.silence)
                nursery.start_soon(self._expire)
                await self._read()
        finally:
            self._emit(self.session.finish())
            self._record(Direction.CLOSE)

    async def _subscribe(self) -> None:
        session, status = self.session, self._status
        now = trio.current_time()
        session.begin(now)
        opening = session.opening()
        session.heard.update(dict.fromkeys(session.heard, now))
        self.rearm()
        pause = max(self._settings.subscribe_interval, self._pause)
        for frame in opening:
            await self._turn(pause)
            self.send(frame)
        with trio.move_on_after(self._settings.confirm_timeout):
            if not session.confirmed:
                await self._confirmed.wait()
            status.ready_at = trio.current_time()
            status.enter(FeedState.READY)
            logger.info("feed {} is ready: {}", status.name, ", ".join(session.subscriptions))
            self.ready.set()
            return
        missing = [label for label, state in session.subscriptions.items() if state == PENDING]
        raise SubscriptionLost(f"not confirmed in time: {', '.join(missing)[:200]}")

    async def _read(self) -> None:
        status = self._status
        while True:
            try:
                frames = await self._socket.receive()
            except UnusableMessage as error:
                status.refused[error.reason] += 1
                if isinstance(error, MessageTooBig):
                    self.session.oversized()
                raise
            except ClosedForSize:
                self.session.oversized()
                raise
            now = trio.current_time()
            wall, steady = self._wall(), int(now * 1e9)
            self.session.epoch = wall - steady
            status.last_frame_at = now
            status.frames += len(frames)
            status.bytes += sum(map(len, frames))
            if self._tap is not None:
                for frame in frames:
                    self._tap(status.name, Direction.IN, frame, (wall, steady))
            events: list[DataEvent] = []
            try:
                self.session.receive_batch(frames, now, status.events + 1, events)
            finally:  # what came before a refusal counts
                self._emit(events)
            self._after_batch(now)
            del frames, events  # which would live on until the next read

    def _emit(self, events: Sequence[DataEvent]) -> None:
        if not events:
            return
        self._status.events += len(events)
        self._status.last_event_at = events[-1].received_at
        self._emit_to(events)

    def _after_batch(self, now: float) -> None:
        if not self.session.moved:
            return
        self.flush()
        if not self._confirmed.is_set() and self.session.confirmed:
            self._confirmed.set()
        if self.session.leaving:
            self.leaving.set()
        self.rearm()
        for notice in self.session.notices():
            logger.warning("feed {}: {}", self._status.name, notice)
        self._refusals.check(self._status, now)

    def rearm(self) -> None:
        """Wake the timer where something is due earlier than what it sleeps for."""
        if self._rearmed.is_set():
            return
        due = self.session.next_due()
        if due is not None and due < self._armed_for:
            self._rearmed.set()

    def flush(self) -> None:
        """Send what the session wants sent, at the pace that the server bears."""
        frames = self.session.outgoing()
        if not self._pause:
            for frame in frames:
                self.send(frame)
        elif frames:
            self._queue.extend(frames)
            self._queued.set()

    async def _send_at_pace(self) -> None:
        while self._pause:
            await self._queued.wait()
            self._queued = trio.Event()
            while self._queue:
                await self._turn(self._pause)
                self.send(self._queue.popleft())

    async def _turn(self, pause: float) -> None:
        """Wait until a message may be sent, and take its place."""
        mine = max(self._next_turn, trio.current_time())
        self._next_turn = mine + pause
        if mine > trio.current_time():
            await trio.sleep_until(mine)

    def send(self, frame: str) -> None:
        """Send a frame."""
        self._record(Direction.OUT, frame.encode())
        self._socket.send(frame)

    def _record(self, direction: Direction, frame: bytes = b"") -> None:
        if self._tap is not None:
            self._tap(self._status.name, direction, frame)

    async def _keepalive(self) -> None:
        while True:
            await trio.sleep(self._settings.ping_interval)
            self._status.round_trip = await self._socket.ping(self._settings.pong_timeout)

    async def _expire(self) -> None:
        """Give up requests at their deadlines; sleeps until the first, or until there is one."""
        while True:
            due = self.session.next_due()
            self._armed_for = float("inf") if due is None else due
            self._rearmed = trio.Event()
            with trio.move_on_at(self._armed_for) as scope:
                await self._rearmed.wait()
            if scope.cancelled_caught:
                self._emit(self.session.expire(trio.current_time()))
                self.flush()
