"""The exchanges of the demo together: what a tape knows of them, and their frames in order."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence

from tests.devnet.exchanges.binance import Binance
from tests.devnet.exchanges.bitfinex import Bitfinex
from tests.devnet.exchanges.bybit import Bybit
from tests.devnet.exchanges.coinbase import Coinbase
from tests.devnet.exchanges.kraken import Kraken
from tests.devnet.exchanges.market import STEP_MS, Market
from tests.devnet.exchanges.venue import Venue
from tests.devnet.pool_prices import Prices
from trio_mev.wire.tape import Direction, Record

VENUES: tuple[type[Venue], ...] = (Binance, Coinbase, Kraken, Bybit, Bitfinex)
HEADERS = {venue.feed: venue.header() for venue in VENUES}


def simulate(
    seed: int, epoch_ns: int, seconds: int, course: Sequence[tuple[int, Prices]]
) -> Iterator[Record]:
    """The exchanges' frames, in the order of their times.

    Args:
        seed: the same one gives the same frames.
        epoch_ns: when it begins, in nanoseconds since the epoch.
        seconds: for how long.
        course: prices at the pools, and the nanoseconds since the epoch from which they hold.
    """
    rng = random.Random(seed)
    market = Market(rng, [((at - epoch_ns) / 1e6, prices) for at, prices in course])
    venues = [venue(seed, market, epoch_ns) for venue in VENUES]
    for name in HEADERS:
        yield Record(epoch_ns, 0, name, Direction.OPEN)
    opening = sorted((r for venue in venues for r in venue.opening()), key=lambda r: r.mono)
    steps = _steps(market, venues, seconds)
    yield from heapq.merge(opening, steps, key=lambda record: record.mono)


def _steps(market: Market, venues: Sequence[Venue], seconds: int) -> Iterator[Record]:
    for ms in range(STEP_MS, seconds * 1000, STEP_MS):
        market.step(ms)
        frames = [record for venue in venues for record in venue.step(ms)]
        # None is as late as the next step's.
        yield from sorted(frames, key=lambda record: record.mono)
