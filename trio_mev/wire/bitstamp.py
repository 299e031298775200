"""Bitstamp: order_book and live_trades.

Formats: Bitstamp's "WebSocket API v2" documentation. There is no ticker: ``order_book`` brings the
best hundred levels of each side whenever they change, whole, so nothing is kept of a book, and
after a crossed one, which the documentation announces as possible, the next makes it good. A book
that does not change is silent, and nothing is sent at the subscription: the first quote may take
a minute. A pair that does not exist is confirmed all the same, and stays silent.

A message of ours must be under 512 bytes, and a connection carries 1024 channels and lives for 90
days, says the documentation. How often one may connect it does not say; once a second is our
choice. That perpetuals are spelled ``btcusd-perp`` was seen on the wire by others, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import decimal, microseconds, price, sides
from .session import PENDING, decode
from .symbols import DOLLARS, split_pair
from .updates import Pair
from .venue import VenueAdapter, VenueRules


class _Message(msgspec.Struct, gc=False):
    event: str
    channel: str = ""
    data: Raw = Raw(b"{}")


class _Level(msgspec.Struct, gc=False, array_like=True):
    price: str
    size: str


class _Book(msgspec.Struct, gc=False):
    microtimestamp: str
    bids: list[_Level]
    asks: list[_Level]


class _Trade(msgspec.Struct, gc=False):
    id: int
    type: int
    price_str: str
    amount_str: str
    microtimestamp: str


class _Error(msgspec.Struct, gc=False):
    message: str = ""
    code: int | str | None = None


_MESSAGE = msgspec.json.Decoder(_Message)
_BOOK = msgspec.json.Decoder(_Book)
_TRADE = msgspec.json.Decoder(_Trade)
_ERROR = msgspec.json.Decoder(_Error)

_TAKER = {0: Side.BUY, 1: Side.SELL}
_PERPETUAL = "-perp"


class BitstampAdapter(VenueAdapter):
    """One life of a connection to Bitstamp."""

    venue = Venue("bitstamp")
    endpoint = "wss://ws.bitstamp.net"
    known_channels = ("order_book", "live_trades")
    usual_channels = known_channels
    quote_channels = frozenset({"order_book"})
    rules = VenueRules(
        connect_interval=1.0,
        rotate_after=89 * 86_400.0,
        request_interval=0.02,
        most_per_request=1,
        most_bytes=512,
        most_subscriptions=1024,
        ping='{"event":"bts:heartbeat"}',
        ping_interval=20.0,
    )

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ethusd``, or ``ethusd-perp``."""
        if instrument.kind not in {InstrumentKind.SPOT, InstrumentKind.PERPETUAL}:
            raise ValueError(f"{instrument}: Bitstamp has no {instrument.kind.value}")
        suffix = _PERPETUAL if instrument.kind is InstrumentKind.PERPETUAL else ""
        return f"{instrument.base}{instrument.quote}".lower() + suffix

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``ethusd`` is ETH/USD: what it ends in decides."""
        pair = symbol.removesuffix(_PERPETUAL)
        kind = InstrumentKind.SPOT if pair == symbol else InstrumentKind.PERPETUAL
        return split_pair(pair.upper(), kind, DOLLARS)

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """The channel of a ``bts:subscribe``."""
        if isinstance(frame, dict) and frame.get("event") == "bts:subscribe":
            data = frame.get("data")
            channel = data.get("channel") if isinstance(data, dict) else None
            name, _, symbol = channel.rpartition("_") if isinstance(channel, str) else ("", "", "")
            if name:
                yield name, symbol

    def label(self, channel: str, symbol: str) -> str:
        """The venue's name of a channel, such as ``order_book_ethusd``."""
        return f"{channel}_{symbol}"

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """One channel a message."""
        event = "bts:subscribe" if on else "bts:unsubscribe"
        body = {"event": event, "data": {"channel": self.label(*wanted[0])}}
        return msgspec.json.encode(body).decode()

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A book's quote, a trade, or what a control message says."""
        m = decode(_MESSAGE, frame)
        channel, _, symbol = m.channel.rpartition("_")
        if m.event == "data" and channel == "order_book":
            return self._book(symbol, m)
        if m.event == "trade" and channel == "live_trades":
            return self._trade(symbol, m)
        if m.event == "bts:subscription_succeeded":
            if m.channel in self.subscriptions:
                self.confirm(m.channel, m.channel)
        elif m.event == "bts:heartbeat":
            self.ponged()
        elif m.event == "bts:request_reconnect":
            self.leaving = True
        elif m.event == "bts:error":
            self._failed(m)
        self.ignore(channel if m.event == "data" else m.event)
        return []

    def _failed(self, m: _Message) -> None:
        """An error names no channel: while one waits for its confirmation it is taken for its."""
        error = decode(_ERROR, m.data)
        text = error.message[:200]
        if self.confirmed:
            raise MalformedFrame("error_without_id", text)
        busy = "too many" in text.lower() or "limit" in text.lower()
        kind = SubscriptionLost if busy else SubscriptionRejected
        waiting = [name for name, state in self.subscriptions.items() if state == PENDING]
        raise kind(f"{', '.join(waiting)[:200]}: Bitstamp answers {text!r} {error.code}")

    def _book(self, symbol: str, m: _Message) -> list[DataEvent]:
        instrument = self.instrument(symbol)
        book = decode(_BOOK, m.data)
        if not book.bids or not book.asks:
            return self.one_sided(instrument)
        bid, ask = book.bids[0], book.asks[0]
        occurred_at = microseconds(book.microtimestamp)
        four = sides(bid.price, ask.price, bid.size, ask.size)
        quote = Quote(self.venue, instrument, *four)
        return self.quote(quote, occurred_at, m.channel, ("order_book", symbol, occurred_at))

    def _trade(self, symbol: str, m: _Message) -> list[DataEvent]:
        instrument = self.instrument(symbol)
        t = decode(_TRADE, m.data)
        size, side = decimal(t.amount_str), _TAKER.get(t.type)
        trade = Trade(self.venue, instrument, price(t.price_str), size, side, t.id)
        occurred_at = microseconds(t.microtimestamp)
        return self.trade(trade, occurred_at, m.channel, ("live_trades", symbol, t.id))
