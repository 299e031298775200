"""Kraken spot: ticker and trade.

Formats: version 2 of Kraken's "Spot WebSocket API", whose numbers are JSON's; and the arrays of
version 1, which recordings have. Version 2's ticker has a time today and had none in earlier
samples; version 1's has none. That trade ids rise by one is documented ("sequence number, unique
per book"). The documentation names no age limit; how often one may connect is believed, and the
limit of messages is said to be dynamic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import decimal, exact, exact_price, iso_time, price, seconds
from .session import decode
from .updates import Pair
from .venue import VenueAdapter, VenueRules


class _Result(msgspec.Struct, gc=False):
    channel: str = ""
    symbol: str = ""


class _Subscription(msgspec.Struct, gc=False):
    name: str = ""


class _Envelope(msgspec.Struct, gc=False):
    channel: str = ""
    type: str = ""
    data: Raw | UnsetType = UNSET
    method: str = ""
    success: bool = True
    error: str = ""
    result: _Result | None = None
    # Version 1:
    event: str = ""
    status: str = ""
    errorMessage: str = ""  # noqa: N815
    pair: str = ""
    subscription: _Subscription | None = None


class _Ticker(msgspec.Struct, gc=False):
    symbol: str
    bid: Decimal | None = None
    bid_qty: Decimal | None = None
    ask: Decimal | None = None
    ask_qty: Decimal | None = None
    last: Decimal | None = None
    timestamp: str | None = None


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    trade_id: int
    timestamp: str


class _OldBest(msgspec.Struct, array_like=True, gc=False):
    price: str
    whole: int | str
    size: str


class _OldLast(msgspec.Struct, array_like=True, gc=False):
    price: str


class _OldTicker(msgspec.Struct, gc=False):
    a: _OldBest
    b: _OldBest
    c: _OldLast


class _OldTrade(msgspec.Struct, array_like=True, gc=False):
    price: str
    size: str
    time: str
    side: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ITEMS = msgspec.json.Decoder(list[Raw])
_TEXT = msgspec.json.Decoder(str)
_TICKER = msgspec.json.Decoder(_Ticker)
_TRADE = msgspec.json.Decoder(_Trade)
_OLD_TICKER = msgspec.json.Decoder(_OldTicker)
_OLD_TRADE = msgspec.json.Decoder(_OldTrade)

_OLD_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "b": Side.BUY, "s": Side.SELL}
_BUSY = "exceeded", "rate", "too many", "unavailable", "busy"


class KrakenAdapter(VenueAdapter):
    """One life of a connection to Kraken."""

    venue = Venue("kraken")
    endpoint = "wss://ws.kraken.com/v2"
    known_channels = ("ticker", "trade")
    usual_channels = known_channels
    quote_channels = frozenset({"ticker"})
    consecutive = frozenset({"trade"})
    rules = VenueRules(
        connect_interval=4.0,
        request_interval=0.25,
        one_channel=True,
        ping='{"method":"ping"}',
    )

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``BTC/USD``; spot only."""
        if instrument.kind is not InstrumentKind.SPOT:
            raise ValueError(f"{instrument}: Kraken's spot market has no {instrument.kind.value}")
        return f"{instrument.base}/{instrument.quote}"

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``BTC/USD`` is itself, and so is version 1's ``XBT/USD``."""
        base, _, quote = symbol.partition("/")
        return Instrument(_OLD_NAMES.get(base, base), _OLD_NAMES.get(quote, quote))

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """A subscribe message's, of either version."""
        if not isinstance(frame, dict):
            return
        params, symbols = frame.get("params"), "symbol"
        channel = params.get("channel") if isinstance(params, dict) else None
        if frame.get("event") == "subscribe":
            named, params, symbols = frame.get("subscription"), frame, "pair"
            channel = named.get("name") if isinstance(named, dict) else None
        elif frame.get("method") != "subscribe":
            return
        wanted = params.get(symbols) if isinstance(params, dict) else None
        for symbol in wanted if isinstance(wanted, list) else ():
            if isinstance(channel, str) and isinstance(symbol, str):
                yield channel, symbol

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """Symbols of one channel. Tickers are wanted whenever the best bid or ask changes; trades
        from before are no news."""
        channel = wanted[0][0]
        params: dict[str, Any] = {"channel": channel, "symbol": [symbol for _, symbol in wanted]}
        if channel == "ticker":
            params["event_trigger"] = "bbo"
        if on:
            params["snapshot"] = channel == "ticker"
        body = {"method": "subscribe" if on else "unsubscribe", "params": params}
        return msgspec.json.encode(body).decode()

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """The quotes or trades of a message, or what a control message says."""
        if frame.lstrip()[:1] == b"[":
            return self._old(frame)
        m = decode(_ENVELOPE, frame)
        if m.data is not UNSET and m.channel == "ticker":
            return self.several(_items(m.data), self._ticker)
        if m.data is not UNSET and m.channel == "trade" and m.type != "snapshot":
            return self.several(_items(m.data), self._trade)
        self._control(m)
        # Among these are heartbeats, which are no news of any market.
        self.ignore(m.method or m.channel or m.event)
        return []

    def _control(self, m: _Envelope) -> None:
        if m.error or not m.success or m.status == "error":
            self._refused(m.error or m.errorMessage)
        elif m.method == "subscribe" and m.result is not None:
            self._confirmed(m.result.channel, m.result.symbol)
        elif m.event == "subscriptionStatus" and m.subscription is not None:
            self._confirmed(m.subscription.name, m.pair)
        elif m.method == "pong":
            self.ponged()
        elif not (m.method or m.channel or m.event):
            raise MalformedFrame("unknown_message")

    def _refused(self, text: str) -> None:
        if "already subscribed" in text.lower():
            return
        if self.confirmed:
            raise MalformedFrame("error_without_id", text[:200])
        busy = any(word in text.lower() for word in _BUSY)
        kind = SubscriptionLost if busy else SubscriptionRejected
        raise kind(f"Kraken answers {text[:200]!r}")

    def _confirmed(self, channel: str, symbol: str) -> None:
        label = self.label(channel, symbol)
        if label in self.subscriptions:
            self.confirm(label, label)

    def _ticker(self, raw: Raw) -> list[DataEvent]:
        m = decode(_TICKER, raw)
        instrument = self.instrument(m.symbol)
        if m.bid is None or m.ask is None:
            return self.one_sided(instrument)
        quote = Quote(
            self.venue,
            instrument,
            exact_price(m.bid),
            exact_price(m.ask),
            None if m.bid_qty is None else exact(m.bid_qty),
            None if m.ask_qty is None else exact(m.ask_qty),
            exact_price(m.last) if m.last else None,
        )
        occurred_at = None if m.timestamp is None else iso_time(m.timestamp)
        if occurred_at is not None:
            self.once(("ticker", m.symbol, occurred_at), quote)
        return self.quote(quote, occurred_at, f"ticker:{m.symbol}", None)

    def _trade(self, raw: Raw) -> list[DataEvent]:
        m = decode(_TRADE, raw)
        instrument = self.instrument(m.symbol)
        trade = Trade(
            self.venue,
            instrument,
            exact_price(m.price),
            exact(m.qty),
            _SIDES.get(m.side),
            m.trade_id,
        )
        occurred_at, place = iso_time(m.timestamp), ("trade", m.symbol, m.trade_id)
        return self.trade(trade, occurred_at, f"trade:{m.symbol}", place)

    def _old(self, frame: bytes) -> list[DataEvent]:
        """Version 1: an array of a number, the payload, the channel and the pair."""
        parts = _items(frame)
        if len(parts) < 4:
            raise MalformedFrame("unknown_message")
        channel, pair = decode(_TEXT, parts[-2]), decode(_TEXT, parts[-1])
        if channel == "ticker":
            return self._old_ticker(parts[1], pair)
        if channel == "trade":
            return self.several(_items(parts[1]), lambda raw: self._old_trade(raw, pair))
        self.ignore(channel)
        return []

    def _old_ticker(self, raw: Raw, pair: str) -> list[DataEvent]:
        m = decode(_OLD_TICKER, raw)
        instrument = self.instrument(pair)
        best = price(m.b.price), price(m.a.price), decimal(m.b.size), decimal(m.a.size)
        quote = Quote(self.venue, instrument, *best, price(m.c.price))
        return self.quote(quote, None, f"ticker:{pair}", None)

    def _old_trade(self, raw: Raw, pair: str) -> list[DataEvent]:
        m = decode(_OLD_TRADE, raw)
        instrument = self.instrument(pair)
        at = seconds(m.time)
        trade = Trade(self.venue, instrument, price(m.price), decimal(m.size), _SIDES.get(m.side))
        # Nothing tells trades of the same moment apart.
        self.once(("trade", pair, at))
        return self.trade(trade, at, f"trade:{pair}", None)


def _items(raw: Raw | bytes) -> list[Raw]:
    return decode(_ITEMS, raw)
