"""Bitfinex v2: ticker and trades.

Formats: Bitfinex's "WebSocket API v2" documentation. Messages of a channel are arrays under a
number that the venue gives it for the connection, and may grow at their end. A channel that is
quiet is heard every 15 s by ``hb``.

Of the two messages for each trade, ``te`` at the execution and ``tu`` when it has been written
down, only ``te`` is read: it is earlier and has the same number, time, price and amount. The trades
of the snapshot are from before the subscription, no news. A ticker has neither time nor number: so
its quotes have none, and repeats pass. The flags that would append a time or a number to each
message are not set, since two connections would number the same ticker differently.

Numbers are JSON numbers. The venue's own names for currencies are not documented as a list that
could be read here; those below are the ones that ccxt knows too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.event import DataEvent
from ..model.identity import Instrument, InstrumentKind, Venue
from ..model.market import Quote, Side, Trade
from .numbers import exact, exact_price, milliseconds
from .session import PENDING, decode
from .updates import Pair
from .venue import VenueAdapter, VenueRules


class _Platform(msgspec.Struct, gc=False):
    status: int = 1


class _Event(msgspec.Struct, gc=False):
    event: str
    code: int | None = None
    channel: str = ""
    symbol: str = ""
    channel_id: int | None = msgspec.field(name="chanId", default=None)
    msg: str = ""
    platform: _Platform | None = None


class _Ticker(msgspec.Struct, gc=False, array_like=True):
    bid: Decimal | None
    bid_size: Decimal | None
    ask: Decimal | None
    ask_size: Decimal | None
    daily_change: Raw
    daily_change_relative: Raw
    last: Decimal | None


class _Trade(msgspec.Struct, gc=False, array_like=True):
    id: int
    milliseconds: int
    amount: Decimal
    price: Decimal


_ARRAY = msgspec.json.Decoder(list[Raw])
_CHANNEL = msgspec.json.Decoder(int)
_TEXT = msgspec.json.Decoder(str)
_EVENT = msgspec.json.Decoder(_Event)
_TICKER = msgspec.json.Decoder(_Ticker)
_TRADE = msgspec.json.Decoder(_Trade)

RECONNECT, MAINTENANCE, RESUMED = 20051, 20060, 20061
"""Codes of ``info``: the server restarts; it pauses; it goes on, and wants subscriptions anew."""
_FOR_NOW = frozenset({10305, 11000, 11010})
"""Codes of errors that pass: too many channels, not ready, too fast."""

_OURS = {
    "UST": "USDT", "UDC": "USDC", "TSD": "TUSD", "EUT": "EURT", "EUS": "EURS", "ALG": "ALGO",
    "AMP": "AMPL", "ATO": "ATOM", "BCHN": "BCH", "DAT": "DATA", "DSH": "DASH", "IOT": "IOTA",
    "MNA": "MANA", "QTM": "QTUM", "RBT": "RBTC", "STJ": "STORJ", "VSY": "VSYS", "WAX": "WAXP",
}  # fmt: skip
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}
_PERPETUAL = "F0"


class BitfinexAdapter(VenueAdapter):
    """One life of a connection to Bitfinex."""

    venue = Venue("bitfinex")
    endpoint = "wss://api-pub.bitfinex.com/ws/2"
    hosts = ("api.bitfinex.com",)
    known_channels = ("ticker", "trades")
    usual_channels = known_channels
    quote_channels = frozenset({"ticker"})
    periodic = frozenset({"ticker", "trades"})
    rules = VenueRules(
        connect_interval=3.0, request_interval=0.05, most_per_request=1, most_subscriptions=25
    )

    def __init__(
        self,
        source: str,
        instruments: Iterable[Instrument],
        channels: Iterable[str] = (),
        symbols: Mapping[str, Instrument] | None = None,
    ) -> None:
        super().__init__(source, instruments, channels, symbols)
        self._pairs: dict[int, Pair] = {}
        """By the venue's number of the channel."""
        self._numbers: dict[Pair, int] = {}
        self._notices: list[str] = []

    @staticmethod
    def spell(instrument: Instrument) -> str:
        """``tETHUSD``, ``tLINK:USD``, or ``tETHF0:USTF0`` for the perpetual on USDT."""
        if instrument.kind not in {InstrumentKind.SPOT, InstrumentKind.PERPETUAL}:
            raise ValueError(f"{instrument}: Bitfinex has no {instrument.kind.value}")
        suffix = _PERPETUAL if instrument.kind is InstrumentKind.PERPETUAL else ""
        base, quote = (
            _THEIRS.get(asset, asset) + suffix for asset in (instrument.base, instrument.quote)
        )
        return f"t{base}{'' if len(base) == len(quote) == 3 else ':'}{quote}"

    @staticmethod
    def read(symbol: str) -> Instrument:
        """``tETHUST`` is ETH/USDT."""
        base, colon, quote = symbol[1:].partition(":")
        if not colon:
            base, quote = base[:3], base[3:]
        if symbol[:1] != "t" or (not colon and len(quote) != 3):
            raise ValueError(f"symbol {symbol} is not t and two currencies")
        kind = InstrumentKind.SPOT
        if base.endswith(_PERPETUAL) and quote.endswith(_PERPETUAL):
            kind = InstrumentKind.PERPETUAL
            base, quote = base.removesuffix(_PERPETUAL), quote.removesuffix(_PERPETUAL)
        return Instrument(_OURS.get(base, base), _OURS.get(quote, quote), kind)

    @classmethod
    def asked(cls, frame: Any) -> Iterator[Pair]:
        """A subscribe message's."""
        if isinstance(frame, dict) and frame.get("event") == "subscribe":
            channel, symbol = frame.get("channel"), frame.get("symbol")
            if isinstance(channel, str) and isinstance(symbol, str):
                yield channel, symbol

    def request(self, wanted: Sequence[Pair], on: bool) -> str:
        """One channel a message; a subscription ends by the venue's number of it."""
        channel, symbol = wanted[0]
        body: dict[str, Any] = {"event": "subscribe", "channel": channel, "symbol": symbol}
        if not on:
            body = {"event": "unsubscribe", "chanId": self._numbers[wanted[0]]}
        return msgspec.json.encode(body).decode()

    def _ask(self, pairs: Sequence[Pair], on: bool) -> None:
        """What has no number yet is ended once it has one."""
        super()._ask(pairs if on else [p for p in pairs if p in self._numbers], on)

    def notices(self) -> list[str]:
        """That the venue pauses."""
        notices, self._notices = self._notices, []
        return notices

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A ticker's quote, a trade, or what an event says."""
        if frame.lstrip()[:1] == b"[":
            return self._array(decode(_ARRAY, frame))
        m = decode(_EVENT, frame)
        if m.event == "subscribed":
            self._subscribed(m)
        elif m.event == "unsubscribed" and m.channel_id is not None:
            self._forget(m.channel_id)
        elif m.event == "info":
            self._informed(m)
        elif m.event == "error":
            self._failed(m)
        self.ignore(m.event)
        return []

    def _array(self, parts: list[Raw]) -> list[DataEvent]:
        if len(parts) < 2:
            raise MalformedFrame("wrong_shape", "an array without content")
        pair = self._pairs.get(decode(_CHANNEL, parts[0]))
        if pair is None:
            raise MalformedFrame("unknown_subscription", bytes(parts[0])[:40].decode())
        (channel, symbol), what = pair, bytes(parts[1])
        self.heard_of(self.label(channel, symbol))
        if channel == "ticker" and what[:1] == b"[":
            return self._ticker(symbol, parts[1])
        if channel == "trades" and what == b'"te"' and len(parts) > 2:
            return self._trade(symbol, parts[2])
        # Among the rest are hb, tu, and the snapshot of trades from before the subscription.
        self.ignore("snapshot" if what[:1] == b"[" else decode(_TEXT, parts[1]))
        return []

    def _subscribed(self, m: _Event) -> None:
        pair = m.channel, m.symbol
        if m.channel_id is None or m.channel not in self.channels or m.symbol not in self.symbols:
            raise MalformedFrame("unknown_reply", f"{m.channel[:20]} {m.symbol[:20]}")
        self._forget(self._numbers.get(pair, m.channel_id))
        self._forget(m.channel_id)
        self._pairs[m.channel_id], self._numbers[pair] = pair, m.channel_id
        label = self.label(*pair)
        if label in self.subscriptions:
            self.confirm(label, str(m.channel_id))
        else:  # it is wanted no more
            self._ask([pair], False)

    def _forget(self, channel: int) -> None:
        pair = self._pairs.pop(channel, None)
        if pair is not None:
            del self._numbers[pair]

    def _informed(self, m: _Event) -> None:
        if m.code in {RECONNECT, RESUMED}:
            self.leaving = True
        elif m.code == MAINTENANCE or (m.platform is not None and not m.platform.status):
            self._notices.append("Bitfinex is in maintenance")

    def _failed(self, m: _Event) -> None:
        label = self.label(m.channel, m.symbol) if m.symbol else ""
        text = f"{m.msg[:200]!r} {m.code}"
        if self.subscriptions.get(label, "") != PENDING and (label or self.confirmed):
            raise MalformedFrame("error" if label else "error_without_id", text)
        kind = SubscriptionLost if m.code in _FOR_NOW else SubscriptionRejected
        raise kind(f"{label[:100]}: Bitfinex answers {text}")

    def _ticker(self, symbol: str, raw: Raw) -> list[DataEvent]:
        instrument = self.instrument(symbol)
        m = decode(_TICKER, raw)
        if m.bid is None or m.ask is None:
            return self.one_sided(instrument)
        quote = Quote(
            self.venue,
            instrument,
            exact_price(m.bid),
            exact_price(m.ask),
            None if m.bid_size is None else exact(m.bid_size),
            None if m.ask_size is None else exact(m.ask_size),
            None if m.last is None else exact_price(m.last),
        )
        return self.quote(quote, None, self.label("ticker", symbol), None)

    def _trade(self, symbol: str, raw: Raw) -> list[DataEvent]:
        instrument = self.instrument(symbol)
        m = decode(_TRADE, raw)
        size, at = exact(m.amount.copy_abs()), milliseconds(m.milliseconds)
        side = (Side.BUY if m.amount > 0 else Side.SELL) if size else None
        trade = Trade(self.venue, instrument, exact_price(m.price), size, side, m.id)
        return self.trade(trade, at, self.label("trades", symbol), ("trades", symbol, m.id))
