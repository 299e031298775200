"""One feed over one WebSocket: its lives, one after the other.

The supervisor decides what follows when one is over. Where servers close old connections, a new
one takes over before: it is ready before the old one ends, and what both deliver meanwhile counts
once.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import attrs
import trio
from loguru import logger

from ..errors import ConfigError, DataStreamError
from ..flow.feed import Emit
from ..flow.outstanding import Outstanding
from ..flow.status import FeedStatus
from ..flow.supervise import Fate, fate, gravest, supervise
from ..model.event import DataEvent
from ..model.identity import Endpoint
from ..model.settings import FeedSettings
from ..wire.overlap import MOST, Overlap
from ..wire.session import Session
from ..wire.tape import Direction
from .life import Life, Refusals, Tap, Wall
from .pace import turn
from .websocket import Dial, connect, obstacles

__all__ = ["Connection", "Tap"]


@attrs.define(eq=False)
class _Generation:
    """One life among others of the same feed, while a rotation is under way."""

    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    begun: trio.Event = attrs.Factory(trio.Event)
    over: trio.Event = attrs.Factory(trio.Event)
    life: Life | None = None
    failure: BaseException | None = None
    held: list[tuple[str, Direction, bytes]] | None = None
    """Frames for the tape, until this is the life that the tape shows."""
    waiting: deque[DataEvent] | None = None
    """Events, until this is the life that is believed; there the oldest can be spared, since
    the old life told them."""

    @property
    def is_ready(self) -> bool:
        """Whether it may take over."""
        return self.life is not None and self.life.ready.is_set() and not self.over.is_set()


_Once = Callable[[_Generation, Sequence[DataEvent]], None]
"""Takes the events of a life, of which another may have delivered some."""


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
        self.wall: Wall = time.time_ns
        """The wall clock; that of the recording where one is played to it."""
        self.rotate_after = settings.connection.rotate_after
        """Seconds after which a new connection takes over; None where none ever does, infinite
        where one does only when the server asks for it."""
        self.connect_interval = 0.0
        """Least seconds between two connections to the same server."""
        self.handover: float | None = None
        """Seconds for which the old life still delivers what is on its way when the new one is
        ready, whose events wait meanwhile, so that all come in order; None where the sessions of
        both lives bring what they tell into order themselves."""
        self._make_session = make_session
        self._dial = dial
        self._rng = rng or random.Random()
        self._refusals = Refusals(settings.name, settings.connection.malformed_per_minute)
        self._current: _Generation | None = None

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """This connection's."""
        return (self.status,)

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """Live one life after another."""
        conn = self.settings.connection
        life = partial(self.life, emit)
        await supervise(life, self.status, conn, self._rng, self.settings.required)

    @property
    def session(self) -> Session | None:
        """That of the present life, if there is one."""
        return self._life.session if self._life is not None else None

    @property
    def _life(self) -> Life | None:
        return self._current.life if self._current is not None else None

    def flush(self) -> None:
        """Send what the session wants sent, if there is a life."""
        if self._life is not None:
            self._life.flush()
            self._life.rearm()

    async def life(self, emit: Emit) -> None:
        """One life, from the dial to the loss; where it rotates, several that overlap.

        Raises:
            StreamConnectionError: the connection is over, alone or in a group.
            SubscriptionRejected: the server refuses what is asked for.
        """
        self._current = _Generation()
        try:
            if self.rotate_after is None:
                await self._live(self._current, emit)
            else:
                await self._rotate(emit)
        finally:
            self._current = None

    async def _live(self, generation: _Generation, emit: Emit) -> None:
        conn, status = self.settings.connection, self.status
        await turn(f"{self.endpoint.host}:{self.endpoint.port}", self.connect_interval)
        # What the socket needs beside it ends with its closing, after all tasks of the life.
        async with trio.open_nursery() as keeper:
            socket = await connect(keeper, self.endpoint, conn, self.settings.token, self._dial)
            try:
                status.connections += 1
                status.last_connected_at = trio.current_time()
                session = self._make_session()
                # The counters outlive the life: its session writes into the feed's.
                session.count_into(status.refused, status.ignored)
                status.subscriptions = session.subscriptions
                tap = partial(self._tape, generation) if self.tap is not None else None
                life = Life(status, conn, session, socket, self._refusals, emit, tap, self.wall)
                generation.life = life
                generation.begun.set()
                await life.run()
            finally:
                generation.life = None
                await socket.aclose()

    def _tape(
        self,
        generation: _Generation,
        feed: str,
        direction: Direction,
        frame: bytes,
        stamp: tuple[int, int] | None = None,
        /,
    ) -> None:
        """A tape shows one life at a time: a new one's frames wait until it has taken over."""
        if generation.held is not None:
            # Dated when it is let go: a tape's clock never goes back.
            generation.held.append((feed, direction, frame))
        elif self.tap is not None:
            self.tap(feed, direction, frame, stamp)

    async def _rotate(self, emit: Emit) -> None:
        """Live, and be succeeded each time that the age is reached, or the server asks for it."""
        conn = self.settings.connection
        assert self.rotate_after is not None
        overlap = Overlap()
        once = partial(self._once, overlap, emit)
        async with trio.open_nursery() as nursery:
            assert self._current is not None
            nursery.start_soon(self._generation, self._current, once)
            while True:
                await self._aged(self.rotate_after)
                for attempt in itertools.count():
                    await trio.sleep(conn.first_delay if attempt else 0)
                    if await self._overlapping(nursery, overlap, once):
                        break

    async def _aged(self, age: float) -> None:
        """Return when the present life is old enough, or its server asks it to leave."""
        assert self._current is not None
        with trio.move_on_after(age):
            await self._current.begun.wait()
            assert self._life is not None
            await self._life.leaving.wait()

    async def _overlapping(self, nursery: trio.Nursery, overlap: Overlap, once: _Once) -> bool:
        """Whether a new life has taken over; what both deliver meanwhile counts once."""
        # Some venues begin with what they told last, before any of this.
        known = self.session.newest.values() if self.session is not None else ()
        overlap.open(known)
        succeeded = await self._succeed(nursery, once, overlap)
        if not succeeded:
            overlap.settle(trio.current_time())
        return succeeded

    async def _succeed(self, nursery: trio.Nursery, once: _Once, overlap: Overlap) -> bool:
        """Whether a new life is ready and the old one has ended."""
        conn, old = self.settings.connection, self._current
        waiting = None if self.handover is None else deque[DataEvent](maxlen=MOST)
        new = _Generation(held=[], waiting=waiting)
        nursery.start_soon(self._generation, new, once)
        # Connecting, asking at the venue's pace and being confirmed each have their own bound:
        # a life that is not ready by then is over.
        async with trio.open_nursery() as either:
            either.start_soon(_cancel_after, new.over, either.cancel_scope)
            await new.begun.wait()
            assert new.life is not None
            await new.life.ready.wait()
            either.cancel_scope.cancel()
        if not new.is_ready:
            new.scope.cancel()
            await new.over.wait()
            logger.warning("feed {}: no new connection yet: {}", self.status.name, new.failure)
            return False
        assert old is not None
        self._current = new
        with trio.move_on_after(self.handover or 0.0):
            await old.over.wait()
        old.scope.cancel()
        await old.over.wait()
        overlap.settle(trio.current_time() + conn.pong_timeout)
        if waiting is not None:
            new.waiting = None
            once(new, waiting)
        held, new.held = new.held or [], None
        for feed, direction, frame in held:
            self._tape(new, feed, direction, frame)
        logger.info("feed {}: a new connection has taken over", self.status.name)
        return True

    def _once(
        self, overlap: Overlap, emit: Emit, generation: _Generation, events: Sequence[DataEvent]
    ) -> None:
        """Emit what no other life has delivered, as soon as this one is believed."""
        if generation.waiting is not None:
            over = len(generation.waiting) + len(events) - MOST
            if over > 0:
                self.status.refused["handover_full"] += over
            generation.waiting.extend(events)
            return
        fresh = overlap.admit(events, trio.current_time())
        if repeated := len(events) - len(fresh):
            self.status.ignored["delivered_before"] += repeated
        if fresh:
            emit(fresh)

    async def _generation(self, generation: _Generation, once: _Once) -> None:
        """A life whose failure ends the feed's only while it is the one that counts."""
        try:
            with generation.scope:
                await self._live(generation, partial(once, generation))
        except (DataStreamError, BaseExceptionGroup) as error:
            if generation is self._current or fate(gravest(error)) is Fate.BUG:
                raise
            generation.failure = gravest(error)
        finally:
            generation.over.set()


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
