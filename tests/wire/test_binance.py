"""Binance: its documented messages, its answers, its order."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from tests.support.faults import faults
from trio_mev.errors import SubscriptionRejected
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.identity import Instrument
from trio_mev.model.market import Quote, Side, Trade
from trio_mev.wire.binance import BinanceAdapter

BNB_USDT, BNB_BTC = Instrument("BNB", "USDT"), Instrument("BNB", "BTC")
BOOK_TICKER = (
    b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000",'
    b'"a":"25.36520000","A":"40.66000000"}'
)
TICKER = (
    b'{"e":"24hrTicker","E":1672515782136,"s":"BNBBTC","p":"0.0015","P":"250.00","w":"0.0018",'
    b'"x":"0.0009","c":"0.0025","Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100",'
    b'"o":"0.0010","h":"0.0025","l":"0.0010","v":"10000","q":"18","O":0,"C":86400000,"F":0,'
    b'"L":18150,"n":18151}'
)
AGG_TRADE = (
    b'{"e":"aggTrade","E":1672515782137,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,'
    b'"l":105,"T":1672515782136,"m":true,"M":true}'
)
QUOTE = Quote(
    "binance",
    BNB_USDT,
    Decimal("25.3519"),
    Decimal("25.3652"),
    Decimal("31.21"),
    Decimal("40.66"),
    sequence=400900217,
)


def adapter(*channels: str) -> BinanceAdapter:
    return BinanceAdapter("spot", [BNB_USDT, BNB_BTC], channels or ("bookTicker", "aggTrade"))


def combined(stream: str, data: bytes) -> bytes:
    return b'{"stream":"%s","data":%s}' % (stream.encode(), data)


def test_a_book_ticker_is_a_quote():
    (event,) = adapter().receive(BOOK_TICKER, 1.0, 1)
    assert (event.event_type, event.priority) == (DataType.QUOTE, EventPriority.NORMAL)
    assert event.data == QUOTE
    assert event.occurred_at is None


def test_a_24_hour_ticker_is_a_quote_with_its_last_price_and_its_time():
    (event,) = adapter("ticker").receive(TICKER, 1.0, 1)
    assert event.data == Quote(
        "binance",
        BNB_BTC,
        Decimal("0.0024"),
        Decimal("0.0026"),
        Decimal(10),
        Decimal(100),
        last=Decimal("0.0025"),
    )
    assert event.occurred_at == 1_672_515_782_136_000_000


def test_an_aggregate_trade_whose_buyer_is_the_maker_was_sold_by_the_taker():
    (event,) = adapter().receive(AGG_TRADE, 1.0, 1)
    assert event.event_type is DataType.TRADE
    assert event.data == Trade("binance", BNB_BTC, Decimal("0.001"), Decimal(100), Side.SELL, 12345)
    assert event.occurred_at == 1_672_515_782_136_000_000


def test_an_aggregate_trade_whose_seller_is_the_maker_was_bought_by_the_taker():
    (event,) = adapter().receive(AGG_TRADE.replace(b'"m":true', b'"m":false'), 1.0, 1)
    assert event.data.side is Side.BUY


@pytest.mark.parametrize(
    ("stream", "frame", "kind"),
    [
        ("bnbusdt@bookTicker", BOOK_TICKER, DataType.QUOTE),
        ("bnbbtc@ticker", TICKER, DataType.QUOTE),
        ("bnbbtc@aggTrade", AGG_TRADE, DataType.TRADE),
    ],
)
def test_a_frame_is_the_same_event_from_a_combined_stream_and_from_one_of_its_own(
    stream, frame, kind
):
    (alone,) = adapter().receive(frame, 1.0, 1)
    (together,) = adapter().receive(combined(stream, frame), 1.0, 1)
    assert together.data == alone.data
    assert together.event_type is alone.event_type is kind
    assert together.metadata == alone.metadata
    assert together.metadata == {"connection_id": "spot", "subscription_id": stream}


def test_the_symbol_is_base_and_quote_and_only_of_the_spot_market():
    assert BinanceAdapter.spell(Instrument("ETH", "USDT")) == "ETHUSDT"
    with pytest.raises(ValueError, match="Binance's spot market has no perpetual"):
        BinanceAdapter.spell(Instrument.parse("ETH/USDT:perpetual"))


def test_it_opens_with_one_request_for_every_stream_of_every_instrument():
    session = adapter()
    (frame,) = session.opening()
    assert json.loads(frame) == {
        "method": "SUBSCRIBE",
        "params": [
            "bnbusdt@bookTicker",
            "bnbbtc@bookTicker",
            "bnbusdt@aggTrade",
            "bnbbtc@aggTrade",
        ],
        "id": 1,
    }
    assert not session.confirmed


def test_the_answer_without_an_error_confirms_every_stream():
    session = adapter()
    session.opening()
    assert session.receive(b'{"result":null,"id":1}', 0.0, 1) == []
    assert session.confirmed
    assert session.subscriptions["bnbbtc@aggTrade"] == "bnbbtc@aggTrade"
    assert not session.refused


@pytest.mark.parametrize(
    "answer",
    [
        b'{"error":{"code":2,"msg":"Invalid request"},"id":1}',
        b'{"code":2,"msg":"Invalid request","id":1}',
    ],
)
def test_the_answer_with_an_error_rejects_the_subscription(answer):
    session = adapter("ticker")
    session.opening()
    with pytest.raises(SubscriptionRejected, match=r"bnbusdt@ticker, bnbbtc@ticker: .*Invalid req"):
        session.receive(answer, 0.0, 1)


def test_an_error_that_is_not_utf8_still_rejects():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionRejected):
        session.receive(b'{"error":{"msg":"\xff"},"id":1}', 0.0, 1)


def test_streams_can_be_asked_for_and_given_up_while_running():
    session = adapter("bookTicker")
    session.opening()
    session.receive(b'{"result":null,"id":1}', 0.0, 1)
    session.subscribe([("ticker", "BNBBTC")])
    session.unsubscribe([("bookTicker", "BNBUSDT"), ("asked", "NEVER")])
    assert [json.loads(frame) for frame in session.outgoing()] == [
        {"method": "SUBSCRIBE", "params": ["bnbbtc@ticker"], "id": 2},
        {"method": "UNSUBSCRIBE", "params": ["bnbusdt@bookTicker", "never@asked"], "id": 3},
    ]
    session.receive(b'{"result":null,"id":3}', 0.0, 2)
    assert session.subscriptions == {
        "bnbbtc@bookTicker": "bnbbtc@bookTicker",
        "bnbbtc@ticker": "pending",
    }
    session.receive(b'{"result":null,"id":2}', 0.0, 3)
    assert session.confirmed


def test_a_stream_given_up_before_its_confirmation_stays_given_up():
    session = adapter("bookTicker")
    session.opening()
    session.unsubscribe([("bookTicker", "BNBUSDT")])
    session.receive(b'{"result":null,"id":1}', 0.0, 1)
    assert session.subscriptions == {"bnbbtc@bookTicker": "bnbbtc@bookTicker"}


def test_asking_again_and_again_for_a_stream_keeps_one_entry():
    session = adapter("bookTicker")
    for _ in range(50):
        session.subscribe([("bookTicker", "BNBUSDT")])
    assert session.subscriptions == {"bnbusdt@bookTicker": "pending"}


def test_only_the_24_hour_ticker_has_a_period_and_hearing_it_is_noted():
    session = adapter("bookTicker", "ticker")
    session.opening()
    assert session.heard == {"bnbusdt@ticker": 0.0, "bnbbtc@ticker": 0.0}
    session.receive(TICKER, 5.0, 1)
    session.receive(BOOK_TICKER, 6.0, 2)
    assert session.heard == {"bnbusdt@ticker": 0.0, "bnbbtc@ticker": 5.0}
    session.unsubscribe([("ticker", "BNBUSDT")])
    assert session.heard == {"bnbbtc@ticker": 5.0}


def test_a_ticker_that_was_not_asked_for_is_not_watched():
    session = adapter("bookTicker")
    session.opening()
    assert len(session.receive(TICKER, 5.0, 1)) == 1
    assert session.heard == {}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (combined("bnbusdt@depth@100ms", b"{}"), "depth@100ms"),
        (b'{"e":"depthUpdate","s":"BNBUSDT","u":5}', "depthUpdate"),
        (b'{"e":"serverShutdown","E":1}', "serverShutdown"),
    ],
)
def test_what_is_sound_but_not_for_us_is_ignored_by_its_kind(frame, kind):
    session = adapter()
    assert session.receive(frame, 0.0, 1) == []
    assert session.ignored == {kind: 1}
    assert not session.refused


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"{}", "unknown_message"),
        (b'{"stream":"bnbusdt@bookTicker"}', "unknown_message"),
        (b'{"result":null,"id":99}', "unknown_reply"),
        (b'{"result":null,"id":"1"}', "unknown_reply"),
        (b'{"error":{"code":2,"msg":"no"},"id":null}', "error_without_id"),
        (b'{"error":{"code":2,"msg":"no"}}', "error_without_id"),
        (BOOK_TICKER.replace(b"BNBUSDT", b"NOPE"), "unknown_symbol"),
        (BOOK_TICKER.replace(b"25.3519", b"26.3519"), "crossed_book"),
        (BOOK_TICKER.replace(b'"31.21000000"', b"31.21"), "wrong_shape"),
        (BOOK_TICKER.replace(b"31.21", b"-31.21"), "negative_number"),
        (TICKER.replace(b"1672515782136", b"-1"), "bad_time"),
        (AGG_TRADE.replace(b'"T":1672515782136', b'"T":1672515782136000000'), "bad_time"),
    ],
)
def test_what_cannot_be_used_is_counted_by_reason(frame, reason):
    session = adapter()
    session.opening()
    assert faults(session.receive(frame, 0.0, 1)) == [reason]
    assert session.refused == {reason: 1}
    assert [e.data for e in session.receive(BOOK_TICKER, 0.0, 2)] == [QUOTE]


def test_a_locked_book_is_a_quote():
    (event,) = adapter().receive(BOOK_TICKER.replace(b"25.36520000", b"25.35190000"), 0.0, 1)
    assert event.data.bid == event.data.ask


@pytest.mark.parametrize(
    ("frame", "number", "earlier"),
    [
        (BOOK_TICKER, b"400900217", b"400900216"),
        (TICKER, b"1672515782136", b"1672515782135"),
        (AGG_TRADE, b"12345", b"12344"),
    ],
)
def test_updates_that_repeat_or_go_back_are_refused(frame, number, earlier):
    session = adapter()
    assert len(session.receive(frame, 0.0, 1)) == 1
    assert faults(session.receive(frame, 0.0, 2)) == ["repeated"]
    assert faults(session.receive(frame.replace(number, earlier), 0.0, 3)) == ["time_backwards"]
    assert session.refused == {"repeated": 1, "time_backwards": 1}
    later = b"%d" % (int(number) + 1)
    assert len(session.receive(frame.replace(number, later), 0.0, 4)) == 1


def test_each_symbol_has_its_own_order():
    session = adapter()
    session.receive(BOOK_TICKER, 0.0, 1)
    other = BOOK_TICKER.replace(b"BNBUSDT", b"BNBBTC").replace(b"400900217", b"1")
    assert len(session.receive(other, 0.0, 2)) == 1


def test_a_tape_tells_what_was_asked_for():
    session = adapter()
    session.sent(b'{"method":"SUBSCRIBE","params":["bnbusdt@bookTicker"],"id":7}')
    assert session.subscriptions == {"bnbusdt@bookTicker": "pending"}
    session.receive(b'{"result":null,"id":7}', 0.0, 1)
    assert session.confirmed
    session.sent(b'{"method":"UNSUBSCRIBE","params":["bnbusdt@bookTicker"],"id":8}')
    session.receive(b'{"result":null,"id":8}', 0.0, 2)
    assert not session.refused


def test_a_request_on_a_tape_that_is_none_is_counted():
    session = adapter()
    session.sent(b"ping")
    session.sent(b"{}")
    assert session.refused == {"sent_not_json": 1, "sent_wrong_shape": 1}


def test_a_symbol_of_its_own_spelling_is_one_and_the_same_instrument():
    session = BinanceAdapter("b", [BNB_USDT, BNB_BTC], ["bookTicker"], {"BNBUSDT_X": BNB_USDT})
    assert session.symbols == {"BNBUSDT_X": BNB_USDT, "BNBBTC": BNB_BTC}
    (event,) = session.receive(BOOK_TICKER.replace(b"BNBUSDT", b"BNBUSDT_X"), 0.0, 1)
    assert event.data.instrument == BNB_USDT


def test_the_second_quote_of_a_stream_is_read_like_the_first_and_its_faults_have_their_reasons():
    session = adapter()
    name = "bnbusdt@bookTicker"
    first = combined(name, BOOK_TICKER)
    later = first.replace(b"400900217", b"400900218")
    (one,), (two,) = session.receive(first, 1.0, 1), session.receive(later, 2.0, 2)
    assert two.data == msgspec.structs.replace(one.data, sequence=400900218)
    assert two.metadata == one.metadata
    for change, reason in [
        ((b'"25.3519', b"25.3519"), "not_json"),
        ((b'"25.35190000"', b"25.3519"), "wrong_shape"),
        ((b"BNBUSDT", b"BNBUSD"), "unknown_symbol"),
        ((b'"25.35190000"', b'"25.40000000"'), "crossed_book"),
        ((b'"25.35190000"', b'"."'), "bad_number"),
        ((b'"25.35190000"', b'"0.0"'), "price_not_positive"),
        ((b'"25.36520000"', b'"1e3"'), "bad_number"),
        ((b'"31.21000000"', b'"-1"'), "negative_number"),
        ((b'"40.66000000"', b'"' + b"1" * 41 + b'"'), "bad_number"),
        ((b'"31.21000000"', b'"1.2.3"'), "bad_number"),
    ]:
        before = session.refused[reason]
        assert faults(session.receive(later.replace(*change), 3.0, 3)) == [reason]
        assert session.refused[reason] == before + 1, change
    other = combined(name, BOOK_TICKER.replace(b"BNBUSDT", b"BNBBTC"))
    assert session.receive(other, 4.0, 4)[0].data.instrument == BNB_BTC
