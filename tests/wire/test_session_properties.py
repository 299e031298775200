"""Whatever a peer sends: no error but our own, and every frame is accounted for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.errors import DataStreamError
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.settings import EthereumSettings, LogFilter
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.bybit import BybitAdapter, BybitLinearAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.kraken import KrakenAdapter
from trio_mev.wire.node import EthereumSession
from trio_mev.wire.okx import OkxAdapter
from trio_mev.wire.session import Session
from trio_mev.wire.venue import VenueAdapter

ETH, PERPETUAL = Instrument("ETH", "USDT"), Instrument.parse("ETH/USDT:perpetual")
HASHES = st.sampled_from(["0x" + digit * 64 for digit in "abc"])

WORDS = st.sampled_from([
    "ETHUSDT", "ETH-USDT", "ethusdt@bookTicker", "ethusdt@aggTrade", "ethusdt@ticker", "x@y",
    "bookTicker", "aggTrade", "24hrTicker", "ticker", "match", "heartbeat", "subscriptions",
    "error", "eth_subscription", "0xaa", "0xbb", "0xcc", "0x1", "0x", "1", "2000.5", "0", "-1",
    "ticker:ETH/USDT", "ETH/USDT", "tickers.ETHUSDT", "orderbook.1.ETHUSDT", "publicTrade.ETHUSDT",
    "trade", "trades", "tickers", "bbo-tbt", "snapshot", "delta", "update", "subscribe", "pong",
    "subscriptionStatus", "notice", "64008", "Buy", "1672515782136",
    "NaN", "1e999", "buy", "2023-03-04T03:37:20.799258Z", "2023-03-04", "0x" + "d" * 40,
])  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 12)
    | st.integers()
    | st.floats()
    | WORDS
    | HASHES
    | st.text(max_size=8)
)
KEYS = st.sampled_from([
    "stream", "data", "id", "e", "u", "msg", "error", "s", "b", "B", "a", "A", "E", "c", "p", "q",
    "T", "m", "type", "sequence", "product_id", "price", "best_bid", "best_ask", "time", "trade_id",
    "side", "size", "channels", "name", "product_ids", "message", "method", "params", "result",
    "subscription", "code", "number", "hash", "parentHash", "timestamp", "gasLimit", "gasUsed",
    "transactions", "from", "to", "nonce", "value", "gas", "input", "blockHash", "blockNumber",
    "channel", "success", "symbol", "bid", "ask", "bid_qty", "ask_qty", "last", "qty", "event",
    "status", "errorMessage", "pair", "arg", "instId", "bids", "asks", "ts", "seqId", "askPx",
    "bidPx", "tradeId", "px", "sz", "count", "topic", "cs", "op", "ret_msg", "req_id", "bid1Price",
    "ask1Price", "lastPrice", "S", "v", "i", "seq",
    "logIndex", "transactionHash", "transactionIndex", "address", "topics",
])  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=12,
)


def shaped(fields: dict[str, object]) -> st.SearchStrategy:
    """Messages of these fields, of which some are missing, or anything."""
    chosen = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in fields.items()
    }
    return st.fixed_dictionaries({}, optional={name: v | SCALARS for name, v in chosen.items()})


PRICES = st.sampled_from(["1999", "2000", "2001"])
BINANCE_FRAMES = shaped({
    "u": st.integers(0, 9), "s": "ETHUSDT", "b": PRICES, "B": "1", "a": PRICES, "A": "1",
    "e": st.sampled_from(["aggTrade", "24hrTicker"]), "E": 1672515782136, "T": 1672515782136,
    "c": PRICES, "p": PRICES, "q": "1", "m": True,
})  # fmt: skip
COINBASE_FRAMES = shaped({
    "type": st.sampled_from(["ticker", "match", "heartbeat", "subscriptions"]),
    "sequence": st.integers(0, 9), "trade_id": st.integers(0, 9), "product_id": "ETH-USDT",
    "price": PRICES, "best_bid": PRICES, "best_ask": PRICES, "side": "buy", "size": "1",
    "time": "2023-03-04T03:37:20.799258Z", "channels": JSON,
})  # fmt: skip
NUMBERS = st.sampled_from([1999, 2000.5, 2001])
SEVERAL = {"min_size": 0, "max_size": 2}
KRAKEN_FRAMES = shaped({
    "channel": st.sampled_from(["ticker", "trade", "heartbeat"]), "type": "update",
    "data": st.lists(shaped({
        "symbol": "ETH/USDT", "bid": NUMBERS, "ask": NUMBERS, "bid_qty": 1, "ask_qty": 1,
        "last": NUMBERS, "side": "buy", "price": NUMBERS, "qty": 1, "trade_id": st.integers(0, 9),
        "timestamp": "2023-03-04T03:37:20.799258Z",
    }), **SEVERAL),
}) | st.tuples(
    st.just(5),
    shaped({"a": st.just(["2001", 1, "1"]), "b": st.just(["2000", 1, "1"]), "c": st.just(["1"])})
    | st.lists(st.tuples(PRICES, PRICES, PRICES, st.just("b")), **SEVERAL),
    st.sampled_from(["ticker", "trade", "book-10"]), st.just("ETH/USDT"),
)  # fmt: skip
OKX_FRAMES = shaped({
    "arg": shaped({"channel": st.sampled_from(["tickers", "bbo-tbt", "trades"]),
                   "instId": "ETH-USDT"}),
    "data": st.lists(shaped({
        "ts": "1672515782136", "last": PRICES, "askPx": PRICES, "askSz": "1", "bidPx": PRICES,
        "bidSz": "1", "asks": st.lists(st.tuples(PRICES, st.just("1")), **SEVERAL),
        "bids": st.lists(st.tuples(PRICES, st.just("1")), **SEVERAL), "seqId": st.integers(0, 9),
        "tradeId": st.sampled_from("123"), "px": PRICES, "sz": "1", "side": "buy", "count": "1",
    }), **SEVERAL),
})  # fmt: skip
BYBIT_TRADES = st.lists(shaped({
    "T": 1672515782136, "s": "ETHUSDT", "S": "Buy", "v": "1", "p": PRICES, "i": "1",
    "seq": st.integers(0, 9),
}), **SEVERAL)  # fmt: skip
BYBIT_BOOKS = shaped({
    "s": "ETHUSDT", "b": st.lists(st.tuples(PRICES, st.just("1")), **SEVERAL),
    "a": st.lists(st.tuples(PRICES, st.just("1")), **SEVERAL), "u": st.integers(0, 9),
    "symbol": "ETHUSDT", "bid1Price": PRICES, "ask1Price": PRICES, "bid1Size": "1",
    "ask1Size": "1", "lastPrice": PRICES,
})  # fmt: skip
BYBIT_FRAMES = shaped({
    "topic": st.sampled_from(["orderbook.1.ETHUSDT", "publicTrade.ETHUSDT", "tickers.ETHUSDT"]),
    "type": st.sampled_from(["snapshot", "delta"]), "ts": st.integers(0, 9), "cs": 1,
    "data": BYBIT_TRADES | BYBIT_BOOKS,
})  # fmt: skip
NODE_RESULTS = HASHES | shaped({
    "number": "0x1", "hash": HASHES, "parentHash": HASHES, "timestamp": "0x1", "gasLimit": "0x2",
    "gasUsed": "0x1", "transactions": st.lists(HASHES, max_size=2), "from": "0x" + "d" * 40,
    "nonce": "0x1", "value": "0x1", "gas": "0x1", "input": "0x", "blockHash": HASHES,
    "blockNumber": "0x1", "logIndex": "0x1", "transactionHash": HASHES, "transactionIndex": "0x1",
    "address": "0x" + "d" * 40, "topics": st.lists(HASHES, max_size=2), "data": "0x",
})  # fmt: skip
NODE_FRAMES = shaped({
    "params": shaped({"subscription": st.sampled_from(["0xaa", "0xbb", "0xcc"]),
                      "result": NODE_RESULTS}),
}) | shaped({"id": st.integers(1, 12), "result": NODE_RESULTS | st.none()})  # fmt: skip

CHANNELS = ["bookTicker", "aggTrade", "ticker"]
SESSIONS = {
    "binance": (lambda: BinanceAdapter("f", [ETH], CHANNELS), BINANCE_FRAMES),
    "coinbase": (
        lambda: CoinbaseAdapter("f", [ETH], ["ticker", "matches", "heartbeat"]),
        COINBASE_FRAMES,
    ),
    "kraken": (lambda: KrakenAdapter("f", [ETH]), KRAKEN_FRAMES),
    "okx": (lambda: OkxAdapter("f", [ETH], ["bbo-tbt", "tickers", "trades"]), OKX_FRAMES),
    "bybit": (
        lambda: BybitAdapter("f", [ETH], ["orderbook.1", "publicTrade", "tickers"]),
        BYBIT_FRAMES,
    ),
    "bybit_linear": (
        lambda: BybitLinearAdapter("f", [PERPETUAL], ["orderbook.1", "publicTrade", "tickers"]),
        BYBIT_FRAMES,
    ),
    "node": (
        lambda: EthereumSession(
            EthereumSettings(name="f", logs=(LogFilter(),), fetches=1, backlog=1)
        ),
        NODE_FRAMES,
    ),
}
CONFIRMED_BY = {
    "binance": [b'{"result":null,"id":1}'],
    "coinbase": [],
    "kraken": [
        b'{"method":"subscribe","success":true,"result":{"channel":"%s","symbol":"ETH/USDT"}}' % c
        for c in (b"ticker", b"trade")
    ],
    "okx": [
        b'{"event":"subscribe","arg":{"channel":"%s","instId":"ETH-USDT"}}' % c
        for c in (b"bbo-tbt", b"tickers", b"trades")
    ],
    "bybit": [b'{"success":true,"op":"subscribe","req_id":"1"}'],
    "bybit_linear": [b'{"success":true,"op":"subscribe","req_id":"1"}'],
    "node": [b'{"id":%d,"result":"0x%s"}' % pair for pair in ((1, b"aa"), (2, b"bb"), (3, b"cc"))],
}


def opened(name: str, confirmed: bool) -> Session:
    session = SESSIONS[name][0]()
    session.opening()
    for frame in CONFIRMED_BY[name] if confirmed else []:
        session.receive(frame, 0.0, 0)
    return session


def told(session: Session) -> tuple[object, ...]:
    """All that a frame without events can change."""
    return (
        session.refused.total(),
        session.ignored.total(),
        dict(session.subscriptions),
    )


def receive(session: Session, frame: bytes, now: float = 1.0) -> list[DataEvent]:
    """The frame's events; checks that it left a trace."""
    before = told(session)
    events = session.receive(frame, now, 7)
    sent = session.outgoing()
    assert events or sent or told(session) != before
    assert [event.ordinal for event in events] == list(range(len(events)))
    assert all(event.sequence == 7 and event.source == "f" for event in events)
    return events


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("confirmed", [False, True])
def test_arbitrary_bytes_are_refused(name, confirmed):
    @given(st.binary(max_size=100).filter(lambda frame: frame != b"pong"))  # one venue's word
    def attempt(frame):
        session = opened(name, confirmed)
        told = [event.event_type for event in receive(session, frame)]
        assert told == ([DataType.FAULT] if isinstance(session, VenueAdapter) else [])
        assert session.refused.total() == 1

    attempt()


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("confirmed", [False, True])
def test_arbitrary_json_is_an_event_or_refused_or_ignored(name, confirmed):
    @given(JSON.map(json.dumps).map(str.encode))
    def attempt(frame):
        session = opened(name, confirmed)
        try:
            receive(session, frame)
        except DataStreamError:
            assert not confirmed or name == "coinbase"

    attempt()


