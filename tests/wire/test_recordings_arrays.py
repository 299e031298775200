"""Recorded sockets of Kraken and OKX: every quote and trade once, everything else with a reason."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal

import pytest

from trio_mev.errors import ConfigError
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.wire.import_venues import CryptofeedImport
from trio_mev.wire.kraken import KrakenAdapter
from trio_mev.wire.okx import OkxAdapter
from trio_mev.wire.session import Session
from trio_mev.wire.sessions import replay_session
from trio_mev.wire.tape import Direction


def lines_of(path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def messages_of(path) -> list:
    """An independent reading: lines of ``<seconds>: <json>``."""
    found = []
    for line in lines_of(path):
        stamp, separator, body = line.partition(": ")
        if separator and stamp.replace(".", "").isdigit():
            found.append(json.loads(body))
    return found


def played(path) -> tuple[Session, list]:
    """The recording, imported and played to the session of its header."""
    source = CryptofeedImport("x")
    session = replay_session("x", source.header(lines_of(path)))
    events = []
    for number, record in enumerate(source.records(lines_of(path))):
        if record.direction is Direction.IN:
            events += session.receive(record.frame, float(number), number)
        elif record.direction is Direction.OUT:
            session.sent(record.frame)
    assert not source.problems
    return session, events


def by_type(events, event_type) -> list:
    return [event for event in events if event.event_type is event_type]


def kraken_kinds(messages) -> Counter[str]:
    return Counter(m["event"] if isinstance(m, dict) else m[-2] for m in messages)


def kraken_instrument(pair: str) -> Instrument:
    return Instrument(*(asset.replace("XBT", "BTC") for asset in pair.split("/")))


def test_every_ticker_that_kraken_sent_is_one_quote(corpus):
    path = corpus / "venues" / "KRAKEN.ws.49.0.gz"
    session, events = played(path)
    messages = messages_of(path)
    tickers = [m for m in messages if isinstance(m, list)]
    assert [
        (q.instrument, q.bid, q.bid_size, q.ask, q.ask_size, q.last)
        for q in (event.data for event in by_type(events, DataType.QUOTE))
    ] == [
        (
            kraken_instrument(pair),
            Decimal(t["b"][0]),
            Decimal(t["b"][2]),
            Decimal(t["a"][0]),
            Decimal(t["a"][2]),
            Decimal(t["c"][0]),
        )
        for _, t, _, pair in tickers
    ]
    assert len(events) == len(tickers) == 18
    kinds = kraken_kinds(messages)
    assert kinds.pop("ticker") == 18
    assert session.ignored == kinds
    assert not session.refused


def test_every_trade_that_kraken_sent_is_one_trade(corpus):
    path = corpus / "venues" / "KRAKEN.ws.48.0.gz"
    session, events = played(path)
    messages = messages_of(path)
    trades = [(pair, *t) for m in messages if isinstance(m, list) for pair, t in
              ((m[3], t) for t in m[1])]  # fmt: skip
    assert [
        (e.data.instrument, e.data.price, e.data.size, e.occurred_at, e.data.side.value)
        for e in by_type(events, DataType.TRADE)
    ] == [
        (
            kraken_instrument(pair),
            Decimal(price),
            Decimal(size),
            int(Decimal(time) * 10**9),
            {"b": "buy", "s": "sell"}[side],
        )
        for pair, price, size, time, side, *_ in trades
    ]
    assert len(events) == len(trades) == 10
    kinds = kraken_kinds(messages)
    assert kinds.pop("trade") == 8
    assert session.ignored == kinds
    assert not session.refused


def test_every_book_that_kraken_sent_is_ignored_by_its_kind(corpus):
    path = corpus / "venues" / "KRAKEN.ws.50.0.gz"
    messages = messages_of(path)
    session = KrakenAdapter("k", [Instrument("XMR", "USD")])
    events = [
        event
        for number, m in enumerate(messages)
        for event in session.receive(json.dumps(m).encode(), float(number), number)
    ]
    assert events == []
    assert session.ignored == kraken_kinds(messages)
    assert session.ignored["book-1000"] == 4279
    assert not session.refused
    with pytest.raises(ConfigError, match="subscribes to nothing that can be decoded"):
        CryptofeedImport("k").header(lines_of(path))


def test_every_ticker_and_trade_that_okx_sent_is_one_event(corpus):
    path = corpus / "venues" / "OKX.ws.1.0.gz"
    session, events = played(path)
    messages = messages_of(path)
    pushed = [m for m in messages if "data" in m]
    spot = "BTC-USDT"
    tickers = [d for m in pushed if m["arg"]["channel"] == "tickers" for d in m["data"]]
    assert [
        (
            OkxAdapter.spell(e.data.instrument),
            e.data.bid,
            e.data.ask,
            e.data.bid_size,
            e.data.ask_size,
            e.data.last,
            e.occurred_at,
        )
        for e in by_type(events, DataType.QUOTE)
    ] == [
        (
            d["instId"],
            Decimal(d["bidPx"]),
            Decimal(d["askPx"]),
            Decimal(d["bidSz"]) if d["instId"] == spot else None,
            Decimal(d["askSz"]) if d["instId"] == spot else None,
            Decimal(d["last"]),
            int(d["ts"]) * 1_000_000,
        )
        for d in tickers
    ]
    trades = [d for m in pushed if m["arg"]["channel"] == "trades" for d in m["data"]]
    assert [
        (
            OkxAdapter.spell(e.data.instrument),
            e.data.trade_id,
            e.data.price,
            e.data.size,
            e.data.side.value,
            e.occurred_at,
        )
        for e in by_type(events, DataType.TRADE)
    ] == [
        (
            d["instId"],
            int(d["tradeId"]),
            Decimal(d["px"]),
            Decimal(d["sz"]) if d["instId"] == spot else None,
            d["side"],
            int(d["ts"]) * 1_000_000,
        )
        for d in trades
    ]
    assert (len(tickers), len(trades), len(events)) == (28, 74, 28 + 74)
    kinds = Counter(m.get("event") or m["arg"]["channel"] for m in messages)
    del kinds["tickers"], kinds["trades"]
    assert session.ignored == kinds == {"subscribe": 18, "books": 290}
    assert not session.refused


def test_what_the_recordings_subscribed_to_is_known(corpus):
    kraken = CryptofeedImport("k").header(lines_of(corpus / "venues" / "KRAKEN.ws.49.0.gz"))
    assert (kraken.kind, kraken.channels) == ("kraken", ["ticker"])
    assert kraken.symbols["XBT/CHF"] == "BTC/CHF"
    okx = CryptofeedImport("o").header(lines_of(corpus / "venues" / "OKX.ws.1.0.gz"))
    assert (okx.kind, okx.channels) == ("okx", ["tickers", "trades"])
    assert okx.symbols == {
        "BTC-USD-220527": "BTC/USD:future-2022-05-27",
        "BTC-USDT": "BTC/USDT",
        "UNI-USD-SWAP": "UNI/USD:perpetual",
    }


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("wss://stream.bybit.com/v5/public/spot", "bybit"),
        ("wss://stream.bybit.com/v5/public/linear", "bybit_linear"),
        ("wss://stream.bybit.com:443/v5/public/linear", "bybit_linear"),
        ("wss://ws.kraken.com", "kraken"),
        ("ws.okx.com/x", "okx"),
    ],
)
def test_the_path_tells_markets_of_one_server_apart(url, kind):
    assert CryptofeedImport.kind(["", f"{url} <-> 1.5"]) == kind


def test_a_server_of_nobody_is_refused():
    with pytest.raises(ConfigError, match=r"example\.com cannot be read; known are"):
        CryptofeedImport.kind(["wss://example.com/v5 <-> 1.5"])
