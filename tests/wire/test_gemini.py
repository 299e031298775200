"""Gemini: best bid and ask from changes of a book, and what is done where the book is lost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire import book as book_module
from trio_mev.wire.gemini import GeminiAdapter

BTC_USD = Instrument("BTC", "USD")
TRADE = (
    b'{"type":"trade","symbol":"BTCUSD","event_id":3575573053,"timestamp":1560976400428,'
    b'"price":"9004.21000000","quantity":"0.09110000","side":"buy","tid":2840140800042677}'
)
SNAPSHOT = (
    b'{"type":"l2_updates","symbol":"BTCUSD","changes":[["buy","9122.04","0.00121425"],'
    b'["buy","9121.00","2"],["sell","9122.07","0.98942292"],["sell","9160.20","1"]],'
    b'"trades":[' + TRADE + b"]}"
)
ERROR = b'{"reason":"NoValidTradingPairs","result":"error"}'
HEARTBEAT = b'{"type":"heartbeat","timestamp":1789456747150}'


def adapter() -> GeminiAdapter:
    return GeminiAdapter("gm", [BTC_USD])


def begun() -> GeminiAdapter:
    """A session that has its book."""
    session = adapter()
    session.begin(0.0)
    session.opening()
    assert len(session.receive(SNAPSHOT, 1.0, 1)) == 1
    return session


def changes(*levels: tuple[str, str, str], **fields: object) -> bytes:
    return json.dumps(
        {"type": "l2_updates", "symbol": "BTCUSD", "changes": levels, **fields}
    ).encode()


def sides(events) -> list[tuple[str, str, str, str]]:
    return [
        tuple(map(str, (e.data.bid, e.data.bid_size, e.data.ask, e.data.ask_size))) for e in events
    ]


def test_the_first_message_is_the_book_and_a_quote():
    (event,) = adapter().receive(SNAPSHOT, 1.0, 1)
    assert event.event_type is DataType.QUOTE
    sizes = Decimal("0.00121425"), Decimal("0.98942292")
    assert event.data == Quote("gemini", BTC_USD, Decimal("9122.04"), Decimal("9122.07"), *sizes)
    assert event.occurred_at is None
    assert event.metadata["subscription_id"] == "l2:BTCUSD"


def test_a_first_message_without_trades_is_the_book_as_well():
    assert len(adapter().receive(changes(("buy", "1", "1"), ("sell", "2", "1")), 1.0, 1)) == 1


def test_a_quote_comes_when_the_best_levels_change_and_only_then():
    session = begun()
    better = session.receive(changes(("sell", "9122.06", "0.1921229751")), 2.0, 2)
    assert sides(better) == [("9122.04", "0.00121425", "9122.06", "0.1921229751")]
    assert session.receive(changes(("buy", "9000", "5"), ("sell", "9160.20", "0")), 2.0, 3) == []
    assert session.ignored == {"below_the_top": 1}
    gone = session.receive(changes(("sell", "9122.06", "0"), ("buy", "9122.04", "0")), 2.0, 4)
    assert sides(gone) == [("9121.00", "2", "9122.07", "0.98942292")]


def test_the_same_best_levels_may_come_back():
    session = begun()
    course = [
        session.receive(changes(("buy", "9122.05", size)), 2.0, 2) for size in ("1", "0", "1", "0")
    ]
    assert [len(events) for events in course] == [1, 1, 1, 1]


def test_a_book_that_comes_anew_replaces_the_old():
    session = begun()
    whole = changes(("buy", "10", "1"), ("sell", "11", "1"), trades=[])
    assert sides(session.receive(whole, 2.0, 2)) == [("10", "1", "11", "1")]
    auction = changes(("buy", "7", "1"), ("sell", "8", "1"), auction_events=[])
    assert sides(session.receive(auction, 2.0, 3)) == [("7", "1", "8", "1")]


@pytest.mark.parametrize(
    ("side", "taker"), [(b"buy", Side.BUY), (b"sell", Side.SELL), (b"auction", None)]
)
def test_a_trade_has_the_takers_side(side, taker):
    (event,) = adapter().receive(TRADE.replace(b"buy", side), 1.0, 1)
    assert event.event_type is DataType.TRADE
    expected = Decimal("9004.21000000"), Decimal("0.09110000"), taker, 2840140800042677
    assert event.data == Trade("gemini", BTC_USD, *expected)
    assert event.occurred_at == 1_560_976_400_428_000_000


def test_an_older_trade_has_the_number_of_its_event():
    (event,) = adapter().receive(TRADE.replace(b',"tid":2840140800042677', b""), 1.0, 1)
    assert event.data.trade_id == 3575573053


def test_trades_that_repeat_or_go_back_are_refused():
    session = adapter()
    assert len(session.receive(TRADE, 0.0, 1)) == 1
    session.receive(TRADE, 0.0, 2)
    session.receive(TRADE.replace(b"42677", b"42676"), 0.0, 3)
    assert session.refused == {"repeated": 1, "time_backwards": 1}


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("BTCUSD", "BTC/USD"),
        ("ETHBTC", "ETH/BTC"),
        ("USDCUSD", "USDC/USD"),
        ("ETHUSDT", "ETH/USDT"),
        ("GUSDUSD", "GUSD/USD"),
        ("BTCGUSD", "BTC/GUSD"),
        ("DOGUSD", "DOG/USD"),
        ("BTCSGD", "BTC/SGD"),
        ("ETHGUSDPERP", "ETH/GUSD:perpetual"),
        ("ETHUSDCPERP", "ETH/USDC:perpetual"),
    ],
)
def test_symbols_are_spelled_and_read_both_ways(symbol, instrument):
    assert GeminiAdapter.spell(Instrument.parse(instrument)) == symbol
    assert GeminiAdapter.read(symbol) == Instrument.parse(instrument)


def test_other_kinds_it_does_not_have():
    with pytest.raises(ValueError, match="Gemini has no index"):
        GeminiAdapter.spell(Instrument.parse("ETH/USD:index"))


def test_it_asks_for_all_symbols_at_once_and_is_confirmed_by_their_books():
    session = GeminiAdapter("gm", [BTC_USD, Instrument("ETH", "USD")])
    (frame,) = session.opening()
    assert json.loads(frame) == {
        "type": "subscribe",
        "subscriptions": [{"name": "l2", "symbols": ["BTCUSD", "ETHUSD"]}],
    }
    session.receive(changes(("buy", "1", "1")), 0.0, 1)  # a book, though no quote
    assert session.subscriptions == {"l2:BTCUSD": "l2:BTCUSD", "l2:ETHUSD": "pending"}


def test_an_error_before_the_books_rejects_the_subscription():
    session = adapter()
    session.opening()
    with pytest.raises(SubscriptionRejected, match="NoValidTradingPairs"):
        session.receive(ERROR, 0.0, 1)
    with pytest.raises(SubscriptionLost, match="RateLimit"):
        session.receive(ERROR.replace(b"NoValidTradingPairs", b"RateLimit"), 0.0, 1)


def test_an_error_after_the_books_is_counted():
    session = begun()
    session.receive(ERROR, 2.0, 2)
    assert session.refused == {"error_without_id": 1}


def test_a_heartbeat_is_watched_for_once_one_has_come():
    session = begun()
    assert session.heard == {}
    assert session.receive(HEARTBEAT, 5.0, 2) == []
    assert session.heard == {"heartbeat": 5.0}
    assert session.ignored == {"heartbeat": 1}


@pytest.mark.parametrize("kind", ["auction_result", "candles_1m_updates", "subscription_ack"])
def test_what_is_no_news_for_us_is_ignored_by_its_kind(kind):
    session = adapter()
    assert session.receive(f'{{"type":"{kind}"}}'.encode(), 0.0, 1) == []
    assert session.ignored == {kind: 1}


LOSSES = [
    (changes(("buy", "9122.08", "1")), "crossed_book"),
    (changes(("buy", "0", "1")), "price_not_positive"),
    (changes(("buy", "1", "x")), "bad_number"),
    (changes(("sell", "9123", "-1")), "negative_number"),
]


@pytest.mark.parametrize(("frame", "reason"), LOSSES)
def test_a_book_that_cannot_be_believed_is_dropped_and_asked_for_anew(frame, reason):
    session = begun()
    (fault,) = session.receive(frame, 20.0, 2)
    assert fault.data == MarketFault("gemini", BTC_USD, reason)
    assert [json.loads(sent)["type"] for sent in session.outgoing()] == ["unsubscribe", "subscribe"]
    (late,) = session.receive(changes(("buy", "9122.05", "1")), 20.1, 3)
    assert late.data == MarketFault("gemini", BTC_USD, "no_snapshot")
    (event,) = session.receive(SNAPSHOT, 20.2, 4)
    assert event.event_type is DataType.QUOTE
    assert len(session.receive(changes(("buy", "9122.05", "1")), 20.3, 5)) == 1
    assert session.refused == {reason: 1, "no_snapshot": 1}
    assert session.outgoing() == []


def test_it_asks_anew_no_more_often_than_every_ten_seconds():
    session = begun()
    crossed = changes(("buy", "9122.08", "1"))
    asked = []
    for second in range(20, 60):
        session.receive(crossed, float(second), 2)
        asked += [second] * bool(session.outgoing())
    assert asked == [20, 30, 40, 50]
    assert session.ignored["asked_again"] == 4


def test_a_book_too_deep_to_keep_is_dropped(monkeypatch):
    session = begun()
    monkeypatch.setattr(book_module, "MAX_LEVELS", 3)
    deeper = [("buy", str(price), "1") for price in range(1, 5)]
    session.receive(changes(*deeper), 20.0, 2)
    assert session.refused == {"too_many_levels": 1}
    assert len(session.outgoing()) == 2


def test_a_book_with_one_side_makes_no_quote_and_is_kept():
    session = begun()
    (fault,) = session.receive(changes(("sell", "9122.07", "0"), ("sell", "9160.20", "0")), 2.0, 2)
    assert fault.data == MarketFault("gemini", BTC_USD, "one_sided")
    assert session.outgoing() == []
    again = session.receive(changes(("sell", "9122.07", "0.98942292")), 2.0, 3)
    assert sides(again) == [("9122.04", "0.00121425", "9122.07", "0.98942292")]


def test_changes_under_way_begin_no_book_when_a_symbol_is_asked_for_again():
    session = begun()
    session.remove(BTC_USD)
    session.add(BTC_USD)
    asked = [json.loads(sent)["type"] for sent in session.outgoing()]
    assert asked == ["unsubscribe", "subscribe"]
    session.receive(changes(("buy", "5", "1"), ("sell", "6", "1")), 2.0, 2)
    assert session.refused == {"no_snapshot": 1}
    assert len(session.receive(SNAPSHOT, 2.1, 3)) == 1


def test_changes_of_what_is_not_wanted_any_more_ask_for_nothing():
    session = begun()
    session.remove(BTC_USD)
    session.outgoing()
    session.receive(changes(("buy", "5", "1")), 20.0, 2)
    assert session.outgoing() == []


@pytest.mark.parametrize(
    ("frame", "reason", "about"),
    [
        (b"{}", "unknown_message", None),
        (b'{"type":"l2_updates"}', "wrong_shape", None),
        (SNAPSHOT.replace(b'"buy"', b'"both"', 1), "wrong_shape", None),
        (SNAPSHOT.replace(b"BTCUSD", b"ETHUSD"), "unknown_symbol", None),
        (TRADE.replace(b"BTCUSD", b"ETHUSD"), "unknown_symbol", None),
        (TRADE.replace(b"9004", b"-9004"), "price_not_positive", BTC_USD),
        (TRADE.replace(b"1560976400428", b"-1"), "bad_time", BTC_USD),
        (TRADE.replace(b"2840140800042677", b"-2"), "bad_number", BTC_USD),
    ],
)
def test_what_cannot_be_used_is_told_by_reason_and_the_next_message_counts(frame, reason, about):
    session = adapter()
    (fault,) = session.receive(frame, 0.0, 1)
    assert fault.data == MarketFault("gemini", about, reason)
    assert session.refused == {reason: 1}
    assert len(session.receive(SNAPSHOT, 0.0, 2)) == 1
    assert len(session.receive(TRADE, 0.0, 3)) == 1


def test_a_recorded_client_asked_for_its_symbols():
    asked = GeminiAdapter.asked
    frame = json.loads(adapter().opening()[0])
    assert list(asked(frame)) == [("l2", "BTCUSD")]
    odd = [1, {"name": 1, "symbols": ["X"]}, {"name": "l2"}, {"name": "l2", "symbols": [1]}]
    for other in ([], {}, {**frame, "subscriptions": 1}, {**frame, "subscriptions": odd}):
        assert list(asked(other)) == []
