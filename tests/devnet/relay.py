"""A relay between a client and a node, on real WebSockets, that does to frames what it is told."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import attrs
import trio
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from tests.devnet.weather import (
    CODES,
    ENDS,
    Calm,
    Decision,
    Fault,
    Passing,
    Reader,
    Retractions,
    Way,
    corrupted,
    removed,
)

READ = 256 * 1024
WAITING = 10_000
"""Frames that a slow client may be behind; then the node has to wait."""
GONE = trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError
HANDSHAKE = 5.0
LONGEST_DELAY = 0.05
REORDERED = 0.03
"""Seconds after which a frame that others may overtake goes on in any case."""
OVERTAKING = 3
ERROR = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}'


class Over(Exception):
    """A connection is over, by whoever's will."""


class Side:
    """One end: a stream and what speaks the protocol on it."""

    def __init__(self, stream: trio.abc.Stream, protocol: ServerProtocol | ClientProtocol) -> None:
        self.stream = stream
        self.protocol = protocol
        self._turn = trio.Lock()
        self._part = b""

    async def flush(self) -> None:
        """Send what the protocol has to say."""
        async with self._turn:
            data = b"".join(self.protocol.data_to_send())
            if data:
                await self.stream.send_all(data)

    async def send(self, text: bytes) -> None:
        """Send a text message, valid UTF-8 or not."""
        if self.protocol.state is not State.OPEN:
            raise Over
        self.protocol.send_text(text)
        await self.flush()

    async def receive(self) -> list[bytes]:
        """The next whole messages; pings are answered.

        Raises:
            Over: there will be none.
        """
        messages: list[bytes] = []
        while not messages:
            data = await self.stream.receive_some(READ)
            if not data:
                raise Over
            self.protocol.receive_data(data)
            for event in self.protocol.events_received():
                if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.CONT}:
                    self._part += event.data
                    if event.fin:
                        messages.append(self._part)
                        self._part = b""
            await self.flush()
            if self.protocol.state is not State.OPEN:
                raise Over
        return messages


async def _accept(stream: trio.abc.Stream) -> Side:
    side = Side(stream, ServerProtocol(max_size=None))
    while True:
        data = await stream.receive_some(READ)
        if not data:
            raise Over
        side.protocol.receive_data(data)
        for event in side.protocol.events_received():
            assert isinstance(event, Request)
            assert isinstance(side.protocol, ServerProtocol)
            side.protocol.send_response(side.protocol.accept(event))
            await side.flush()
            return side


async def _dial(stream: trio.abc.Stream, url: str) -> Side:
    protocol = ClientProtocol(parse_uri(url), max_size=None)
    side = Side(stream, protocol)
    protocol.send_request(protocol.connect())
    await side.flush()
    while protocol.state is State.CONNECTING:
        data = await stream.receive_some(READ)
        if not data:
            raise Over
        protocol.receive_data(data)
        protocol.events_received()
    return side


@attrs.frozen
class Did:
    """One thing that the relay did."""

    life: int
    """The connection's number, from 0."""
    way: Way
    frame: int
    """The frame's number on its way; -1 before the first."""
    fault: Fault
    kind: str
    """What the frame was."""
    text: bytes = b""
    """The frame, where the client did not get it as it was."""


def _at_once(passing: Passing) -> float:
    return 0.0


def _nothing(passing: Passing) -> None:
    pass


