"""trio_mev, used as its users use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import trio

from trio_mev import (
    BinanceWebSocketClient,
    DataEvent,
    DataProcessor,
    DataType,
    EthereumWebSocketClient,
    EventPriority,
    RealtimeDataStream,
    StreamConfig,
    open_stream,
)
from trio_mev.model.chain import Transaction
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import EthereumSettings, LaneSettings, VenueSettings

from .frames import TRANSACTION
from .tally import READS, Tally

LIMIT = 60.0
"""Seconds after which a run is given up."""
TYPES = {"transaction": DataType.TRANSACTION, "quote": DataType.QUOTE}
ROOMY = StreamConfig(lanes=LaneSettings(normal=100_000, max_bytes=2**28))
"""The other pipelines' lanes have no bounds: an overload shall show as a delay in all of them."""
STAMPS: dict[str, Callable[[DataEvent], int]] = {
    "transaction": lambda event: int(event.data.hash, 16),
    "quote": lambda event: event.data.sequence,
}


class Over(DataProcessor):
    """Counts events with a field over a limit."""

    consumes = frozenset(TYPES.values())
    found = 0

    def __init__(self, field: str, limit: Any) -> None:
        self.read = attrgetter(field)
        self.limit = limit

    async def process_event(self, event: DataEvent) -> None:
        if self.read(event.data) > self.limit:
            self.found += 1


def processors(kind: str) -> list[Over]:
    return [Over(field, limit) for field, limit in READS[kind]]


def client(kind: str, port: int, name: str = "bench") -> Any:
    endpoint = Endpoint(f"ws://127.0.0.1:{port}")
    if kind == TRANSACTION:
        return EthereumWebSocketClient(EthereumSettings(name=name, endpoint=endpoint, heads=False))
    return BinanceWebSocketClient(
        VenueSettings(
            kind="binance",
            name=name,
            endpoint=endpoint,
            instruments=(Instrument("ETH", "USDT"),),
            channels=("bookTicker",),
        )
    )


def checked(stream: RealtimeDataStream, three: list[Over], total: int) -> list[int]:
    """What the processors found, where nothing went astray."""
    books = stream.get_stats().books
    if books.processed != 4 * total or books.received != 4 * total:
        raise RuntimeError(f"the books do not say {total} events for four consumers: {books}")
    return [one.found for one in three]


def receive(kind: str, port: int, tally: Tally) -> list[int]:
    """Receive until the tally is full."""

    async def main() -> list[int]:
        done = trio.Event()
        tally.on_done = done.set
        three = processors(kind)
        factories = [lambda one=one: one for one in three]
        with trio.fail_after(LIMIT):
            async with open_stream([client(kind, port)], factories, ROOMY) as stream:
                stream.add_event_handler(TYPES[kind], tally.handle)
                await done.wait()
                await stream.outstanding.wait_idle()
                tally.settle()
                return checked(stream, three, tally.total)

    return trio.run(main)


def transaction(number: int) -> Transaction:
    recipient = "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad"
    sender = "0x2b5634c42055806a59e9107ed44d43c426e58258"
    text = f"0x{number:064x}"
    return Transaction(
        text, sender, recipient, 6991, 2 * 10**18, 232_830, b"5\x93VL", 2, chain_id=1
    )


def engine(batch: int, tally: Tally) -> list[int]:
    """Events that are there already, a batch at a time."""

    async def main() -> list[int]:
        three = processors(TRANSACTION)
        factories = [lambda one=one: one for one in three]
        now = trio.current_time()
        events = [
            DataEvent(
                DataType.TRANSACTION, EventPriority.NORMAL, transaction(n), "bench", now, sequence=n
            )
            for n in range(batch)
        ]
        with trio.fail_after(LIMIT):
            async with open_stream([], factories) as stream:
                stream.add_event_handler(DataType.TRANSACTION, tally.handle)
                while tally.count < tally.total:
                    stream.emit_events(events)
                    await stream.outstanding.wait_idle()
                tally.settle()
                return checked(stream, three, tally.total)

    return trio.run(main)


def idle(port: int, connections: int, seconds: float) -> float:
    """The share of one processor that so many quiet connections cost."""

    async def main() -> float:
        feeds = [client(TRANSACTION, port, f"quiet{n}") for n in range(connections)]
        factories = [partial(Over, *read) for read in READS[TRANSACTION]]
        with trio.fail_after(LIMIT + seconds):
            async with open_stream(feeds, factories) as stream:
                await trio.sleep(1)
                if any(feed.state.value != "ready" for feed in stream.get_stats().feeds):
                    raise RuntimeError("not every connection is ready")
                start, cpu = time.perf_counter(), time.process_time()
                await trio.sleep(seconds)
                return (time.process_time() - cpu) / (time.perf_counter() - start)

    return trio.run(main)
