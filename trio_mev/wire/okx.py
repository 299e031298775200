"""OKX: bbo-tbt, tickers and trades of version 5, for spot, swaps and dated futures.

Formats: OKX's "API guide", WebSocket, public channels. Sizes of swaps and futures are in
contracts, whose worth these channels do not say: they are left out. A trade's id is that of the
last of the ``count`` fills that it stands for; that ids rise by one is seen in a recording of 2022
and believed of today.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import decimal, milliseconds, price, whole
from .session import decode
from .updates import Pair
from .venue import VenueAdapter, VenueRules


class _Arg(msgspec.Struct, gc=False):
    channel: str = ""
    instId: str = ""  # noqa: N815


class _Envelope(msgspec.Struct, gc=False):
    arg: _Arg | None = None
    data: list[Raw] | None = None
    event: str = ""
    code: str | int = ""
    msg: str = ""


class _Ticker(msgspec.Struct, gc=False):
    ts: str
    last: str = ""
    askPx: str = ""  # noqa: N815
    askSz: str = ""  # noqa: N815
    bidPx: str = ""  # noqa: N815
    bidSz: str = ""  # noqa: N815


class _Level(msgspec.Struct, array_like=True, gc=False):
    price: str
    size: str


class _Best(msgspec.Struct, gc=False):
    asks: list[_Level]
    bids: list[_Level]
    ts: str
    seqId: int | None = None  # noqa: N815


class _Trade(msgspec.Struct, gc=False):
    tradeId: str  # noqa: N815
    px: str
    sz: str
    side: str
    ts: str
    count: str = "1"


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_TICKER = msgspec.json.Decoder(_Ticker)
_BEST = msgspec.json.Decoder(_Best)
_TRADE = msgspec.json.Decoder(_Trade)

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_BUSY = frozenset({"50001", "50011", "50013", "50026", "60014"})
"""Codes of errors that pass: out of service, too many requests, busy, system error."""
_UPGRADE = "64008"
"""The connection will be closed for an upgrade, within a minute."""


class OkxAdapter(VenueAdapter):
    """One life of a connection to OKX."""

    venue = Venue("okx")
    endpoint = "wss://ws.okx.com:8443/ws/v5/public"
    known_channels = ("bbo-tbt", "tickers", "trades")
    quote_channels = frozenset({"bbo-tbt", "tickers"})
    usual_channels = ("bbo-tbt", "trades")
    consecutive = frozenset({"trades"})
    rules = VenueRules(
        connect_interval=0.5,
        request_interval=0.5,
        ping="ping",
        ping_interval=20.0,
    )

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``BTC-USDT``, ``BTC-USDT-SWAP`` or ``BTC-USD-220624``."""
        pair = f"{instrument.base}-{instrument.quote}"
        if instrument.kind is InstrumentKind.SPOT:
            return pair
        if instrument.kind is InstrumentKind.PERPETUAL:
            return f"{pair}-SWAP"
        if instrument.expiry is None:
            raise ValueError(f"{instrument}: OKX's tickers have no {instrument.kind.value}")
        return f"{pair}-{instrument.expiry[2:].replace('-', '')}"

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``BTC-USDT-SWAP`` is the perpetual on BTC/USDT."""
        base, quote, rest = (*symbol.split("-", 2), "", "")[:3]
        if not rest:
            return Instrument(base, quote)
        if rest == "SWAP":
            return Instrument(base, quote, InstrumentKind.PERPETUAL)
        day = datetime.date.fromisoformat(f"20{rest}" if len(rest) == 6 else rest)
        return Instrument(base, quote, InstrumentKind.FUTURE, day.isoformat())

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """A subscribe message's arguments."""
        if not isinstance(frame, dict) or frame.get("op") != "subscribe":
            return
        args = frame.get("args")
        for arg in args if isinstance(args, list) else ():
            channel, symbol = (
                (arg.get("channel"), arg.get("instId")) if isinstance(arg, dict) else (None, None)
            )
            if isinstance(channel, str) and isinstance(symbol, str):
                yield channel, symbol

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """One argument a channel and symbol."""
        args = [{"channel": channel, "instId": symbol} for channel, symbol in wanted]
        body = {"op": "subscribe" if on else "unsubscribe", "args": args}
        return msgspec.json.encode(body).decode()

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """The quotes or trades of a push, or what an event says."""
        if frame == b"pong":  # text, and no JSON
            self.ponged()
            self.ignore("pong")
            return []
        m = decode(_ENVELOPE, frame)
        if m.event:
            self._heard(m)
            self.ignore(m.event)
            return []
        if m.arg is None or m.data is None:
            raise MalformedFrame("unknown_message")
        symbol = m.arg.instId
        if m.arg.channel == "bbo-tbt":
            return self.several(m.data, lambda raw: self._best(raw, symbol))
        if m.arg.channel == "trades":
            return self.several(m.data, lambda raw: self._trade(raw, symbol))
        if m.arg.channel == "tickers":
            return self.several(m.data, lambda raw: self._ticker(raw, symbol))
        self.ignore(m.arg.channel)
        return []

    def _heard(self, m: _Envelope) -> None:
        if m.event == "subscribe" and m.arg is not None:
            label = self.label(m.arg.channel, m.arg.instId)
            if label in self.subscriptions:
                self.confirm(label, label)
        elif m.event == "notice" and str(m.code) == _UPGRADE:
            self.leaving = True
        elif m.event == "channel-conn-count-error":
            raise SubscriptionLost("OKX answers that the channel has too many connections")
        elif m.event == "error":
            text = f"{str(m.code)[:10]} {m.msg[:200]!r}"
            if self.confirmed:
                raise MalformedFrame("error_without_id", text)
            kind = SubscriptionLost if str(m.code) in _BUSY else SubscriptionRejected
            raise kind(f"OKX answers {text}")

    def _best(self, raw: Raw, symbol: str) -> list[DataEvent]:
        m = decode(_BEST, raw)
        instrument = self.instrument(symbol)
        at = whole(m.ts)
        if not m.bids or not m.asks:
            return self.one_sided(instrument)
        bid, ask = m.bids[0], m.asks[0]
        quote = Quote(
            self.venue,
            instrument,
            price(bid.price),
            price(ask.price),
            _size(bid.size, instrument),
            _size(ask.size, instrument),
            sequence=m.seqId,
        )
        place = ("bbo-tbt", symbol, at if m.seqId is None else m.seqId)
        return self.quote(quote, milliseconds(at), f"bbo-tbt:{symbol}", place)

    def _ticker(self, raw: Raw, symbol: str) -> list[DataEvent]:
        m = decode(_TICKER, raw)
        instrument = self.instrument(symbol)
        at = whole(m.ts)
        if not m.bidPx or not m.askPx:
            return self.one_sided(instrument)
        quote = Quote(
            self.venue,
            instrument,
            price(m.bidPx),
            price(m.askPx),
            _size(m.bidSz, instrument),
            _size(m.askSz, instrument),
            price(m.last) if m.last else None,
        )
        return self.quote(quote, milliseconds(at), f"tickers:{symbol}", ("tickers", symbol, at))

    def _trade(self, raw: Raw, symbol: str) -> list[DataEvent]:
        m = decode(_TRADE, raw)
        instrument = self.instrument(symbol)
        number, count = whole(m.tradeId), whole(m.count)
        size = _size(m.sz, instrument)
        trade = Trade(self.venue, instrument, price(m.px), size, _SIDES.get(m.side), number)
        occurred_at, place = milliseconds(whole(m.ts)), ("trades", symbol, number)
        return self.trade(trade, occurred_at, f"trades:{symbol}", place, count)


def _size(text: str, instrument: Instrument) -> Decimal | None:
    """In base units; None where it is left out, or counts contracts."""
    if not text:
        return None
    size = decimal(text)
    return size if instrument.kind is InstrumentKind.SPOT else None
