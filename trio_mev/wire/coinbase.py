"""Coinbase Exchange: ticker, matches and heartbeat.

Formats and rules: Coinbase Exchange's "WebSocket Overview", "Channels" and "Rate Limits". The
tickers of recordings before 2023 have no sizes.

A heartbeat names the product's last trade: where the trade itself has not come by the next
heartbeat, a second later, it is missing. Clients were seen to get 0 there for months, which says
nothing. Its sequence counts all of the product's orders, of which ticker and matches tell only a
part, so that gaps in theirs mean nothing; but none may fall.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import decimal, iso_time, price
from .session import decode
from .updates import MAX_NUMBER, Pair
from .venue import VenueAdapter, VenueRules


class _Type(msgspec.Struct, gc=False):
    type: str


class _Ticker(msgspec.Struct, gc=False):
    sequence: int
    product_id: str
    price: str
    best_bid: str
    best_ask: str
    time: str
    best_bid_size: str | None = None
    best_ask_size: str | None = None


class _Match(msgspec.Struct, gc=False):
    trade_id: int
    side: str
    size: str
    price: str
    product_id: str
    time: str


class _Heartbeat(msgspec.Struct, gc=False):
    product_id: str
    sequence: int = 0
    last_trade_id: int = 0


class _Channel(msgspec.Struct, gc=False):
    name: str
    product_ids: list[str] = []


class _Subscriptions(msgspec.Struct, gc=False):
    channels: list[_Channel]


class _Error(msgspec.Struct, gc=False):
    message: str = ""
    reason: str = ""


_TYPE = msgspec.json.Decoder(_Type)
_TICKER = msgspec.json.Decoder(_Ticker)
_MATCH = msgspec.json.Decoder(_Match)
_HEARTBEAT = msgspec.json.Decoder(_Heartbeat)
_SUBSCRIPTIONS = msgspec.json.Decoder(_Subscriptions)
_ERROR = msgspec.json.Decoder(_Error)

# A match names the maker's side; a trade has the taker's.
_TAKER = {"sell": Side.BUY, "buy": Side.SELL}


class CoinbaseAdapter(VenueAdapter):
    """One life of a connection to Coinbase Exchange."""

    venue = Venue("coinbase")
    endpoint = "wss://ws-feed.exchange.coinbase.com"
    hosts = ("ws-feed.pro.coinbase.com",)
    known_channels = ("ticker", "matches", "heartbeat")
    usual_channels = known_channels
    quote_channels = frozenset({"ticker"})
    periodic = frozenset({"heartbeat"})
    consecutive = frozenset({"matches"})
    rules = VenueRules(connect_interval=0.25, request_interval=0.125)

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str] = (),
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source, instruments, channels, symbols)
        self._named: dict[str, int] = {}
        """Products to the trade that their last heartbeat named."""

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ETH-USD``; spot only."""
        if instrument.kind is not InstrumentKind.SPOT:
            raise ValueError(f"{instrument}: Coinbase Exchange has no {instrument.kind.value}")
        return f"{instrument.base}-{instrument.quote}"

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``ETH-USD`` is ETH/USD."""
        return Instrument.parse(symbol.replace("-", "/"))

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """A subscribe message's: a channel is a name, or an object that may have products of its
        own."""
        if not isinstance(frame, dict) or frame.get("type") != "subscribe":
            return
        everywhere = frame.get("product_ids")
        for channel in _list(frame.get("channels")):
            name, products = channel, everywhere
            if isinstance(channel, dict):
                name, products = channel.get("name"), channel.get("product_ids", everywhere)
            for product in _list(products):
                if isinstance(name, str) and isinstance(product, str):
                    yield name, product

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """One object a channel, with its products."""
        products: dict[str, list[str]] = {}
        for channel, symbol in wanted:
            products.setdefault(channel, []).append(symbol)
        body = {
            "type": "subscribe" if on else "unsubscribe",
            "channels": [{"name": name, "product_ids": ids} for name, ids in products.items()],
        }
        return msgspec.json.encode(body).decode()

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A ticker's quote, a match's trade, or what a control message says."""
        kind = decode(_TYPE, frame).type
        if kind == "ticker":
            return self._ticker(frame)
        if kind == "match":
            return self._match(frame)
        if kind == "heartbeat":
            return self._heartbeat(decode(_HEARTBEAT, frame))
        if kind == "last_match":
            return self._last_match(decode(_MATCH, frame))
        if kind == "subscriptions":
            self._confirmed(decode(_SUBSCRIPTIONS, frame))
        elif kind == "error":
            error = decode(_ERROR, frame)
            if not self.confirmed:
                text = f"{error.message[:200]!r} {error.reason[:200]!r}"
                busy = "rate limit" in text.lower() or "too many" in text.lower()
                kind_of = SubscriptionLost if busy else SubscriptionRejected
                raise kind_of(f"Coinbase answers {text}")
            raise MalformedFrame("error_without_id", error.message[:200])
        self.ignore(kind)
        return []

    def _confirmed(self, answer: _Subscriptions) -> None:
        for channel in answer.channels:
            for product in channel.product_ids:
                label = f"{channel.name}:{product}"
                if label in self.subscriptions:
                    self.confirm(label, label)

    def _last_match(self, m: _Match) -> list[DataEvent]:
        """A trade from before the subscription is no news, but the next is counted from it."""
        self._about = self.symbols.get(m.product_id)
        if m.product_id in self.symbols and ("matches", m.product_id) not in self._last:
            self.in_order("matches", m.product_id, m.trade_id)
        self.ignore("last_match")
        return []

    def _heartbeat(self, m: _Heartbeat) -> list[DataEvent]:
        product = m.product_id
        self.ignore("heartbeat")
        self.heard_of(f"heartbeat:{product}")
        if product not in self.symbols:
            return []
        self.instrument(product)
        place = "heartbeat", product
        if m.sequence != self._last.get(place):
            self.in_order(*place, m.sequence)
        if not 0 <= m.last_trade_id < MAX_NUMBER:
            raise MalformedFrame("bad_number", "last_trade_id")
        named = self._named.get(product)
        self._named[product] = m.last_trade_id
        if not named or f"matches:{product}" not in self.subscriptions:
            return []
        last = self._last.get(("matches", product))
        if last is not None and last >= named:
            return []
        self._last["matches", product] = named
        return [] if last is None else [self.missed(named - last)]

    def _ticker(self, frame: bytes) -> list[DataEvent]:
        m = decode(_TICKER, frame)
        quote = Quote(
            self.venue,
            self.instrument(m.product_id),
            price(m.best_bid),
            price(m.best_ask),
            None if m.best_bid_size is None else decimal(m.best_bid_size),
            None if m.best_ask_size is None else decimal(m.best_ask_size),
            price(m.price),
            m.sequence,
        )
        occurred_at = iso_time(m.time)
        place = ("ticker", m.product_id, m.sequence)
        return self.quote(quote, occurred_at, f"ticker:{m.product_id}", place)

    def _match(self, frame: bytes) -> list[DataEvent]:
        m = decode(_MATCH, frame)
        trade = Trade(
            self.venue,
            self.instrument(m.product_id),
            price(m.price),
            decimal(m.size),
            _TAKER.get(m.side),
            m.trade_id,
        )
        occurred_at = iso_time(m.time)
        place = ("matches", m.product_id, m.trade_id)
        return self.trade(trade, occurred_at, f"matches:{m.product_id}", place)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
