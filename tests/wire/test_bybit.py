"""Bybit: its documented messages, what a linear ticker leaves out, its answers, its order."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.wire.bybit import BybitAdapter, BybitLinearAdapter

BTC, PERP = Instrument("BTC", "USDT"), Instrument.parse("BTC/USDT:perpetual")
BEST = (
    b'{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1672304484978,"data":{"s":"BTCUSDT",'
    b'"b":[["16493.50","0.006"]],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},'
    b'"cts":1672304484976}'
)
SPOT_TICKER = (
    b'{"topic":"tickers.BTCUSDT","ts":1673853746003,"type":"snapshot","cs":2588407389,"data":'
    b'{"symbol":"BTCUSDT","lastPrice":"21109.77","highPrice24h":"21426.99","lowPrice24h":"20575",'
    b'"prevPrice24h":"20704.93","volume24h":"6780.866843","turnover24h":"141946527.22907118",'
    b'"price24hPcnt":"0.0196","usdIndexPrice":"21120.2400136"}}'
)
LINEAR_TICKER = (
    b'{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","tickDirection":'
    b'"PlusTick","lastPrice":"17216.00","markPrice":"17217.33","bid1Price":"17215.50",'
    b'"bid1Size":"84.489","ask1Price":"17216.00","ask1Size":"83.020"},"cs":24987956059,'
    b'"ts":1673272861686}'
)
TRADE = (
    b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":'
    b'1672304486865,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick",'
    b'"i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false,"seq":1783284617}]}'
)
CONFIRMATION = (
    b'{"success":true,"ret_msg":"subscribe","conn_id":"x","req_id":"%d","op":"subscribe"}'
)
REFUSAL = b'{"success":false,"ret_msg":"%s","conn_id":"x","req_id":"%d","op":"subscribe"}'


def spot(*channels: str) -> BybitAdapter:
    return BybitAdapter("b", [BTC], channels)


def linear(*channels: str) -> BybitLinearAdapter:
    return BybitLinearAdapter("b", [PERP], channels)


def delta(number: int, **changes: object) -> bytes:
    """What has changed since, at so many milliseconds after the snapshot."""
    return json.dumps({
        "topic": "tickers.BTCUSDT", "type": "delta", "data": {"symbol": "BTCUSDT", **changes},
        "cs": 24987956059 + number, "ts": 1673272861686 + number,
    }).encode()  # fmt: skip


def test_the_best_bid_and_ask_of_spot_is_a_quote():
    (event,) = spot().receive(BEST, 1.0, 1)
    assert event.event_type is DataType.QUOTE
    assert event.data == Quote(
        "bybit",
        BTC,
        Decimal("16493.50"),
        Decimal("16611.00"),
        Decimal("0.006"),
        Decimal("0.029"),
        None,
        18521288,
    )
    assert event.occurred_at == 1_672_304_484_978_000_000
    assert event.metadata["subscription_id"] == "orderbook.1.BTCUSDT"


def test_what_is_sent_again_after_three_quiet_seconds_says_that_it_still_holds():
    session = spot()
    session.receive(BEST, 1.0, 1)
    (event,) = session.receive(BEST.replace(b"1672304484978", b"1672304487978"), 4.0, 2)
    assert event.data.sequence == 18521288
    assert event.occurred_at == 1_672_304_487_978_000_000


def test_numbers_begin_again_when_the_venue_restarts():
    session = spot()
    session.receive(BEST, 1.0, 1)
    later = BEST.replace(b"1672304484978", b"1672304484988").replace(b"18521288", b"1")
    assert session.receive(later, 1.0, 2)[0].data.sequence == 1


def test_the_ticker_of_spot_has_the_last_price_of_the_quotes_behind_it():
    session = spot("orderbook.1", "tickers")
    assert session.receive(SPOT_TICKER, 1.0, 1) == []
    assert session.ignored == {"tickers": 1}
    (event,) = session.receive(BEST, 1.0, 2)
    assert event.data.last == Decimal("21109.77")


@pytest.mark.parametrize(
    "side", [b'[["16493.50","0.006"]]', b'[["16611.00","0.029"]]'], ids=["bid", "ask"]
)
def test_a_book_without_a_side_is_told_and_is_no_quote(side):
    (event,) = spot().receive(BEST.replace(side, b"[]"), 1.0, 1)
    assert event.data == MarketFault("bybit", BTC, "one_sided")


def test_a_trade_has_the_takers_side_and_its_name():
    (event,) = spot().receive(TRADE, 1.0, 1)
    assert event.data == Trade(
        "bybit",
        BTC,
        Decimal("16578.50"),
        Decimal("0.001"),
        Side.BUY,
        "20f43950-d8dd-5b31-9112-a178eb6023af",
    )
    assert event.occurred_at == 1_672_304_486_865_000_000
    assert event.metadata["subscription_id"] == "publicTrade.BTCUSDT"


def test_a_name_that_is_a_number_is_one():
    frame = TRADE.replace(b"20f43950-d8dd-5b31-9112-a178eb6023af", b"2290000000061666327")
    (event,) = spot().receive(frame.replace(b'"Buy"', b'"Sell"'), 1.0, 1)
    assert (event.data.trade_id, event.data.side) == (2290000000061666327, Side.SELL)


def test_trades_may_share_a_sequence_but_each_passes_once_and_none_goes_back():
    session = spot()
    other = TRADE.replace(b"20f43950", b"20f43951")
    earlier = TRADE.replace(b"1783284617", b"1783284616").replace(b"20f43950", b"20f43952")
    frames = TRADE, other, TRADE, earlier
    outcome = [session.receive(frame, 1.0, n)[0].data for n, frame in enumerate(frames)]
    assert [type(data).__name__ for data in outcome[:2]] == ["Trade", "Trade"]
    assert [data.reason for data in outcome[2:]] == ["repeated", "time_backwards"]


def test_trades_without_a_sequence_are_ordered_by_their_time():
    session, bare = spot(), TRADE.replace(b',"seq":1783284617', b"")
    session.receive(bare, 1.0, 1)
    session.receive(bare.replace(b'"T":1672304486865', b'"T":1672304486864'), 1.0, 2)
    assert session.refused == {"time_backwards": 1}


def test_one_trade_that_cannot_be_used_costs_no_other():
    frame = json.loads(TRADE)
    frame["data"] = [frame["data"][0] | change for change in ({"p": "0"}, {}, {"s": "XUSDT"})]
    session = spot()
    assert len(session.receive(json.dumps(frame).encode(), 1.0, 1)) == 3
    assert session.refused == {"price_not_positive": 1, "unknown_symbol": 1}


def test_the_linear_ticker_is_a_quote():
    (event,) = linear().receive(LINEAR_TICKER, 1.0, 1)
    assert event.data == Quote(
        "bybit_linear",
        PERP,
        Decimal("17215.50"),
        Decimal("17216.00"),
        Decimal("84.489"),
        Decimal("83.020"),
        Decimal("17216.00"),
        24987956059,
    )
    assert event.occurred_at == 1_673_272_861_686_000_000


def test_what_a_delta_does_not_mention_has_not_changed():
    session = linear()
    session.receive(LINEAR_TICKER, 1.0, 1)
    (event,) = session.receive(delta(1, bid1Price="17215.60", bid1Size="1.5"), 1.0, 2)
    quote = event.data
    assert (quote.bid, quote.bid_size) == (Decimal("17215.60"), Decimal("1.5"))
    assert (quote.ask, quote.ask_size) == (Decimal("17216.00"), Decimal("83.020"))
    assert (quote.last, quote.sequence) == (Decimal("17216.00"), 24987956060)
    (event,) = session.receive(delta(2, lastPrice="17000"), 1.0, 3)
    assert (event.data.bid, event.data.last) == (Decimal("17215.60"), Decimal(17000))


def test_a_snapshot_begins_anew():
    session = linear()
    session.receive(LINEAR_TICKER, 1.0, 1)
    bare = json.loads(LINEAR_TICKER)
    bare["ts"] += 1
    del bare["data"]["lastPrice"], bare["data"]["bid1Size"]
    (event,) = session.receive(json.dumps(bare).encode(), 1.0, 2)
    assert (event.data.last, event.data.bid_size) == (None, None)


def asked_anew(session: BybitLinearAdapter) -> list[str]:
    frames = map(json.loads, session.outgoing())
    return [frame["op"] for frame in frames if frame["args"] == ["tickers.BTCUSDT"]]


def test_a_delta_before_its_snapshot_is_refused_and_the_snapshot_asked_for():
    session = linear()
    (event,) = session.receive(delta(1, bid1Price="17215.60"), 1.0, 1)
    assert event.data == MarketFault("bybit_linear", PERP, "no_snapshot")
    assert asked_anew(session) == ["unsubscribe", "subscribe"]
    session.receive(delta(2, bid1Price="17215.60"), 1.0, 2)
    assert asked_anew(session) == []


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (delta(1, bid1Price="17216.01"), "crossed_book"),
        (delta(1, bid1Price="x"), "bad_number"),
        (delta(1, bid1Price=5), "wrong_shape"),
        (delta(1, ask1Price="0"), "price_not_positive"),
        (delta(-1673272861686 - 5, ask1Price="17216"), "bad_time"),
    ],
)
def test_a_change_that_cannot_be_used_ends_the_state_until_the_next_snapshot(frame, reason):
    session = linear()
    session.receive(LINEAR_TICKER, 1.0, 1)
    (event,) = session.receive(frame, 1.0, 2)
    assert event.data.reason == reason
    assert asked_anew(session) == ["unsubscribe", "subscribe"]
    session.receive(delta(2, bid1Price="17215.60"), 1.0, 3)
    assert session.refused == {reason: 1, "no_snapshot": 1}
    assert [type(e.data) for e in session.receive(LINEAR_TICKER, 1.0, 4)] == [Quote]
    (event,) = session.receive(delta(20, bid1Price="17215.60"), 1.0, 5)
    assert event.data.bid == Decimal("17215.60")


def test_a_snapshot_that_stays_away_is_asked_for_again():
    session = linear()
    session.receive(delta(1), 1.0, 1)
    session.outgoing()
    session.receive(delta(2), 11.0, 2)
    assert asked_anew(session) == ["unsubscribe", "subscribe"]


def test_old_news_change_nothing():
    session = linear()
    session.receive(LINEAR_TICKER, 1.0, 1)
    session.receive(delta(5, bid1Price="17215.60"), 1.0, 2)
    session.receive(delta(5, bid1Price="17215.60"), 1.0, 3)
    session.receive(delta(4, bid1Price="17215.80"), 1.0, 4)
    assert session.refused == {"repeated": 1, "time_backwards": 1}
    assert asked_anew(session) == []
    (event,) = session.receive(delta(6), 1.0, 5)
    assert event.data.bid == Decimal("17215.60")


def test_two_changes_of_one_time_both_count():
    session = linear()
    session.receive(LINEAR_TICKER, 1.0, 1)
    session.receive(delta(5, bid1Price="17215.60"), 1.0, 2)
    (event,) = session.receive(delta(5, bid1Size="7"), 1.0, 3)
    assert (event.data.bid, event.data.bid_size) == (Decimal("17215.60"), 7)


@pytest.mark.parametrize("side", ["bid1Price", "ask1Price"])
def test_a_ticker_without_a_side_is_told_and_is_no_quote_until_there_is_one(side):
    session = linear()
    session.receive(LINEAR_TICKER, 1.0, 1)
    (event,) = session.receive(delta(1, **{side: ""}), 1.0, 2)
    assert event.data == MarketFault("bybit_linear", PERP, "one_sided")
    assert session.receive(delta(2), 1.0, 3)[0].data.reason == "one_sided"
    (event,) = session.receive(delta(3, **{side: "17215.90"}), 1.0, 4)
    assert isinstance(event.data, Quote)


@pytest.mark.parametrize(
    ("market", "symbol", "instrument"),
    [
        (BybitAdapter, "ETHUSDT", "ETH/USDT"),
        (BybitAdapter, "USDCUSDT", "USDC/USDT"),
        (BybitAdapter, "ETHUSDC", "ETH/USDC"),
        (BybitLinearAdapter, "ETHUSDT", "ETH/USDT:perpetual"),
        (BybitLinearAdapter, "ETHPERP", "ETH/USDC:perpetual"),
        (BybitLinearAdapter, "1000PEPEUSDT", "1000PEPE/USDT:perpetual"),
    ],
)
def test_symbols_are_read_and_spelled(market, symbol, instrument):
    assert market.read(symbol) == Instrument.parse(instrument)
    assert market.spell(Instrument.parse(instrument)) == symbol


def test_what_a_market_has_not_is_refused():
    with pytest.raises(ValueError, match="Bybit's spot market has no perpetual"):
        BybitAdapter.spell(PERP)
    for text in ("BTC/USDT", "BTC/USD:perpetual", "BTC/USDT:future-2025-06-27"):
        with pytest.raises(ValueError, match="name the symbols of others"):
            BybitLinearAdapter.spell(Instrument.parse(text))
    for symbol in ("BTCUSD", "BTC-27JUN25", "USDT", "BTCUSDT-27JUN25"):
        with pytest.raises(ValueError):
            BybitLinearAdapter.read(symbol)


def test_a_future_may_be_named():
    future = Instrument.parse("BTC/USDT:future-2025-06-27")
    session = BybitLinearAdapter("b", [future], [], {"BTCUSDT-27JUN25": future})
    (event,) = session.receive(LINEAR_TICKER.replace(b"BTCUSDT", b"BTCUSDT-27JUN25"), 1.0, 1)
    assert event.data.instrument == future


def test_spot_asks_for_ten_topics_a_message():
    instruments = [Instrument(f"A{n}", "USDT") for n in range(8)]
    asked = [json.loads(frame) for frame in BybitAdapter("b", instruments).opening()]
    assert [len(frame["args"]) for frame in asked] == [10, 6]
    assert [(frame["op"], frame["req_id"]) for frame in asked] == [
        ("subscribe", "1"), ("subscribe", "2"),
    ]  # fmt: skip
    assert asked[0]["args"][0] == "orderbook.1.A0USDT"


def test_a_request_is_confirmed_as_a_whole():
    session = spot()
    session.opening()
    session.receive(CONFIRMATION % 7, 0.0, 1)
    assert set(session.subscriptions.values()) == {"pending"}
    session.receive(CONFIRMATION % 1, 0.0, 2)
    assert session.confirmed
    assert session.ignored == {"subscribe": 2}


def test_what_is_not_wanted_any_more_is_not_confirmed():
    session = spot()
    session.opening()
    session.remove(BTC)
    session.receive(CONFIRMATION % 1, 0.0, 1)
    session.receive(CONFIRMATION.replace(b'"op":"sub', b'"op":"unsub') % 2, 0.0, 2)
    assert session.subscriptions == {}
    assert session.ignored == {"subscribe": 1, "unsubscribe": 1}


def test_what_is_subscribed_to_already_is_confirmed():
    session = spot()
    session.opening()
    session.receive(REFUSAL % (b"error:already subscribed,topic:orderbook.1.BTCUSDT", 1), 0.0, 1)
    assert session.confirmed


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"error:handler not found,topic:orderbook.1.BTCUSDT", SubscriptionRejected),
        (b"Too many requests", SubscriptionLost),
    ],
)
def test_a_refused_request_names_its_topics(text, kind):
    session = spot()
    session.opening()
    with pytest.raises(kind, match=r"orderbook\.1\.BTCUSDT, publicTrade\.BTCUSDT: Bybit answers"):
        session.receive(REFUSAL % (text, 1), 0.0, 1)


def test_an_error_that_answers_nothing_is_counted():
    session = spot()
    session.opening()
    session.remove(BTC)
    session.receive(REFUSAL % (b"error:invalid op", 9), 0.0, 1)
    session.receive(REFUSAL % (b"error:handler not found", 2), 0.0, 2)
    assert session.refused == {"error_without_id": 1, "error": 1}


@pytest.mark.parametrize("op", [b"ping", b"pong"])
def test_pings_are_due_and_their_answers_heard(op):
    session = spot()
    session.begin(0.0)
    session.expire(20.0)
    assert session.outgoing() == ['{"op":"ping"}']
    session.receive(b'{"success":true,"ret_msg":"pong","conn_id":"x","op":"%s"}' % op, 20.5, 1)
    assert session.heard == {"ping": 20.5}
    assert session.ignored == {op.decode(): 1}


def test_a_tape_tells_what_was_asked():
    session = spot()
    for frame in BybitAdapter("b", [BTC]).opening():
        session.sent(frame.encode())
    session.sent(b'{"op":"ping"}')
    session.sent(b'{"op":"unsubscribe","args":["x"],"req_id":"5"}')
    session.sent(b"damage")
    assert set(session.subscriptions) == {"orderbook.1.BTCUSDT", "publicTrade.BTCUSDT"}
    assert session.refused == {"sent_not_json": 1}
    session.receive(CONFIRMATION % 1, 0.0, 1)
    assert session.confirmed


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'{"topic":"kline.1.BTCUSDT","data":[],"ts":1,"type":"snapshot"}', "kline.1"),
        (b'{"topic":"system","data":[],"ts":1,"type":"snapshot"}', "system"),
        (b'{"success":true,"ret_msg":"","op":"auth"}', "auth"),
    ],
)
def test_what_is_no_news_for_us_is_ignored_by_its_kind(frame, kind):
    session = spot()
    assert session.receive(frame, 0.0, 1) == []
    assert session.ignored == {kind: 1}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"{}", "unknown_message"),
        (b'{"topic":"tickers.BTCUSDT"}', "unknown_message"),
        (BEST.replace(b"snapshot", b"delta"), "unknown_message"),
        (BEST.replace(b'"s":"BTCUSDT"', b'"s":"XUSDT"'), "unknown_symbol"),
        (BEST.replace(b'"16493.50"', b'"16611.01"'), "crossed_book"),
        (BEST.replace(b'"16493.50"', b'"0"'), "price_not_positive"),
        (BEST.replace(b'"0.006"', b'"-0.006"'), "negative_number"),
        (BEST.replace(b'"ts":1672304484978,', b""), "bad_time"),
        (SPOT_TICKER.replace(b"tickers.BTCUSDT", b"tickers.XUSDT"), "unknown_symbol"),
        (SPOT_TICKER.replace(b'"21109.77"', b"21109.77"), "wrong_shape"),
        (SPOT_TICKER.replace(b'"21109.77"', b'"-1"'), "price_not_positive"),
        (SPOT_TICKER.replace(b"1673853746003", b"-1"), "bad_time"),
        (TRADE.replace(b'"0.001"', b'"1e3"'), "bad_number"),
        (TRADE.replace(b"20f43950-d8dd-5b31-9112-a178eb6023af", b""), "bad_number"),
        (TRADE.replace(b"20f43950", b"2" * 60), "bad_number"),
        (TRADE.replace(b'"T":1672304486865', b'"T":-1'), "bad_time"),
        (TRADE.replace(b'"data":[', b'"data":[5,'), "wrong_shape"),
    ],
)
def test_what_cannot_be_used_is_counted_by_reason(frame, reason):
    session = spot("orderbook.1", "tickers", "publicTrade")
    assert session.receive(frame, 0.0, 1)[0].data.reason == reason
    assert session.refused == {reason: 1}
    sound = [len(session.receive(each, 0.0, 2)) for each in (BEST, SPOT_TICKER)]
    assert sound == [1, 0]
    session.receive(TRADE.replace(b"20f43950", b"20f43959"), 0.0, 3)
    assert session.refused == {reason: 1}


def test_updates_that_repeat_or_go_back_are_refused():
    for frame, number in ((BEST, b"1672304484978"), (SPOT_TICKER, b"1673853746003")):
        session = spot("orderbook.1", "tickers")
        for each in (frame, frame, frame.replace(number, number[:-1] + b"0")):
            session.receive(each, 0.0, 1)
        assert session.refused == {"repeated": 1, "time_backwards": 1}


@pytest.mark.parametrize(
    ("message", "pairs"),
    [
        ({"op": "subscribe", "args": ["orderbook.1.BTCUSDT", "publicTrade.BTCUSDT", "x", 5]},
         [("orderbook.1", "BTCUSDT"), ("publicTrade", "BTCUSDT")]),
        ({"op": "subscribe", "args": "x"}, []),
        ({"op": "ping"}, []),
        (5, []),
    ],
)  # fmt: skip
def test_what_a_recording_asked_for_is_read(message, pairs):
    assert list(BybitAdapter.asked(message)) == pairs
