"""Recorded sockets of exchanges: every ticker and trade once, everything else with a reason."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal

from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter


def frames_of(path) -> list[bytes]:
    """The received frames; a line is `<seconds>: <frame>`, the socket's own lines have a URL."""
    with gzip.open(path) as file:
        lines = [line.rstrip(b"\n") for line in file]
    return [
        line.partition(b": ")[2]
        for line in lines
        if line and not line.startswith((b"wss:", b"http"))
    ]


def decode_all(session, frames) -> list:
    return [
        event
        for number, frame in enumerate(frames)
        for event in session.receive(frame, float(number), number)
    ]


def accounted(session, events) -> int:
    return len(events) + session.refused.total() + session.ignored.total()


def test_every_recorded_coinbase_ticker_and_match_is_one_event(corpus):
    frames = frames_of(corpus / "venues" / "COINBASE.ws.28.0.gz")
    messages = [json.loads(frame) for frame in frames]
    products = {m["product_id"] for m in messages if "product_id" in m}
    session = CoinbaseAdapter(
        "cb", [Instrument(*product.split("-")) for product in products], ["ticker", "matches"]
    )
    events = decode_all(session, frames)

    tickers = [m for m in messages if m["type"] == "ticker"]
    quotes = [e.data for e in events if e.event_type is DataType.QUOTE]
    assert [
        (f"{q.instrument.base}-{q.instrument.quote}", q.bid, q.ask, q.last, q.sequence)
        for q in quotes
    ] == [
        (
            m["product_id"],
            Decimal(m["best_bid"]),
            Decimal(m["best_ask"]),
            Decimal(m["price"]),
            m["sequence"],
        )
        for m in tickers
    ]
    matches = [m for m in messages if m["type"] == "match"]
    trades = [e.data for e in events if e.event_type is DataType.TRADE]
    assert [(t.trade_id, t.price, t.size) for t in trades] == [
        (m["trade_id"], Decimal(m["price"]), Decimal(m["size"])) for m in matches
    ]
    opposite = {"buy": "sell", "sell": "buy"}
    assert [t.side.value for t in trades] == [opposite[m["side"]] for m in matches]
    assert len(tickers) > 0
    assert len(matches) > 0
    kinds = Counter(m["type"] for m in messages)
    del kinds["ticker"], kinds["match"]
    assert session.ignored == kinds
    assert not session.refused
    assert accounted(session, events) == len(frames)


def test_the_takers_side_of_a_recorded_match_is_the_side_of_its_ticker(corpus):
    """A ticker names the taker's side, a match the maker's: they are of one trade."""
    frames = frames_of(corpus / "venues" / "COINBASE.ws.28.0.gz")
    messages = [json.loads(frame) for frame in frames]
    takers = {
        (m["product_id"], m["trade_id"]): m["side"] for m in messages if m["type"] == "ticker"
    }
    products = {product for product, _ in takers}
    session = CoinbaseAdapter("cb", [Instrument(*p.split("-")) for p in products], ["matches"])
    trades = [e.data for e in decode_all(session, frames) if e.event_type is DataType.TRADE]
    both = [
        (trade.side.value, takers[key])
        for trade in trades
        if (key := (f"{trade.instrument.base}-{trade.instrument.quote}", trade.trade_id)) in takers
    ]
    assert len(both) > 0
    assert all(ours == theirs for ours, theirs in both)


def test_every_recorded_binance_book_ticker_and_aggregate_trade_is_one_event(corpus):
    frames = frames_of(corpus / "venues" / "BINANCE.ws.1.0.gz")
    messages = [json.loads(frame) for frame in frames]
    pairs = [("NKN", "USDT"), ("BLZ", "ETH"), ("LRC", "BTC"), ("RUNE", "EUR")]
    session = BinanceAdapter("spot", [Instrument(*p) for p in pairs], ["bookTicker", "aggTrade"])
    events = decode_all(session, frames)

    books = [m["data"] for m in messages if m["stream"].endswith("@bookTicker")]
    quotes = [e.data for e in events if e.event_type is DataType.QUOTE]
    assert [
        (q.instrument.base + q.instrument.quote, q.bid, q.bid_size, q.ask, q.ask_size, q.sequence)
        for q in quotes
    ] == [
        (b["s"], Decimal(b["b"]), Decimal(b["B"]), Decimal(b["a"]), Decimal(b["A"]), b["u"])
        for b in books
    ]
    fills = [(m["data"]) for m in messages if m["stream"].endswith("@aggTrade")]
    trades = [e for e in events if e.event_type is DataType.TRADE]
    assert [
        (e.data.trade_id, e.data.price, e.data.size, e.data.side.value, e.occurred_at)
        for e in trades
    ] == [
        (
            f["a"],
            Decimal(f["p"]),
            Decimal(f["q"]),
            "sell" if f["m"] else "buy",
            f["T"] * 1_000_000,
        )
        for f in fills
    ]
    assert len(books) > 0
    assert len(fills) > 0
    kinds = Counter(m["stream"].partition("@")[2] for m in messages)
    del kinds["bookTicker"], kinds["aggTrade"]
    assert session.ignored == kinds
    assert not session.refused
    assert accounted(session, events) == len(frames)
