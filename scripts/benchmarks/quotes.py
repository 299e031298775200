"""A seeded market of fifty instruments at eight exchanges, and its quotes as Binance words them.

Needs nothing but Python itself, for the peers' environment has nothing of ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from math import exp, log
from typing import Any, NamedTuple

VENUES = "binance", "bitfinex", "bitstamp", "bybit", "coinbase", "gemini", "kraken", "okx"
BASES = (
    "AAVE", "ADA", "ALGO", "APE", "APT", "ARB", "ATOM", "AVAX", "AXS", "BCH",
    "BTC", "CHZ", "COMP", "CRV", "DOGE", "DOT", "ENJ", "ENS", "EOS", "ETC",
    "ETH", "FIL", "FLOW", "FTM", "GALA", "GRT", "ICP", "IMX", "INJ", "KSM",
    "LDO", "LINK", "LTC", "MANA", "MKR", "NEAR", "OP", "RNDR", "SAND", "SHIB",
    "SNX", "SOL", "SUI", "TRX", "UNI", "XLM", "XRP", "XTZ", "YFI", "ZEC",
)  # fmt: skip
QUOTE = "USDT"
RATE = 25
"""Quotes a second of one instrument at one exchange: 10,000 a second of all."""
PAUSE = 1 / RATE / len(VENUES)
"""Seconds between two reads: the exchanges take turns, and each brings every instrument once."""
START = 1_700_000_000.0
"""Seconds since the epoch."""
SEED = 20_240_601
_MOVE = 1.07e-4
"""Standard deviation of a second's log return: 60 % a year."""
_ERROR = 3e-5
"""Of an exchange's mid less the price, in the price's own."""
_FIRST_NUMBER = 30_000_000_000


class Shown(NamedTuple):
    """One exchange's bid and ask of one instrument, in ticks of so many decimals."""

    base: str
    bid: int
    ask: int
    decimals: int
    bid_size: int
    """In hundred-millionths."""
    ask_size: int
    number: int

    def price(self, ticks: int, places: int | None = None) -> str:
        """As text, with zeros to so many places where an exchange writes them."""
        text = _fixed(ticks, self.decimals)
        return text if places is None else text + "0" * (places - self.decimals)


class Read(NamedTuple):
    """What one exchange sends at one time."""

    venue: int
    at: float
    """Seconds since the start."""
    quotes: list[Shown]


def _fixed(number: int, decimals: int) -> str:
    whole, rest = divmod(number, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}"


def size(number: int, places: int = 8) -> str:
    """A size as text."""
    return _fixed(number // 10 ** (8 - places), places)


def market(reads: int, seed: int = SEED) -> Iterator[Read]:
    """So many reads of the exchanges in turn; the same for the same seed."""
    draw = random.Random(seed)
    logs = [draw.uniform(log(0.5), log(50_000)) for _ in BASES]
    # A tick is a hundred-thousandth of the price or less, and there are five decimals at most.
    decimals = [max(1, min(6, 6 - len(str(int(exp(one)))))) for one in logs]
    order = list(range(len(BASES)))
    numbers = _FIRST_NUMBER
    step = _MOVE * PAUSE**0.5
    for place in range(reads):
        draw.shuffle(order)
        quotes = []
        for one in order:
            logs[one] += draw.gauss(0, step)
            scale = 10 ** decimals[one]
            mid = exp(logs[one] + draw.gauss(0, _ERROR)) * scale
            bid = int(mid)
            numbers += draw.randrange(1, 40)
            ask = bid + draw.choice((1, 1, 1, 2, 3, 5))
            sizes = draw.randrange(10**5, 10**11), draw.randrange(10**5, 10**11)
            quotes.append(Shown(BASES[one], bid, ask, decimals[one], *sizes, numbers))
        yield Read(place % len(VENUES), place * PAUSE, quotes)


def book_ticker(shown: Shown) -> str:
    """A combined stream's bookTicker, as Binance sends it."""
    symbol = shown.base + QUOTE
    return (
        f'{{"stream":"{symbol.lower()}@bookTicker","data":{{"u":{shown.number},"s":"{symbol}",'
        f'"b":"{shown.price(shown.bid, 8)}","B":"{size(shown.bid_size)}",'
        f'"a":"{shown.price(shown.ask, 8)}","A":"{size(shown.ask_size)}"}}}}'
    )


def checksum(bids: Mapping[str, Any]) -> float:
    """What a pipeline must have made of the last read: its bids, by instrument."""
    return round(sum(map(float, bids.values())) if len(bids) == len(BASES) else -1.0, 6)
