"""Bybit: orderbook.1, tickers and publicTrade of version 5, for spot and for linear perpetuals.

Formats: Bybit's "V5 API", WebSocket, public. The spot ticker has the last price alone. The linear
ticker sends what has changed only. A best bid and ask is sent again after three quiet seconds,
with a new time; several trades may share a cross sequence. That all clients are sent the same
``ts`` is believed.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import decimal, milliseconds, price
from .session import decode
from .symbols import split_pair
from .updates import Pair
from .venue import VenueAdapter, VenueRules


class _Envelope(msgspec.Struct, gc=False):
    topic: str = ""
    type: str = ""
    ts: int = -1
    cs: int | None = None
    data: Raw | UnsetType = UNSET
    op: str = ""
    success: bool = True
    ret_msg: str = ""
    req_id: str = ""


class _Asked(msgspec.Struct, gc=False):
    op: str
    args: list[str] = []
    req_id: str = ""


class _Level(msgspec.Struct, array_like=True, gc=False):
    price: str
    size: str


class _Best(msgspec.Struct, gc=False):
    s: str
    b: list[_Level]
    a: list[_Level]
    u: int


class _Ticker(msgspec.Struct, gc=False):
    bid1Price: str | None = None  # noqa: N815
    ask1Price: str | None = None  # noqa: N815
    bid1Size: str | None = None  # noqa: N815
    ask1Size: str | None = None  # noqa: N815
    lastPrice: str | None = None  # noqa: N815


class _Trade(msgspec.Struct, gc=False):
    T: int
    s: str
    S: str
    v: str
    p: str
    i: str
    seq: int | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ASKED = msgspec.json.Decoder(_Asked)
_BEST = msgspec.json.Decoder(_Best)
_TICKER = msgspec.json.Decoder(_Ticker)
_TRADE = msgspec.json.Decoder(_Trade)
_ITEMS = msgspec.json.Decoder(list[Raw])

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_BUSY = "too many", "rate", "busy", "frequen"
_LONGEST_ID = 64
_OLD_NEWS = frozenset({"repeated", "time_backwards"})

_Known = tuple[Decimal | None, ...]
"""Best bid and ask, their sizes and the last price, as far as they are known."""
_NOTHING: _Known = (None,) * 5


class _Bybit(VenueAdapter):
    """What the markets share."""

    known_channels = ("orderbook.1", "publicTrade", "tickers")
    rules = VenueRules(connect_interval=1.0, request_interval=0.1, ping='{"op":"ping"}')

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str] = (),
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source, instruments, channels, symbols)
        self._next_id = 1
        self._asked: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, _Known] = {}
        """By symbol, what its tickers have said; one for each that is subscribed to."""

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """A subscribe message's topics."""
        if not isinstance(frame, dict) or frame.get("op") != "subscribe":
            return
        topics = frame.get("args")
        for topic in topics if isinstance(topics, list) else ():
            channel, dot, symbol = topic.rpartition(".") if isinstance(topic, str) else ("",) * 3
            if dot:
                yield channel, symbol

    def label(self, channel: str, symbol: str) -> str:
        """The topic, such as ``orderbook.1.BTCUSDT``."""
        return f"{channel}.{symbol}"

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """Topics."""
        number = str(self._next_id)
        self._next_id += 1
        topics = [self.label(*pair) for pair in wanted]
        self._asked[number] = tuple(topics) if on else ()
        body = {"op": "subscribe" if on else "unsubscribe", "args": topics, "req_id": number}
        return msgspec.json.encode(body).decode()

    def sent(self, frame: bytes) -> None:
        """Learn from a tape which topics a request asked for."""
        try:
            asked = decode(_ASKED, frame)
        except MalformedFrame as error:
            self.refused[f"sent_{error.reason}"] += 1
            return
        topics = tuple(asked.args) if asked.op == "subscribe" else ()
        for topic in topics:
            self.want(topic)
        if asked.req_id:
            self._asked[asked.req_id] = topics

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """The quote or trades of a topic, or the answer to a request."""
        m = decode(_ENVELOPE, frame)
        if m.topic and m.data is not UNSET:
            return self._pushed(m, m.data)
        if not m.op:
            raise MalformedFrame("unknown_message")
        if m.op in {"ping", "pong"}:
            self.ponged()
        elif m.op in {"subscribe", "unsubscribe"}:
            self._answered(m)
        self.ignore(m.op)
        return []

    def _answered(self, m: _Envelope) -> None:
        topics = self._asked.pop(m.req_id, None)
        if m.success or "already subscribed" in m.ret_msg:
            for topic in topics or ():
                if topic in self.subscriptions:
                    self.confirm(topic, topic)
            return
        if not topics:  # nothing that we asked for is refused
            reason = "error_without_id" if topics is None else "error"
            raise MalformedFrame(reason, m.ret_msg[:200])
        busy = any(word in m.ret_msg.lower() for word in _BUSY)
        kind = SubscriptionLost if busy else SubscriptionRejected
        raise kind(f"{', '.join(topics)[:200]}: Bybit answers {m.ret_msg[:200]!r}")

    def _pushed(self, m: _Envelope, data: Raw) -> list[DataEvent]:
        channel = m.topic.rpartition(".")[0]
        if channel == "orderbook.1":
            if m.type != "snapshot":  # of one level there is nothing else
                raise MalformedFrame("unknown_message", m.type[:40])
            return self._best(decode(_BEST, data), m)
        if channel == "publicTrade":
            items: list[Raw] = decode(_ITEMS, data)
            return self.several(items, self._trade)
        if channel == "tickers":
            return self._ticker(m.topic.rpartition(".")[2], data, m)
        self.ignore(channel or m.topic)
        return []

    def _best(self, best: _Best, m: _Envelope) -> list[DataEvent]:
        instrument = self.instrument(best.s)
        if not best.b or not best.a:
            return self.one_sided(instrument)
        bid, ask = best.b[0], best.a[0]
        quote = Quote(
            self.venue,
            instrument,
            price(bid.price),
            price(ask.price),
            decimal(bid.size),
            decimal(ask.size),
            self._known.get(best.s, _NOTHING)[4],
            best.u,
        )
        # The update's number begins again when the venue restarts; the time does not.
        place = "orderbook.1", best.s, m.ts
        return self.quote(quote, milliseconds(m.ts), f"orderbook.1.{best.s}", place)

    @abc.abstractmethod
    def _ticker(self, symbol: str, data: Raw, m: _Envelope) -> list[DataEvent]:
        """A ticker's quote, if it is one."""

    def _trade(self, raw: Raw) -> list[DataEvent]:
        m = decode(_TRADE, raw)
        instrument = self.instrument(m.s)
        if not 0 < len(m.i) <= _LONGEST_ID:
            raise MalformedFrame("bad_number", m.i[:40])
        name: int | str = int(m.i) if m.i.isascii() and m.i.isdecimal() and len(m.i) < 20 else m.i
        side = _SIDES.get(m.S)
        trade = Trade(self.venue, instrument, price(m.p), decimal(m.v), side, name)
        occurred_at = milliseconds(m.T)
        self.once(("publicTrade", m.s, m.T if m.seq is None else m.seq), m.i)
        return self.trade(trade, occurred_at, f"publicTrade.{m.s}", None)


