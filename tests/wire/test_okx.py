"""OKX: its documented messages, its answers, its order, and sizes that are contracts."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire.okx import OkxAdapter

BTC, SWAP = Instrument("BTC", "USDT"), Instrument.parse("BTC/USDT:perpetual")
FUTURE = Instrument.parse("BTC/USD:future-2022-06-24")
TICKER = (
    b'{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT",'
    b'"instId":"BTC-USDT","last":"31500.1","lastSz":"0.00001754","askPx":"31500.1",'
    b'"askSz":"0.00998144","bidPx":"31500","bidSz":"3.05652439","open24h":"31697",'
    b'"high24h":"32248","low24h":"31165.6","sodUtc0":"31385.5","sodUtc8":"32134.9",'
    b'"volCcy24h":"503403597.38138519","vol24h":"15937.10781721","ts":"1626526618762"}]}'
)
BEST = (
    b'{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["31500.1",'
    b'"0.00998144","0","13"]],"bids":[["31500","3.05652439","0","2"]],"ts":"1626526618762",'
    b'"seqId":123456}]}'
)
TRADE = (
    b'{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT",'
    b'"tradeId":"338476307","px":"30236","sz":"0.0002","side":"buy","ts":"1652459224818",'
    b'"count":"3"}]}'
)
MOMENT = 1_626_526_618_762_000_000


def adapter(*channels: str) -> OkxAdapter:
    return OkxAdapter("o", [BTC, SWAP, FUTURE], channels)


def test_a_ticker_is_a_quote():
    (event,) = adapter().receive(TICKER, 1.0, 1)
    assert event.event_type is DataType.QUOTE
    assert event.data == Quote(
        "okx",
        BTC,
        Decimal(31500),
        Decimal("31500.1"),
        Decimal("3.05652439"),
        Decimal("0.00998144"),
        Decimal("31500.1"),
    )
    assert event.occurred_at == MOMENT
    assert event.metadata["subscription_id"] == "tickers:BTC-USDT"


def test_a_best_bid_and_ask_is_a_quote_with_its_number():
    (event,) = adapter().receive(BEST, 1.0, 1)
    assert event.data == Quote(
        "okx",
        BTC,
        Decimal(31500),
        Decimal("31500.1"),
        Decimal("3.05652439"),
        Decimal("0.00998144"),
        sequence=123456,
    )
    assert event.occurred_at == MOMENT
    assert event.metadata["subscription_id"] == "bbo-tbt:BTC-USDT"


def test_a_best_bid_and_ask_without_a_number_is_ordered_by_its_time():
    session, bare = adapter(), BEST.replace(b',"seqId":123456', b"")
    assert session.receive(bare, 1.0, 1)[0].data.sequence is None
    session.receive(bare, 1.0, 2)
    assert session.refused == {"repeated": 1}


def test_a_trade_has_the_takers_side():
    (event,) = adapter().receive(TRADE, 1.0, 1)
    assert event.data == Trade("okx", BTC, Decimal(30236), Decimal("0.0002"), Side.BUY, 338476307)
    assert event.occurred_at == 1_652_459_224_818_000_000
    assert event.metadata["subscription_id"] == "trades:BTC-USDT"


@pytest.mark.parametrize("symbol", [b"BTC-USDT-SWAP", b"BTC-USD-220624"])
def test_contracts_are_not_base_units(symbol):
    session = adapter()
    for frame in (TICKER, BEST):
        (event,) = session.receive(frame.replace(b"BTC-USDT", symbol), 1.0, 1)
        assert (event.data.bid, event.data.ask) == (Decimal(31500), Decimal("31500.1"))
        assert (event.data.bid_size, event.data.ask_size) == (None, None)
    (event,) = session.receive(TRADE.replace(b"BTC-USDT", symbol), 1.0, 1)
    assert (event.data.price, event.data.size) == (Decimal(30236), None)


@pytest.mark.parametrize("side", [b'"askPx":"31500.1"', b'"bidPx":"31500"'])
def test_a_ticker_without_a_side_is_told_and_is_no_quote(side):
    session = adapter()
    (event,) = session.receive(TICKER.replace(side, side.partition(b":")[0] + b':""'), 1.0, 1)
    assert event.data == MarketFault("okx", BTC, "one_sided")
    assert not session.refused


@pytest.mark.parametrize("side", [b'[["31500.1","0.00998144","0","13"]]',
                                  b'[["31500","3.05652439","0","2"]]'])  # fmt: skip
def test_a_book_without_a_side_is_told_and_is_no_quote(side):
    (event,) = adapter().receive(BEST.replace(side, b"[]"), 1.0, 1)
    assert event.data == MarketFault("okx", BTC, "one_sided")


def test_empty_texts_are_what_is_not_known():
    frame = TICKER
    for value in (b'"31500.1","lastSz"', b'"0.00998144"', b'"3.05652439"'):
        frame = frame.replace(value, b'""' + value.partition(b",")[1] + value.partition(b",")[2])
    (event,) = adapter().receive(frame, 1.0, 1)
    assert (event.data.last, event.data.bid_size, event.data.ask_size) == (None, None, None)


def test_a_trade_stands_for_so_many_fills_and_others_are_missing():
    session = adapter()
    session.receive(TRADE, 1.0, 1)
    (event,) = session.receive(TRADE.replace(b"338476307", b"338476310"), 1.0, 2)
    assert event.data.trade_id == 338476310
    fault, event = session.receive(TRADE.replace(b"338476307", b"338476315"), 1.0, 3)
    assert fault.data == MarketFault("okx", BTC, "missed", 2)


def test_a_trade_of_old_stands_for_one_fill():
    session, old = adapter(), TRADE.replace(b',"count":"3"', b"")
    session.receive(old, 1.0, 1)
    fault, _ = session.receive(old.replace(b"338476307", b"338476309"), 1.0, 2)
    assert fault.data.count == 1


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("BTC-USDT", "BTC/USDT"),
        ("BTC-USDC", "BTC/USDC"),
        ("BTC-USDT-SWAP", "BTC/USDT:perpetual"),
        ("UNI-USD-SWAP", "UNI/USD:perpetual"),
        ("BTC-USD-220624", "BTC/USD:future-2022-06-24"),
    ],
)
def test_symbols_are_read_and_spelled(symbol, instrument):
    assert OkxAdapter.read(symbol) == Instrument.parse(instrument)
    assert OkxAdapter.spell(Instrument.parse(instrument)) == symbol


@pytest.mark.parametrize("symbol", ["BTC", "BTC-USD-221324", "BTC-USD-220624-40000-C", "-", ""])
def test_a_symbol_that_is_no_instrument_is_not_guessed(symbol):
    with pytest.raises(ValueError):
        OkxAdapter.read(symbol)


def test_an_index_has_no_ticker_there():
    with pytest.raises(ValueError, match="OKX's tickers have no index"):
        OkxAdapter.spell(Instrument.parse("BTC/USD:index"))


def test_it_asks_with_an_argument_a_channel_and_symbol():
    session = OkxAdapter("o", [BTC, SWAP])
    (frame,) = session.opening()
    assert json.loads(frame) == {
        "op": "subscribe",
        "args": [
            {"channel": channel, "instId": symbol}
            for channel in ("bbo-tbt", "trades")
            for symbol in ("BTC-USDT", "BTC-USDT-SWAP")
        ],
    }
    session.remove(SWAP)
    assert [json.loads(frame)["op"] for frame in session.outgoing()] == ["unsubscribe"]


def test_each_argument_is_confirmed_by_itself():
    session = OkxAdapter("o", [BTC])
    session.opening()
    confirmation = b'{"event":"subscribe","arg":{"channel":"%s","instId":"BTC-USDT"},"connId":"a"}'
    for number, channel in enumerate((b"trades", b"books")):
        session.receive(confirmation % channel, 0.0, number)
    assert session.subscriptions == {
        "bbo-tbt:BTC-USDT": "pending",
        "trades:BTC-USDT": "trades:BTC-USDT",
    }
    session.receive(confirmation % b"bbo-tbt", 0.0, 3)
    assert session.confirmed
    assert session.ignored == {"subscribe": 3}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ('"60018"', SubscriptionRejected),
        ("60012", SubscriptionRejected),
        ('"60014"', SubscriptionLost),
        ('"50011"', SubscriptionLost),
    ],
)
def test_an_error_before_the_confirmation_refuses_or_is_weather(code, kind):
    session = adapter()
    session.opening()
    text = (
        f'{{"event":"error","code":{code},"msg":"Wrong URL or channel:bbo-tbt,instId:X-Y doesn\'t '
        'exist.","connId":"a4d3ae55"}'
    )
    with pytest.raises(kind, match=r"OKX answers .*instId:X-Y"):
        session.receive(text.encode(), 0.0, 1)


def test_an_error_that_answers_nothing_is_counted():
    session = adapter()
    (event,) = session.receive(b'{"event":"error","code":"60018","msg":"x"}', 0.0, 1)
    assert event.data.reason == "error_without_id"


def test_too_many_connections_are_weather():
    with pytest.raises(SubscriptionLost, match="too many connections"):
        adapter().receive(
            b'{"event":"channel-conn-count-error","channel":"orders","connCount":"30"}', 0.0, 1
        )


def test_an_upgrade_asks_the_client_to_leave():
    session = adapter()
    session.receive(b'{"event":"notice","code":"1","msg":"x"}', 0.0, 1)
    assert not session.leaving
    session.receive(b'{"event":"notice","code":"64008","msg":"upgrade","connId":"a"}', 0.0, 2)
    assert session.leaving
    assert session.ignored == {"notice": 2}


def test_the_ping_is_text_and_so_is_its_answer():
    session = adapter()
    session.begin(0.0)
    session.expire(20.0)
    assert session.outgoing() == ["ping"]
    assert session.receive(b"pong", 20.1, 1) == []
    assert session.heard == {"ping": 20.1}
    assert session.ignored == {"pong": 1}
    assert not session.refused


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{}]}', "books"),
        (b'{"event":"unsubscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}', "unsubscribe"),
        (b'{"event":"channel-conn-count","channel":"orders","connCount":"2"}',
         "channel-conn-count"),
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
        (b"ping", "not_json"),
        (b'{"arg":{"channel":"trades"}}', "unknown_message"),
        (b'{"arg":{"channel":"trades"},"data":{}}', "wrong_shape"),
        (TICKER.replace(b"BTC-USDT", b"BTC-USDC"), "unknown_symbol"),
        (TICKER.replace(b'"askPx":"31500.1"', b'"askPx":"31499"'), "crossed_book"),
        (TICKER.replace(b'"bidPx":"31500"', b'"bidPx":"0"'), "price_not_positive"),
        (TICKER.replace(b'"1626526618762"', b'""'), "bad_number"),
        (TICKER.replace(b'"1626526618762"', b'"9999999999999999"'), "bad_time"),
        (BEST.replace(b"BTC-USDT", b"BTC-USDC"), "unknown_symbol"),
        (BEST.replace(b'["31500"', b'["x"'), "bad_number"),
        (BEST.replace(b'["31500","3.05652439","0","2"]', b'["31500"]'), "wrong_shape"),
        (BEST.replace(b'["31500"', b'["31501"'), "crossed_book"),
        (TRADE.replace(b'"338476307"', b'"x"'), "bad_number"),
        (TRADE.replace(b'"count":"3"', b'"count":"x"'), "bad_number"),
        (TRADE.replace(b'"30236"', b'"-1"'), "price_not_positive"),
        (TRADE.replace(b'"0.0002"', b'"1e3"'), "bad_number"),
    ],
)
def test_what_cannot_be_used_is_counted_by_reason(frame, reason):
    session = adapter()
    assert [event.data.reason for event in session.receive(frame, 0.0, 1)] == [reason]
    assert session.refused == {reason: 1}
    for number, sound in enumerate((TICKER, BEST, TRADE)):
        assert len(session.receive(sound, 0.0, number)) == 1


@pytest.mark.parametrize(
    ("frame", "number"),
    [(TICKER, b'"ts":"1626526618762"'), (BEST, b'"seqId":123456'), (TRADE, b'"338476307"')],
)
def test_updates_that_repeat_or_go_back_are_refused(frame, number):
    session = adapter()
    assert len(session.receive(frame, 0.0, 1)) == 1
    session.receive(frame, 0.0, 2)
    last = number.rstrip(b'"')[-1:]
    back = number.replace(last, bytes([last[0] - 1]))
    session.receive(frame.replace(number, back), 0.0, 3)
    assert session.refused == {"repeated": 1, "time_backwards": 1}


@pytest.mark.parametrize(
    ("message", "pairs"),
    [
        ({"op": "subscribe", "args": [{"channel": "trades", "instId": "BTC-USDT"}]},
         [("trades", "BTC-USDT")]),
        ({"op": "subscribe", "args": ["x", {"channel": 5}, {"channel": "trades"}]}, []),
        ({"op": "subscribe", "args": 5}, []),
        ({"op": "unsubscribe", "args": [{"channel": "trades", "instId": "BTC-USDT"}]}, []),
        ("ping", []),
    ],
)  # fmt: skip
def test_what_a_recording_asked_for_is_read(message, pairs):
    assert list(OkxAdapter.asked(message)) == pairs
