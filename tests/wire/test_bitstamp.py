"""Bitstamp: its documented messages, its answers, its order."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire.bitstamp import BitstampAdapter

ETH_USD = Instrument("ETH", "USD")
BOOK = (
    b'{"data":{"timestamp":"1643643584","microtimestamp":"1643643584684047","bids":'
    b'[["2650.05","1.13213000"],["2650.00","0.5"]],"asks":[["2650.14","0.25000000"],'
    b'["2650.20","7.1"]]},"channel":"order_book_ethusd","event":"data"}'
)
TRADE = (
    b'{"data":{"id":216000477,"timestamp":"1641343699","amount":0.0792,"amount_str":"0.07920000",'
    b'"price":3805.44,"price_str":"3805.44","type":0,"microtimestamp":"1641343699596000",'
    b'"buy_order_id":1445028411445249,"sell_order_id":1445028409880577},'
    b'"channel":"live_trades_ethusd","event":"trade"}'
)
ERROR = (
    b'{"event":"bts:error","channel":"","data":{"code":null,"message":"Bad subscription string."}}'
)
HEARTBEAT = b'{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}'


def adapter(*channels: str) -> BitstampAdapter:
    return BitstampAdapter("bs", [ETH_USD], channels)


def confirmed() -> BitstampAdapter:
    session = adapter()
    session.opening()
    for channel in ("order_book_ethusd", "live_trades_ethusd"):
        frame = {"event": "bts:subscription_succeeded", "channel": channel, "data": {}}
        session.receive(json.dumps(frame).encode(), 0.0, 1)
    return session


def test_a_whole_book_is_a_quote_of_its_best_levels():
    (event,) = adapter().receive(BOOK, 1.0, 1)
    assert event.event_type is DataType.QUOTE
    sizes = Decimal("1.13213000"), Decimal("0.25000000")
    assert event.data == Quote("bitstamp", ETH_USD, Decimal("2650.05"), Decimal("2650.14"), *sizes)
    assert event.occurred_at == 1_643_643_584_684_047_000
    assert event.metadata["subscription_id"] == "order_book_ethusd"


def test_a_level_may_have_more_than_price_and_size():
    """``detail_order_book`` appends an order's number."""
    frame = BOOK.replace(b'"1.13213000"]', b'"1.13213000","1207590500704256"]')
    assert len(adapter().receive(frame, 1.0, 1)) == 1


@pytest.mark.parametrize(("kind", "side"), [(0, Side.BUY), (1, Side.SELL), (2, None)])
def test_a_trade_has_the_takers_side_and_the_exact_numbers(kind, side):
    frame = TRADE.replace(b'"type":0', b'"type":%d' % kind)
    (event,) = adapter().receive(frame, 1.0, 1)
    assert event.event_type is DataType.TRADE
    expected = Decimal("3805.44"), Decimal("0.07920000"), side, 216000477
    assert event.data == Trade("bitstamp", ETH_USD, *expected)
    assert event.occurred_at == 1_641_343_699_596_000_000


def test_a_trades_number_may_be_longer_than_a_float_is_exact():
    frame = TRADE.replace(b"216000477", b"2001939623936278529")
    assert adapter().receive(frame, 1.0, 1)[0].data.trade_id == 2001939623936278529


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("ethusd", "ETH/USD"),
        ("ethusdt", "ETH/USDT"),
        ("usdcusd", "USDC/USD"),
        ("usdcusdt", "USDC/USDT"),
        ("btceur", "BTC/EUR"),
        ("ethbtc", "ETH/BTC"),
        ("btcusd-perp", "BTC/USD:perpetual"),
    ],
)
def test_symbols_are_spelled_and_read_both_ways(symbol, instrument):
    assert BitstampAdapter.spell(Instrument.parse(instrument)) == symbol
    assert BitstampAdapter.read(symbol) == Instrument.parse(instrument)


def test_other_kinds_it_does_not_have():
    with pytest.raises(ValueError, match="Bitstamp has no index"):
        BitstampAdapter.spell(Instrument.parse("ETH/USD:index"))
    with pytest.raises(ValueError, match="ends in no quote currency"):
        BitstampAdapter.read("eth")


def test_it_asks_for_one_channel_a_message_each_within_the_limit():
    session = adapter()
    frames = session.opening()
    assert [json.loads(frame) for frame in frames] == [
        {"event": "bts:subscribe", "data": {"channel": "order_book_ethusd"}},
        {"event": "bts:subscribe", "data": {"channel": "live_trades_ethusd"}},
    ]
    assert all(len(frame) < 512 for frame in frames)
    assert list(session.subscriptions.values()) == ["pending", "pending"]
    session.remove(ETH_USD)
    assert [json.loads(frame)["event"] for frame in session.outgoing()] == ["bts:unsubscribe"] * 2


def test_each_channel_is_confirmed_by_name():
    session = confirmed()
    assert session.confirmed
    stranger = b'{"event":"bts:subscription_succeeded","channel":"order_book_xrpusd","data":{}}'
    session.receive(stranger, 0.0, 2)
    assert list(session.subscriptions) == ["order_book_ethusd", "live_trades_ethusd"]
    assert session.ignored == {"bts:subscription_succeeded": 3}


