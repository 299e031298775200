"""A venue's server that keeps the rules of its documentation: who breaks one is cut, and it is
written down.

It is a script for ``Peer``: the real client talks to it over memory streams, in virtual time. A
venue is a subclass with its ``Rules``, its answers, and how it words a tick. A tick is known again
by its size, so that it can be told which of them the client got.
"""

from __future__ import annotations

import abc
import math
import random
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import trio
from websockets.frames import Frame, Opcode

from tests.support.peer import PeerConnection
from trio_mev.model.identity import Instrument

WALL = 1_800_000_000
"""Seconds since the epoch when the test's clock is at zero."""


@attrs.frozen
class Rate:
    """So many within so many seconds."""

    most: int
    within: float


@attrs.frozen
class Rules:
    """What a venue says that it does. Times are seconds; None where it says nothing."""

    connects: Rate | None = None
    messages: Rate | None = None
    """Of one client, on one connection."""
    control: bool = False
    """Whether pings and pongs count as messages too."""
    subscribe_within: float | None = None
    ping_interval: float | None = None
    """Of the venue's own WebSocket pings."""
    pong_within: float = 60.0
    silence: float | None = None
    """Without a message of the client's for so long it is cut."""
    pushes: bool = False
    """Whether what the venue sends ends a silence too."""
    most_per_request: int | None = None
    most_subscriptions: int | None = None
    most_bytes: int | None = None
    max_age: float | None = None
    notice: float | None = None
    """So long before the age at which it cuts it says so."""


class BreachError(Exception):
    """The client broke a rule."""


@attrs.frozen
class Tick:
    """What happened on the market: a new best bid and ask, and a trade."""

    symbol: str
    instrument: Instrument
    number: int
    """Of the symbol, rising by one."""
    at: float
    """Seconds since the epoch."""
    bid: Decimal
    ask: Decimal
    ask_size: Decimal

    @property
    def bid_size(self) -> Decimal:
        """No other tick of the symbol has the same."""
        return Decimal(self.number).scaleb(-3)

    @property
    def sides(self) -> tuple[Any, ...]:
        """What a quote says of it."""
        return self.instrument, self.bid, self.ask, self.bid_size, self.ask_size

    @property
    def milliseconds(self) -> int:
        return round(self.at * 1000)


@attrs.define(eq=False)
class Window:
    """How many came lately."""

    rate: Rate | None
    _times: deque[float] = attrs.Factory(deque)

    def full(self, now: float) -> bool:
        """Count one more; whether it is one too many."""
        if self.rate is None:
            return False
        while self._times and self._times[0] <= now - self.rate.within:
            self._times.popleft()
        self._times.append(now)
        return len(self._times) > self.rate.most


@attrs.define(eq=False)
class Visit:
    """One connection, as the venue sees it."""

    peer: PeerConnection
    number: int
    since: float
    latency: float
    """Seconds that each message takes on its way to this client."""
    wants: dict[str, Any] = attrs.Factory(dict)
    """Subscriptions in the venue's words, to whatever the venue keeps of them."""
    heard: float = 0.0
    pings: dict[bytes, float] = attrs.Factory(dict)
    """Those without an answer, to when they were sent."""
    asked: trio.Event = attrs.Factory(trio.Event)
    lock: trio.Lock = attrs.Factory(trio.Lock)
    on_its_way: deque[tuple[float, str]] = attrs.Factory(deque)
    doorbell: trio.Event = attrs.Factory(trio.Event)

    def post(self, texts: Iterable[str]) -> bool:
        """Put messages on their way; whether there were any."""
        due = trio.current_time() + self.latency
        before = len(self.on_its_way)
        self.on_its_way.extend((due, text) for text in texts)
        self.doorbell.set()
        return len(self.on_its_way) > before

    async def flush(self) -> None:
        async with self.lock:
            await self.peer.flush()


