"""Coinbase Exchange: its documented messages, old and new, its answers, its order."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.support.faults import believed, faults
from trio_mev.errors import SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import Quote, Side, Trade
from trio_mev.wire.coinbase import CoinbaseAdapter

BTC_USDT = Instrument("BTC", "USDT")
TICKER = (
    b'{"type":"ticker","sequence":7388547310,"product_id":"BTC-USDT","price":"22345.67",'
    b'"open_24h":"22308.13","volume_24h":"470.21123644","low_24h":"22150",'
    b'"high_24h":"22495.15","volume_30d":"25713.98401605","best_bid":"22345.67",'
    b'"best_bid_size":"0.10647825","best_ask":"22349.68","best_ask_size":"0.03131702",'
    b'"side":"sell","time":"2023-03-04T03:37:20.799258Z","trade_id":11586478,'
    b'"last_size":"0.00352175"}'
)
OLD_TICKER = TICKER.replace(b'"best_bid_size":"0.10647825",', b"").replace(
    b'"best_ask_size":"0.03131702",', b""
)
MATCH = (
    b'{"type":"match","trade_id":11586478,"maker_order_id":"m","taker_order_id":"t",'
    b'"side":"sell","size":"0.00352175","price":"22345.67","product_id":"BTC-USDT",'
    b'"sequence":7388547310,"time":"2023-03-04T03:37:20.799258Z"}'
)
MOMENT = 1_677_901_040_799_258_000
CONFIRMATION = (
    b'{"type":"subscriptions","channels":[{"name":"ticker","product_ids":["BTC-USDT"]},'
    b'{"name":"matches","product_ids":["BTC-USDT","ETH-EUR"]}]}'
)


def adapter(*channels: str) -> CoinbaseAdapter:
    return CoinbaseAdapter("cb", [BTC_USDT], channels or ("ticker", "matches"))


def test_a_ticker_is_a_quote_with_sizes():
    (event,) = adapter().receive(TICKER, 1.0, 1)
    assert event.event_type is DataType.QUOTE
    assert event.data == Quote(
        "coinbase",
        BTC_USDT,
        Decimal("22345.67"),
        Decimal("22349.68"),
        Decimal("0.10647825"),
        Decimal("0.03131702"),
        Decimal("22345.67"),
        7388547310,
    )
    assert event.occurred_at == MOMENT
    assert event.metadata["subscription_id"] == "ticker:BTC-USDT"


def test_a_ticker_of_old_is_a_quote_of_unknown_sizes():
    (event,) = adapter().receive(OLD_TICKER, 1.0, 1)
    assert (event.data.bid, event.data.ask) == (Decimal("22345.67"), Decimal("22349.68"))
    assert (event.data.bid_size, event.data.ask_size) == (None, None)


@pytest.mark.parametrize(
    ("maker", "taker"), [(b"sell", Side.BUY), (b"buy", Side.SELL), (b"both", None)]
)
def test_a_match_names_the_makers_side_and_a_trade_has_the_takers(maker, taker):
    (event,) = adapter().receive(MATCH.replace(b"sell", maker), 1.0, 1)
    assert event.event_type is DataType.TRADE
    assert event.data == Trade(
        "coinbase", BTC_USDT, Decimal("22345.67"), Decimal("0.00352175"), taker, 11586478
    )
    assert event.occurred_at == MOMENT


def test_the_product_is_base_dash_quote_and_only_spot():
    assert CoinbaseAdapter.spell(Instrument("ETH", "USD")) == "ETH-USD"
    with pytest.raises(ValueError, match="Coinbase Exchange has no index"):
        CoinbaseAdapter.spell(Instrument.parse("ETH/USD:index"))


def test_it_opens_with_one_message_for_every_channel():
    session = adapter("ticker", "heartbeat")
    (frame,) = session.opening()
    assert json.loads(frame) == {
        "type": "subscribe",
        "channels": [
            {"name": "ticker", "product_ids": ["BTC-USDT"]},
            {"name": "heartbeat", "product_ids": ["BTC-USDT"]},
        ],
    }
    assert session.subscriptions == {
        "ticker:BTC-USDT": "pending",
        "heartbeat:BTC-USDT": "pending",
    }


def test_the_confirmation_names_channels_and_products():
    session = adapter("ticker", "matches", "heartbeat")
    session.opening()
    assert session.receive(CONFIRMATION, 0.0, 1) == []
    assert session.subscriptions == {
        "ticker:BTC-USDT": "ticker:BTC-USDT",
        "matches:BTC-USDT": "matches:BTC-USDT",
        "heartbeat:BTC-USDT": "pending",
    }
    assert session.ignored == {"subscriptions": 1}


def test_an_error_before_the_confirmation_rejects_the_subscription():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionRejected, match="'Failed to subscribe' 'X-Y is not valid'"):
        session.receive(
            b'{"type":"error","message":"Failed to subscribe","reason":"X-Y is not valid"}', 0.0, 1
        )


def test_an_error_after_the_confirmation_is_counted():
    session = adapter()
    session.opening()
    session.receive(CONFIRMATION, 0.0, 1)
    session.receive(b'{"type":"error","message":"slow consumer"}', 0.0, 2)
    assert session.refused == {"error_without_id": 1}


def test_a_heartbeat_is_heard_where_it_was_asked_for():
    session = adapter("heartbeat")
    session.opening()
    assert session.heard == {"heartbeat:BTC-USDT": 0.0}
    beat = b'{"type":"heartbeat","sequence":90,"product_id":"BTC-USDT","last_trade_id":20}'
    assert session.receive(beat, 4.0, 1) == []
    session.receive(beat.replace(b"BTC-USDT", b"ETH-EUR"), 5.0, 2)
    assert session.heard == {"heartbeat:BTC-USDT": 4.0}
    assert session.ignored == {"heartbeat": 2}


@pytest.mark.parametrize("kind", ["last_match", "l2update", "snapshot", "status"])
def test_what_is_no_news_for_us_is_ignored_by_its_kind(kind):
    session = adapter()
    assert session.receive(MATCH.replace(b'"match"', f'"{kind}"'.encode()), 0.0, 1) == []
    assert session.ignored == {kind: 1}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"{}", "wrong_shape"),
        (TICKER.replace(b"BTC-USDT", b"BTC-USD"), "unknown_symbol"),
        (TICKER.replace(b'"22349.68"', b'"22345.66"'), "crossed_book"),
        (TICKER.replace(b'"best_bid":"22345.67"', b'"best_bid":"0"'), "price_not_positive"),
        (TICKER.replace(b"2023-03-04T03:37:20.799258Z", b"yesterday"), "bad_time"),
        (MATCH.replace(b'"22345.67"', b'"-22345.67"'), "price_not_positive"),
        (MATCH.replace(b'"trade_id":11586478', b'"trade_id":"x"'), "wrong_shape"),
    ],
)
def test_what_cannot_be_used_is_counted_by_reason(frame, reason):
    session = adapter()
    assert faults(session.receive(frame, 0.0, 1)) == [reason]
    assert session.refused == {reason: 1}
    assert len(session.receive(TICKER, 0.0, 2)) == 1
    assert len(session.receive(MATCH, 0.0, 3)) == 1


@pytest.mark.parametrize(
    ("frame", "number"), [(TICKER, b"7388547310"), (MATCH, b'"trade_id":11586478')]
)
def test_updates_that_repeat_or_go_back_are_refused(frame, number):
    session = adapter()
    assert len(session.receive(frame, 0.0, 1)) == 1
    assert faults(session.receive(frame, 0.0, 2)) == ["repeated"]
    assert faults(session.receive(frame.replace(number, number[:-1]), 0.0, 3)) == ["time_backwards"]
    assert session.refused == {"repeated": 1, "time_backwards": 1}
    assert len(believed(session.receive(frame.replace(number, number + b"0"), 0.0, 4))) == 1
