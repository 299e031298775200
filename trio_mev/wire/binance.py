"""Binance spot: bookTicker, 24-hour ticker and aggTrade, from combined or single streams.

Formats and rules: Binance's "WebSocket Streams". Times are milliseconds, which is what it sends
unless it is asked for others. How the event that tells of a server's end is wrapped is not shown
for streams; alone, in a combined stream's envelope and as the WebSocket API wraps it, it is
understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import decimal, milliseconds, price, sides
from .session import decode
from .symbols import split_pair
from .updates import Pair
from .venue import VenueAdapter, VenueRules


class _Envelope(msgspec.Struct, gc=False):
    stream: str = ""
    data: Raw | UnsetType = UNSET
    id: int | str | UnsetType | None = UNSET
    e: str = ""
    u: int | None = None
    msg: str = ""
    error: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET


class _Asked(msgspec.Struct, gc=False):
    method: str
    params: list[str]
    id: int


class _BookTicker(msgspec.Struct, gc=False):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str
    T: int | None = None
    """When it was so, of the futures markets alone."""


class _CombinedBook(msgspec.Struct, gc=False):
    data: _BookTicker


class _Ticker(msgspec.Struct, gc=False):
    E: int
    s: str
    c: str
    b: str
    B: str
    a: str
    A: str


class _AggTrade(msgspec.Struct, gc=False):
    E: int
    s: str
    a: int
    p: str
    q: str
    T: int
    m: bool


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ASKED = msgspec.json.Decoder(_Asked)
_COMBINED_BOOK = msgspec.json.Decoder(_CombinedBook)
_BOOK_TICKER = msgspec.json.Decoder(_BookTicker)
_TICKER = msgspec.json.Decoder(_Ticker)
_AGG_TRADE = msgspec.json.Decoder(_AggTrade)

# The type of a single stream's message, which has no envelope to name its channel.
_CHANNELS = {"24hrTicker": "ticker", "aggTrade": "aggTrade"}


def _streams(names: Any) -> Iterator[Pair]:
    for name in names if isinstance(names, list) else ():
        symbol, at, channel = name.partition("@") if isinstance(name, str) else ("", "", "")
        if at:
            yield channel, symbol.upper()


class BinanceAdapter(VenueAdapter):
    """One life of a connection to Binance."""

    venue = Venue("binance")
    endpoint = "wss://stream.binance.com:9443/stream"
    hosts: ClassVar[tuple[str, ...]] = ("data-stream.binance.vision",)
    known_channels: ClassVar[tuple[str, ...]] = ("bookTicker", "ticker", "aggTrade")
    quote_channels = frozenset({"bookTicker", "ticker"})
    usual_channels: ClassVar[tuple[str, ...]] = ("bookTicker", "aggTrade")
    periodic: ClassVar[frozenset[str]] = frozenset({"ticker"})
    consecutive = frozenset({"aggTrade"})
    rules = VenueRules(
        connect_interval=1.0,
        rotate_after=23 * 3600.0,
        request_interval=0.4,  # of five a second, pings and pongs take two
        most_per_request=200,
        most_subscriptions=1024,
    )

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str] = (),
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source, instruments, channels, symbols)
        self._next_id = 1
        self._asked: dict[int, tuple[str, ...]] = {}
        self._books: dict[bytes, tuple[str, str]] = {}
        """How messages of quotes that have been read begin, up to the end of the stream's name, to
        the symbol and the label."""

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ETHUSDT``; spot only."""
        if instrument.kind is not InstrumentKind.SPOT:
            raise ValueError(f"{instrument}: Binance's spot market has no {instrument.kind.value}")
        return instrument.base + instrument.quote

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``NKNUSDT`` is NKN/USDT: what a symbol ends in decides."""
        return split_pair(symbol)

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """SUBSCRIBE's streams."""
        if isinstance(frame, dict) and frame.get("method") == "SUBSCRIBE":
            yield from _streams(frame.get("params"))

    @classmethod
    def asked_by(cls, url: str) -> Iterator[Pair]:
        """A combined stream's."""
        yield from _streams(url.partition("streams=")[2].split("/"))

    def label(self, channel: str, symbol: str) -> str:
        """The stream's name, such as ``ethusdt@bookTicker``."""
        return f"{symbol.lower()}@{channel}"

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """SUBSCRIBE or UNSUBSCRIBE."""
        number = self._next_id
        self._next_id += 1
        streams = [self.label(*pair) for pair in wanted]
        self._asked[number] = tuple(streams) if on else ()
        method = "SUBSCRIBE" if on else "UNSUBSCRIBE"
        body = {"method": method, "params": streams, "id": number}
        return msgspec.json.encode(body).decode()

    def sent(self, frame: bytes) -> None:
        """Learn from a tape which streams a request asked for."""
        try:
            asked = decode(_ASKED, frame)
        except MalformedFrame as error:
            self.refused[f"sent_{error.reason}"] += 1
            return
        if asked.method == "SUBSCRIBE":
            for stream in asked.params:
                self.want(stream)
        self._asked[asked.id] = tuple(asked.params) if asked.method == "SUBSCRIBE" else ()

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A stream's quote or trade, or the answer to a request."""
        known = self._books.get(frame[: frame.find(b'",')])
        if known is not None:
            try:
                m = _COMBINED_BOOK.decode(frame).data
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                pass  # the way for all frames says why
            else:
                symbol, label = known
                if m.s == symbol:
                    return self._quoted(m, label)
        return self._decode_any(frame)

    def _decode_any(self, frame: bytes) -> list[DataEvent]:
        envelope = decode(_ENVELOPE, frame)
        if envelope.error is not UNSET and bytes(envelope.error) == b"null":
            envelope.error = UNSET
        if envelope.stream and envelope.data is not UNSET:
            symbol, _, channel = envelope.stream.partition("@")
            return self._update(channel or symbol.lstrip("!"), envelope.data, envelope.stream)
        if envelope.id is not UNSET or envelope.error is not UNSET:
            self._answered(envelope)
            return []
        if envelope.e or envelope.u is not None:
            channel = _CHANNELS.get(envelope.e, envelope.e) if envelope.e else "bookTicker"
            return self._update(channel, Raw(frame))
        if envelope.event is not UNSET:
            return self._update(decode(_ENVELOPE, envelope.event).e, envelope.event)
        raise MalformedFrame("unknown_message")

    def _answered(self, envelope: _Envelope) -> None:
        streams = self._asked.pop(envelope.id, None) if isinstance(envelope.id, int) else None
        if envelope.error is not UNSET or envelope.msg:
            text = envelope.msg or bytes(envelope.error or b"").decode(errors="replace")
            if not streams:  # nothing that we asked for is refused
                raise MalformedFrame("error_without_id" if streams is None else "error", text[:200])
            busy = "too many" in text.lower()
            kind = SubscriptionLost if busy else SubscriptionRejected
            raise kind(f"{', '.join(streams)[:200]}: {self.venue} answers {text[:200]}")
        if streams is None:
            raise MalformedFrame("unknown_reply", str(envelope.id)[:40])
        for stream in streams:
            if stream in self.subscriptions:
                self.confirm(stream, stream)

    def _update(self, channel: str, raw: Raw, stream: str = "") -> list[DataEvent]:
        if channel == "bookTicker":
            return self._book_ticker(raw, stream)
        if channel == "aggTrade":
            return self._agg_trade(raw)
        if channel == "ticker":
            return self._ticker(raw)
        if channel == "serverShutdown":
            self.leaving = True
        self.ignore(channel)
        return []

    def _book_ticker(self, raw: Raw, stream: str) -> list[DataEvent]:
        m = decode(_BOOK_TICKER, raw)
        label = f"{m.s.lower()}@bookTicker"
        events = self._quoted(m, label)
        if stream == label:  # its symbol is known: there cannot be many
            self._books[b'{"stream":"' + label.encode()] = m.s, label
        return events

    def _quoted(self, m: _BookTicker, label: str) -> list[DataEvent]:
        instrument = self.instrument(m.s)
        bid, ask, bid_size, ask_size = sides(m.b, m.a, m.B, m.A)
        quote = Quote(self.venue, instrument, bid, ask, bid_size, ask_size, None, m.u)
        occurred_at = None if m.T is None else milliseconds(m.T)
        return self.quote(quote, occurred_at, label, ("bookTicker", m.s, m.u))

    def _ticker(self, raw: Raw) -> list[DataEvent]:
        m = decode(_TICKER, raw)
        instrument = self.instrument(m.s)
        quote = Quote(self.venue, instrument, *sides(m.b, m.a, m.B, m.A), last=price(m.c))
        occurred_at = milliseconds(m.E)
        label = f"{m.s.lower()}@ticker"
        events = self.quote(quote, occurred_at, label, ("ticker", m.s, m.E))
        self.heard_of(label)
        return events

    def _agg_trade(self, raw: Raw) -> list[DataEvent]:
        m = decode(_AGG_TRADE, raw)
        # m: the buyer is the maker, so the taker sold.
        side = Side.SELL if m.m else Side.BUY
        trade = Trade(self.venue, self.instrument(m.s), price(m.p), decimal(m.q), side, m.a)
        occurred_at = milliseconds(m.T)
        label = f"{m.s.lower()}@aggTrade"
        return self.trade(trade, occurred_at, label, ("aggTrade", m.s, m.a))
