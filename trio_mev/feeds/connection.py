"""One feed over one WebSocket: its lives, one after the other.

A life is reader, writer, keepalive, watchdog and the requests' deadlines in one nursery; the
first that fails ends them all, and the supervisor decides what follows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

import trio
from loguru import logger

from ..errors import ConfigError, StreamConnectionError, SubscriptionLost
from ..flow.feed import Emit
from ..flow.outstanding import Outstanding
from ..flow.status import FeedState, FeedStatus
from ..flow.supervise import supervise
from ..flow.watchdog import watch
from ..model.event import DataEvent
from ..model.identity import Endpoint
from ..model.settings import FeedSettings
from ..wire.session import PENDING, Session
from ..wire.tape import Direction
from .transport import FrameSocket, UnusableMessage
from .websocket import Dial, connect, obstacles

REPORT_INTERVAL = 60.0

Tap = Callable[[str, Direction, bytes], None]
"""Gets every frame as it passes: the feed's alias, the direction, the bytes."""


class Connection:
    """A feed that is a WebSocket.

    Args:
        settings: alias, token, timeouts.
        endpoint: where to.
        make_session: a new session for each life.
        dial: opens the byte stream, where it is not TCP and the system's TLS.
        tap: gets every frame, for a recording.
        rng: draws the backoff's jitter.

    Raises:
        ConfigError: no connection can be made with the settings.
    """

    def __init__(
        self,
        settings: FeedSettings,
        endpoint: Endpoint,
        make_session: Callable[[], Session],
        dial: Dial | None = None,
        tap: Tap | None = None,
        rng: random.Random | None = None,
    ) -> None:
        problems = [f"feed {settings.name}: {key}: {why}" for key, why in obstacles(settings)]
        if problems:
            raise ConfigError(*problems)
        self.settings = settings
        self.endpoint = endpoint
        self.status = FeedStatus(settings.name)
        self.tap = tap
        self._make_session = make_session
        self._dial = dial
        self._rng = rng or random.Random()
        self._session: Session | None = None
        self._socket: FrameSocket | None = None
        self._confirmed = trio.Event()
        self._rearmed = trio.Event()
        self._reported_at = float("-inf")
        self._refused = 0
        self._minute = float("-inf")
        self._refused_before = 0

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """This connection's."""
        return (self.status,)

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """Live one life after another."""
        conn = self.settings.connection
        life = partial(self.life, emit)
        await supervise(life, self.status, conn, self._rng, self.settings.required)

    async def life(self, emit: Emit) -> None:
        """One life, from the dial to the loss.

        Raises:
            StreamConnectionError: the connection is over, alone or in a group.
            SubscriptionRejected: the server refuses what is asked for.
        """
        conn = self.settings.connection
        # What the socket needs beside it ends with its closing, after all tasks of the life.
        async with trio.open_nursery() as keeper:
            socket = await connect(keeper, self.endpoint, conn, self.settings.token, self._dial)
            try:
                await self._live(socket, emit)
            finally:
                await socket.aclose()

    async def _live(self, socket: FrameSocket, emit: Emit) -> None:
        session = self._begin(socket)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(socket.write)
                nursery.start_soon(self._subscribe, socket, session)
                nursery.start_soon(self._keepalive, socket)
                nursery.start_soon(watch, session.heard, self.settings.connection.silence)
                nursery.start_soon(self._expire, session, emit)
                await self._read(socket, session, emit)
        finally:
            self._session = self._socket = None
            self._emit(session.finish(), emit)
            self._record(Direction.CLOSE)

    def _begin(self, socket: FrameSocket) -> Session:
        status = self.status
        status.connections += 1
        status.last_connected_at = trio.current_time()
        session = self._make_session()
        # The counters outlive the life: its session writes into the feed's.
        session.refused, session.ignored = status.refused, status.ignored
        status.subscriptions = session.subscriptions
        self._session, self._socket = session, socket
        self._confirmed, self._rearmed = trio.Event(), trio.Event()
        self._record(Direction.OPEN)
        return session

    async def _subscribe(self, socket: FrameSocket, session: Session) -> None:
        opening = session.opening()
        now = trio.current_time()
        session.heard.update(dict.fromkeys(session.heard, now))
        for number, frame in enumerate(opening):
            if number:
                await trio.sleep(self.settings.connection.subscribe_interval)
            self._send(socket, frame)
        with trio.move_on_after(self.settings.connection.confirm_timeout):
            if not session.confirmed:
                await self._confirmed.wait()
            self.status.ready_at = trio.current_time()
            self.status.enter(FeedState.READY)
            logger.info("feed {} is ready: {}", self.status.name, ", ".join(session.subscriptions))
            return
        missing = [label for label, state in session.subscriptions.items() if state == PENDING]
        raise SubscriptionLost(f"not confirmed in time: {', '.join(missing)[:200]}")

    async def _read(self, socket: FrameSocket, session: Session, emit: Emit) -> None:
        status = self.status
        while True:
            try:
                frames = await socket.receive()
            except UnusableMessage as error:
                status.refused[error.reason] += 1
                raise
            now = trio.current_time()
            status.last_frame_at = now
            status.frames += len(frames)
            status.bytes += sum(map(len, frames))
            if self.tap is not None:
                for frame in frames:
                    self.tap(status.name, Direction.IN, frame)
            events: list[DataEvent] = []
            try:
                session.receive_batch(frames, now, status.events + 1, events)
            finally:  # what came before a refusal counts
                self._emit(events, emit)
            self._after_batch(socket, session, now)

    def _emit(self, events: Sequence[DataEvent], emit: Emit) -> None:
        if events:
            self.status.events += len(events)
            self.status.last_event_at = events[-1].received_at
            emit(events)

    def _after_batch(self, socket: FrameSocket, session: Session, now: float) -> None:
        self.flush()
        if not self._confirmed.is_set() and session.confirmed:
            self._confirmed.set()
        if not self._rearmed.is_set() and session.next_due() is not None:
            self._rearmed.set()
        refused = self.status.refused
        if refused and refused.total() > self._refused:
            self._count_refused(refused.total(), now)

    def _count_refused(self, refused: int, now: float) -> None:
        """Report what could not be used, once in a while; give up where it is too much."""
        if now - self._minute >= 60:
            self._minute, self._refused_before = now, self._refused
        self._refused = refused
        if now - self._reported_at >= REPORT_INTERVAL:
            self._reported_at = now
            reasons = ", ".join(f"{n} {why}" for why, n in self.status.refused.most_common(5))
            logger.warning("feed {}: unusable so far: {}", self.status.name, reasons)
        limit = self.settings.connection.malformed_per_minute
        if refused - self._refused_before > limit:
            self._minute = float("-inf")
            raise StreamConnectionError(f"over {limit} unusable frames in a minute")

    def flush(self) -> None:
        """Send what the session wants sent, if there is a life."""
        if self._session is not None and self._socket is not None:
            for frame in self._session.outgoing():
                self._send(self._socket, frame)

    def _send(self, socket: FrameSocket, frame: str) -> None:
        self._record(Direction.OUT, frame.encode())
        socket.send(frame)

    def _record(self, direction: Direction, frame: bytes = b"") -> None:
        if self.tap is not None:
            self.tap(self.status.name, direction, frame)

    async def _keepalive(self, socket: FrameSocket) -> None:
        conn = self.settings.connection
        while True:
            await trio.sleep(conn.ping_interval)
            self.status.round_trip = await socket.ping(conn.pong_timeout)

    async def _expire(self, session: Session, emit: Emit) -> None:
        """Give up requests at their deadlines; sleeps until the first, or until there is one."""
        while True:
            due = session.next_due()
            if due is None:
                self._rearmed = trio.Event()
                await self._rearmed.wait()
                continue
            await trio.sleep_until(due)
            self._emit(session.expire(trio.current_time()), emit)
            self.flush()
