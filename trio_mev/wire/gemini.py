"""Gemini, market data v2: best bid and ask from l2_updates, and trades.

Formats: Gemini's "Market Data v2" documentation, which Gemini has archived in favour of another
API; the servers still speak it. One subscription, ``l2``, brings changes of a whole order book and
the trades. The first message of a symbol is the book, and brings the latest trades with it, by
which it is known; a quote is told when the best bid or ask is another one. A book that cannot be
believed is dropped and asked for anew.

Messages bear neither number nor time, only trades do: so quotes have none either, and a lost
message cannot be seen. Heartbeats come every 5 s for the connection, not for a symbol: whether a
single book is dead they do not say. Gemini names no limits of connections or of its age; the
pauses here are our choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .book import Book, Level
from .numbers import decimal, milliseconds, price
from .session import PENDING, decode
from .symbols import DOLLARS, split_pair
from .updates import Pair
from .venue import VenueAdapter, VenueRules

HEARTBEAT = "heartbeat"
"""Stands among the subscriptions that must be heard, once one has been."""


class _Type(msgspec.Struct, gc=False):
    type: str = ""
    result: str = ""


class _Updates(msgspec.Struct, gc=False):
    symbol: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]
    trades: Raw | UnsetType = UNSET
    auction_events: Raw | UnsetType = UNSET


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    event_id: int
    timestamp: int
    price: str
    quantity: str
    side: str
    tid: int | None = None


class _Error(msgspec.Struct, gc=False):
    reason: str = ""
    message: str = ""


_TYPE = msgspec.json.Decoder(_Type)
_UPDATES = msgspec.json.Decoder(_Updates)
_TRADE = msgspec.json.Decoder(_Trade)
_ERROR = msgspec.json.Decoder(_Error)

_TAKER = {"buy": Side.BUY, "sell": Side.SELL}
_PERPETUAL = "PERP"
_GUSD_SPOT = ("BTCGUSD", "ETHGUSD")
"""Pairs that end in GUSD; in others the G is the base's last letter."""


class GeminiAdapter(VenueAdapter):
    """One life of a connection to Gemini."""

    venue = Venue("gemini")
    endpoint = "wss://api.gemini.com/v2/marketdata"
    known_channels = ("l2",)
    usual_channels = known_channels
    quote_channels = frozenset({"l2"})
    rules = VenueRules(connect_interval=1.0, request_interval=0.1, most_per_request=50)

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str] = (),
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source, instruments, channels, symbols)
        self._books: dict[str, Book | None] = {}
        """By symbol; None where it was lost."""
        self._tops: dict[str, tuple[Level, Level]] = {}

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ETHUSD``, or ``ETHGUSDPERP``."""
        if instrument.kind not in {InstrumentKind.SPOT, InstrumentKind.PERPETUAL}:
            raise ValueError(f"{instrument}: Gemini has no {instrument.kind.value}")
        suffix = _PERPETUAL if instrument.kind is InstrumentKind.PERPETUAL else ""
        return f"{instrument.base}{instrument.quote}{suffix}"

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``ETHUSD`` is ETH/USD: what it ends in decides."""
        pair = symbol.removesuffix(_PERPETUAL)
        kind = InstrumentKind.SPOT if pair == symbol else InstrumentKind.PERPETUAL
        gusd = kind is InstrumentKind.PERPETUAL or pair in _GUSD_SPOT
        quotes = DOLLARS if gusd else [quote for quote in DOLLARS if quote != "GUSD"]
        return split_pair(pair, kind, quotes)

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """A subscribe message's."""
        if not isinstance(frame, dict) or frame.get("type") != "subscribe":
            return
        for feed in _list(frame.get("subscriptions")):
            if isinstance(feed, dict) and isinstance(name := feed.get("name"), str):
                for symbol in _list(feed.get("symbols")):
                    if isinstance(symbol, str):
                        yield name, symbol

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """One list of symbols."""
        symbols = [symbol for _, symbol in wanted]
        # Changes that are still under way must not begin a book.
        self._books.update({symbol: None for symbol in symbols if symbol in self._books})
        body = {
            "type": "subscribe" if on else "unsubscribe",
            "subscriptions": [{"name": "l2", "symbols": symbols}],
        }
        return msgspec.json.encode(body).decode()

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A change of the best bid and ask, a trade, or what a control message says."""
        m = decode(_TYPE, frame)
        if m.type == "l2_updates":
            return self._updates(decode(_UPDATES, frame))
        if m.type == "trade":
            return self._trade(decode(_TRADE, frame))
        if m.type == HEARTBEAT:
            self.heard[HEARTBEAT] = self._now
        elif m.result == "error":
            self._failed(decode(_ERROR, frame))
        elif not m.type:
            raise MalformedFrame("unknown_message")
        self.ignore(m.type)
        return []

    def _failed(self, error: _Error) -> None:
        text = f"{error.reason[:200]!r} {error.message[:200]!r}"
        if self.confirmed:
            raise MalformedFrame("error_without_id", text)
        kind = SubscriptionLost if "limit" in text.lower() else SubscriptionRejected
        raise kind(f"Gemini answers {text}")

    def _updates(self, m: _Updates) -> list[DataEvent]:
        symbol, label = m.symbol, self.label("l2", m.symbol)
        instrument = self.instrument(symbol)
        if self.subscriptions.get(label) == PENDING:  # nothing else confirms
            self.confirm(label, label)
        try:
            book = self._book_of(m)
            book.apply([(side, price(p), decimal(size)) for side, p, size in m.changes])
            before, top = self._tops.pop(symbol, None), book.top()
            if top is None:
                return self.one_sided(instrument)
            bid, ask = top
            quote = Quote(self.venue, instrument, bid[0], ask[0], bid[1], ask[1])
            events = [] if top == before else self.quote(quote, None, label, None)
        except MalformedFrame:
            self._lose(symbol)
            raise
        self._tops[symbol] = top
        if not events:
            self.ignore("below_the_top")
        return events

    def _book_of(self, m: _Updates) -> Book:
        """The symbol's book; a new one for the first message, and for one that brings trades."""
        whole = m.trades is not UNSET or m.auction_events is not UNSET
        known = self._books.get(m.symbol)
        if whole or m.symbol not in self._books:
            known = self._books[m.symbol] = Book()
        if known is None:
            raise MalformedFrame("no_snapshot", m.symbol)
        return known

    def _lose(self, symbol: str) -> None:
        self._books[symbol] = None
        self._tops.pop(symbol, None)
        if self.label("l2", symbol) in self.subscriptions and self.ask_again("l2", symbol):
            self.ignore("asked_again")

    def _trade(self, m: _Trade) -> list[DataEvent]:
        instrument = self.instrument(m.symbol)
        number = m.event_id if m.tid is None else m.tid
        side, size = _TAKER.get(m.side), decimal(m.quantity)
        trade = Trade(self.venue, instrument, price(m.price), size, side, number)
        label = self.label("l2", m.symbol)
        return self.trade(trade, milliseconds(m.timestamp), label, ("trade", m.symbol, number))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
