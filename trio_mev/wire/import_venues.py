"""Recorded exchange sockets in cryptofeed's format as tapes.

Its lines: ``<url> <-> <time>`` opens, ``<url> <- <time>: <json>`` was sent,
``<url> -> <time>: <body>`` is an HTTP answer, ``<time>: <json>`` was received. Times are seconds
since the epoch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from ..errors import ConfigError
from ..model.identity import Instrument
from .tape import Direction, FeedHeader, Record

_TIME = r"([0-9]{1,10}(?:\.[0-9]{1,18})?)"
_URL = re.compile(r"(\S+) <-> ")
_OPENED = re.compile(rf"(\S+) <-> {_TIME}")
_SENT = re.compile(rf"(\S+) <- {_TIME}: (.*)")
_ANSWERED = re.compile(rf"\S+ -> {_TIME}: ")
_RECEIVED = re.compile(rf"{_TIME}: (.*)")
_LATEST = 2**63
"""Nanoseconds that a tape can hold."""

HOSTS = {
    "stream.binance.com": "binance",
    "data-stream.binance.vision": "binance",
    "ws-feed.exchange.coinbase.com": "coinbase",
    "ws-feed.pro.coinbase.com": "coinbase",
}
CHANNELS = {
    "binance": ("bookTicker", "ticker", "aggTrade"),
    "coinbase": ("ticker", "matches", "heartbeat"),
}
# Binance writes base and quote without anything between; what a symbol ends in decides.
QUOTES = (
    *("FDUSD", "BIDR", "BUSD", "DOGE", "EURI", "IDRT", "TUSD", "USD1", "USDC", "USDP", "USDS"),
    *("USDT", "ARS", "AUD", "BNB", "BRL", "BTC", "COP", "CZK", "DAI", "ETH", "EUR", "GBP", "JPY"),
    *("MXN", "PAX", "PLN", "RON", "RUB", "TRX", "TRY", "UAH", "USD", "VAI", "XRP", "ZAR"),
)
"""The longest first."""


def split_symbol(symbol: str) -> str:
    """``NKNUSDT`` as ``NKN/USDT``.

    Raises:
        ConfigError: it ends in no known quote currency.
    """
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return f"{symbol[: -len(quote)]}/{quote}"
    raise ConfigError(f"symbol {symbol} ends in no quote currency that is known")


class CryptofeedImport:
    """One recorded file; read it twice, once for ``header`` and once for ``records``.

    Args:
        feed: the alias that the tape shall give it.
    """

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.problems: Counter[str] = Counter()

    @staticmethod
    def kind(lines: Iterable[str]) -> str:
        """Which exchange it is, from the first line that opens a connection.

        Raises:
            ConfigError: there is none, or it is one that cannot be read.
        """
        for line in lines:
            opened = _URL.match(line)
            if opened:
                host = re.sub(r"^\w+://", "", opened[1]).partition("/")[0].partition(":")[0]
                if host in HOSTS:
                    return HOSTS[host]
                raise ConfigError(f"{host} cannot be read; known are {', '.join(HOSTS)}")
        raise ConfigError("no line opens a connection: it is not a recording of cryptofeed")

    def header(self, lines: Iterable[str]) -> FeedHeader:
        """What the recording subscribed to.

        Raises:
            ConfigError: as ``kind``, and where nothing that can be decoded was subscribed to.
        """
        every = list(lines)
        kind = self.kind(every)
        asked = set(_binance_streams(every) if kind == "binance" else _coinbase_channels(every))
        symbols: dict[str, str] = {}
        for symbol, _ in sorted(asked):
            spelled = split_symbol(symbol) if kind == "binance" else symbol.replace("-", "/")
            symbols[symbol] = _instrument(symbol, spelled)
        wanted = {channel for _, channel in asked}
        channels = [channel for channel in CHANNELS[kind] if channel in wanted]
        if not symbols or not channels:
            raise ConfigError("the recording subscribes to nothing that can be decoded")
        return FeedHeader(kind, "", symbols, channels)

    def records(self, lines: Iterable[str]) -> Iterator[Record]:
        """The recording's frames; lines of no known form are counted in ``problems``."""
        for line in lines:
            text = line.rstrip("\r\n")
            if not text:
                continue
            if received := _RECEIVED.fullmatch(text):
                yield from self._record(received[1], Direction.IN, received[2])
            elif sent := _SENT.fullmatch(text):
                yield from self._record(sent[2], Direction.OUT, sent[3])
            elif opened := _OPENED.fullmatch(text):
                yield from self._record(opened[2], Direction.OPEN)
            else:
                self.problems["http_answer" if _ANSWERED.match(text) else "bad_line"] += 1

    def _record(self, seconds: str, direction: Direction, frame: str = "") -> Iterator[Record]:
        at = int(Decimal(seconds) * 10**9)
        if at < _LATEST:
            yield Record(at, at, self.feed, direction, frame.encode())
        else:
            self.problems["bad_line"] += 1


def _instrument(symbol: str, spelled: str) -> str:
    try:
        return str(Instrument.parse(spelled))
    except ValueError as error:
        raise ConfigError(f"product {symbol!r} is no instrument: {error}") from None


def _binance_streams(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Symbol and channel of every stream in a URL."""
    for line in lines:
        opened = _URL.match(line)
        streams = opened[1].partition("streams=")[2] if opened else ""
        for stream in filter(None, streams.split("/")):
            symbol, _, channel = stream.partition("@")
            yield symbol.upper(), channel


def _coinbase_channels(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Product and channel of every subscribe message."""
    for line in lines:
        sent = _SENT.match(line)
        if not sent:
            continue
        try:
            message = msgspec.json.decode(sent[3])
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(message, dict):
            yield from _subscribed(message)


def _subscribed(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A channel is a name, or an object that may have products of its own."""
    everywhere = message.get("product_ids")
    for channel in _list(message.get("channels")):
        name, products = channel, everywhere
        if isinstance(channel, dict):
            name, products = channel.get("name"), channel.get("product_ids", everywhere)
        for product in _list(products):
            if isinstance(name, str) and isinstance(product, str):
                yield product, name


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
