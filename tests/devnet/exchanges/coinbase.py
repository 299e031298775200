"""Coinbase: ticker, matches and heartbeat. A ticker follows every match."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tests.devnet.exchanges import market
from tests.devnet.exchanges.market import Product
from tests.devnet.exchanges.venue import Venue
from trio_mev.wire.tape import Direction, Record


class Coinbase(Venue):
    """The one that is dislocated now and then."""

    feed = market.COINBASE
    products = (
        Product("ETH/USDT", "ETH-USDT", 0.0, 1.2, half=0.00005),
        Product("BTC/USDT", "BTC-USDT", 0.0, 1.2, half=0.00005),
        Product("ETH/USD", "ETH-USD", 0.0, 1.5, half=0.00005),
        Product("USDT/USD", "USDT-USD", 0.0, 0.4, Decimal("0.00001")),
    )
    channels = ("ticker", "matches", "heartbeat")
    noise = 0.00005
    lag_ms = 45.0

    def opening(self) -> Iterator[Record]:
        """subscribe and its answer."""
        products = [p.symbol for p in self.products]
        asked = {"type": "subscribe", "product_ids": products, "channels": self.channels}
        yield self.record(self.opened, asked, Direction.OUT)
        answer = [{"name": name, "product_ids": products} for name in self.channels]
        yield self.record(self.opened + 1, {"type": "subscriptions", "channels": answer})

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        for product in self.products:
            if ms % 1000 == 0:
                beat = {
                    "type": "heartbeat",
                    "sequence": self.sequence,
                    "last_trade_id": self.last_trade[product.symbol],
                    "product_id": product.symbol,
                    "time": self.event_time(ms),
                }
                yield self.record(ms, beat)
            mid = self.mid(product, ms)
            if self.trades(product, mid, ms):
                yield from self._trade(ms, product, mid, self.event_time(ms))

    def _trade(self, ms: int, product: Product, mid: Decimal, time: str) -> Iterator[Record]:
        number = self.next_trade(product)
        taker = self.rng.choice(("buy", "sell"))
        size = self.size()
        common = {"sequence": self.number(), "product_id": product.symbol, "price": str(mid)}
        maker = {"buy": "sell", "sell": "buy"}[taker]
        match = {"type": "match", "trade_id": number, "side": maker, "size": size, "time": time}
        yield self.trade(ms, {**match, **common})
        half = product.half_of(mid)
        bid, ask = mid - half, mid + half
        ticker = {
            "type": "ticker",
            **common,
            "best_bid": str(bid),
            "best_bid_size": self.size(),
            "best_ask": str(ask),
            "best_ask_size": self.size(),
            "side": taker,
            "time": time,
            "trade_id": number,
            "last_size": size,
        }
        yield self.quote(ms, (bid, ask), ticker)
