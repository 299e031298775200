"""What the simulated exchanges share."""

from __future__ import annotations

import abc
import datetime
import json
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from tests.devnet.exchanges.market import (
    BAD_TICK,
    CROSSED,
    LEANING,
    STEP_MS,
    STIR,
    STUCK,
    Market,
    Product,
)
from trio_mev.wire.tape import Direction, FeedHeader, Record

OPEN_MS = 300
"""So long after its opening everything that is subscribed to has been confirmed."""
PING_MS = 20_000
STEADY_MS = 300_000
"""For so long no connection ends, at least."""
LASTS_MS = range(STEADY_MS, 900_000, STEP_MS)
"""How long a connection lasts."""
AWAY_MS = range(1_000, 5_000, STEP_MS)
"""How long it is until the next one."""
CONNECTIONS = "connection"
"""How they are counted, as events and refusals are by their own names."""
Best = tuple[Decimal, Decimal]
"""Bid and ask."""


class Venue(abc.ABC):
    """One exchange's frames, with a noise, a lag and counters of its own.

    Args:
        seed: the simulation's; another venue's frames do not depend on this one's.
        market: what it follows.
        epoch_ns: when it begins, in nanoseconds since the epoch.
    """

    feed: ClassVar[str]
    products: ClassVar[tuple[Product, ...]]
    channels: ClassVar[tuple[str, ...]]
    noise: ClassVar[float]
    """Of a quote, as a share of the price; and as much again of its leaning."""
    lag_ms: ClassVar[float]
    """From an event to its arrival, about."""

    def __init__(self, seed: int, market: Market, epoch_ns: int) -> None:
        self.market = market
        self.made: Counter[str] = Counter()
        """What it has made so far: connections, and quotes and trades by what they are to be to
        whoever reads them, an event or a reason to refuse it."""
        self.opened = 0
        """When the connection began, in milliseconds."""
        self._lives = random.Random(f"{seed} {self.feed} lives")
        self._ends = self._lives.choice(LASTS_MS)
        self.rng = random.Random(f"{seed} {self.feed}")
        self.epoch_ns = epoch_ns
        self.sequence = self.rng.randrange(10**9, 2 * 10**9)
        self.last_trade = {p.symbol: self.rng.randrange(10**7, 10**8) for p in self.products}
        self._told: dict[str, Decimal] = {}
        self._leanings = dict.fromkeys((p.symbol for p in self.products), 0.0)

    @classmethod
    def header(cls) -> FeedHeader:
        """What a tape must know of it."""
        symbols = {p.symbol: p.instrument for p in cls.products}
        return FeedHeader(cls.feed.partition(":")[0], symbols=symbols, channels=list(cls.channels))

    @abc.abstractmethod
    def opening(self) -> Iterator[Record]:
        """What is asked for, and the answers."""

    @abc.abstractmethod
    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""

    def begin(self) -> Iterator[Record]:
        """The first connection."""
        return self._open(0)

    def go_on(self, ms: int, until: int) -> Iterator[Record]:
        """A tenth of a second's frames, or an end, a beginning, or nothing in between.

        Args:
            ms: now.
            until: when all is over; a connection that ends is back before.
        """
        if ms == self.opened:
            yield from self._open(ms)
        if ms < self.opened:
            return
        back = self._ends + self._lives.choice(AWAY_MS) if ms == self._ends else until
        if back + OPEN_MS < until:
            yield self._of_life(ms, Direction.CLOSE)
            self.opened, self._ends = back, back + self._lives.choice(LASTS_MS)
            return
        yield from self.step(ms)

    def _open(self, ms: int) -> Iterator[Record]:
        self.made[CONNECTIONS] += 1
        yield self._of_life(ms, Direction.OPEN)
        yield from self.opening()

    def _of_life(self, ms: int, direction: Direction) -> Record:
        at = ms * 1_000_000
        return Record(self.epoch_ns + at, at, self.feed, direction)

    def confirmed(self, ms: int) -> bool:
        """Whether all subscriptions of this connection are confirmed."""
        return ms - self.opened >= OPEN_MS

    def quote(self, ms: int, best: Best, message: Any) -> Record:
        """A frame that tells of a best bid and ask, which is counted."""
        self.made["quote" if best[0] <= best[1] else "crossed_book"] += 1
        return self.record(ms, message)

    def trade(self, ms: int, message: Any) -> Record:
        """A frame that tells of a trade, which is counted."""
        self.made["trade"] += 1
        return self.record(ms, message)

    def record(self, ms: int, message: Any, direction: Direction = Direction.IN) -> Record:
        """A frame at a time, with a few microseconds of network in it."""
        at = ms * 1_000_000 + self.rng.randrange(100_000, 900_000)
        frame = json.dumps(message, separators=(",", ":")).encode()
        return Record(self.epoch_ns + at, at, self.feed, direction, frame)

    def mid(self, product: Product, ms: int) -> Decimal:
        """The product's mid; to be asked for once a step."""
        leaning = self._leanings[product.symbol]
        leaning += -LEANING * leaning + self.rng.gauss(0, self.noise * (2 * LEANING) ** 0.5)
        self._leanings[product.symbol] = leaning
        own = leaning + self.rng.gauss(0, self.noise)
        price = self.market.price(self.feed, product.instrument, ms) * (1 + own)
        return Decimal(price).quantize(product.tick)

    def best(self, product: Product, mid: Decimal, ms: int) -> Best | None:
        """Bid and ask, if there is news of them in this step."""
        place = self.feed, product.instrument, ms
        half = product.half_of(mid)
        news = self.happens(product.quotes) or self._stirred(product, mid)
        if STUCK.covers(*place):
            return None
        if BAD_TICK.covers(*place):
            tenfold = (mid - half) * 10, (mid + half) * 10
            return tenfold if ms == BAD_TICK.start else None
        if CROSSED.covers(*place):
            return mid + half, mid - half
        if not news and ms != BAD_TICK.end:
            return None
        self._told[product.symbol] = mid
        return mid - half, mid + half

    def _stirred(self, product: Product, mid: Decimal) -> bool:
        """Whether the price has moved far since it was told last."""
        told = self._told.get(product.symbol)
        return told is not None and abs(mid / told - 1) > STIR

    def trades(self, product: Product, mid: Decimal, ms: int) -> bool:
        """Whether there is a trade in this step; where nothing is quoted, a move brings one."""
        trades = self.happens(product.trades) or (
            not product.quotes and self._stirred(product, mid)
        )
        if trades and not product.quotes:
            self._told[product.symbol] = mid
        return trades and not STUCK.covers(self.feed, product.instrument, ms)

    def size(self) -> str:
        """How much is offered."""
        return f"{self.rng.lognormvariate(0, 1):.4f}"

    def number(self) -> int:
        """The next of a rising series."""
        self.sequence += self.rng.randrange(1, 5)
        return self.sequence

    def next_trade(self, product: Product) -> int:
        """The number of a product's next trade: they rise by one."""
        self.last_trade[product.symbol] += 1
        return self.last_trade[product.symbol]

    def happens(self, rate: float) -> bool:
        """Whether something that comes so many times a second comes in this step."""
        return self.rng.random() < rate * STEP_MS / 1000

    def event_ms(self, ms: int) -> int:
        """When what arrives now happened, in milliseconds since the epoch."""
        # Less than a step's length between the shortest and the longest: time never goes back.
        lag = self.lag_ms * self.rng.uniform(0.6, 1.4)
        return self.epoch_ns // 1_000_000 + ms - round(lag)

    def event_time(self, ms: int) -> str:
        """The same in words, to the microsecond."""
        known = self.event_ms(ms) * 1000 + self.rng.randrange(1000)
        moment = datetime.datetime.fromtimestamp(known // 10**6, datetime.UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{known % 10**6:06d}Z"
