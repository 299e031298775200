"""Bitfinex v2: its documented messages, its numbers of channels, its events."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire.bitfinex import BitfinexAdapter

BTC_USD = Instrument("BTC", "USD")
SUBSCRIBED = b'{"event":"subscribed","channel":"%s","chanId":%d,"symbol":"tBTCUSD","pair":"BTCUSD"}'
TICKER = (
    b"[220,[9206.8,21.038892079999997,9206.9,32.41755304,-242.44166667,-0.0261,9205.85,"
    b"6096.31022294,9463.3,9030]]"
)
TRADE = b'[17470,"te",[401597395,1574694478808,0.005,7245.3]]'
SNAPSHOT = b"[17470,[[401597393,1574694475039,0.005,7244.9],[401597392,1574694475038,-1,7244]]]"


def adapter() -> BitfinexAdapter:
    return BitfinexAdapter("bf", [BTC_USD])


def subscribed() -> BitfinexAdapter:
    session = adapter()
    session.begin(0.0)
    session.opening()
    session.receive(SUBSCRIBED % (b"ticker", 220), 0.0, 1)
    session.receive(SUBSCRIBED % (b"trades", 17470), 0.0, 2)
    session.ignored.clear()
    return session


def test_a_ticker_is_a_quote_with_sizes_and_the_last_price():
    (event,) = subscribed().receive(TICKER, 1.0, 3)
    assert event.event_type is DataType.QUOTE
    assert event.data == Quote(
        "bitfinex",
        BTC_USD,
        Decimal("9206.8"),
        Decimal("9206.9"),
        Decimal("21.038892079999997"),
        Decimal("32.41755304"),
        Decimal("9205.85"),
    )
    assert event.occurred_at is None
    assert event.metadata["subscription_id"] == "220"


def test_its_numbers_are_those_that_were_written():
    frame = TICKER.replace(b"21.038892079999997", b"0.1000000000000000055511151231257827")
    (event,) = subscribed().receive(frame.replace(b"9206.8", b"1e-7"), 1.0, 3)
    assert str(event.data.bid_size) == "0.1000000000000000055511151231257827"
    assert event.data.bid == Decimal("0.0000001")


def test_a_ticker_may_repeat_and_may_grow_at_its_end():
    session = subscribed()
    grown = TICKER.replace(b"9030]", b'9030,null,"x"],17')  # so a number of the message comes
    assert [len(session.receive(f, 1.0, 3)) for f in (TICKER, TICKER, grown)] == [1, 1, 1]


def test_what_a_ticker_does_not_know_is_unknown():
    frame = TICKER.replace(b"21.038892079999997", b"null").replace(b"32.41755304", b"null")
    (event,) = subscribed().receive(frame.replace(b"9205.85", b"null"), 1.0, 3)
    assert (event.data.bid_size, event.data.ask_size, event.data.last) == (None, None, None)


@pytest.mark.parametrize(
    ("amount", "size", "side"),
    [
        (b"0.005", "0.005", Side.BUY),
        (b"-0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827",
         Side.SELL),
        (b"0", "0", None),
    ],
)  # fmt: skip
def test_an_execution_is_a_trade_whose_sign_is_the_takers_side(amount, size, side):
    (event,) = subscribed().receive(TRADE.replace(b"0.005", amount), 1.0, 3)
    assert event.event_type is DataType.TRADE
    assert event.data == Trade(
        "bitfinex", BTC_USD, Decimal("7245.3"), Decimal(size), side, 401597395
    )
    assert event.occurred_at == 1_574_694_478_808_000_000


def test_a_trade_is_told_once_though_two_messages_come_of_it():
    session = subscribed()
    later = TRADE.replace(b'"te"', b'"tu"')
    assert [len(session.receive(f, 1.0, 3)) for f in (SNAPSHOT, TRADE, later)] == [0, 1, 0]
    assert session.ignored == {"snapshot": 1, "tu": 1}


def test_trades_that_repeat_or_go_back_are_refused():
    session = subscribed()
    session.receive(TRADE, 1.0, 3)
    session.receive(TRADE, 1.0, 4)
    session.receive(TRADE.replace(b"401597395", b"401597394"), 1.0, 5)
    assert session.refused == {"repeated": 1, "time_backwards": 1}


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("tBTCUSD", "BTC/USD"),
        ("tETHUST", "ETH/USDT"),
        ("tUSTUSD", "USDT/USD"),
        ("tUDCUSD", "USDC/USD"),
        ("tUDCUST", "USDC/USDT"),
        ("tLINK:USD", "LINK/USD"),
        ("tLINK:UST", "LINK/USDT"),
        ("tTESTBTC:TESTUSD", "TESTBTC/TESTUSD"),
        ("tBCHN:USD", "BCH/USD"),
        ("tATOUSD", "ATOM/USD"),
        ("tBTCF0:USTF0", "BTC/USDT:perpetual"),
        ("tLINKF0:USTF0", "LINK/USDT:perpetual"),
    ],
)
def test_symbols_are_spelled_and_read_both_ways(symbol, instrument):
    assert BitfinexAdapter.spell(Instrument.parse(instrument)) == symbol
    assert BitfinexAdapter.read(symbol) == Instrument.parse(instrument)


def test_other_kinds_it_does_not_have():
    with pytest.raises(ValueError, match="Bitfinex has no index"):
        BitfinexAdapter.spell(Instrument.parse("ETH/USD:index"))
    for symbol in ("", "fUSD", "BTCUSD", "tBTCUSDT", "tBTC:"):
        with pytest.raises(ValueError):
            BitfinexAdapter.read(symbol)


def test_it_asks_for_one_channel_a_message():
    session = adapter()
    session.begin(0.0)
    assert [json.loads(frame) for frame in session.opening()] == [
        {"event": "subscribe", "channel": "ticker", "symbol": "tBTCUSD"},
        {"event": "subscribe", "channel": "trades", "symbol": "tBTCUSD"},
    ]
    assert session.subscriptions == {"ticker:tBTCUSD": "pending", "trades:tBTCUSD": "pending"}


def test_a_connection_takes_25_channels():
    many = [Instrument(f"A{n:02}", "USD") for n in range(13)]
    assert len(BitfinexAdapter("bf", many[:12]).opening()) == 24
    with pytest.raises(ValueError, match="26 subscriptions, and bitfinex takes 25"):
        BitfinexAdapter("bf", many)


def test_a_channel_is_heard_by_its_data_or_its_own_heartbeat():
    session = subscribed()
    assert session.heard == {"ticker:tBTCUSD": 0.0, "trades:tBTCUSD": 0.0}
    session.receive(b'[220,"hb"]', 15.0, 3)
    assert session.heard == {"ticker:tBTCUSD": 15.0, "trades:tBTCUSD": 0.0}
    session.receive(TRADE, 16.0, 4)
    assert session.heard["trades:tBTCUSD"] == 16.0
    assert session.ignored == {"hb": 1}


def test_a_subscription_ends_by_the_number_of_its_channel():
    session = subscribed()
    session.remove(BTC_USD)
    assert [json.loads(frame) for frame in session.outgoing()] == [
        {"event": "unsubscribe", "chanId": 220},
        {"event": "unsubscribe", "chanId": 17470},
    ]
    session.receive(b'{"event":"unsubscribed","status":"OK","chanId":220}', 1.0, 3)
    session.receive(b'{"event":"unsubscribed","status":"OK","chanId":220}', 1.0, 4)
    session.receive(b'{"event":"unsubscribed","status":"OK"}', 1.0, 5)
    (fault,) = session.receive(TICKER, 1.0, 6)
    assert fault.data == MarketFault("bitfinex", None, "unknown_subscription")


def test_what_is_wanted_no_more_before_it_has_a_number_ends_when_it_has_one():
    session = adapter()
    session.opening()
    session.remove(BTC_USD)
    assert session.outgoing() == []
    session.receive(SUBSCRIBED % (b"ticker", 5), 0.0, 1)
    (frame,) = session.outgoing()
    assert json.loads(frame) == {"event": "unsubscribe", "chanId": 5}
    assert session.subscriptions == {}


def test_a_number_that_comes_again_belongs_to_the_last_that_got_it():
    session = subscribed()
    session.receive(SUBSCRIBED % (b"ticker", 17470), 1.0, 3)
    assert session.receive(TRADE, 1.0, 4) == []  # it is a ticker's channel now
    assert session.refused == {}
    (fault,) = session.receive(TICKER, 1.0, 5)
    assert fault.data.reason == "unknown_subscription"


@pytest.mark.parametrize("code", [20051, 20061])
def test_it_leaves_when_the_server_restarts_or_has_been_mended(code):
    session = adapter()
    session.receive(b'{"event":"info","code":%d,"msg":"please reconnect"}' % code, 0.0, 1)
    assert session.leaving
    assert session.notices() == []


@pytest.mark.parametrize(
    "frame",
    [
        b'{"event":"info","code":20060,"msg":"Entering maintenance"}',
        b'{"event":"info","version":2,"serverId":"s","platform":{"status":0}}',
    ],
)
def test_maintenance_is_told_and_waited_for(frame):
    session = adapter()
    session.receive(frame, 0.0, 1)
    assert not session.leaving
    assert session.notices() == ["Bitfinex is in maintenance"]
    assert session.notices() == []


def test_the_greeting_is_no_news():
    session = adapter()
    greeting = b'{"event":"info","version":2,"serverId":"s","platform":{"status":1}}'
    for frame in (greeting, b'{"event":"info","version":2}', b'{"event":"conf","status":"OK"}'):
        assert session.receive(frame, 0.0, 1) == []
    assert session.notices() == []
    assert session.ignored == {"info": 2, "conf": 1}


INVALID = b'{"channel":"ticker","symbol":"tBTCUSD","event":"error","msg":"symbol: invalid",'


def test_an_error_to_a_subscription_rejects_it():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionRejected, match=r"ticker:tBTCUSD.*symbol: invalid' 10300"):
        session.receive(INVALID + b'"code":10300}', 0.0, 1)
    with pytest.raises(SubscriptionLost, match="10305"):
        session.receive(INVALID + b'"code":10305}', 0.0, 1)
    with pytest.raises(SubscriptionRejected, match="10000"):
        session.receive(b'{"event":"error","msg":"Unknown event","code":10000}', 0.0, 1)


def test_other_errors_are_counted():
    session = subscribed()
    session.receive(INVALID + b'"code":10301}', 0.0, 3)
    session.receive(b'{"event":"error","msg":"x","code":10000}', 0.0, 4)
    assert session.refused == {"error": 1, "error_without_id": 1}


@pytest.mark.parametrize(
    ("frame", "reason", "about"),
    [
        (b"{}", "wrong_shape", None),
        (b"[]", "wrong_shape", None),
        (b" [220]", "wrong_shape", None),
        (b'["x",[]]', "wrong_shape", None),
        (b"[220,5]", "wrong_shape", None),
        (b"[220,[1,2]]", "wrong_shape", None),
        (b'[7,"hb"]', "unknown_subscription", None),
        (SUBSCRIBED % (b"book", 9), "unknown_reply", None),
        ((SUBSCRIBED % (b"ticker", 9)).replace(b"tBTC", b"tETH"), "unknown_reply", None),
        ((SUBSCRIBED % (b"ticker", 9)).replace(b'"chanId":9,', b""), "unknown_reply", None),
        (TICKER.replace(b"9206.9", b"9206.7"), "crossed_book", BTC_USD),
        (TICKER.replace(b"9206.8", b"0"), "price_not_positive", BTC_USD),
        (TICKER.replace(b"9206.8", b'"NaN"'), "bad_number", BTC_USD),
        (TICKER.replace(b"32.41755304", b"-1"), "negative_number", BTC_USD),
        (TRADE.replace(b"7245.3", b"-7245.3"), "price_not_positive", BTC_USD),
        (TRADE.replace(b"0.005", b"1e999"), "bad_number", BTC_USD),
        (TRADE.replace(b"1574694478808", b"-5"), "bad_time", BTC_USD),
    ],
)
def test_what_cannot_be_used_is_told_by_reason_and_the_next_message_counts(frame, reason, about):
    session = subscribed()
    (fault,) = session.receive(frame, 0.0, 3)
    assert fault.data == MarketFault("bitfinex", about, reason)
    assert session.refused == {reason: 1}
    assert len(session.receive(TICKER, 0.0, 4)) == 1
    assert len(session.receive(TRADE, 0.0, 5)) == 1


def test_a_word_alone_is_no_trade():
    session = subscribed()
    assert session.receive(b'[17470,"te"]', 0.0, 3) == []
    assert session.ignored == {"te": 1}


def test_a_recorded_client_asked_for_its_channels():
    asked = BitfinexAdapter.asked
    frame = json.loads(adapter().opening()[0])
    assert list(asked(frame)) == [("ticker", "tBTCUSD")]
    for other in (
        [],
        {},
        {**frame, "event": "conf"},
        {**frame, "symbol": 1},
        {**frame, "channel": 1},
    ):
        assert list(asked(other)) == []


@pytest.mark.parametrize("side", [b"9206.8", b"9206.9"])
def test_a_ticker_with_one_side_makes_no_quote_and_is_told(side):
    session = subscribed()
    (fault,) = session.receive(TICKER.replace(side, b"null"), 0.0, 3)
    assert fault.data == MarketFault("bitfinex", BTC_USD, "one_sided")
    assert not session.refused
