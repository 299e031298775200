"""Many pending transactions a second, each accounted for, and how long they took to be told."""

from __future__ import annotations

import math
import statistics
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import trio

from tests.devnet.chaos import settings
from tests.devnet.ledger import KINDS
from tests.devnet.node import Options, anvil
from tests.devnet.relay import Relay, open_relay
from tests.devnet.rpc import Rpc, open_rpc
from tests.devnet.weather import Passing
from trio_mev.feeds.ethereum import EthereumWebSocketClient
from trio_mev.flow.status import FeedState
from trio_mev.model.chain import Life
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.settings import ConnectionSettings
from trio_mev.stream import open_stream

SENDERS = tuple(f"0x{0x10AD00 + number:040x}" for number in range(50))
TICK = 0.1
"""Seconds between two handfuls."""
BLOCK = 1.0
WATCHED = 1500
"""Pending transactions that the feed remembers: five seconds' worth, so that memory can be seen
to be bounded within the run."""
SETTLED = 20.0
GWEI = 10**9


def resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@attrs.define(eq=False)
class Load:
    """What was sent, what came of it, and what it took."""

    sent: int = 0
    told: int = 0
    """Bodies, each once."""
    included: int = 0
    strange: int = 0
    """Told twice, or never sent."""
    unstamped: int = 0
    blocks: int = 0
    seconds: float = 0.0
    latencies: list[float] = attrs.Factory(list)
    """From the node's socket to whoever takes the event, in seconds."""
    memory: list[int] = attrs.Factory(list)
    """Resident bytes, once for each block."""
    _open: dict[str, float | None] = attrs.Factory(dict)
    """Sent and not told yet, to the time that the node's socket gave it."""
    _pending: set[str] = attrs.Factory(set)
    settled: trio.Event = attrs.Factory(trio.Event)
    """Everything that was to be sent has been, and is told and included."""

    @property
    def accounted(self) -> bool:
        """Whether everything was told once, and included."""
        left = self.strange or self.unstamped or self._pending
        return not left and self.sent == self.told == self.included

    def stamp(self, passing: Passing, now: float) -> None:
        """The node's socket gave a frame."""
        if passing.kind == "newPendingTransactions":
            self._open[passing.json["params"]["result"]["hash"]] = now

    def take(self, event: DataEvent, now: float) -> None:
        """The stream gave an event."""
        if event.event_type is DataType.TRANSACTION:
            self._body(event.data.hash, now)
        elif event.event_type is DataType.BLOCK:
            self.blocks += 1
        elif event.event_type is DataType.MEMPOOL and event.data.life is Life.INCLUDED:
            self.included += 1
            self._pending.discard(event.data.hash)
        if self.seconds and self.accounted:
            self.settled.set()

    def _body(self, name: str, now: float) -> None:
        if name not in self._open:
            self.strange += 1
            return
        at = self._open.pop(name)
        self.told += 1
        self._pending.add(name)
        if at is None:
            self.unstamped += 1
        else:
            self.latencies.append(now - at)

    def figures(self) -> dict[str, Any]:
        """For people and programs; milliseconds and MiB."""
        latencies = sorted(self.latencies)

        def rank(share: float) -> float:
            place = math.ceil(share * len(latencies)) - 1
            return round(latencies[place] * 1e3, 2) if latencies else math.nan

        memory = self.memory or [resident()]
        places = {"start": 0, "middle": len(memory) // 2, "end": len(memory) - 1}
        return {
            "sent": self.sent,
            "told": self.told,
            "included": self.included,
            "strange": self.strange,
            "accounted for": self.accounted,
            "blocks": self.blocks,
            "seconds": round(self.seconds, 1),
            "a second": round(self.sent / self.seconds) if self.seconds else 0,
            "latency p50 ms": rank(0.5),
            "latency p99 ms": rank(0.99),
            "latency max ms": rank(1.0),
            **{f"memory {n} MiB": round(memory[p] / 2**20, 1) for n, p in places.items()},
            "memory median MiB": round(statistics.median(memory) / 2**20, 1),
        }


def _bodies() -> Iterator[dict[str, Any]]:
    """Transfers without end; no two alike, and each sender's in order."""
    nonce = 0
    while True:
        for sender in SENDERS:
            yield {
                "from": sender,
                "to": SENDERS[0],
                "nonce": hex(nonce),
                "gas": "0x5208",
                "gasPrice": hex(3 * GWEI),
                "value": "0x1",
            }
        nonce += 1


async def _send(rpc: Rpc, told: Load, rate: int, seconds: float) -> None:
    """So many a second, a handful at a time; at their times, however long the node takes."""
    bodies = _bodies()
    begun = trio.current_time()
    for tick in range(1, round(seconds / TICK) + 1):
        due = round(tick * TICK * rate) - told.sent
        calls = [("eth_sendTransaction", [next(bodies)]) for _ in range(due)]
        await rpc.batch(calls)
        told.sent += due
        await trio.sleep_until(begun + tick * TICK)
    told.seconds = trio.current_time() - begun


async def _mine(rpc: Rpc, told: Load) -> None:
    """A block a second, until cancelled."""
    while True:
        await trio.sleep(BLOCK)
        await rpc.call("evm_mine")
        told.memory.append(resident())


async def _take(events: AsyncIterator[DataEvent], told: Load) -> None:
    async for event in events:
        told.take(event, trio.current_time())


async def load(rate: int, seconds: float) -> Load:
    """Send transactions to a node's pool while a stream follows it through a relay.

    Args:
        rate: transactions a second.
        seconds: for how long.
    """
    told = Load()

    def stamp(passing: Passing) -> None:
        told.stamp(passing, trio.current_time())

    async with anvil(Options(mining=False)) as node:
        async with open_rpc(node.ws_url) as sending, open_rpc(node.ws_url) as mining:
            async with open_relay(node.ws_url, stamp=stamp) as relay:
                await sending.batch(
                    [("anvil_setBalance", [sender, hex(10**24)]) for sender in SENDERS]
                )
                await mining.call("evm_mine")
                await _through(relay, sending, mining, told, (rate, seconds))
    return told


async def _through(
    relay: Relay, sending: Rpc, mining: Rpc, told: Load, what: tuple[int, float]
) -> None:
    feed = EthereumWebSocketClient(
        settings(
            relay.url,
            connection=ConnectionSettings(subscribe_interval=0.0),
            most_pending=WATCHED,
            fetch_timeout=10.0,
            ask_pending_after=300.0,
        )
    )
    async with open_stream([feed]) as stream:
        await feed.status.wait_for(FeedState.READY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_take, stream.subscribe(*KINDS), told)
            nursery.start_soon(_mine, mining, told)
            await _send(sending, told, *what)
            with trio.move_on_after(SETTLED):
                await told.settled.wait()
            nursery.cancel_scope.cancel()
