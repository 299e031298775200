"""Real WebSocket servers on 127.0.0.1 that play tapes to whoever connects."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import attrs
import trio
import trio.testing
from loguru import logger
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    WebSocketServer,
    serve_websocket,
)

from ..errors import ConfigError, MalformedFrame
from ..flow.clock import TapeClock, settle
from ..flow.outstanding import Outstanding
from ..model.identity import Endpoint
from ..model.settings import AnyFeed, ConnectionSettings
from ..wire.decisions import Decided
from ..wire.node import asks_for_others
from ..wire.sessions import grouped, replay_session, tape_settings
from ..wire.tape import Direction, FeedHeader, Record, merged
from ..wire.timeline import NOTHING, Moment, RecordedTape, read_ahead, timeline
from .calls import PlayedCalls
from .peers import EVERYBODY, PEERS, NodePeer, Peer, RecordedPeer, Visitor

_LONG = 1e9
SEND_TIMEOUT = 10.0
"""A visitor that does not read for so long is sent away."""


@attrs.define
class Part:
    """What is played of a time line, and when."""

    speed: float
    """Times as fast as it was recorded."""
    align: bool
    start: float
    end: float
    origin: float = 0.0
    """When it begins, by the clock that everything runs by."""

    def when(self, moment: Moment) -> float:
        """The moment's time by that clock."""
        return self.origin + (moment.at / 1e9 - self.start) / self.speed