@pytest.mark.parametrize("name", SESSIONS)
def test_any_series_of_frames_that_are_nearly_sound_is_accounted_for(name):
    frames = st.lists(SESSIONS[name][1].map(json.dumps).map(str.encode), max_size=8)

    @given(frames)
    def attempt(series):
        session = opened(name, confirmed=True)
        for number, frame in enumerate(series):
            try:
                receive(session, frame, float(number))
            except DataStreamError:
                return
        session.expire(1e9)
        session.finish()
        assert session.next_due() is None

    attempt()


@given(st.lists(st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode), max_size=6))
def test_whatever_a_tape_says_was_sent_is_learned_or_counted(frames):
    for make in (SESSIONS["binance"][0], SESSIONS["bybit"][0], SESSIONS["node"][0]):
        session = make()
        for frame in frames:
            session.sent(frame)
        assert all(reason.startswith("sent_") for reason in session.refused)
        assert session.outgoing() == []


STEPS = st.tuples(st.none() | HASHES, st.integers(0, 12))


@given(st.lists(STEPS, max_size=20))
def test_fetches_follow_a_model_of_one_place_and_a_queue_of_one(steps):
    """A step announces a hash after some seconds, or lets what is overdue run out."""
    session = opened("node", confirmed=True)
    now = 0.0
    fetching: tuple[str, float] | None = None
    queued: str | None = None
    told: set[str] = set()
    for subject, seconds in steps:
        now += seconds
        asked = []
        if subject is None:
            assert session.expire(now) == []
            if fetching is not None and fetching[1] <= now:
                fetching, queued = (queued, now + 10.0) if queued else None, None
                asked = [fetching[0]] if fetching else []
        else:
            params = {"subscription": "0xbb", "result": subject}
            frame = json.dumps({"method": "eth_subscription", "params": params}).encode()
            known = subject in (fetching and fetching[0], queued)
            assert len(session.receive(frame, now, 1)) == (subject not in told)
            told.add(subject)
            if fetching is None:
                fetching, asked = (subject, now + 10.0), [subject]
            elif queued is None and not known:
                queued = subject
        assert [json.loads(sent)["params"][0] for sent in session.outgoing()] == asked
        assert session.next_due() == (fetching and fetching[1])
