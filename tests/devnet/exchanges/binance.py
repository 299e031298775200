"""Binance: bookTicker and aggTrade, combined."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tests.devnet.exchanges import market
from tests.devnet.exchanges.market import Product
from tests.devnet.exchanges.venue import Venue
from trio_mev.wire.tape import Direction, Record


class Binance(Venue):
    """The fastest, and the most precise. Its quotes have no time."""

    feed = market.BINANCE
    products = (
        Product("ETH/USDT", "ETHUSDT", 3.0, 0.8, half=0.00002),
        Product("BTC/USDT", "BTCUSDT", 3.0, 0.8, half=0.00002),
        Product("ETH/USDC", "ETHUSDC", 1.0, 0.2, half=0.00002),
    )
    channels = ("bookTicker", "aggTrade")
    noise = 0.00003
    lag_ms = 8.0

    def opening(self) -> Iterator[Record]:
        """SUBSCRIBE and its answer."""
        symbols = [p.symbol.lower() for p in self.products]
        streams = [f"{symbol}@{channel}" for symbol in symbols for channel in self.channels]
        asked = {"method": "SUBSCRIBE", "params": streams, "id": 1}
        yield self.record(self.opened, asked, Direction.OUT)
        yield self.record(self.opened + 1, {"result": None, "id": 1})

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        for product in self.products:
            mid = self.mid(product, ms)
            best = self.best(product, mid, ms)
            if best is not None:
                bid, ask = best
                book = {
                    "u": self.number(),
                    "s": product.symbol,
                    "b": str(bid),
                    "B": self.size(),
                    "a": str(ask),
                    "A": self.size(),
                }
                stream = f"{product.symbol.lower()}@bookTicker"
                yield self.quote(ms, best, {"stream": stream, "data": book})
            if self.trades(product, mid, ms):
                yield self._trade(ms, product, mid)

    def _trade(self, ms: int, product: Product, mid: Decimal) -> Record:
        time = self.event_ms(ms)
        number = self.next_trade(product)
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
        return self.trade(ms, {"stream": f"{product.symbol.lower()}@aggTrade", "data": trade})
