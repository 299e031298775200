"""The exchanges of the demo together: what a tape knows of them, and their frames in order."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from tests.devnet.exchanges.binance import Binance
from tests.devnet.exchanges.bitfinex import Bitfinex
from tests.devnet.exchanges.bybit import Bybit
from tests.devnet.exchanges.coinbase import Coinbase
from tests.devnet.exchanges.kraken import Kraken
from tests.devnet.exchanges.market import STEP_MS, Market
from tests.devnet.exchanges.venue import Venue
from tests.devnet.pool_prices import Prices
from trio_mev.wire.tape import Record

VENUES: tuple[type[Venue], ...] = (Binance, Coinbase, Kraken, Bybit, Bitfinex)
HEADERS = {venue.feed: venue.header() for venue in VENUES}


Course = Sequence[tuple[int, Prices]]
"""Prices at the pools, and the nanoseconds since the epoch from which they hold."""


class Exchanges:
    """All of them, and what each has made.

    Args:
        seed: the same one gives the same frames.
        seconds: for how long.
        course: what they follow; they begin with it.
    """

    def __init__(self, seed: int, seconds: int, course: Course) -> None:
        begin = course[0][0]
        rng = random.Random(seed)
        self._market = Market(rng, [((at - begin) / 1e6, prices) for at, prices in course])
        self._venues = [venue(seed, self._market, begin) for venue in VENUES]
        self._until = seconds * 1000

    @property
    def made(self) -> dict[str, dict[str, int]]:
        """By exchange, how many connections, sound quotes, crossed ones and trades so far."""
        return {venue.feed: dict(venue.made) for venue in self._venues}

    def records(self) -> Iterator[Record]:
        """Their frames, in the order of their times."""
        waiting = [record for venue in self._venues for record in venue.begin()]
        for ms in range(STEP_MS, self._until, STEP_MS):
            self._market.step(ms)
            for venue in self._venues:
                waiting += venue.go_on(ms, self._until)
            waiting.sort(key=_time)
            # What follows upon an opening may be later than the next step's.
            due = bisect_left(waiting, (ms + STEP_MS) * 1_000_000, key=_time)
            yield from waiting[:due]
            del waiting[:due]
        yield from waiting


def _time(record: Record) -> int:
    return record.mono
