"""Bybit, version 5, spot: orderbook.1 and publicTrade."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.devnet.exchanges import market
from tests.devnet.exchanges.market import Market, Product
from tests.devnet.exchanges.venue import PING_MS, Best, Venue
from trio_mev.wire.tape import Direction, Record

IDLE_MS = 3000
"""A book that does not change is sent again after so long, with a new time."""


class Bybit(Venue):
    """The one that is stuck for a while."""

    feed = market.BYBIT
    products = (
        Product("ETH/USDT", "ETHUSDT", 1.2, 0.3),
        Product("BTC/USDT", "BTCUSDT", 1.2, 0.3, Decimal("0.1")),
    )
    channels = ("orderbook.1", "publicTrade")
    noise = 0.00004
    lag_ms = 18.0

    def __init__(self, seed: int, market: Market, epoch_ns: int) -> None:
        super().__init__(seed, market, epoch_ns)
        self._connection = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self._updates = {p.symbol: self.rng.randrange(10**6, 10**7) for p in self.products}
        self._sent: dict[str, tuple[int, Best, dict[str, Any], int]] = {}
        """By symbol, when a book was sent last, what it said, the book, and when the exchange made
        it."""

    def opening(self) -> Iterator[Record]:
        """One request and its answer; every book as it is."""
        topics = [f"{channel}.{p.symbol}" for channel in self.channels for p in self.products]
        asked = {"op": "subscribe", "args": topics, "req_id": "1"}
        yield self.record(self.opened, asked, Direction.OUT)
        answer = {"success": True, "ret_msg": "subscribe", "conn_id": self._connection}
        yield self.record(self.opened + 19, {**answer, "req_id": "1", "op": "subscribe"})
        for product in self.products:
            mid = self.mid(product, self.opened)
            half = product.half_of(mid)
            yield self._news(self.opened + 21, product, (mid - half, mid + half))

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        if ms % PING_MS == 0:
            yield self.record(ms, {"op": "ping"}, Direction.OUT)
            answer = {"success": True, "ret_msg": "pong", "conn_id": self._connection}
            yield self.record(ms + 19, {**answer, "op": "ping"})
        for product in self.products:
            mid = self.mid(product, ms)
            best, trades = self.best(product, mid, ms), self.trades(product, mid, ms)
            if not self.confirmed(ms):
                continue
            if trades:
                yield self.trade(ms, self._trade(ms, product, mid))
            sent_at, told, book, made_at = self._sent[product.symbol]
            if best is not None:
                yield self._news(ms, product, best)
            elif ms - sent_at >= IDLE_MS:
                yield self._book(ms, product, told, book, made_at)

    def _news(self, ms: int, product: Product, best: Best) -> Record:
        self._updates[product.symbol] += self.rng.randrange(1, 20)
        book = {
            "s": product.symbol,
            "b": [[str(best[0]), self.size()]],
            "a": [[str(best[1]), self.size()]],
            "u": self._updates[product.symbol],
            "seq": self.number(),
        }
        return self._book(ms, product, best, book, self.event_ms(ms) - 2)

    def _book(
        self, ms: int, product: Product, best: Best, book: dict[str, Any], made_at: int
    ) -> Record:
        self._sent[product.symbol] = ms, best, book, made_at
        message = {
            "topic": f"orderbook.1.{product.symbol}",
            "ts": max(self.event_ms(ms), made_at),
            "type": "snapshot",
            "data": book,
            "cts": made_at,
        }
        return self.quote(ms, best, message)

    def _trade(self, ms: int, product: Product, mid: Decimal) -> dict[str, Any]:
        time, number = self.event_ms(ms), self.number()
        trade = {
            "i": f"22900000000{number}",
            "T": time - 2,
            "p": str(mid),
            "v": self.size(),
            "S": self.rng.choice(("Buy", "Sell")),
            "seq": number,
            "s": product.symbol,
            "BT": False,
            "RPI": False,
        }
        topic = f"publicTrade.{product.symbol}"
        return {"topic": topic, "ts": time, "type": "snapshot", "data": [trade]}
