"""Kraken, version 2: ticker and trade. Numbers are JSON's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.devnet.exchanges import market
from tests.devnet.exchanges.market import Market, Product
from tests.devnet.exchanges.venue import PING_MS, Best, Venue
from trio_mev.wire.tape import Direction, Record

_FINE = Decimal("0.00001")


class Kraken(Venue):
    """The one of a bad tick. A heartbeat comes after a second without anything else."""

    feed = market.KRAKEN
    products = (
        Product("ETH/USDT", "ETH/USDT", 0.8, 0.15),
        Product("BTC/USDT", "BTC/USDT", 0.8, 0.15, Decimal("0.1")),
        Product("ETH/USD", "ETH/USD", 1.0, 0.2),
        Product("USDT/USD", "USDT/USD", 0.3, 0.1, _FINE, 0.000005),
        Product("USDC/USD", "USDC/USD", 0.3, 0.1, Decimal("0.0001"), 0.00005),
    )
    channels = ("ticker", "trade")
    noise = 0.00008
    lag_ms = 30.0

    def __init__(self, seed: int, market: Market, epoch_ns: int) -> None:
        super().__init__(seed, market, epoch_ns)
        self._first = {p.symbol: self.mid(p, 0) for p in self.products}
        self._last = dict(self._first)
        self._volume = {p.symbol: self.rng.uniform(2e3, 9e3) for p in self.products}
        self._quiet_since = 0

    def opening(self) -> Iterator[Record]:
        """Its status; a request a channel, and an answer a symbol; a snapshot of the tickers."""
        number = self.rng.randrange(10**18, 10**19)
        status = {
            "version": "2.0.10",
            "system": "online",
            "api_version": "v2",
            "connection_id": number,
        }
        self._quiet_since = at = self.opened
        yield self.record(at, {"channel": "status", "type": "update", "data": [status]})
        yield from self._subscribe(at + 1, "ticker", {"event_trigger": "bbo"}, snapshot=True)
        for product in self.products:
            mid = self._last[product.symbol]
            half = product.half_of(mid)
            best = mid - half, mid + half
            yield self.quote(at + 33, best, self._ticker(at + 33, product, best, "snapshot"))
        yield from self._subscribe(at + 251, "trade", {}, snapshot=False)

    def _subscribe(
        self, ms: int, channel: str, more: dict[str, Any], *, snapshot: bool
    ) -> Iterator[Record]:
        symbols = [p.symbol for p in self.products]
        params = {"channel": channel, "symbol": symbols, **more, "snapshot": snapshot}
        yield self.record(ms, {"method": "subscribe", "params": params}, Direction.OUT)
        for symbol in symbols:
            result = {"channel": channel, **more, "snapshot": snapshot, "symbol": symbol}
            answer = {"method": "subscribe", "result": result, "success": True}
            time = self.event_time(ms + 31)
            yield self.record(ms + 31, {**answer, "time_in": time, "time_out": time})

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        if ms % PING_MS == 0:
            time = self.event_time(ms)
            yield self.record(ms, {"method": "ping"}, Direction.OUT)
            yield self.record(ms + 31, {"method": "pong", "time_in": time, "time_out": time})
        for product in self.products:
            yield from self._of(product, ms)
        if ms - self._quiet_since >= 1000:
            self._quiet_since = ms
            yield self.record(ms, {"channel": "heartbeat"})

    def _of(self, product: Product, ms: int) -> Iterator[Record]:
        mid = self.mid(product, ms)
        best, trades = self.best(product, mid, ms), self.trades(product, mid, ms)
        if not self.confirmed(ms):
            return
        if trades:
            self._quiet_since = ms
            yield self.trade(ms, self._trade(ms, product, mid))
        if best is not None:
            self._quiet_since = ms
            yield self.quote(ms, best, self._ticker(ms, product, best))

    def _trade(self, ms: int, product: Product, mid: Decimal) -> dict[str, Any]:
        symbol, size = product.symbol, float(self.size())
        self._last[symbol] = mid
        self._volume[symbol] += size
        trade = {
            "symbol": symbol,
            "side": self.rng.choice(("buy", "sell")),
            "price": float(mid),
            "qty": size,
            "ord_type": self.rng.choice(("market", "limit")),
            "trade_id": self.next_trade(product),
            "timestamp": self.event_time(ms),
        }
        return {"channel": "trade", "type": "update", "data": [trade]}

    def _ticker(
        self, ms: int, product: Product, best: Best, kind: str = "update"
    ) -> dict[str, Any]:
        first, last = self._first[product.symbol], self._last[product.symbol]
        ticker = {
            "symbol": product.symbol,
            "bid": float(best[0]),
            "bid_qty": float(self.size()),
            "ask": float(best[1]),
            "ask_qty": float(self.size()),
            "last": float(last),
            "volume": round(self._volume[product.symbol], 4),
            "vwap": float(first),
            "low": float((first * Decimal("0.98")).quantize(product.tick)),
            "high": float((first * Decimal("1.02")).quantize(product.tick)),
            "change": float(last - first),
            "change_pct": round(float(100 * (last / first - 1)), 2),
            "timestamp": self.event_time(ms),
        }
        return {"channel": "ticker", "type": kind, "data": [ticker]}