def test_an_error_while_a_channel_waits_is_its_refusal():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionRejected, match=r"order_book_ethusd.*Bad subscription string"):
        session.receive(ERROR, 0.0, 1)
    with pytest.raises(SubscriptionLost, match="Too many"):
        session.receive(ERROR.replace(b"Bad subscription string", b"Too many requests"), 0.0, 1)


def test_an_error_of_nothing_that_waits_is_counted():
    session = confirmed()
    session.receive(ERROR, 0.0, 1)
    assert session.refused == {"error_without_id": 1}


def test_it_says_that_it_lives_every_20_seconds_and_knows_the_answer():
    session = adapter()
    session.begin(100.0)
    assert session.next_due() == 120.0
    session.expire(120.0)
    assert session.outgoing() == ['{"event":"bts:heartbeat"}']
    assert session.heard == {"ping": 100.0}
    assert session.receive(HEARTBEAT, 120.2, 1) == []
    assert session.heard == {"ping": 120.2}
    assert session.ignored == {"bts:heartbeat": 1}


def test_it_leaves_when_it_is_asked_to_connect_anew():
    session = adapter()
    session.receive(b'{"event":"bts:request_reconnect","channel":"","data":null}', 0.0, 1)
    assert session.leaving
    assert session.ignored == {"bts:request_reconnect": 1}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (BOOK.replace(b"order_book", b"diff_order_book"), "diff_order_book"),
        (TRADE.replace(b"live_trades", b"live_orders"), "trade"),
        (b'{"event":"bts:unsubscription_succeeded","channel":"x","data":{}}',
         "bts:unsubscription_succeeded"),
    ],
)  # fmt: skip
def test_what_is_no_news_for_us_is_ignored_by_its_kind(frame, kind):
    session = adapter()
    assert session.receive(frame, 0.0, 1) == []
    assert session.ignored == {kind: 1}


@pytest.mark.parametrize(
    ("frame", "reason", "about"),
    [
        (b"[]", "wrong_shape", None),
        (BOOK.replace(b"ethusd", b"xrpusd"), "unknown_symbol", None),
        (BOOK.replace(b'"2650.14"', b'"2650.04"'), "crossed_book", ETH_USD),
        (BOOK.replace(b'"2650.05"', b'"0.00"'), "price_not_positive", ETH_USD),
        (BOOK.replace(b'"1.13213000"', b'"-1"'), "negative_number", ETH_USD),
        (BOOK.replace(b'"1.13213000"', b'"1e5"'), "bad_number", ETH_USD),
        (BOOK.replace(b'["2650.05","1.13213000"]', b'["2650.05"]'), "wrong_shape", None),
        (BOOK.replace(b'"1643643584684047"', b'"now"'), "bad_time", ETH_USD),
        (BOOK.replace(b'"1643643584684047"', b'"250000000000000000"'), "bad_number", ETH_USD),
        (TRADE.replace(b'"3805.44"', b'"-3805.44"'), "price_not_positive", ETH_USD),
        (TRADE.replace(b"216000477", b'"x"'), "wrong_shape", None),
        (TRADE.replace(b'"1641343699596000"', b'""'), "bad_time", ETH_USD),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_by_reason_and_the_next_message_counts(frame, reason, about):
    session = adapter()
    (fault,) = session.receive(frame, 0.0, 1)
    assert fault.data == MarketFault("bitstamp", about, reason)
    assert session.refused == {reason: 1}
    assert len(session.receive(BOOK, 0.0, 2)) == 1
    assert len(session.receive(TRADE, 0.0, 3)) == 1


@pytest.mark.parametrize(("frame", "number"), [(BOOK, b"1643643584684047"), (TRADE, b"216000477")])
def test_updates_that_repeat_or_go_back_are_refused(frame, number):
    session = adapter()
    assert len(session.receive(frame, 0.0, 1)) == 1
    session.receive(frame, 0.0, 2)
    session.receive(frame.replace(number, str(int(number) - 1).encode()), 0.0, 3)
    assert session.refused == {"repeated": 1, "time_backwards": 1}
    later = frame.replace(number, str(int(number) + 5).encode())
    (event,) = session.receive(later, 0.0, 4)  # numbers count all pairs, so none is missing
    assert event.event_type is not DataType.FAULT


def test_a_recorded_client_asked_for_its_channels():
    asked = BitstampAdapter.asked
    frame = {"event": "bts:subscribe", "data": {"channel": "order_book_ethusd"}}
    assert list(asked(frame)) == [("order_book", "ethusd")]
    others = [], {}, {**frame, "event": "x"}, {**frame, "data": 1}, {**frame, "data": {}}
    for other in (*others, {**frame, "data": {"channel": "x"}}):
        assert list(asked(other)) == []


@pytest.mark.parametrize(
    "side",
    [
        b'[["2650.05","1.13213000"],["2650.00","0.5"]]',
        b'[["2650.14","0.25000000"],["2650.20","7.1"]]',
    ],
)
def test_a_book_with_one_side_makes_no_quote_and_is_told(side):
    session = adapter()
    (fault,) = session.receive(BOOK.replace(side, b"[]"), 0.0, 1)
    assert fault.data == MarketFault("bitstamp", ETH_USD, "one_sided")
    assert not session.refused
