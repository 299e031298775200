"""Two lean pipelines on asyncio with uvloop: websockets, and picows.

Written for speed, as somebody would who needs what the benchmark measures and nothing else:
messages decoded in one pass, plain deques for lanes, ``asyncio.timeout`` around each processor.
There are no books, no statistics, no bounds in bytes and no checks of what the server sends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any

import msgspec
import uvloop
from msgspec import UNSET, UnsetType
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from websockets.asyncio.client import connect

from .tally import BUDGET, READS, Tally

LIMIT = 60.0
HIGH, NORMAL, LOW = range(3)
BATCH = 64
"""Events after which the consumer lets others run."""
REQUESTS = {
    "transaction": (
        '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newPendingTransactions",true]}'
    ),
    "quote": '{"method":"SUBSCRIBE","params":["ethusdt@bookTicker"],"id":1}',
}


class _Body(msgspec.Struct, rename="camel", gc=False):
    hash: str
    from_: str = msgspec.field(name="from")
    nonce: str
    value: str
    gas: str
    input: str
    to: str | None = None
    type: str = "0x0"
    gas_price: str | None = None
    max_fee_per_gas: str | None = None
    max_priority_fee_per_gas: str | None = None
    chain_id: str | None = None


class _Params(msgspec.Struct, gc=False):
    subscription: str
    result: _Body


class _Notification(msgspec.Struct, gc=False):
    params: _Params | UnsetType = UNSET


class _Book(msgspec.Struct, gc=False):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class _Combined(msgspec.Struct, gc=False):
    data: _Book | UnsetType = UNSET


class Transaction(msgspec.Struct, gc=False):
    hash: str
    sender: str
    to: str | None
    nonce: int
    value: int
    gas: int
    input: bytes
    type: int
    gas_price: int | None
    max_fee: int | None
    max_priority_fee: int | None
    chain_id: int | None


class Quote(msgspec.Struct, gc=False):
    symbol: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    sequence: int


class Event(msgspec.Struct):
    kind: str
    priority: int
    data: Any
    source: str
    received_at: float


_NOTIFICATION = msgspec.json.Decoder(_Notification)
_COMBINED = msgspec.json.Decoder(_Combined)


def _maybe(text: str | None) -> int | None:
    return None if text is None else int(text, 16)


def decode_transaction(message: bytes | memoryview, now: float) -> Event | None:
    params = _NOTIFICATION.decode(message).params
    if params is UNSET:
        return None
    body = params.result
    transaction = Transaction(
        body.hash,
        body.from_,
        body.to,
        int(body.nonce, 16),
        int(body.value, 16),
        int(body.gas, 16),
        bytes.fromhex(body.input[2:]),
        int(body.type, 16),
        _maybe(body.gas_price),
        _maybe(body.max_fee_per_gas),
        _maybe(body.max_priority_fee_per_gas),
        _maybe(body.chain_id),
    )
    return Event("transaction", NORMAL, transaction, "bench", now)


def decode_quote(message: bytes | memoryview, now: float) -> Event | None:
    book = _COMBINED.decode(message).data
    if book is UNSET:
        return None
    quote = Quote(
        book.s, Decimal(book.b), Decimal(book.a), Decimal(book.B), Decimal(book.A), book.u
    )
    return Event("quote", NORMAL, quote, "bench", now)


DECODERS: dict[str, Callable[[bytes | memoryview, float], Event | None]] = {
    "transaction": decode_transaction,
    "quote": decode_quote,
}
STAMPS: dict[str, Callable[[Event], int]] = {
    "transaction": lambda event: int(event.data.hash, 16),
    "quote": lambda event: event.data.sequence,
}


class Over:
    """Counts events with a field over a limit."""

    def __init__(self, field: str, limit: Any) -> None:
        self.read = attrgetter(field)
        self.limit = limit
        self.found = 0

    async def process_event(self, event: Event) -> None:
        if self.read(event.data) > self.limit:
            self.found += 1


class Consumer:
    """Lanes, three processors under deadlines, one handler."""

    def __init__(self, kind: str, handler: Callable[[Event], None]) -> None:
        self.processors = [Over(field, limit) for field, limit in READS[kind]]
        self.lanes: tuple[deque[Event], ...] = (deque(), deque(), deque())
        self.handler = handler
        self.bell = asyncio.Event()
        self.failed = 0

    def put(self, event: Event) -> None:
        self.lanes[event.priority].append(event)
        self.bell.set()

    async def run(self) -> None:
        high, normal, low = self.lanes
        processors = self.processors
        while True:
            for _ in range(BATCH):
                if high:
                    event = high.popleft()
                elif normal:
                    event = normal.popleft()
                elif low:
                    event = low.popleft()
                else:
                    self.bell.clear()
                    await self.bell.wait()
                    continue
                try:
                    for processor in processors:
                        async with asyncio.timeout(BUDGET):
                            await processor.process_event(event)
                    self.handler(event)
                except Exception:  # noqa: BLE001 - around plug-ins
                    self.failed += 1
            await asyncio.sleep(0)


async def _until_done(consumer: Consumer, reading: asyncio.Task[None] | None, tally: Tally) -> None:
    done = asyncio.Event()
    tally.on_done = done.set
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(LIMIT):
        await done.wait()
    tally.settle()
    for task in (running, reading):
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
    if consumer.failed or tally.count != tally.total:
        raise RuntimeError(f"{tally.count} events handled, {consumer.failed} failed")


def with_websockets(kind: str, port: int, tally: Tally) -> list[int]:
    """Receive with websockets until the tally is full."""

    async def main() -> list[int]:
        consumer = Consumer(kind, tally.handle)
        decode, put = DECODERS[kind], consumer.put
        clock = asyncio.get_running_loop().time

        # A longer queue than the default 16 frames spares it most of its pauses in reading.
        async with connect(
            f"ws://127.0.0.1:{port}", compression=None, max_queue=1024, max_size=2**25
        ) as socket:
            await socket.send(REQUESTS[kind])

            async def read() -> None:
                receive = socket.recv
                while True:
                    event = decode(await receive(decode=False), clock())
                    if event is not None:
                        put(event)

            await _until_done(consumer, asyncio.create_task(read()), tally)
        return [one.found for one in consumer.processors]

    return uvloop.run(main())


def with_picows(kind: str, port: int, tally: Tally) -> list[int]:
    """Receive with picows until the tally is full."""

    async def main() -> list[int]:
        consumer = Consumer(kind, tally.handle)
        decode, put = DECODERS[kind], consumer.put
        clock = asyncio.get_running_loop().time

        class Listener(WSListener):  # type: ignore[misc]
            def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
                if frame.msg_type == WSMsgType.TEXT:
                    event = decode(frame.get_payload_as_memoryview(), clock())
                    if event is not None:
                        put(event)

        transport, _ = await ws_connect(Listener, f"ws://127.0.0.1:{port}")
        transport.send(WSMsgType.TEXT, REQUESTS[kind].encode())
        await _until_done(consumer, None, tally)
        transport.send_close()
        transport.disconnect()
        return [one.found for one in consumer.processors]

    return uvloop.run(main())