class VenueServer(abc.ABC):
    """A venue.

    Args:
        symbols: what it trades, in its own spelling.
        seed: of the market and the latencies.
        pace: mean seconds between two ticks.
        latency: the longest that a message takes to a client; each connection has its own.
    """

    rules: ClassVar[Rules] = Rules()
    beat_interval: ClassVar[float | None] = None
    """Between two heartbeats."""

    def __init__(
        self,
        symbols: Mapping[str, Instrument],
        seed: int = 1,
        pace: float = 5.0,
        latency: float = 0.3,
    ) -> None:
        self.symbols = dict(symbols)
        self.pace = pace
        self.latency = latency
        self.open = True
        """Whether new connections are taken."""
        self.deaf = False
        """Whether the venue answers nothing any more."""
        self.visits: list[Visit] = []
        self.log: list[str] = []
        """Connections as they come and go, such as ``1 up``."""
        self.broken: list[str] = []
        """Rules that clients broke."""
        self.ticks: list[Tick] = []
        self.delivered: set[tuple[Any, ...]] = set()
        """Ticks that some subscribed client was sent."""
        self.last: dict[str, Tick] = {}
        """The newest tick of each symbol."""
        self._rng = random.Random(seed)
        self._connects = Window(self.rules.connects)
        self._count = 0

    @abc.abstractmethod
    def answer(self, visit: Visit, text: str) -> Iterable[str]:
        """The answers to a client's message; ``want`` and ``drop`` note what it subscribes to.

        Raises:
            BreachError: it must not ask so.
        """

    @abc.abstractmethod
    def frames(self, visit: Visit, tick: Tick) -> Iterable[str]:
        """How a tick is told to a client: nothing, where it is not subscribed to it."""

    def beat(self, visit: Visit) -> Iterable[str]:
        """The heartbeats of a moment."""
        return ()

    def farewell(self, visit: Visit) -> Iterable[str]:
        """Says that the connection will be closed soon."""
        return ()

    def want(self, visit: Visit, names: Iterable[str]) -> None:
        """A client subscribes.

        Raises:
            BreachError: to too much.
        """
        names, rules = list(names), self.rules
        if rules.most_per_request is not None and len(names) > rules.most_per_request:
            raise BreachError(f"{len(names)} subscriptions in one request")
        for name in names:
            visit.wants.setdefault(name, None)
        if rules.most_subscriptions is not None and len(visit.wants) > rules.most_subscriptions:
            raise BreachError(f"{len(visit.wants)} subscriptions on one connection")
        visit.asked.set()

    def drop(self, visit: Visit, names: Iterable[str]) -> None:
        """A client subscribes no longer."""
        for name in names:
            visit.wants.pop(name, None)

    async def __call__(self, peer: PeerConnection) -> None:
        """One connection."""
        now = trio.current_time()
        if self._connects.full(now):
            self.broken.append("connects too often")
        if self.broken or not self.open:
            await peer.accept(429)
            return
        await peer.accept()
        self._count += 1
        latency = self._rng.uniform(0, self.latency)
        visit = Visit(peer, self._count, now, latency, heard=now)
        self.visits.append(visit)
        self.log.append(f"{visit.number} up")
        try:
            async with trio.open_nursery() as nursery:
                for task in self._write, self._ping, self._watch, self._beat, self._age:
                    nursery.start_soon(task, visit)
                await self._read(visit)
                nursery.cancel_scope.cancel()
        except* BreachError as group:
            broken = [str(error) for error in _leaves(group)]
        else:
            broken = []
        finally:
            self.visits.remove(visit)
            self.log.append(f"{visit.number} down")
        if broken:
            self.broken += broken
            peer.protocol.send_close(1008, broken[0][:100])
            await peer.flush()

    async def _read(self, visit: Visit) -> None:
        """Until the client has gone."""
        messages = Window(self.rules.messages)
        while data := await visit.peer.stream.receive_some():
            visit.peer.protocol.receive_data(data)
            for frame in visit.peer.protocol.events_received():
                assert isinstance(frame, Frame)
                if frame.opcode is Opcode.CLOSE:
                    await visit.flush()
                    return
                now = trio.current_time()
                text = frame.opcode is Opcode.TEXT
                if (text or self.rules.control) and messages.full(now):
                    raise BreachError("messages too often")
                if frame.opcode is Opcode.PONG:
                    visit.pings.pop(bytes(frame.data), None)
                elif text:
                    visit.heard = now
                    self._hear(visit, frame.data)
            await visit.flush()

    def _hear(self, visit: Visit, data: bytes) -> None:
        if self.rules.most_bytes is not None and len(data) > self.rules.most_bytes:
            raise BreachError(f"a message of {len(data)} bytes")
        if not self.deaf:
            visit.post(self.answer(visit, bytes(data).decode()))

    async def _write(self, visit: Visit) -> None:
        """Deliver what is on its way when it is due, in order."""
        while True:
            while visit.on_its_way:
                due, text = visit.on_its_way[0]
                if due > trio.current_time():
                    await trio.sleep_until(due)
                visit.on_its_way.popleft()
                visit.peer.protocol.send_text(text.encode())
                await visit.flush()
                if self.rules.pushes:
                    visit.heard = trio.current_time()
            visit.doorbell = trio.Event()
            await visit.doorbell.wait()

    async def _ping(self, visit: Visit) -> None:
        """Ping, and cut who does not answer with the same payload in time."""
        every, within = self.rules.ping_interval, self.rules.pong_within
        number, due = 0, visit.since + (every or math.inf)
        while every is not None:
            oldest = min(visit.pings.values(), default=math.inf)
            await trio.sleep_until(min(due, oldest + within))
            now = trio.current_time()
            if any(now - sent >= within for sent in visit.pings.values()):
                raise BreachError("no pong in time")
            if now >= due:
                number, due = number + 1, now + every
                payload = f"{visit.number}.{number}".encode()
                visit.pings[payload] = now
                visit.peer.protocol.send_ping(payload)
                await visit.flush()

    async def _watch(self, visit: Visit) -> None:
        """Cut who subscribes late, and who says nothing for too long."""
        within, silence = self.rules.subscribe_within, self.rules.silence
        if within is not None:
            with trio.move_on_after(within):
                await visit.asked.wait()
            if not visit.asked.is_set():
                raise BreachError("subscribes late")
        while silence is not None:
            await trio.sleep_until(visit.heard + silence)
            if trio.current_time() >= visit.heard + silence:
                raise BreachError("silent for too long")

    async def _beat(self, visit: Visit) -> None:
        while self.beat_interval is not None:
            await trio.sleep(self.beat_interval)
            visit.post(self.beat(visit))

    async def _age(self, visit: Visit) -> None:
        if self.rules.max_age is None:
            return
        end = visit.since + self.rules.max_age
        if self.rules.notice is not None:
            await trio.sleep_until(end - self.rules.notice)
            visit.post(self.farewell(visit))
        await trio.sleep_until(end)
        raise BreachError("stays too long")

    async def retire(self, grace: float) -> None:
        """Tell everybody to leave, and cut who is still there after so long."""
        leaving = list(self.visits)
        for visit in leaving:
            visit.post(self.farewell(visit))
        await trio.sleep(grace)
        for visit in leaving:
            if visit in self.visits:
                self.broken.append("does not leave")
                await trio.aclose_forcefully(visit.peer.stream)

    async def trade(self, seconds: float) -> None:
        """Let the market run for so long, and all that is on its way arrive."""
        end = trio.current_time() + seconds
        mids = {symbol: 100_000 + 10_000 * n for n, symbol in enumerate(self.symbols)}
        while True:
            pause = self._rng.uniform(0, 2 * self.pace)
            if trio.current_time() + pause > end:
                break
            await trio.sleep(pause)
            symbol = self._rng.choice(list(self.symbols))
            mids[symbol] += self._rng.randint(-9, 9)
            self._publish(self._tick(symbol, mids[symbol]))
        await trio.sleep_until(end + self.latency + 1)

    def _tick(self, symbol: str, mid: int) -> Tick:
        before = self.last.get(symbol)
        rng = self._rng
        return Tick(
            symbol,
            self.symbols[symbol],
            1 if before is None else before.number + 1,
            WALL + trio.current_time(),
            Decimal(mid - rng.randint(1, 5)).scaleb(-2),
            Decimal(mid + rng.randint(1, 5)).scaleb(-2),
            Decimal(rng.randint(1, 10**6)).scaleb(-4),
        )

    def _publish(self, tick: Tick) -> None:
        self.ticks.append(tick)
        self.last[tick.symbol] = tick
        for visit in self.visits:
            if visit.post(self.frames(visit, tick)):
                self.delivered.add(tick.sides)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
