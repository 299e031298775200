"""What Binance's other markets have of their own, and how a server says that it will end."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.errors import ConfigError, DataStreamError, SubscriptionRejected
from trio_mev.feeds.venues import VenueClient
from trio_mev.model.event import DataType
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.market import MarketFault, Quote, Side, Trade
from trio_mev.model.settings import TAKER_FEES, VenueSettings
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.binance_us import BinanceUsAdapter
from trio_mev.wire.binance_usdm import BinanceUsdmAdapter
from trio_mev.wire.venues import ADAPTERS, kind_of_url

PERPETUAL = Instrument.parse("SUSHI/USDT:perpetual")
DATED = Instrument.parse("BTC/USDT:future-2026-03-27")
BNB = Instrument("BNB", "USDT")
BOOK = (
    b'{"e":"bookTicker","u":400900217,"s":"SUSHIUSDT","b":"25.35190000","B":"31.21000000",'
    b'"a":"25.36520000","A":"40.66000000","T":1634045400123,"E":1634045400125}'
)
AGG_TRADE = (
    b'{"e":"aggTrade","E":1634045400130,"s":"SUSHIUSDT","a":12345,"p":"0.001","q":"100","f":100,'
    b'"l":105,"T":1634045400128,"m":true}'
)


def usdm(*channels: str) -> BinanceUsdmAdapter:
    return BinanceUsdmAdapter("usdm", [PERPETUAL, DATED], channels)


def combined(stream: str, data: bytes) -> bytes:
    return b'{"stream":"%s","data":%s}' % (stream.encode(), data)


def test_a_quote_of_a_future_has_the_time_of_its_match():
    (event,) = usdm().receive(BOOK, 1.0, 1)
    assert event.data == Quote(
        "binance_usdm",
        PERPETUAL,
        Decimal("25.3519"),
        Decimal("25.3652"),
        Decimal("31.21"),
        Decimal("40.66"),
        sequence=400900217,
    )
    assert event.occurred_at == 1_634_045_400_123_000_000


def test_the_second_quote_of_a_future_is_read_like_the_first():
    session = usdm()
    first = combined("sushiusdt@bookTicker", BOOK)
    later = first.replace(b"400900217", b"400900218").replace(b"00123", b"00124")
    (one,), (two,) = session.receive(first, 1.0, 1), session.receive(later, 2.0, 2)
    assert (two.occurred_at - one.occurred_at, two.data.sequence) == (10**6, 400900218)
    (fault,) = session.receive(later.replace(b"00217", b"00219").replace(b"16340", b"-16340"), 3, 3)
    assert fault.event_type is DataType.FAULT


def test_a_quote_of_a_time_that_is_none_is_refused():
    session = usdm()
    (fault,) = session.receive(BOOK.replace(b'"T":1634', b'"T":-1634'), 1.0, 1)
    assert fault.data == MarketFault("binance_usdm", PERPETUAL, "bad_time")
    assert session.refused == {"bad_time": 1}


def test_a_trade_of_a_future():
    (event,) = usdm("aggTrade").receive(AGG_TRADE, 1.0, 1)
    assert event.data == Trade(
        "binance_usdm", PERPETUAL, Decimal("0.001"), Decimal(100), Side.SELL, 12345
    )
    assert event.occurred_at == 1_634_045_400_128_000_000


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("ETH/USDT:perpetual", "ETHUSDT"),
        ("1000PEPE/USDC:perpetual", "1000PEPEUSDC"),
        ("BTC/USDT:future-2026-03-27", "BTCUSDT_260327"),
    ],
)
def test_contracts_are_spelled_both_ways(text, symbol):
    instrument = Instrument.parse(text)
    assert BinanceUsdmAdapter.spell(instrument) == symbol
    assert BinanceUsdmAdapter.read(symbol) == instrument


def test_a_perpetual_is_not_the_spot_pair_of_the_same_letters():
    with pytest.raises(ValueError, match="has no spot; is it ETH/USDT:perpetual"):
        BinanceUsdmAdapter.spell(Instrument("ETH", "USDT"))
    assert BinanceAdapter.read("ETHUSDT") != BinanceUsdmAdapter.read("ETHUSDT")


@pytest.mark.parametrize("symbol", ["ETHUSDT_2603", "ETHUSDT_26032x", "ETHUSDT_", "ETHXXX"])
def test_a_contract_that_cannot_be_told_is_refused(symbol):
    with pytest.raises(ValueError, match="symbol"):
        BinanceUsdmAdapter.read(symbol)


def settings(*channels: str, endpoint: Endpoint | None = None) -> VenueSettings:
    return VenueSettings(
        kind="binance_usdm",
        name="usdm",
        endpoint=endpoint,
        instruments=(PERPETUAL,),
        channels=channels,
    )


@pytest.mark.parametrize(
    ("channels", "url"),
    [
        ((), "wss://fstream.binance.com/public/stream"),
        (("bookTicker",), "wss://fstream.binance.com/public/stream"),
        (("aggTrade",), "wss://fstream.binance.com/market/stream"),
    ],
)
def test_each_channel_has_its_address(channels, url):
    assert VenueClient(settings(*channels)).endpoint.url == url


def test_channels_of_two_addresses_are_refused_where_none_is_named():
    with pytest.raises(ConfigError, match="different addresses: make two feeds"):
        VenueClient(settings("bookTicker", "aggTrade"))
    both = Endpoint("wss://proxy.test/stream")
    client = VenueClient(settings("bookTicker", "aggTrade", endpoint=both))
    assert client.endpoint == both


def test_a_channel_without_bid_and_ask_is_not_offered():
    with pytest.raises(ValueError, match="'ticker' is not one of bookTicker, aggTrade"):
        usdm("ticker")


def test_binance_us_is_another_venue_of_the_same_words():
    session = BinanceUsAdapter("us", [BNB])
    frame = BOOK.replace(b"SUSHI", b"BNB").replace(b'"e":"bookTicker",', b"")
    (event,) = session.receive(frame, 1.0, 1)
    assert (event.data.venue, event.data.instrument) == ("binance_us", BNB)
    session.opening()
    with pytest.raises(SubscriptionRejected, match="binance_us answers"):
        session.receive(b'{"error":{"code":2,"msg":"no"},"id":1}', 0.0, 2)


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("stream.binance.com", "binance"),
        ("data-stream.binance.vision", "binance"),
        ("stream.binance.us", "binance_us"),
        ("fstream.binance.com", "binance_usdm"),
    ],
)
def test_recordings_of_each_are_told_by_the_host(host, kind):
    assert kind_of_url(f"wss://{host}/ws") == kind
    assert kind in TAKER_FEES


@pytest.mark.parametrize(
    "frame",
    [
        b'{"e":"serverShutdown","E":1770123456789}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
        b'{"event":{"e":"serverShutdown","E":1770123456789}}',
    ],
)
@pytest.mark.parametrize("kind", ["binance", "binance_us", "binance_usdm"])
def test_a_server_that_says_that_it_will_end_is_left(kind, frame):
    session = ADAPTERS[kind]("b", [PERPETUAL if kind == "binance_usdm" else BNB])
    assert not session.leaving
    assert session.receive(frame, 0.0, 1) == []
    assert session.leaving
    assert session.ignored == {"serverShutdown": 1}
    assert not session.refused


@pytest.mark.parametrize("event", [b"5", b"{}", b"[" * 2000, b'{"e":"other"}'])
def test_another_event_in_that_envelope_is_no_reason_to_leave(event):
    session = BinanceAdapter("b", [BNB])
    for fault in session.receive(b'{"event":%s}' % event, 0.0, 1):
        assert fault.event_type is DataType.FAULT
    assert not session.leaving
    assert session.refused.total() + session.ignored.total() == 1


FIELDS = {
    "e": "bookTicker", "u": 7, "s": "SUSHIUSDT", "b": "25.3", "B": "1", "a": "25.4", "A": "2",
    "T": 1634045400123, "E": 1634045400125, "p": "1", "q": "1", "m": True, "event": {},
}  # fmt: skip
ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
NEARLY = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | ODD for name, value in FIELDS.items()}
)


@given(st.binary(max_size=80) | NEARLY.map(json.dumps).map(str.encode))
def test_whatever_comes_is_an_event_or_counted(frame):
    session = usdm()
    try:
        events = session.receive(frame, 0.0, 1)
    except DataStreamError:
        pytest.fail("nothing was asked for that could be refused")
    quotes = [event for event in events if event.event_type is not DataType.FAULT]
    assert len(quotes) + session.refused.total() + session.ignored.total() == 1


def test_what_a_recorded_client_asked_for_is_read_from_its_request_or_its_address():
    request = {"method": "SUBSCRIBE", "params": ["bnbusdt@bookTicker", "nothing", 5], "id": 1}
    assert list(BinanceAdapter.asked(request)) == [("bookTicker", "BNBUSDT")]
    assert list(BinanceAdapter.asked(request | {"method": "UNSUBSCRIBE"})) == []
    assert list(BinanceAdapter.asked(request | {"params": 5})) == []
    assert list(BinanceAdapter.asked([])) == []
    url = "wss://stream.binance.us:9443/stream?streams=bnbusdt@aggTrade/ethusdt@bookTicker"
    assert list(BinanceUsAdapter.asked_by(url)) == [
        ("aggTrade", "BNBUSDT"),
        ("bookTicker", "ETHUSDT"),
    ]
    assert BinanceAdapter.read("BNBUSDT") == BNB


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("BNBUSD", "BNB/USD"),
        ("USDTUSD", "USDT/USD"),
        ("ETHUSDT", "ETH/USDT"),
        ("DOTUSD", "DOT/USD"),
    ],
)
def test_pairs_in_dollars_are_read_as_such_at_venues_in_dollars(symbol, instrument):
    for kind in ("binance_us", "bitstamp", "gemini"):
        assert str(ADAPTERS[kind].read(symbol)) == instrument
