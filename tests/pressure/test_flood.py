"""More than can be done: a burst of 20,000 frames, and ten minutes that are too fast.

Time is virtual, so that what is processed, shed and expired is known exactly.
"""

from __future__ import annotations

import statistics
import tracemalloc
from collections import Counter

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from tests.complaints.scripted import (
    AT_ONCE,
    assert_settled,
    binance,
    body,
    confirm,
    confirm_streams,
    hash_of,
    head,
    meanwhile,
    node,
    note,
    ping,
    trade,
)
from tests.support.peer import Peer, PeerConnection
from trio_mev.flow.processor import DataProcessor
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import LaneSettings, StreamConfig
from trio_mev.stream import RealtimeDataStream, open_stream

STEP = 1 / 16
"""Seconds that a slow processor takes for an event; a power of two, so that sums are exact."""

HEADS, BODIES, HASHES = 20, 13_980, 6000
"""HIGH, NORMAL and LOW; 20,000 frames."""


async def listen(peer: PeerConnection, seconds: float) -> None:
    with trio.move_on_after(seconds):
        await peer.hold()


async def test_a_flood_costs_what_is_old_of_its_lane_and_nothing_else(nursery, autojump_clock):
    pongs: list[float] = []

    async def script(peer: PeerConnection) -> None:
        await confirm(peer, "0xa", "0xb")
        bodies = [note("0xb", body(number)) for number in range(BODIES)]
        hashes = [note("0xb", hash_of(10**6 + number)) for number in range(HASHES)]
        for text in [*bodies, *hashes]:
            peer.protocol.send_text(text.encode())
        for number in range(HEADS):
            peer.protocol.send_text(note("0xa", head(number + 1)).encode())
        pongs.append(await ping(peer))  # it goes out with the burst, behind all of it
        while True:
            await listen(peer, 10)
            pongs.append(await ping(peer))

    done: list[tuple[float, str]] = []

    class Slow(DataProcessor):
        consumes = frozenset({DataType.BLOCK, DataType.TRANSACTION, DataType.MEMPOOL})

        async def process_event(self, event: DataEvent) -> None:
            done.append((trio.current_time(), event.data.hash))
            await trio.sleep(STEP)

    feed = node(Peer(nursery, script), connection=AT_ONCE)
    async with open_stream([feed], [Slow], StreamConfig(drain_timeout=1.0)) as stream:
        await wait_all_tasks_blocked()
        # All of it was taken in before the first event was done, and the ping was answered.
        assert trio.current_time() == 0.0
        events = {"block": HEADS, "transaction": BODIES, "mempool": HASHES}
        assert stream.get_stats().events == events
        assert feed.status.frames == 2 + 20_000
        assert pongs == [0.0]
        books = stream.get_stats().books
        assert (books.received, books.processed) == (20_000, 0)
        assert books.lost_by == {"normal:shed": BODIES - 5001, "low:shed": HASHES - 2000}
        assert books.queued == 1 + HEADS + 5000 + 2000

        await trio.sleep(59.9)
        assert (feed.status.state, feed.status.connections) == (FeedState.READY, 1)
        assert feed.status.failures == 0
        assert feed.status.round_trip == 0.0  # of our own ping, after 30 s
        assert pongs == [0.0] * 6
        await trio.sleep(1)
    # For a minute an event has its turn; what has waited for longer is lost, and said to be.
    hashes = [found for _, found in done]
    first, *urgent = hashes[: 1 + HEADS]
    assert first == hash_of(0)  # in hand when the rest came
    assert urgent == [hash_of(number + 1) for number in range(HEADS)]
    minute = round(60 / STEP)
    newest = BODIES - 5000
    assert hashes[1 + HEADS :] == [hash_of(newest + n) for n in range(minute - 1 - HEADS)]
    assert [at for at, _ in done] == [n * STEP for n in range(minute)]
    books = stream.get_stats().books
    assert (books.processed, books.failed, books.filtered) == (minute, 0, 0)
    assert books.lost_by == {
        "normal:shed": BODIES - 5001,
        "normal:expired": 5001 - (minute - HEADS),
        "low:shed": HASHES - 2000,
        "low:expired": 2000,
    }
    assert_settled(stream)
    # Hashes whose bodies were asked for, and those that had no place in the queue for it.
    assert feed.status.refused["body_backlog_full"] == HASHES - 16 - 1000


