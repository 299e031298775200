"""Kraken: version 2's documented messages, version 1's recorded ones, their answers and order."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire.kraken import KrakenAdapter

BTC, MATIC, XMR = Instrument("BTC", "USD"), Instrument("MATIC", "USD"), Instrument("XMR", "USD")
TICKER = (
    b'{"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":108359.8,'
    b'"bid_qty":0.01362603,"ask":108359.9,"ask_qty":17.17988863,"last":108359.8,'
    b'"volume":2158.32346723,"vwap":108894.5,"low":106824,"high":111300,"change":-2679.9,'
    b'"change_pct":-2.41}]}'
)
TIMED = TICKER.replace(b'"snapshot"', b'"update"').replace(
    b'"last":108359.8', b'"last":108359.8,"timestamp":"2023-09-25T07:49:37.708706Z"'
)
TRADE = (
    b'{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell",'
    b'"price":0.5117,"qty":40.0,"ord_type":"market","trade_id":4665906,'
    b'"timestamp":"2023-09-25T07:49:37.708706Z"}]}'
)
MOMENT = 1_695_628_177_708_706_000
OLD_TICKER = (
    b'[996,{"a":["355.24000000",27,"27.19106411"],"b":["354.32000000",6,"6.87748868"],'
    b'"c":["355.23000000","1.20454360"],"v":["17858.85261084","33470.74135600"]},'
    b'"ticker","XMR/USD"]'
)
OLD_TRADE = (
    b'[993,[["354.11000000","0.89594024","1618678142.557535","s","l",""]],"trade","XMR/USD"]'
)
CONFIRMATION = (
    b'{"method":"subscribe","result":{"channel":"%s","symbol":"BTC/USD","snapshot":true},'
    b'"success":true,"time_in":"2023-09-25T09:04:31.742599Z",'
    b'"time_out":"2023-09-25T09:04:31.742648Z"}'
)
REFUSAL = (
    b'{"error":"Currency pair not supported BTC/USD","method":"subscribe","success":false,'
    b'"symbol":"BTC/USD","time_in":"2023-09-25T09:04:31.742599Z",'
    b'"time_out":"2023-09-25T09:04:31.742648Z"}'
)


def adapter(*channels: str) -> KrakenAdapter:
    return KrakenAdapter("k", [BTC, MATIC, XMR], channels)


def test_a_ticker_is_a_quote_of_exact_numbers():
    (event,) = adapter().receive(TICKER, 1.0, 1)
    assert event.event_type is DataType.QUOTE
    assert event.data == Quote(
        "kraken",
        BTC,
        Decimal("108359.8"),
        Decimal("108359.9"),
        Decimal("0.01362603"),
        Decimal("17.17988863"),
        Decimal("108359.8"),
    )
    assert event.occurred_at is None
    assert event.metadata["subscription_id"] == "ticker:BTC/USD"


def test_numbers_that_a_float_would_spoil_are_exact():
    frame = TICKER.replace(b"0.01362603", b"12345678901234567.89012345678")
    (event,) = adapter().receive(frame, 1.0, 1)
    assert str(event.data.bid_size) == "12345678901234567.89012345678"


def test_a_ticker_of_today_has_its_time():
    (event,) = adapter().receive(TIMED, 1.0, 1)
    assert event.occurred_at == MOMENT


def test_a_ticker_without_sizes_or_last_price_is_a_quote_without_them():
    frame = TICKER.replace(b'"bid_qty":0.01362603,', b"").replace(b'"ask_qty":17.17988863,', b"")
    (event,) = adapter().receive(frame.replace(b'"last":108359.8', b'"last":0'), 1.0, 1)
    assert (event.data.bid_size, event.data.ask_size, event.data.last) == (None, None, None)


@pytest.mark.parametrize(("side", "number"), [(b'"bid":', b"108359.8"), (b'"ask":', b"108359.9")])
def test_a_market_without_a_side_is_told_and_is_no_quote(side, number):
    session = adapter()
    (event,) = session.receive(TICKER.replace(side + number, side + b"null"), 1.0, 1)
    assert event.data == MarketFault("kraken", BTC, "one_sided")
    assert not session.refused


def test_a_trade_has_the_takers_side():
    (event,) = adapter().receive(TRADE, 1.0, 1)
    assert event.data == Trade(
        "kraken", MATIC, Decimal("0.5117"), Decimal("40.0"), Side.SELL, 4665906
    )
    assert event.occurred_at == MOMENT
    assert event.metadata["subscription_id"] == "trade:MATIC/USD"


def test_trades_from_before_the_subscription_are_no_news():
    session = adapter()
    assert session.receive(TRADE.replace(b"update", b"snapshot"), 1.0, 1) == []
    assert session.ignored == {"trade": 1}


def test_trades_that_are_missing_are_counted():
    session = adapter()
    session.receive(TRADE, 1.0, 1)
    fault, event = session.receive(TRADE.replace(b"4665906", b"4665910"), 1.0, 2)
    assert fault.data == MarketFault("kraken", MATIC, "missed", 3)
    assert event.data.trade_id == 4665910


def test_an_array_of_version_1_is_a_quote():
    (event,) = adapter().receive(OLD_TICKER, 1.0, 1)
    assert event.data == Quote(
        "kraken",
        XMR,
        Decimal("354.32000000"),
        Decimal("355.24000000"),
        Decimal("6.87748868"),
        Decimal("27.19106411"),
        Decimal("355.23000000"),
    )
    assert event.occurred_at is None


def test_an_array_of_version_1_is_a_trade():
    (event,) = adapter().receive(OLD_TRADE, 1.0, 1)
    assert event.data == Trade(
        "kraken", XMR, Decimal("354.11000000"), Decimal("0.89594024"), Side.SELL
    )
    assert event.occurred_at == 1_618_678_142_557_535_000


def test_trades_of_version_1_may_share_a_moment_but_not_go_back():
    session = adapter()
    assert len(session.receive(OLD_TRADE, 1.0, 1)) == 1
    assert len(session.receive(OLD_TRADE, 1.0, 2)) == 1
    session.receive(OLD_TRADE.replace(b"1618678142", b"1618678141"), 1.0, 3)
    assert session.refused == {"time_backwards": 1}


def test_other_arrays_are_ignored_by_their_channel():
    session = adapter()
    book = b'[992,{"b":[["354.15","5.0","1618678133.365913"]],"c":"2583817756"},%s]'
    assert session.receive(book % b'"book-1000","XMR/USD"', 1.0, 1) == []
    assert session.receive(book % b'{"a":[]},"book-1000","XMR/USD"', 1.0, 2) == []
    assert session.ignored == {"book-1000": 2}


def test_names_of_version_1_are_read_as_todays():
    assert KrakenAdapter.read("XBT/CHF") == Instrument("BTC", "CHF")
    assert KrakenAdapter.read("KSM/XBT") == Instrument("KSM", "BTC")
    assert KrakenAdapter.read("XDG/USD") == Instrument("DOGE", "USD")
    assert KrakenAdapter.spell(Instrument("BTC", "CHF")) == "BTC/CHF"
    assert KrakenAdapter.read("ETH/USDT") == Instrument("ETH", "USDT")
    with pytest.raises(ValueError, match="is not 1 to 20"):
        KrakenAdapter.read("BTCUSD")
    with pytest.raises(ValueError, match="Kraken's spot market has no perpetual"):
        KrakenAdapter.spell(Instrument.parse("BTC/USD:perpetual"))


def test_it_asks_for_one_channel_a_message():
    ticker, trade = map(json.loads, adapter().opening())
    symbols = ["BTC/USD", "MATIC/USD", "XMR/USD"]
    assert ticker == {
        "method": "subscribe",
        "params": {
            "channel": "ticker",
            "symbol": symbols,
            "event_trigger": "bbo",
            "snapshot": True,
        },
    }
    assert trade == {
        "method": "subscribe",
        "params": {"channel": "trade", "symbol": symbols, "snapshot": False},
    }


def test_it_ends_subscriptions():
    session = adapter("ticker")
    session.opening()
    session.remove(BTC)
    (frame,) = session.outgoing()
    assert json.loads(frame) == {
        "method": "unsubscribe",
        "params": {"channel": "ticker", "symbol": ["BTC/USD"], "event_trigger": "bbo"},
    }


def test_each_symbol_is_confirmed_by_itself():
    session = KrakenAdapter("k", [BTC])
    session.opening()
    session.receive(CONFIRMATION % b"ticker", 0.0, 1)
    assert session.subscriptions == {"ticker:BTC/USD": "ticker:BTC/USD", "trade:BTC/USD": "pending"}
    session.receive(CONFIRMATION % b"trade", 0.0, 2)
    session.receive(CONFIRMATION % b"book", 0.0, 3)
    assert session.confirmed
    assert session.ignored == {"subscribe": 3}


def test_version_1_confirms_too():
    session = KrakenAdapter("k", [], ["ticker"], {})
    session.want("ticker:XMR/USD")
    session.receive(
        b'{"channelID":996,"channelName":"ticker","event":"subscriptionStatus",'
        b'"pair":"XMR/USD","status":"subscribed","subscription":{"name":"ticker"}}',
        0.0,
        1,
    )
    assert session.confirmed
    assert session.ignored == {"subscriptionStatus": 1}


def test_a_refused_subscription_ends_the_feed():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionRejected, match="Currency pair not supported BTC/USD"):
        session.receive(REFUSAL, 0.0, 1)


def test_too_many_messages_are_weather():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionLost, match="Exceeded msg rate"):
        session.receive(
            b'{"error":"Exceeded msg rate","method":"subscribe","success":false}', 0.0, 1
        )


@pytest.mark.parametrize(
    "frame",
    [
        REFUSAL,
        b'{"errorMessage":"Subscription depth not supported","event":"subscriptionStatus",'
        b'"pair":"XMR/USD","status":"error","subscription":{"name":"book"}}',
    ],
)
def test_an_error_that_answers_nothing_is_counted(frame):
    session = adapter()
    assert [event.data.reason for event in session.receive(frame, 0.0, 1)] == ["error_without_id"]


def test_what_is_subscribed_to_already_is_no_error():
    session = adapter()
    session.opening()
    assert session.receive(REFUSAL.replace(b"Currency pair not supported", b"Already subscribed"),
                           0.0, 1) == []  # fmt: skip
    assert session.ignored == {"subscribe": 1}


def test_pings_are_due_and_their_answers_heard():
    session = adapter()
    session.begin(0.0)
    assert session.next_due() == 20.0
    session.expire(20.0)
    assert session.outgoing() == ['{"method":"ping"}']
    session.receive(b'{"method":"pong","time_in":"x","time_out":"y"}', 21.0, 1)
    assert session.heard == {"ping": 21.0}
    session.receive(b'{"channel":"heartbeat"}', 30.0, 2)
    assert session.heard == {"ping": 21.0}
    assert session.ignored == {"pong": 1, "heartbeat": 1}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'{"channel":"status","type":"update","data":[{"system":"online"}]}', "status"),
        (b'{"channel":"book","type":"update","data":[]}', "book"),
        (b'{"event":"heartbeat"}', "heartbeat"),
        (b'{"connectionID":1,"event":"systemStatus","status":"online"}', "systemStatus"),
        (b'{"method":"unsubscribe","result":{"channel":"ticker","symbol":"BTC/USD"},'
         b'"success":true}', "unsubscribe"),
    ],
)  # fmt: skip
def test_what_is_no_news_for_us_is_ignored_by_its_kind(frame, kind):
    session = adapter()
    assert session.receive(frame, 0.0, 1) == []
    assert session.ignored == {kind: 1}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"{}", "unknown_message"),
        (b"[1,2]", "unknown_message"),
        (b'[1,2,3,"XMR/USD"]', "wrong_shape"),
        (b"[1,2", "not_json"),
        (b'{"channel":"ticker","data":5}', "wrong_shape"),
        (TICKER.replace(b"BTC/USD", b"XBT/USD"), "unknown_symbol"),
        (TICKER.replace(b'"ask":108359.9', b'"ask":108359.7'), "crossed_book"),
        (TICKER.replace(b'"bid":108359.8', b'"bid":0'), "price_not_positive"),
        (TICKER.replace(b'"bid":108359.8', b'"bid":-1'), "price_not_positive"),
        (TICKER.replace(b'"bid":108359.8', b'"bid":"NaN"'), "bad_number"),
        (TICKER.replace(b'"bid":108359.8', b'"bid":1e99'), "bad_number"),
        (TICKER.replace(b'"bid_qty":0.01', b'"bid_qty":-0.01'), "negative_number"),
        (TIMED.replace(b"2023-09-25T", b"yesterday "), "bad_time"),
        (TRADE.replace(b'"price":0.5117', b'"price":0'), "price_not_positive"),
        (TRADE.replace(b'"trade_id":4665906', b'"trade_id":"x"'), "wrong_shape"),
        (TRADE.replace(b'"trade_id":4665906', b'"trade_id":-1'), "bad_number"),
        (OLD_TICKER.replace(b'"354.32000000"', b'"354.32x"'), "bad_number"),
        (OLD_TICKER.replace(b"XMR/USD", b"XMR/EUR"), "unknown_symbol"),
        (OLD_TRADE.replace(b"1618678142.557535", b"now"), "bad_time"),
        (OLD_TRADE.replace(b'"354.11000000"', b'"0"'), "price_not_positive"),
    ],
)
def test_what_cannot_be_used_is_counted_by_reason(frame, reason):
    session = adapter()
    assert [event.data.reason for event in session.receive(frame, 0.0, 1)] == [reason]
    assert session.refused == {reason: 1}
    for number, sound in enumerate((TICKER, TIMED, TRADE, OLD_TICKER, OLD_TRADE)):
        assert len(session.receive(sound, 0.0, number)) == 1


def test_one_item_that_cannot_be_used_costs_no_other():
    frame = json.loads(TRADE)
    frame["data"] = [frame["data"][0] | change for change in ({"price": 0}, {}, {"symbol": "X/Y"})]
    session = adapter()
    events = session.receive(json.dumps(frame).encode(), 0.0, 1)
    assert [type(event.data).__name__ for event in events] == [
        "MarketFault",
        "Trade",
        "MarketFault",
    ]
    assert session.refused == {"price_not_positive": 1, "unknown_symbol": 1}


def test_tickers_of_one_moment_pass_once_each_and_none_goes_back():
    session = adapter()
    other = TIMED.replace(b'"bid_qty":0.01', b'"bid_qty":0.02')
    earlier = TIMED.replace(b"37.708706Z", b"36.708706Z")
    passed = [len(session.receive(f, 0.0, 1)) for f in (TIMED, other)]
    refused = [session.receive(f, 0.0, 1)[0].data.reason for f in (TIMED, other, earlier)]
    assert passed == [1, 1]
    assert refused == ["repeated", "repeated", "time_backwards"]


def test_tickers_without_a_time_all_pass():
    session = adapter()
    assert [len(session.receive(TICKER, 0.0, n)) for n in range(3)] == [1, 1, 1]


def test_trades_that_repeat_or_go_back_are_refused():
    session = adapter()
    session.receive(TRADE, 0.0, 1)
    session.receive(TRADE, 0.0, 2)
    session.receive(TRADE.replace(b"4665906", b"4665905"), 0.0, 3)
    assert session.refused == {"repeated": 1, "time_backwards": 1}


@pytest.mark.parametrize(
    ("message", "pairs"),
    [
        ({"method": "subscribe", "params": {"channel": "ticker", "symbol": ["BTC/USD", 5]}},
         [("ticker", "BTC/USD")]),
        ({"event": "subscribe", "pair": ["XBT/CHF"], "subscription": {"name": "trade"}},
         [("trade", "XBT/CHF")]),
        ({"event": "subscribe", "pair": ["XBT/CHF"], "subscription": "trade"}, []),
        ({"event": "subscribe", "pair": "XBT/CHF", "subscription": {"name": "trade"}}, []),
        ({"method": "subscribe", "params": {"symbol": ["BTC/USD"]}}, []),
        ({"method": "subscribe", "params": [1]}, []),
        ({"method": "ping"}, []),
        ([1], []),
    ],
)  # fmt: skip
def test_what_a_recording_asked_for_is_read(message, pairs):
    assert list(KrakenAdapter.asked(message)) == pairs
