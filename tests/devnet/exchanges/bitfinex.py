"""Bitfinex, version 2: ticker and trades. Arrays, and channels by number."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.devnet.exchanges import market
from tests.devnet.exchanges.market import Market, Product
from tests.devnet.exchanges.venue import Best, Venue
from trio_mev.wire.tape import Direction, Record

QUIET_MS = 15_000
"""A channel without news says so after so long."""
BETWEEN_MS = 50
"""From one request to the next."""


class Bitfinex(Venue):
    """The slowest, and the one of a crossed book. Its quotes have no time."""

    feed = market.BITFINEX
    products = (
        Product("ETH/USD", "tETHUSD", 0.6, 0.1, Decimal("0.1"), 0.00005),
        Product("USDT/USD", "tUSTUSD", 0.2, 0.05, Decimal("0.00001")),
    )
    channels = ("ticker", "trades")
    noise = 0.0001
    lag_ms = 60.0

    def __init__(self, seed: int, market: Market, epoch_ns: int) -> None:
        super().__init__(seed, market, epoch_ns)
        self._first = {p.symbol: self.mid(p, 0) for p in self.products}
        self._last = dict(self._first)
        self._volume = {p.symbol: self.rng.uniform(2e3, 9e3) for p in self.products}
        self._numbers = {
            (channel, p.symbol): self.rng.randrange(1000, 500_000)
            for channel in self.channels
            for p in self.products
        }
        self._heard: dict[int, int] = {}
        """When something was sent last of a channel, by its number."""

    def opening(self) -> Iterator[Record]:
        """A greeting; a request a channel, each with its answer and a snapshot."""
        server = "25b1b3e3-1b8f-4a24-9a3c-5ff0d6c6a0f1"
        info = {"event": "info", "version": 2, "serverId": server, "platform": {"status": 1}}
        yield self.record(self.opened, info)
        ms = self.opened + 1
        for (channel, symbol), number in self._numbers.items():
            about = {"channel": channel, "symbol": symbol}
            yield self.record(ms, {"event": "subscribe", **about}, Direction.OUT)
            answer = {"event": "subscribed", "channel": channel, "chanId": number}
            yield self.record(ms + 41, {**answer, "symbol": symbol, "pair": symbol[1:]})
            yield self._snapshot(ms, channel, symbol)
            ms += BETWEEN_MS

    def _snapshot(self, ms: int, channel: str, symbol: str) -> Record:
        product = next(p for p in self.products if p.symbol == symbol)
        mid = self._last[symbol]
        if channel == "ticker":
            half = product.half_of(mid)
            return self._quoted(ms + 43, product, (mid - half, mid + half))
        executions = [self._execution(ms, mid)]
        # These happened before: to whoever reads them they are no news, so they are not counted.
        return self.record(ms + 43, self._of_channel(ms + 43, channel, symbol, executions))

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        for product in self.products:
            mid = self.mid(product, ms)
            best, trades = self.best(product, mid, ms), self.trades(product, mid, ms)
            if not self.confirmed(ms):
                continue
            symbol = product.symbol
            if trades:
                self._last[symbol] = mid
                execution = self._execution(ms, mid)
                self._volume[symbol] += abs(execution[2])
                # One trade, told twice.
                yield self.trade(ms, self._of_channel(ms, "trades", symbol, "te", execution))
                again = self._of_channel(ms + 2, "trades", symbol, "tu", execution)
                yield self.record(ms + 2, again)
            if best is not None:
                yield self._quoted(ms, product, best)
        for (channel, symbol), number in self._numbers.items():
            if ms - self._heard[number] >= QUIET_MS:
                yield self.record(ms, self._of_channel(ms, channel, symbol, "hb"))

    def _quoted(self, ms: int, product: Product, best: Best) -> Record:
        ticker = self._ticker(product, best)
        return self.quote(ms, best, self._of_channel(ms, "ticker", product.symbol, ticker))

    def _of_channel(self, ms: int, channel: str, symbol: str, *parts: Any) -> list[Any]:
        number = self._numbers[channel, symbol]
        self._heard[number] = ms
        return [number, *parts]

    def _execution(self, ms: int, mid: Decimal) -> list[Any]:
        amount = float(self.size()) * self.rng.choice((-1, 1))
        return [self.number(), self.event_ms(ms), amount, float(mid)]

    def _ticker(self, product: Product, best: Best) -> list[Any]:
        first, last = self._first[product.symbol], self._last[product.symbol]
        return [
            float(best[0]),
            float(self.size()),
            float(best[1]),
            float(self.size()),
            float(last - first),
            round(float(last / first - 1), 6),
            float(last),
            round(self._volume[product.symbol], 4),
            float((first * Decimal("1.02")).quantize(product.tick)),
            float((first * Decimal("0.98")).quantize(product.tick)),
        ]
