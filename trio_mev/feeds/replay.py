"""A tape in place of sockets: the same sessions, the same stream."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import trio
import trio.testing
from loguru import logger

from ..errors import DataStreamError, MalformedFrame
from ..flow.clock import TapeClock, settle
from ..flow.feed import Emit
from ..flow.outstanding import Outstanding
from ..flow.status import FeedState, FeedStatus
from ..model.event import DataEvent
from ..wire.decisions import Decided
from ..wire.node import EthereumSession, is_call
from ..wire.overlap import Succession
from ..wire.recorded import RecordedCalls
from ..wire.session import Session
from ..wire.sessions import replay_session, replay_trunk
from ..wire.tape import Direction, Record
from ..wire.timeline import NOTHING, Moment, first_wall, read_ahead, timeline
from ..wire.trunk import Trunk
from .recall import TapeRpc
from .tapes import count_problems, open_tapes

LOOK_FOR_CALLS = 300 * 10**9
"""Nanoseconds of a connection to a node that are looked through for a processor's call: where
processors call at all, they do so with the first blocks."""

BESIDE = frozenset({Direction.DECISION, Direction.TAKEN})
"""What is on a tape beside frames: what became of events."""


class ReplayFeed:
    """Plays tapes into a stream.

    Each frame waits until the stream has finished with the one before, so that nothing is shed
    and the order of events does not depend on the machine. On a ``TapeClock`` the tape moves the
    time; on any other clock frames come at their times.

    Args:
        paths: of tapes, and of folders with tapes; the parts of a recording are one.
        align: whether all begin at once, whatever their dates.
        start: seconds of the time line before which frames prepare the sessions only.
        end: seconds of the time line at which it is over.

    Raises:
        ConfigError: a tape cannot be read, or a feed's kind is not known.
    """

    def __init__(
        self,
        paths: Sequence[Path | str],
        align: bool = False,
        start: float = 0.0,
        end: float = float("inf"),
    ) -> None:
        self.tapes = open_tapes(paths)
        self._align = align
        self._start = start
        self._end = end
        self._status: dict[str, FeedStatus] = {}
        self._sessions: dict[tuple[int, str], Session] = {}
        self._lives: dict[tuple[int, str], Succession] = {}
        self._trunks: dict[tuple[int, str], Trunk | None] = {}
        self._nodes: set[tuple[int, str]] = set()
        self._numbers: Counter[str] = Counter()
        self._playing = True
        for number, tape in enumerate(self.tapes):
            for name in tape.header.feeds:
                self._status.setdefault(name, FeedStatus(name))
                self._new_session(number, name)
        self.decisions = Decided()
        """What consumers lost when the tapes were recorded."""
        self._calls = RecordedCalls()
        self.rpc = self._make_rpc()
        """Answers what the tapes have the answers to; None where there are no calls on them."""

    waits = True
    """Lanes may make it wait: it is no socket."""

    @property
    def wall(self) -> int:
        """What the wall clock said where the play begins, in nanoseconds since the epoch."""
        return first_wall(self.tapes) + round(self._start * 1e9)

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """One for each feed of the tapes."""
        return tuple(self._status.values())

    @property
    def progress(self) -> float:
        """Which part of the tapes has been read, from 0 to 1."""
        size = sum(tape.size for tape in self.tapes)
        return sum(tape.read for tape in self.tapes) / size if size else 0.0

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """Play to the end."""
        origin = trio.current_time()
        note = partial(self._note, origin)
        seconds = 0.0
        for count, moment in enumerate(read_ahead(timeline(self.tapes, self._align), note)):
            seconds = moment.at / 1e9
            if seconds >= self._end:
                break
            if not await self._is_open(outstanding, moment.record):
                continue
            self._playing = seconds >= self._start
            at = origin + max(0.0, seconds - self._start)
            await settle(outstanding, self.rpc)
            await self._expire(emit, outstanding, at)
            await _go_to(at)
            if count % 64 == 0:
                await trio.lowlevel.checkpoint()
            await self._emit(emit, outstanding, self._play(moment, at), at)
        await settle(outstanding, self.rpc)
        self.decisions.orders.end()
        if self.rpc is not None:
            self.rpc.end()
        if not self._playing:
            logger.warning(NOTHING, self._start, seconds)
        await self._finish(emit, outstanding)
        await settle(outstanding, self.rpc)

    async def _emit(
        self, emit: Emit, outstanding: Outstanding, events: Iterable[DataEvent], at: float
    ) -> None:
        for event in events:
            if self._playing:
                self._status[event.source].events += 1
                self._status[event.source].last_event_at = at
                await outstanding.wait_room(event)
                emit((event,))

    async def _expire(self, emit: Emit, outstanding: Outstanding, before: float) -> None:
        """Let the nodes' sessions give up, in their order, what is due before the next frame."""
        while self._nodes:
            due, key = min((self._due(key), key) for key in self._nodes)
            if due >= before:
                return
            await _go_to(max(due, trio.current_time()))
            session = self._sessions[key]
            events = self._counted(session.source, session.expire(due))
            await self._emit(emit, outstanding, events, due)
            await settle(outstanding, self.rpc)

    def _due(self, key: tuple[int, str]) -> float:
        due = self._sessions[key].next_due()
        return math.inf if due is None else due

    def _note(self, origin: float, moment: Moment) -> None:
        """Look at what the tape will come to."""
        record = moment.record
        if self._may_call(moment) and record.direction is Direction.OUT:
            at = origin + max(0.0, moment.at / 1e9 - self._start)
            self._calls.read_ahead(moment.tape, record, at)
        elif record.direction in BESIDE:
            self._read_decision(moment.tape, record)

    def _read_decision(self, tape: int, record: Record) -> None:
        try:
            if record.direction is Direction.DECISION:
                self.decisions.read_ahead(record.frame)
                return
            taken = self.decisions.orders.read_ahead(record.frame)
            if taken.call is not None:
                self._calls.name(tape, record.feed, taken.call, taken.taken[0])
        except MalformedFrame:
            self._status[record.feed].refused[f"bad_{record.direction.value}"] += 1

    def _decided(self, record: Record) -> None:
        """The tape has come to a decision: its events came up before it."""
        with suppress(MalformedFrame):  # counted already
            known = self.decisions
            over = known.over if record.direction is Direction.DECISION else known.orders.over
            if unused := over(record.frame):
                self._status[record.feed].ignored[f"{record.direction.value}_unused"] += unused

    async def _is_open(self, outstanding: Outstanding, record: Record) -> bool:
        """Whether it is more than the order of what has been taken already."""
        if record.direction is not Direction.TAKEN:
            return True
        with suppress(MalformedFrame):
            if self.decisions.orders.waits_for(record.frame):
                await settle(outstanding, self.rpc)
                # Whoever goes on besides its events is not waited for elsewhere.
                await trio.testing.wait_all_tasks_blocked()
                return self.decisions.orders.waits_for(record.frame)
        return False

    def _may_call(self, moment: Moment) -> bool:
        """Whether what was sent may be a call to be answered: it is to a node, in what is
        played."""
        played = moment.at / 1e9 >= self._start
        return self.rpc is not None and played and self._is_node(moment)

    def _is_node(self, moment: Moment) -> bool:
        return self.tapes[moment.tape].header.feeds[moment.record.feed].kind == "ethereum"

    def _make_rpc(self) -> TapeRpc | None:
        if not self._nodes:
            return None
        until = math.inf  # a node may be there only after hours
        for moment in timeline(self.tapes, self._align):
            if moment.at > until:
                break
            record = moment.record
            if record.direction is not Direction.OUT or not self._is_node(moment):
                continue
            if is_call(record.frame):
                names = ", ".join(tape.path.name for tape in self.tapes)
                return TapeRpc(self._calls, names, self._status[record.feed])
            until = min(until, moment.at + LOOK_FOR_CALLS)
        return None

    def _play(self, moment: Moment, at: float) -> Sequence[DataEvent]:
        record, status = moment.record, self._status[moment.record.feed]
        session = self._sessions[moment.tape, record.feed]
        if record.direction is Direction.OUT:
            session.sent(record.frame)
            self._sent(moment, session, at)
            return []
        if record.direction is Direction.OPEN:
            self._opened(moment, status, at)
            return []
        if record.direction in BESIDE:
            self._decided(record)
            return []
        if record.direction is Direction.CLOSE:
            return self._closed(moment, session, status, at)
        events = self._receive(session, status, record, at)
        lives = self._lives.get((moment.tape, record.feed))
        if lives is None:
            return events
        fresh = lives.admit(events, at)
        if repeated := len(events) - len(fresh):
            status.ignored["delivered_before"] += repeated
        return fresh

    def _opened(self, moment: Moment, status: FeedStatus, at: float) -> None:
        key = moment.tape, moment.record.feed
        self._new_session(*key)
        if not self._is_node(moment):
            self._lives.setdefault(key, Succession()).begin(at)
        elif self.rpc is not None:
            self.rpc.opened(*key)
        status.connections += 1
        status.last_connected_at = at
        status.enter(FeedState.READY)

    def _closed(
        self, moment: Moment, session: Session, status: FeedStatus, at: float
    ) -> list[DataEvent]:
        key = moment.tape, moment.record.feed
        status.enter(FeedState.WAITING, "the recorded connection ended")
        if key in self._lives:
            self._lives[key].end(at)
        elif self.rpc is not None:
            self.rpc.closed(*key)
        return self._counted(moment.record.feed, session.finish())

    def _sent(self, moment: Moment, session: Session, at: float) -> None:
        """Have the replies to a call handed to who asks the same now."""
        if not self._may_call(moment):
            return
        assert self.rpc is not None
        assert isinstance(session, EthereumSession)
        self.rpc.used(moment.tape, moment.record.feed)
        call = self._calls.sent(moment.tape, moment.record.feed, at)
        if call is not None:
            session.overhear(call.numbers, call.answered)

    def _receive(
        self, session: Session, status: FeedStatus, record: Record, at: float
    ) -> list[DataEvent]:
        status.frames += 1
        status.bytes += len(record.frame)
        status.last_frame_at = at
        session.epoch = record.wall - int(at * 1e9)
        try:
            events = session.receive(record.frame, at, self._numbers[record.feed] + 1)
        except DataStreamError as error:  # the recorded server refused a subscription
            status.enter(FeedState.REFUSED, str(error))
            return []
        return self._counted(record.feed, events)

    def _counted(self, feed: str, events: list[DataEvent]) -> list[DataEvent]:
        """The same; events are numbered from a tape's beginning, wherever the play begins."""
        self._numbers[feed] += len(events)
        return events

    def _new_session(self, tape: int, name: str) -> None:
        status = self._status[name]
        header = self.tapes[tape].header
        feed = header.feeds[name]
        key = tape, feed.group or name
        if key not in self._trunks:
            self._trunks[key] = replay_trunk(header, name)
        session = replay_session(name, feed, self._trunks[key])
        session.count_into(status.refused, status.ignored)
        status.subscriptions = session.subscriptions
        self._sessions[tape, name] = session
        if isinstance(session, EthereumSession):
            self._nodes.add((tape, name))

    async def _finish(self, emit: Emit, outstanding: Outstanding) -> None:
        now = trio.current_time()
        for session in self._sessions.values():
            await self._emit(emit, outstanding, session.finish(), now)
        count_problems(self.tapes, self._status)


async def _go_to(at: float) -> None:
    clock = trio.lowlevel.current_clock()
    if isinstance(clock, TapeClock):
        await clock.go_to(at)
    else:
        await trio.sleep_until(at)
