"""A stream that is stored: what a quote costs on its way to the disk, and what the event loop
notices of it."""

from __future__ import annotations

import random
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import trio

from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote
from trio_mev.model.settings import StoreSettings
from trio_mev.sinks.arrow import fields_of
from trio_mev.sinks.daystore import DayStore
from trio_mev.sinks.told_columns import STREAM_DATASETS
from trio_mev.sinks.told_rows import rows_told

EPOCH = 1_764_158_400 * 10**9
TICK = 0.0005
"""Seconds between two turns of a task that notices when its own are late."""


def _quotes(count: int, seed: int) -> list[DataEvent]:
    """A walk of prices at ten exchanges, a millisecond apart."""
    rng, price = random.Random(seed), 300_000
    venues = [Venue(f"venue{number}") for number in range(10)]
    eth, made = Instrument("ETH", "USDT"), []
    for number in range(count):
        price += rng.randint(-20, 20)
        bid, size = Decimal(price).scaleb(-2), Decimal(rng.randint(1, 10**6)).scaleb(-4)
        one = Quote(rng.choice(venues), eth, bid, bid + Decimal("0.01"), size, size, None, number)
        at = number * 1e-3
        made.append(
            DataEvent(DataType.QUOTE, EventPriority.NORMAL, one, one.venue, at, EPOCH + number)
        )
    return made


def ours(count: int, writes: int, seed: int) -> dict[str, Any]:
    """Microseconds of processor time a quote, from event to disk, in a thread beside a loop.

    Args:
        count: of quotes, each time that is written.
        writes: how often, after one for the warm-up; a file grows with each.
        seed: of the quotes.
    """
    batches = [_quotes(count, seed + number) for number in range(writes + 1)]
    late: list[float] = []
    spent = 0.0
    done = trio.Event()

    async def tick() -> None:
        before = time.perf_counter()
        while not done.is_set():
            await trio.sleep(TICK)
            now = time.perf_counter()
            late.append(now - before - TICK)
            before = now

    async def main(folder: Path) -> int:
        nonlocal spent
        store = DayStore(folder, StoreSettings(datasets=("quote",)))
        store.begin(EPOCH // 1000, live=True)

        def write(events: list[DataEvent]) -> float:
            begun = time.thread_time()
            store.take(events, EPOCH)
            assert store.flush()
            return time.thread_time() - begun

        await trio.to_thread.run_sync(write, batches[0])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            for events in batches[1:]:
                spent += await trio.to_thread.run_sync(write, events)
            done.set()
        store.close()
        return store.written["quote"]

    with tempfile.TemporaryDirectory() as place:
        kept = trio.run(main, Path(place))
        size = sum(path.stat().st_size for path in Path(place).rglob("*.parquet"))
    return {
        "cost": spent / (count * writes) * 1e6,
        "late": quantiles(late, n=100)[98] * 1e3,
        "bytes": size / (count * (writes + 1)),
        "found": [kept],
    }


def floor(count: int, writes: int, seed: int) -> dict[str, Any]:
    """The same rows, made before: pyarrow makes a table of them and writes it, once."""
    schema = pa.schema(fields_of(pa, STREAM_DATASETS["quote"]))
    spent = 0.0
    with tempfile.TemporaryDirectory() as place:
        for number in range(writes + 1):
            events = _quotes(count, seed + number)
            rows = [row for event in events for _, row in rows_told(event, EPOCH, 1)]
            begun = time.thread_time()
            table = pa.Table.from_pylist(rows, schema=schema)
            pq.write_table(table, Path(place) / f"{number}.parquet", compression="zstd")
            spent += (time.thread_time() - begun) * bool(number)
        found = sum(pq.read_metadata(path).num_rows for path in Path(place).iterdir())
    return {"cost": spent / (count * writes) * 1e6, "found": [found]}