@attrs.define(eq=False)
class Relay:
    """Where it listens, what it is to do, and what it did."""

    target: str
    """The node's URL."""
    weather: Calm
    latency: Callable[[Passing], float] = _at_once
    """Seconds by which a frame for the client is late; those behind it wait."""
    stamp: Callable[[Passing], None] = _nothing
    """Sees every frame at the moment that the node's socket gives it."""
    oversize: int = 2**20
    """Bytes that are more than the client takes."""
    port: int = 0
    lives: int = 0
    frames: Counter[Way] = attrs.Factory(Counter)
    done: list[Did] = attrs.Factory(list)
    withheld: list[Did] = attrs.Factory(list)
    """Frames that did not reach the client, or not as they were; those of ended connections too."""
    _links: set[_Link] = attrs.Factory(set)
    _calmed: bool = False

    @property
    def url(self) -> str:
        """For the client."""
        return f"ws://127.0.0.1:{self.port}"

    def calm(self) -> None:
        """From now on everything passes; what has ended stays ended."""
        self._calmed = True

    def counts(self) -> Counter[str]:
        """What it did, by fault."""
        return Counter(did.fault.value for did in self.done)

    def stall(self) -> None:
        """Let every connection stall now, as by the fault of that name."""
        for link in list(self._links):
            link.end(Fault.STALL)

    def decide(self, life: int, number: int, passing: Passing) -> Decision:
        """What happens to a frame."""
        return Decision() if self._calmed else self.weather.frame(life, number, passing)

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection of a client."""
        life, self.lives = self.lives, self.lives + 1
        try:
            if not self._calmed and self.weather.connection(life).fault is not None:
                self.done.append(Did(life, "up", -1, Fault.REFUSED, "connection"))
                return
            with suppress(Over, *GONE):
                await self._relay(life, stream)
        finally:
            await trio.aclose_forcefully(stream)

    async def _relay(self, life: int, stream: trio.SocketStream) -> None:
        where = urlsplit(self.target)
        assert where.hostname is not None
        assert where.port is not None
        try:
            upstream = await trio.open_tcp_stream(where.hostname, where.port)
        except OSError:
            return
        try:
            with trio.fail_after(HANDSHAKE):
                client, node = await _accept(stream), await _dial(upstream, self.target)
            link = _Link(self, life, client, node)
            self._links.add(link)
            try:
                await link.run()
            finally:
                self._links.discard(link)
        except trio.TooSlowError:
            return
        finally:
            await trio.aclose_forcefully(upstream)


class _Link:
    """One connection of a client, and one to the node for it."""

    def __init__(self, relay: Relay, life: int, client: Side, node: Side) -> None:
        self._relay = relay
        self._life = life
        self._client = client
        self._node = node
        self._reader = Reader()
        self._retractions = Retractions()
        self._removals: list[tuple[int, bytes]] = []
        self._held: deque[tuple[Passing, int]] = deque()
        """Frames that others may overtake, and how many more."""
        self._numbers: Counter[Way] = Counter()
        self._pumps = trio.CancelScope()
        self._ended: Fault | None = None
        self._code = 1006

    def end(self, fault: Fault) -> None:
        """Nothing passes any more, in that manner."""
        self._ended = fault
        self._pumps.cancel()

    async def run(self) -> None:
        """Relay until either side, or the weather, ends it."""
        queue, ready = trio.open_memory_channel[tuple[float, Passing]](WAITING)
        with self._pumps:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read_node, queue)
                    nursery.start_soon(self._write_client, ready)
                    nursery.start_soon(self._upwards)
            except* (Over, *GONE, InvalidState):
                pass  # one side has gone
            finally:
                self._rest(ready)
        await self._epilogue()

    def _rest(self, ready: trio.MemoryReceiveChannel[tuple[float, Passing]]) -> None:
        """What was read of the node and never reached the client."""
        fault = self._ended or Fault.CUT
        left = [passing for passing, _ in self._held]
        with suppress(trio.WouldBlock, trio.EndOfChannel):
            while True:
                left.append(ready.receive_nowait()[1])
        for passing in left:
            self._withhold(fault, -1, passing)

    async def _epilogue(self) -> None:
        """What the client still sees of a connection that has ended."""
        client = self._client
        await trio.aclose_forcefully(self._node.stream)
        if self._ended is Fault.STALL:
            await trio.sleep_forever()
        with suppress(Over, *GONE):
            if self._ended is Fault.HALF_OPEN:
                while await client.stream.receive_some(READ):
                    pass
            elif self._ended in {Fault.MUTE, Fault.OVERSIZED}:
                while True:
                    await client.receive()
            elif self._ended in {Fault.CLOSED, Fault.TOO_BIG} and self._code != 1006:
                client.protocol.send_close(self._code, "chaos")
                await client.flush()

    # From the client to the node.

    async def _upwards(self) -> None:
        while True:
            for text in await self._client.receive():
                passing = self._reader.read("up", text)
                number, decision = self._decide(passing)
                await self._pass_up(number, passing, decision)

    async def _pass_up(self, number: int, passing: Passing, decision: Decision) -> None:
        text = passing.text
        if decision.fault is not None:
            self._did(decision.fault, number, passing)
        if decision.fault is Fault.DROP:
            return
        if decision.fault is Fault.CORRUPT:
            text = corrupted(text, decision.amount * 0.5)  # the node closes on bad UTF-8
        if decision.fault is Fault.DELAY:
            await trio.sleep(decision.amount * LONGEST_DELAY)
        await self._node.send(text)
        if decision.fault is Fault.DUPLICATE:
            await self._node.send(text)

    # From the node to the client.

    async def _read_node(self, queue: trio.MemorySendChannel[tuple[float, Passing]]) -> None:
        while True:
            for text in await self._node.receive():
                passing = self._reader.read("down", text)
                self._relay.stamp(passing)
                due = trio.current_time() + self._relay.latency(passing)
                await queue.send((due, passing))

    async def _write_client(self, ready: trio.MemoryReceiveChannel[tuple[float, Passing]]) -> None:
        while True:
            with trio.move_on_after(REORDERED if self._held else math.inf) as scope:
                due, passing = await ready.receive()
            if scope.cancelled_caught:
                await self._release(all_of_them=True)
                continue
            await trio.sleep_until(due)
            await self._pass_down(passing)

    async def _pass_down(self, passing: Passing) -> None:
        number, decision = self._decide(passing)
        self._schedule_removals(number, passing)
        fault = decision.fault
        if fault is not None:
            self._did(fault, number, passing)
        if any(held.kind == passing.kind for held, _ in self._held):
            await self._release(all_of_them=True)  # one subscription stays in order
        if fault in ENDS:
            await self._end_by(decision, number, passing)
        elif fault in {Fault.DROP, Fault.CORRUPT}:
            self._withhold(fault, number, passing)
            if fault is Fault.CORRUPT:
                await self._client.send(corrupted(passing.text, decision.amount))
        elif fault is Fault.REORDER:
            self._held.append((passing, OVERTAKING))
            return
        else:
            await self._with(decision, passing)
        self._held = deque((held, left - 1) for held, left in self._held)
        await self._release()
        await self._remove(number)

    async def _with(self, decision: Decision, passing: Passing) -> None:
        if decision.fault is Fault.DELAY:
            await trio.sleep(decision.amount * LONGEST_DELAY)
        if decision.fault is Fault.ERROR:
            await self._client.send(ERROR)
        await self._client.send(passing.text)
        if decision.fault is Fault.DUPLICATE:
            await self._client.send(passing.text)

    async def _release(self, all_of_them: bool = False) -> None:
        while self._held and (all_of_them or self._held[0][1] <= 0):
            await self._client.send(self._held[0][0].text)
            self._held.popleft()

    async def _end_by(self, decision: Decision, number: int, passing: Passing) -> None:
        assert decision.fault is not None
        self._withhold(decision.fault, number, passing)
        if decision.fault is Fault.OVERSIZED:
            room = self._relay.oversize + 1 - len(passing.text)
            await self._client.send(passing.text + b" " * max(0, room))
        self._code = CODES[int(decision.amount * len(CODES))]
        if decision.fault is Fault.TOO_BIG:
            self._code = 1009
        self.end(decision.fault)
        await trio.lowlevel.checkpoint()

    def _schedule_removals(self, number: int, passing: Passing) -> None:
        """What this frame retracts is taken back now, or after some more frames."""
        for logs in self._retractions.saw(passing):
            after = () if self._relay._calmed else self._relay.weather.removal(self._life, number)
            ids = [i for i, kind in self._reader.subscriptions.items() if kind == "logs"]
            for later in after:
                self._did(Fault.REMOVED, number, passing)
                self._removals += [(number + later, removed(log, i)) for log in logs for i in ids]

    async def _remove(self, number: int) -> None:
        due = [text for at, text in self._removals if at <= number]
        self._removals = [(at, text) for at, text in self._removals if at > number]
        for text in due:
            await self._client.send(text)

    # The record.

    def _decide(self, passing: Passing) -> tuple[int, Decision]:
        number = self._numbers[passing.way]
        self._numbers[passing.way] += 1
        self._relay.frames[passing.way] += 1
        return number, self._relay.decide(self._life, number, passing)

    def _did(self, fault: Fault, number: int, passing: Passing) -> None:
        self._relay.done.append(Did(self._life, passing.way, number, fault, passing.kind))

    def _withhold(self, fault: Fault, number: int, passing: Passing) -> None:
        self._relay.withheld.append(
            Did(self._life, passing.way, number, fault, passing.kind, passing.text)
        )


@asynccontextmanager
async def open_relay(
    target: str, weather: Calm | None = None, **how: object
) -> AsyncIterator[Relay]:
    """A relay that listens for as long as the block lasts; its connections end with it.

    Args:
        target: the node's WebSocket.
        weather: what happens to frames; by default nothing.
        how: other fields of ``Relay``.
    """
    relay = Relay(target, weather or Calm(), **how)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        listeners: list[trio.SocketListener] = await nursery.start(
            partial(trio.serve_tcp, relay.serve, 0, host="127.0.0.1")
        )
        relay.port = listeners[0].socket.getsockname()[1]
        yield relay
        nursery.cancel_scope.cancel()
