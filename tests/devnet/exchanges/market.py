"""What the exchanges take as the price, and what goes wrong at them, at fixed times."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import attrs

from tests.devnet.pool_prices import Prices

STEP_MS = 100
CATCH_UP = 0.02
"""The share of what separates an exchange from the pools that a step makes good."""
NOISE = {"ETH": 0.00003, "BTC": 0.00003, "USDT": 0.0, "USD": 0.000002, "USDC": 0.000002}
"""Of a step, as a share of the price."""
WORTH = {"USDT": 1.0, "USD": 1 / 0.9996, "USDC": 0.9998 / 0.9996}
"""In USDT: the pools say nothing of these."""
LEANING = 0.02
"""The share of a venue's own leaning that a step takes back, and adds anew."""
STIR = Decimal("0.0004")
"""A move by more than this share of the price is news at once."""
BINANCE, COINBASE = "binance:demo", "coinbase:demo"
KRAKEN, BYBIT, BITFINEX = "kraken:demo", "bybit:demo", "bitfinex:demo"


@attrs.frozen
class Product:
    """One instrument at one venue."""

    instrument: str
    symbol: str
    quotes: float
    """A second."""
    trades: float
    """A second."""
    tick: Decimal = Decimal("0.01")
    half: float = 0.00003
    """Half of what is between bid and ask, as a share of the price."""

    def half_of(self, mid: Decimal) -> Decimal:
        """Half the spread: a tick at least."""
        return max(self.tick, (mid * Decimal(self.half)).quantize(self.tick))


@attrs.frozen
class Episode:
    """Something is wrong at one venue for a while. Times are milliseconds."""

    feed: str
    instruments: frozenset[str]
    start: int
    end: int

    def covers(self, feed: str, instrument: str, ms: int) -> bool:
        """Whether it is on, there and then."""
        return feed == self.feed and instrument in self.instruments and self.start <= ms < self.end


STUCK = Episode(BYBIT, frozenset({"ETH/USDT", "BTC/USDT"}), 47_000, 67_000)
"""Its book stands still while the pools' prices fall, and it says so again and again."""
BAD_TICK = Episode(KRAKEN, frozenset({"BTC/USDT"}), 75_000, 77_500)
"""One quote is ten times what it should be, until the next."""
CROSSED = Episode(BITFINEX, frozenset({"ETH/USD"}), 90_000, 90_100)
"""One quote's bid is over its ask."""


class Market:
    """That of the pools, which the exchanges follow with some noise. All worth is in USDT.

    Args:
        rng: the market's.
        course: prices at the pools and the milliseconds from which they hold, the first at once.
    """

    def __init__(self, rng: random.Random, course: Sequence[tuple[float, Prices]]) -> None:
        self.rng = rng
        self._course = list(course)
        self._pools = self._course.pop(0)[1] | WORTH
        self.true = dict(self._pools)
        self._off: dict[str, tuple[float, int]] = {}

    def step(self, ms: int) -> None:
        """A tenth of a second passes."""
        while self._course and self._course[0][0] <= ms:
            self._pools = self._course.pop(0)[1] | WORTH
        for asset, price in self.true.items():
            nearer = price + (self._pools[asset] - price) * CATCH_UP
            self.true[asset] = nearer * (1 + self.rng.gauss(0, NOISE[asset]))
        # A dislocation: one venue's ETH/USDT is off by over a percent for a few seconds.
        if ms % 40_000 == 2_000:
            side = self.rng.choice((-1, 1))
            size = self.rng.uniform(0.011, 0.016)
            self._off[COINBASE] = (side * size, ms + self.rng.randrange(2_000, 5_000))

    def price(self, feed: str, instrument: str, ms: int) -> float:
        """The price at a venue, without its own noise."""
        off, until = self._off.get(feed, (0.0, 0))
        if ms >= until or instrument != "ETH/USDT":
            off = 0.0
        base, quote = instrument.split("/")
        return self.true[base] / self.true[quote] * (1 + off)
