"""Two simulated exchanges that follow the prices of a chain's pools, with noise, lag and
dislocations.

Nothing of them was recorded. Their frames have today's formats.
"""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import attrs

from tests.devnet.pool_prices import Prices
from trio_mev.wire.tape import Direction, FeedHeader, Record

STEP_MS = 100
BINANCE, COINBASE = "binance:demo", "coinbase:demo"
CATCH_UP = 0.02
"""The share of what separates an exchange from the pools that a step makes good."""
NOISE = 0.00003
"""Of a step, as a share of the price."""
_TICK = Decimal("0.01")


@attrs.frozen
class Product:
    """One instrument at one venue."""

    asset: str
    instrument: str
    symbol: str
    basis: float
    """Its price over the asset's, such as 0.9996 for a quote currency worth more."""
    quotes: float
    """A second."""
    trades: float
    """A second."""


BINANCE_PRODUCTS = (
    Product("ETH", "ETH/USDT", "ETHUSDT", 1.0, 3.0, 0.8),
    Product("BTC", "BTC/USDT", "BTCUSDT", 1.0, 3.0, 0.8),
    Product("ETH", "ETH/USDC", "ETHUSDC", 0.9998, 1.0, 0.2),
)
COINBASE_PRODUCTS = (
    Product("ETH", "ETH/USDT", "ETH-USDT", 1.0, 0.0, 1.2),
    Product("BTC", "BTC/USDT", "BTC-USDT", 1.0, 0.0, 1.2),
    Product("ETH", "ETH/USD", "ETH-USD", 0.9996, 0.0, 1.5),
)


class Market:
    """What the exchanges take as the price: that of the pools, which they follow with some noise.

    Args:
        rng: the simulation's.
        course: prices at the pools and the milliseconds from which they hold, the first at once.
    """

    def __init__(self, rng: random.Random, course: Sequence[tuple[float, Prices]]) -> None:
        self.rng = rng
        self._course = list(course)
        self._pools = self._course.pop(0)[1]
        self.true = dict(self._pools)
        self._off: dict[str, tuple[float, int]] = {}

    def step(self, ms: int) -> None:
        """A tenth of a second passes."""
        while self._course and self._course[0][0] <= ms:
            self._pools = self._course.pop(0)[1]
        for asset, price in self.true.items():
            nearer = price + (self._pools[asset] - price) * CATCH_UP
            self.true[asset] = nearer * (1 + self.rng.gauss(0, NOISE))
        # A dislocation: one venue's ETH/USDT is off by over a percent for a few seconds.
        if ms % 40_000 == 2_000:
            side = self.rng.choice((-1, 1))
            size = self.rng.uniform(0.011, 0.016)
            self._off[COINBASE] = (side * size, ms + self.rng.randrange(2_000, 5_000))

    def at(self, feed: str, product: Product, ms: int) -> Decimal:
        """The product's mid at a venue."""
        off, until = self._off.get(feed, (0.0, 0))
        if ms >= until or product.instrument != "ETH/USDT":
            off = 0.0
        noise = self.rng.gauss(0, 0.00004)
        price = self.true[product.asset] * product.basis * (1 + off + noise)
        return Decimal(price).quantize(_TICK)


class Venue:
    """One exchange's frames, with its own counters."""

    def __init__(self, feed: str, market: Market, epoch_ns: int) -> None:
        self.feed = feed
        self.market = market
        self.rng = market.rng
        self.epoch_ns = epoch_ns
        self.sequence = self.rng.randrange(10**9, 2 * 10**9)

    def record(self, ms: int, message: Any, direction: Direction = Direction.IN) -> Record:
        """A frame at a time, with a few microseconds of network in it."""
        at = ms * 1_000_000 + self.rng.randrange(100_000, 900_000)
        frame = json.dumps(message, separators=(",", ":")).encode()
        return Record(self.epoch_ns + at, at, self.feed, direction, frame)

    def size(self) -> str:
        """How much is offered."""
        return f"{self.rng.lognormvariate(0, 1):.4f}"

    def number(self) -> int:
        """The next of a rising series."""
        self.sequence += self.rng.randrange(1, 5)
        return self.sequence

    def happens(self, rate: float) -> bool:
        """Whether something that comes so many times a second comes in this step."""
        return self.rng.random() < rate * STEP_MS / 1000