async def test_floods_one_after_the_other_leave_no_memory_behind(nursery, autojump_clock):
    again = [trio.Event() for _ in range(2)]

    async def script(peer: PeerConnection) -> None:
        await confirm_streams(peer)
        await meanwhile(peer, floods)

    async def floods(peer: PeerConnection) -> None:
        for number, event in enumerate(again):
            await event.wait()
            first = 1 + number * 20_000
            await peer.send(*(trade(n, 1) for n in range(first, first + 20_000)))

    async def slow(event: DataEvent) -> None:
        await trio.sleep(STEP)

    feed = binance(Peer(nursery, script), "aggTrade", connection=AT_ONCE)
    config = StreamConfig(lanes=LaneSettings(normal=500))
    left: list[int] = []
    tracemalloc.start()
    async with open_stream([feed], config=config) as stream:
        stream.add_event_handler(DataType.TRADE, slow)
        for event in again:
            event.set()
            await trio.sleep(40)
            left.append(tracemalloc.get_traced_memory()[0])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    books = stream.get_stats().books
    assert (books.received, books.processed) == (40_000, 2 * 501)
    assert books.lost_by == {"normal:shed": 40_000 - 2 * 501}
    assert feed.status.connections == 1
    # A flood is 4 MB on the wire; what is made once and kept was made in the first.
    assert left[1] - left[0] < 100_000
    assert peak < 24_000_000


SECONDS = 600
RATES = {EventPriority.HIGH: 1, EventPriority.NORMAL: 16, EventPriority.LOW: 4}
"""Events a second, of which a processor does 8."""


@attrs.define
class Watched(DataProcessor):
    """A slow processor that notes how long what has waited, and what it was told it lost."""

    consumes = frozenset({DataType.LOG, DataType.LOST})
    started: Counter[EventPriority] = attrs.Factory(Counter)
    urgent: list[float] = attrs.Factory(list)
    longest: float = 0.0
    told: Counter[str] = attrs.Factory(Counter)

    async def process_event(self, event: DataEvent) -> None:
        if event.event_type is DataType.LOST:
            self.told[event.data.lane] += event.data.count
            return
        waited = event.age(trio.current_time())
        self.started[event.priority] += 1
        self.longest = max(self.longest, waited)
        if event.priority is EventPriority.HIGH:
            self.urgent.append(waited)
        await trio.sleep(1 / 8)


async def too_fast(stream: RealtimeDataStream) -> None:
    for tick in range(16 * SECONDS):
        # The first at once, the others a millisecond after the processor's steps.
        await trio.sleep_until(tick / 16 + (1 / 1024 if tick else 0))
        now = trio.current_time()
        for priority, often in RATES.items():
            if tick % (16 // often) == 0:
                event = DataEvent(DataType.LOG, priority, None, "fast", now, sequence=tick)
                stream.emit_event(event)


async def test_ten_minutes_of_overload_cost_the_lower_lanes_and_keep_the_high_one_quick(
    nursery, autojump_clock
):
    watched = Watched()
    sizes: list[int] = []
    config = StreamConfig(budget=1.0, lanes=LaneSettings(100, 200, 50), drain_timeout=1.0)
    async with open_stream([], [lambda: watched], config) as stream:
        nursery.start_soon(too_fast, stream)
        await trio.sleep(60)  # by now the lanes are full
        tracemalloc.start()
        for minute in range(1, SECONDS // 60):
            sizes.append(tracemalloc.get_traced_memory()[0])
            await trio.sleep_until(60 * (minute + 1) - 1 / 2048)
        tracemalloc.stop()
        started, longest = dict(watched.started), watched.longest
        books = stream.get_stats().books
    # 600 s are 4,800 steps; HIGH is served first, and LOW not at all while there is NORMAL.
    assert started == {EventPriority.HIGH: 600, EventPriority.NORMAL: 4200}
    assert books.lost_by == {"normal:shed": 9600 - 4200 - 200, "low:shed": 2400 - 50}
    assert watched.told == {"normal": 5200, "low": 2350}
    assert max(sizes) - sizes[0] < 100_000

    assert statistics.median(watched.urgent) == max(watched.urgent) == 1 / 8 - 1 / 1024
    assert longest <= 200 / 16
    # The second of the drain was good for what was in hand and 7 more.
    books = stream.get_stats().books
    assert books.lost_by == {
        "normal:shed": 5200, "normal:drain": 200 - 7, "low:shed": 2350, "low:drain": 50,
    }  # fmt: skip
    told = books.processed - 4800 - 7
    assert books.received == 600 + 9600 + 2400 + told
    assert_settled(stream)