class BybitAdapter(_Bybit):
    """One life of a connection to Bybit's spot market."""

    venue = Venue("bybit")
    endpoint = "wss://stream.bybit.com/v5/public/spot"
    usual_channels = ("orderbook.1", "publicTrade")
    quote_channels = frozenset({"orderbook.1"})
    rules = VenueRules(
        connect_interval=1.0, request_interval=0.1, most_per_request=10, ping='{"op":"ping"}'
    )

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ETHUSDT``; spot only."""
        if instrument.kind is not InstrumentKind.SPOT:
            raise ValueError(f"{instrument}: Bybit's spot market has no {instrument.kind.value}")
        return instrument.base + instrument.quote

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``ETHUSDT`` is ETH/USDT: what a symbol ends in decides."""
        return split_pair(symbol)

    def _ticker(self, symbol: str, data: Raw, m: _Envelope) -> list[DataEvent]:
        """The last price, for the next best bid and ask."""
        self.instrument(symbol)
        known = _changed(_NOTHING, decode(_TICKER, data))
        milliseconds(m.ts)
        self.in_order("tickers", symbol, m.ts)
        self._known[symbol] = known
        self.ignore("tickers")
        return []


class BybitLinearAdapter(_Bybit):
    """One life of a connection to Bybit's perpetuals that are paid in USDT or USDC."""

    venue = Venue("bybit_linear")
    endpoint = "wss://stream.bybit.com/v5/public/linear"
    usual_channels = ("tickers", "publicTrade")
    quote_channels = frozenset({"orderbook.1", "tickers"})
    rules = VenueRules(
        connect_interval=1.0, request_interval=0.1, most_bytes=20_000, ping='{"op":"ping"}'
    )

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``ETHUSDT``, or ``ETHPERP`` where it is paid in USDC; perpetuals only."""
        if instrument.kind is not InstrumentKind.PERPETUAL or instrument.quote not in _PAID_IN:
            raise ValueError(
                f"{instrument}: Bybit's linear market has perpetuals in USDT and USDC; name the "
                "symbols of others"
            )
        return instrument.base + _PAID_IN[instrument.quote]

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``ETHUSDT`` is ETH/USDT:perpetual, ``ETHPERP`` ETH/USDC:perpetual."""
        for quote, ending in _PAID_IN.items():
            if symbol.endswith(ending) and "-" not in symbol:
                return Instrument(symbol.removesuffix(ending), quote, InstrumentKind.PERPETUAL)
        raise ValueError(f"symbol {symbol} is no perpetual in USDT or USDC")

    def _ticker(self, symbol: str, data: Raw, m: _Envelope) -> list[DataEvent]:
        """The quote after what has changed.

        A change that cannot be used leaves a state that cannot be believed: it is asked for anew.
        """
        instrument = self.instrument(symbol)
        known = self._known.get(symbol) if m.type == "delta" else _NOTHING
        try:
            occurred_at = milliseconds(m.ts)
            self.once(("tickers", symbol, m.ts), bytes(data))  # several may share a time
            if known is None:
                raise MalformedFrame("no_snapshot", symbol[:40])
            known = _changed(known, decode(_TICKER, data))
            bid, ask, bid_size, ask_size, last = known
            if bid is None or ask is None:
                events = self.one_sided(instrument)
            else:
                quote = Quote(self.venue, instrument, bid, ask, bid_size, ask_size, last, m.cs)
                events = self.quote(quote, occurred_at, f"tickers.{symbol}", None)
        except MalformedFrame as error:
            if error.reason not in _OLD_NEWS:
                self._known.pop(symbol, None)
                self.ask_again("tickers", symbol)
            raise
        self._known[symbol] = known
        return events


_PAID_IN = {"USDT": "USDT", "USDC": "PERP"}


def _changed(known: _Known, ticker: _Ticker) -> _Known:
    """What is known after a ticker: what it does not mention stays, an empty text is none."""
    new = ticker.bid1Price, ticker.ask1Price, ticker.bid1Size, ticker.ask1Size, ticker.lastPrice
    reads = price, price, decimal, decimal, price
    return tuple(
        before if text is None else read(text) if text else None
        for before, text, read in zip(known, new, reads, strict=True)
    )