class Binance(Venue):
    """bookTicker and aggTrade, combined."""

    def opening(self) -> Iterator[Record]:
        """SUBSCRIBE and its answer."""
        streams = [
            f"{p.symbol.lower()}@{channel}"
            for p in BINANCE_PRODUCTS
            for channel in ("bookTicker", "aggTrade")
        ]
        yield self.record(0, {"method": "SUBSCRIBE", "params": streams, "id": 1}, Direction.OUT)
        yield self.record(1, {"result": None, "id": 1})

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        for product in BINANCE_PRODUCTS:
            mid = self.market.at(self.feed, product, ms)
            half = max(_TICK, (mid * Decimal("0.00002")).quantize(_TICK))
            if self.happens(product.quotes):
                book = {
                    "u": self.number(),
                    "s": product.symbol,
                    "b": str(mid - half),
                    "B": self.size(),
                    "a": str(mid + half),
                    "A": self.size(),
                }
                stream = f"{product.symbol.lower()}@bookTicker"
                yield self.record(ms, {"stream": stream, "data": book})
            if self.happens(product.trades):
                yield self._trade(ms, product, mid)

    def _trade(self, ms: int, product: Product, mid: Decimal) -> Record:
        time = self.epoch_ns // 1_000_000 + ms
        number = self.number()
        trade = {
            "e": "aggTrade",
            "E": time,
            "s": product.symbol,
            "a": number,
            "p": str(mid),
            "q": self.size(),
            "f": number,
            "l": number,
            "T": time,
            "m": self.rng.random() < 0.5,
            "M": True,
        }
        return self.record(ms, {"stream": f"{product.symbol.lower()}@aggTrade", "data": trade})


class Coinbase(Venue):
    """ticker, matches and heartbeat: a ticker follows every match."""

    def opening(self) -> Iterator[Record]:
        """subscribe and its answer."""
        products = [p.symbol for p in COINBASE_PRODUCTS]
        channels = ["ticker", "matches", "heartbeat"]
        asked = {"type": "subscribe", "product_ids": products, "channels": channels}
        yield self.record(0, asked, Direction.OUT)
        answer = [{"name": name, "product_ids": products} for name in channels]
        yield self.record(1, {"type": "subscriptions", "channels": answer})

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        moment = datetime.datetime.fromtimestamp(self.epoch_ns / 1e9 + ms / 1000, datetime.UTC)
        time = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
        for product in COINBASE_PRODUCTS:
            if ms % 1000 == 0:
                beat = {
                    "type": "heartbeat",
                    "sequence": self.sequence,
                    "last_trade_id": self.sequence,
                    "product_id": product.symbol,
                    "time": time,
                }
                yield self.record(ms, beat)
            mid = self.market.at(self.feed, product, ms)
            if self.happens(product.trades):
                yield from self._trade(ms, product, mid, time)

    def _trade(self, ms: int, product: Product, mid: Decimal, time: str) -> Iterator[Record]:
        number = self.number()
        taker = self.rng.choice(("buy", "sell"))
        size = self.size()
        common = {"sequence": number, "product_id": product.symbol, "price": str(mid)}
        maker = {"buy": "sell", "sell": "buy"}[taker]
        match = {"type": "match", "trade_id": number, "side": maker, "size": size, "time": time}
        yield self.record(ms, {**match, **common})
        half = max(_TICK, (mid * Decimal("0.00005")).quantize(_TICK))
        ticker = {
            "type": "ticker",
            **common,
            "best_bid": str(mid - half),
            "best_bid_size": self.size(),
            "best_ask": str(mid + half),
            "best_ask_size": self.size(),
            "side": taker,
            "time": time,
            "trade_id": number,
            "last_size": size,
        }
        yield self.record(ms, ticker)


HEADERS = {
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
}


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
    venues = Binance(BINANCE, market, epoch_ns), Coinbase(COINBASE, market, epoch_ns)
    for name in HEADERS:
        yield Record(epoch_ns, 0, name, Direction.OPEN)
    yield from sorted((r for venue in venues for r in venue.opening()), key=lambda r: r.mono)
    for ms in range(STEP_MS, seconds * 1000, STEP_MS):
        market.step(ms)
        frames = [record for venue in venues for record in venue.step(ms)]
        # None is more than a millisecond late, so none comes after the next step's.
        yield from sorted(frames, key=lambda record: record.mono)
