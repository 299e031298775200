"""A market's quotes as each of eight exchanges words them: its own messages, of today's formats."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from .quotes import BASES, QUOTE, START, Shown, size

LEVELS = 100
"""Of each side of a book that Bitstamp sends whole, and Gemini at first."""
_FIRST_CHANNEL = 1000


def _iso(at: float) -> str:
    day = datetime.datetime.fromtimestamp(START + at, datetime.UTC)
    return day.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _milliseconds(at: float) -> int:
    return int((START + at) * 1000)


def _channel(base: str) -> int:
    return _FIRST_CHANNEL + BASES.index(base)


def coinbase(shown: Shown, at: float) -> str:
    bid, ask = shown.price(shown.bid), shown.price(shown.ask)
    return (
        f'{{"type":"ticker","sequence":{shown.number},"product_id":"{shown.base}-{QUOTE}",'
        f'"price":"{bid}","open_24h":"{bid}","volume_24h":"182734.90213311","low_24h":"{bid}",'
        f'"high_24h":"{ask}","volume_30d":"5934210.11223344","best_bid":"{bid}",'
        f'"best_bid_size":"{size(shown.bid_size)}","best_ask":"{ask}",'
        f'"best_ask_size":"{size(shown.ask_size)}","side":"buy","time":"{_iso(at)}",'
        f'"trade_id":{shown.number // 100},"last_size":"0.01200000"}}'
    )


def kraken(shown: Shown, at: float) -> str:
    bid, ask = shown.price(shown.bid), shown.price(shown.ask)
    return (
        f'{{"channel":"ticker","type":"update","data":[{{"symbol":"{shown.base}/{QUOTE}",'
        f'"bid":{bid},"bid_qty":{size(shown.bid_size)},"ask":{ask},'
        f'"ask_qty":{size(shown.ask_size)},"last":{bid},"volume":18273.90213311,"vwap":{bid},'
        f'"low":{bid},"high":{ask},"change":-1.2,"change_pct":-0.31,"timestamp":"{_iso(at)}"}}]}}'
    )


def okx(shown: Shown, at: float) -> str:
    symbol, ask, bid = f"{shown.base}-{QUOTE}", shown.price(shown.ask), shown.price(shown.bid)
    return (
        f'{{"arg":{{"channel":"bbo-tbt","instId":"{symbol}"}},"data":[{{'
        f'"asks":[["{ask}","{size(shown.ask_size)}","0","4"]],'
        f'"bids":[["{bid}","{size(shown.bid_size)}","0","7"]],'
        f'"ts":"{_milliseconds(at)}","seqId":{shown.number}}}]}}'
    )


def bybit(shown: Shown, at: float) -> str:
    symbol, time = f"{shown.base}{QUOTE}", _milliseconds(at)
    return (
        f'{{"topic":"orderbook.1.{symbol}","ts":{time},"type":"snapshot","data":{{"s":"{symbol}",'
        f'"b":[["{shown.price(shown.bid)}","{size(shown.bid_size, 6)}"]],'
        f'"a":[["{shown.price(shown.ask)}","{size(shown.ask_size, 6)}"]],'
        f'"u":{shown.number},"seq":{shown.number * 2}}},"cts":{time - 2}}}'
    )


def bitstamp(shown: Shown, at: float) -> str:
    """The best hundred levels of each side, whenever one changes."""
    bids = (f'["{shown.price(shown.bid - n)}","{size(shown.bid_size + n)}"]' for n in range(LEVELS))
    asks = (f'["{shown.price(shown.ask + n)}","{size(shown.ask_size + n)}"]' for n in range(LEVELS))
    time = int((START + at) * 1e6)
    return (
        f'{{"data":{{"timestamp":"{time // 10**6}","microtimestamp":"{time}",'
        f'"bids":[{",".join(bids)}],"asks":[{",".join(asks)}]}},'
        f'"channel":"order_book_{shown.base.lower()}{QUOTE.lower()}","event":"data"}}'
    )


class Gemini:
    """Changes of books whose tops alone move: the levels beneath lie 2 % off and further."""

    def __init__(self) -> None:
        self._tops: dict[str, tuple[str, str]] = {}

    def __call__(self, shown: Shown, at: float) -> str:
        bid, ask = shown.price(shown.bid), shown.price(shown.ask)
        before = self._tops.get(shown.base)
        self._tops[shown.base] = bid, ask
        changes, trades = [], ""
        if before is None:
            changes, trades = self._beneath(shown), ',"trades":[],"auction_events":[]'
        else:
            changes = [
                f'["{side}","{old}","0"]'
                for side, old, new in zip(("buy", "sell"), before, (bid, ask), strict=True)
                if old != new
            ]
        changes.append(f'["buy","{bid}","{size(shown.bid_size)}"]')
        changes.append(f'["sell","{ask}","{size(shown.ask_size)}"]')
        return (
            f'{{"type":"l2_updates","symbol":"{shown.base}{QUOTE}",'
            f'"changes":[{",".join(changes)}]{trades}}}'
        )

    def _beneath(self, shown: Shown) -> list[str]:
        far = [shown.bid * (20 + n) // 1000 for n in range(LEVELS)]
        return [f'["buy","{shown.price(shown.bid - off)}","1.5"]' for off in far] + [
            f'["sell","{shown.price(shown.ask + off)}","1.5"]' for off in far
        ]


def bitfinex(shown: Shown, at: float) -> str:
    bid, ask = shown.price(shown.bid), shown.price(shown.ask)
    return (
        f"[{_channel(shown.base)},[{bid},{size(shown.bid_size)},{ask},{size(shown.ask_size)},"
        f"-1.2,-0.0031,{bid},182734.90213311,{ask},{bid}]]"
    )


def bitfinex_subscribed(base: str, symbol: str) -> str:
    """Bitfinex's messages bear numbers that it gave at the subscription."""
    return (
        f'{{"event":"subscribed","channel":"ticker","chanId":{_channel(base)},'
        f'"symbol":"{symbol}","pair":"{symbol[1:]}"}}'
    )


Wording = Callable[[Shown, float], str]


def wordings(binance: Callable[[Shown], str]) -> dict[str, Wording]:
    """How each exchange words a quote; of Binance it is told."""
    return {
        "binance": lambda shown, _: binance(shown),
        "bitfinex": bitfinex,
        "bitstamp": bitstamp,
        "bybit": bybit,
        "coinbase": coinbase,
        "gemini": Gemini(),
        "kraken": kraken,
        "okx": okx,
    }
