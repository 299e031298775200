"""Writes the demo's tape: ``python -m trio_mev.loopback.simulation TAPE [SEED [SECONDS]]``.

The same seed and length always give the same records.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from ..wire.tape import (
    VERSION,
    Direction,
    FeedHeader,
    Header,
    Record,
    encode_header,
    encode_record,
    pack,
)
from .market import (
    BINANCE,
    BINANCE_PRODUCTS,
    COINBASE,
    COINBASE_PRODUCTS,
    STEP_MS,
    Binance,
    Coinbase,
    Prices,
)
from .mempool import NODE, Node

SEED = 2026
SECONDS = 300
EPOCH_NS = 1_767_614_400 * 10**9
"""2026-01-05 12:00 UTC: a date to begin with, not the date of anything that happened."""
TAPE = Path(__file__).parent / "demo.tape"
"""The tape that ships."""

HEADER = Header(
    VERSION,
    {
        NODE: FeedHeader("ethereum"),
        BINANCE: FeedHeader(
            "binance",
            symbols={p.symbol: p.instrument for p in BINANCE_PRODUCTS},
            channels=["bookTicker", "aggTrade"],
        ),
        COINBASE: FeedHeader(
            "coinbase",
            symbols={p.symbol: p.instrument for p in COINBASE_PRODUCTS},
            channels=["ticker", "matches", "heartbeat"],
        ),
    },
    "a seeded market simulation, not recorded from any network",
)


def records(seed: int, seconds: int) -> Iterator[Record]:
    """The simulation's records, in the order of their times."""
    rng = random.Random(seed)
    prices = Prices(rng, {"ETH": 3150.0, "BTC": 91_200.0})
    binance = Binance(BINANCE, prices, EPOCH_NS)
    coinbase = Coinbase(COINBASE, prices, EPOCH_NS)
    node = Node(rng, prices, EPOCH_NS)
    first = [*binance.opening(), *coinbase.opening(), *node.opening()]
    opened = [Record(EPOCH_NS, 0, name, Direction.OPEN) for name in HEADER.feeds]
    yield from opened
    yield from sorted(first, key=lambda r: r.mono)
    late: list[Record] = []
    for ms in range(STEP_MS, seconds * 1000, STEP_MS):
        prices.step(ms)
        late += [*binance.step(ms), *coinbase.step(ms), *node.step(ms)]
        late.sort(key=lambda r: r.mono)
        border = (ms + STEP_MS) * 1_000_000
        yield from (r for r in late if r.mono < border)
        late = [r for r in late if r.mono >= border]
    yield from late


def write(path: Path, seed: int = SEED, seconds: int = SECONDS) -> int:
    """Write the tape; the number of its records."""
    lines = [encode_record(record) for record in records(seed, seconds)]
    path.write_bytes(pack([encode_header(HEADER), *lines], level=19))
    return len(lines)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    count = write(target, *(int(argument) for argument in sys.argv[2:4]))
    sys.stdout.write(f"{target}: {count} records, {target.stat().st_size} bytes\n")