@attrs.define(eq=False)
class LoopbackServers:
    """The servers of one or more tapes.

    They begin to play when ``begin`` is set, so that nobody misses the first frame, and set
    ``finished`` when every visitor has received the last.
    """

    tapes: Sequence[RecordedTape]
    endpoints: dict[str, Endpoint] = attrs.Factory(dict)
    """Feed to where its server is."""
    begin: trio.Event = attrs.Factory(trio.Event)
    finished: trio.Event = attrs.Factory(trio.Event)
    asked: dict[str, trio.Event] = attrs.Factory(dict)
    """Feed to whether somebody has asked its server for something."""
    played: int = 0
    """Frames that were due so far, wanted or not."""
    outstanding: Outstanding | None = None
    """The stream's, where every frame shall wait for the one before to be finished with."""
    decisions: Decided = attrs.Factory(Decided)
    """What consumers lost when the tapes were recorded."""
    calls: PlayedCalls = attrs.field(init=False)
    """What nodes are asked."""
    _headers: dict[str, FeedHeader] = attrs.Factory(dict)
    _peers: dict[str, Peer] = attrs.Factory(dict)
    _visitors: dict[str, dict[WebSocketConnection, Visitor]] = attrs.Factory(dict)
    _requests: dict[str, list[bytes]] = attrs.Factory(dict)
    _epochs: dict[str, int] = attrs.Factory(dict)

    def __attrs_post_init__(self) -> None:
        self.calls = PlayedCalls(self._headers, self._at_nodes)

    def learn(self) -> None:
        """Read the tapes once: what was asked and answered."""
        for tape in self.tapes:
            for name, header in tape.header.feeds.items():
                if header.kind not in PEERS:
                    raise ConfigError(f"feed {name} is of the unknown kind {header.kind!r}")
                known = self._headers.get(name)
                self._headers[name] = header if known is None else merged(name, known, header)
                peer = self._peers.setdefault(name, PEERS[header.kind]())
                if isinstance(peer, RecordedPeer) and peer.session is None:
                    peer.session = replay_session(name, self._headers[name])
                    peer.session.opening()
                self._visitors.setdefault(name, {})
                self.asked.setdefault(name, trio.Event())
            for record in tape.records():
                self._learn(record)

    def _learn(self, record: Record) -> None:
        if record.direction is Direction.DECISION:
            with suppress(MalformedFrame):
                self.decisions.read_ahead(record.frame)
            return
        if record.direction is Direction.TAKEN:
            with suppress(MalformedFrame):
                self.decisions.orders.read_ahead(record.frame)
            return
        self._peers[record.feed].learn(record)
        if record.direction is Direction.OUT:
            self._requests.setdefault(record.feed, []).append(record.frame)

    @property
    def called(self) -> bool:
        """Whether the tapes have what processors asked a node."""
        return any(isinstance(peer, NodePeer) and peer.called for peer in self._peers.values())

    def _at_nodes(self) -> list[WebSocketConnection]:
        """Who visits a node."""
        nodes = [name for name, peer in self._peers.items() if isinstance(peer, NodePeer)]
        return [ws for name in nodes for ws in self._visitors[name]]

    def confirms(self, name: str) -> bool:
        """Whether a feed is confirmed before the play, and not by what is played."""
        return name not in self._peers or self._peers[name].confirms

    def settings(self, in_step: bool = False) -> list[AnyFeed]:
        """Settings of feeds that connect here and ask for all that the tapes hold.

        Args:
            in_step: whether time is the tape's and may jump: then nothing watches for silence.
        """
        conn = ConnectionSettings()
        if in_step:
            conn = attrs.evolve(conn, subscribe_interval=0.0, ping_interval=_LONG, silence=_LONG)
        alone: list[AnyFeed] = []
        groups: dict[str, list[AnyFeed]] = {}
        for name, header in self._headers.items():
            requests = self._requests.get(name, ())
            one = tape_settings(name, header, self.endpoints[name], requests, conn)
            (groups.setdefault(header.group, []) if header.group else alone).append(one)
        return alone + [grouped(name, feeds) for name, feeds in groups.items()]

    def wall(self, name: str) -> Callable[[], int]:
        """The wall clock of a feed's recording: nanoseconds since the epoch, now."""

        def read() -> int:
            return self._epochs.get(name, 0) + int(trio.current_time() * 1e9)

        return read

    async def listen(self, nursery: trio.Nursery) -> None:
        """Open one server a feed."""
        for name in self._peers:
            server: WebSocketServer = await nursery.start(
                partial(serve_websocket, partial(self._serve, name), "127.0.0.1", 0, None)
            )
            self.endpoints[name] = Endpoint(f"ws://127.0.0.1:{server.port}")

    async def _serve(self, name: str, request: WebSocketRequest) -> None:
        ws = await request.accept()
        async with ws:
            visitor = self._visitors[name][ws] = Visitor()
            try:
                while True:
                    message = await ws.get_message()
                    visitor.asked += 1
                    self.asked[name].set()
                    text = message if isinstance(message, str) else message.decode("latin-1")
                    await self._answer(name, ws, text)
            except ConnectionClosed:
                return
            finally:
                del self._visitors[name][ws]
                self.calls.gone(ws)

    async def _answer(self, name: str, ws: WebSocketConnection, text: str) -> None:
        """Answer a visitor. While a node's tape is played, its answers come when the tape comes to
        them; where time is not the tape's, and it has come to them, at once."""
        peer, visitor = self._peers[name], self._visitors[name][ws]
        playing = isinstance(peer, NodePeer) and self.begin.is_set()
        if not playing or not self._taken(name, ws, text):
            for answer in peer.answer(visitor, text):
                await ws.send_message(answer)
        elif self.outstanding is None:
            self.calls.match()
            await self.calls.answer()

    def _taken(self, name: str, ws: WebSocketConnection, text: str) -> bool:
        """Whether a node's answer is the tape's affair."""
        if "eth_subscribe" in text:
            return False
        if asks_for_others(text.encode()):
            return self.calls.take(name, ws, text)
        (otherwise,) = self._peers[name].answer(self._visitors[name][ws], text)
        return self.calls.take(name, ws, text, otherwise)

    async def play(self, part: Part) -> None:
        """Send every frame of a part of the time line at its time to those who want it."""
        await self.begin.wait()
        clock = trio.lowlevel.current_clock()
        part.origin = trio.current_time()
        moments = timeline(self.tapes, part.align)
        seconds = math.inf
        for moment in read_ahead(moments, partial(self._note, part)):
            seconds = moment.at / 1e9
            if seconds >= part.end:
                break
            if seconds < part.start:
                await self._prepare(moment)
                continue
            at = part.when(moment)
            if isinstance(clock, TapeClock):
                await clock.go_to(at)
            else:
                await trio.sleep_until(at)
            await self._play(moment, at)
        if seconds < part.start:
            logger.warning(NOTHING, part.start, seconds)
        for name in self._visitors:
            await self._settle(name)
        self.decisions.orders.end()
        self.finished.set()

    def _note(self, part: Part, moment: Moment) -> None:
        """Look at what the tapes will come to."""
        if self._is_asked(moment) and moment.at / 1e9 >= part.start:
            self.calls.read_ahead(moment.tape, moment.record, part.when(moment))
        elif moment.record.direction is Direction.TAKEN:
            self.calls.name(moment.tape, moment.record)

    def _is_asked(self, moment: Moment) -> bool:
        """Whether it is a frame that was sent to a node."""
        return moment.record.direction is Direction.OUT and self._is_node(moment)

    def _is_node(self, moment: Moment) -> bool:
        return isinstance(self._peers[moment.record.feed], NodePeer)

    async def _prepare(self, moment: Moment) -> None:
        """Of before the part that is played, what is needed to read the rest of it."""
        record = moment.record
        if record.direction is Direction.IN and self._peers[record.feed].prepares(record):
            await self._send(moment)

    async def _play(self, moment: Moment, at: float) -> None:
        record = moment.record
        if record.direction is Direction.IN:
            self.played += 1
            await self._send(moment)
        elif self._is_asked(moment):
            self.calls.sent(moment.tape, record, at)
        elif record.direction is Direction.CLOSE:
            self.calls.closed(moment.tape, record.feed)
        elif record.direction is Direction.TAKEN:
            with suppress(MalformedFrame):
                if self.decisions.orders.waits_for(record.frame):
                    # Whoever goes on besides its events is not waited for elsewhere.
                    await trio.testing.wait_all_tasks_blocked()
                    self.decisions.orders.over(record.frame)

    async def _send(self, moment: Moment) -> None:
        record = moment.record
        self._epochs[record.feed] = record.wall - int(trio.current_time() * 1e9)
        topic = self._peers[record.feed].topic(record.frame)
        if topic is None:
            if self._is_node(moment):
                await self._replied(moment)
            return
        try:
            message: str | bytes = record.frame.decode()
        except UnicodeDecodeError:
            message = record.frame
        for ws, visitor in list(self._visitors[record.feed].items()):
            if topic == EVERYBODY or topic in visitor.wants:
                await self._to(ws, message)
        if self.outstanding is not None:
            await self._settle(record.feed)

    async def _replied(self, moment: Moment) -> None:
        """A node has answered; who asked the same gets it."""
        self.calls.replied(moment.tape, moment.record)
        await self.calls.answer()
        if self.outstanding is not None:
            await settle(self.outstanding, self.calls)

    async def _to(self, ws: WebSocketConnection, message: str | bytes) -> None:
        try:
            with trio.move_on_after(SEND_TIMEOUT) as scope:
                await ws.send_message(message)
        except ConnectionClosed:
            return
        if scope.cancelled_caught:
            await ws.aclose(1008, "too slow")

    async def _settle(self, name: str) -> None:
        """Wait until every visitor of a feed has received what was sent, and all answers to what
        it asked because of it."""
        for ws, visitor in list(self._visitors[name].items()):
            try:
                with trio.move_on_after(SEND_TIMEOUT):
                    await self._hear_out(name, ws, visitor)
            except ConnectionClosed:
                continue
        if self.outstanding is not None:
            await settle(self.outstanding, self.calls)

    async def _hear_out(self, name: str, ws: WebSocketConnection, visitor: Visitor) -> None:
        await ws.ping()
        if not self._headers[name].follow:
            return
        # A ping may be answered before the frame ahead of it was looked at, and a question may
        # be read after the pong behind it: two more, and neither can be so.
        asked = -1
        while visitor.asked != asked:
            asked = visitor.asked
            await ws.ping()
            await ws.ping()


@asynccontextmanager
async def open_loopback(
    tapes: Sequence[RecordedTape],
    speed: float = 1.0,
    align: bool = False,
    start: float = 0.0,
    end: float = math.inf,
) -> AsyncIterator[LoopbackServers]:
    """Servers for as long as the block lasts, one for each feed of the tapes.

    Args:
        tapes: what is played.
        speed: how many times as fast as it was recorded.
        align: whether all tapes begin at once, whatever their dates.
        start: seconds of the time line before which nothing is sent.
        end: seconds of the time line at which it is over.

    Raises:
        ConfigError: a tape's feed is of no known kind, or two of one name are of two kinds.
    """
    servers = LoopbackServers(tapes)
    servers.learn()
    async with trio.open_nursery() as nursery:
        await servers.listen(nursery)
        nursery.start_soon(servers.play, Part(speed, align, start, end))
        yield servers
        nursery.cancel_scope.cancel()
