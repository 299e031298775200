"""A client's connection and one to the node for it, and what happens to the frames between."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress

import attrs
import trio
from websockets.exceptions import InvalidState

from tests.devnet.side import GONE, READ, Over, Side
from tests.devnet.weather import (
    CODES,
    ENDS,
    Decision,
    Fault,
    Passing,
    Reader,
    Retractions,
    Way,
    corrupted,
    removed,
)

WAITING = 10_000
"""Frames that a slow client may be behind; then the node has to wait."""
LONGEST_DELAY = 0.05
REORDERED = 0.03
"""Seconds after which a frame that others may overtake goes on in any case."""
OVERTAKING = 3
ERROR = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}'


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


@attrs.define(eq=False)
class Post:
    """What all connections of a relay share: what to do with frames, and the record of it."""

    decide: Callable[[int, int, Passing], Decision]
    """By the connection, the frame's number on its way, and the frame."""
    removal: Callable[[int, int], tuple[int, ...]]
    """After how many further frames the logs of a retracted block are taken back, each time."""
    latency: Callable[[Passing], float]
    """Seconds by which a frame for the client is late; those behind it wait."""
    stamp: Callable[[Passing], None]
    """Sees every frame at the moment that the node's socket gives it."""
    oversize: int
    """Bytes that are more than the client takes."""
    frames: Counter[Way] = attrs.Factory(Counter)
    done: list[Did] = attrs.Factory(list)
    withheld: list[Did] = attrs.Factory(list)
    """Frames that did not reach the client, or not as they were; those of ended connections too."""


class Link:
    """One connection of a client, and one to the node for it."""

    def __init__(self, post: Post, life: int, client: Side, node: Side) -> None:
        self._post = post
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
                self._post.stamp(passing)
                due = trio.current_time() + self._post.latency(passing)
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
            room = self._post.oversize + 1 - len(passing.text)
            await self._client.send(passing.text + b" " * max(0, room))
        self._code = CODES[int(decision.amount * len(CODES))]
        if decision.fault is Fault.TOO_BIG:
            self._code = 1009
        self.end(decision.fault)
        await trio.lowlevel.checkpoint()

    def _schedule_removals(self, number: int, passing: Passing) -> None:
        """What this frame retracts is taken back now, or after some more frames."""
        for logs in self._retractions.saw(passing):
            after = self._post.removal(self._life, number)
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
        self._post.frames[passing.way] += 1
        return number, self._post.decide(self._life, number, passing)

    def _did(self, fault: Fault, number: int, passing: Passing) -> None:
        self._post.done.append(Did(self._life, passing.way, number, fault, passing.kind))

    def _withhold(self, fault: Fault, number: int, passing: Passing) -> None:
        self._post.withheld.append(
            Did(self._life, passing.way, number, fault, passing.kind, passing.text)
        )
