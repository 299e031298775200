"""cryptofeed's recordings as tapes."""

from __future__ import annotations

import pytest

from trio_mev.errors import ConfigError
from trio_mev.wire.import_venues import CryptofeedImport
from trio_mev.wire.symbols import split_pair
from trio_mev.wire.tape import Direction

URL = "wss://stream.binance.com:9443/stream?streams=ethusdt@bookTicker/ethbtc@aggTrade/x@depth"


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("ETHUSDT", "ETH/USDT"),
        ("BTCFDUSD", "BTC/FDUSD"),
        ("ETHBTC", "ETH/BTC"),
        ("USDCUSDT", "USDC/USDT"),
        ("BTCEURI", "BTC/EURI"),
        ("BTCEUR", "BTC/EUR"),
    ],
)
def test_a_symbol_ends_in_its_quote_currency(symbol, instrument):
    assert str(split_pair(symbol)) == instrument


@pytest.mark.parametrize("symbol", ["USDT", "ETHXYZ", ""])
def test_a_symbol_that_ends_in_no_known_currency_is_not_guessed(symbol):
    with pytest.raises(ValueError, match="ends in no quote currency"):
        split_pair(symbol)


def test_the_header_holds_what_was_subscribed_to():
    lines = ["no line of any form", f"{URL}/x@aggTrade <-> 1633998511.1"]
    with pytest.raises(ConfigError, match="product 'X' is no instrument: symbol X "):
        CryptofeedImport("b").header(lines)
    header = CryptofeedImport("b").header([f"{URL} <-> 1633998511.1"])
    assert header.kind == "binance"
    assert header.symbols == {"ETHUSDT": "ETH/USDT", "ETHBTC": "ETH/BTC"}
    assert header.channels == ["bookTicker", "aggTrade"]


def test_coinbase_is_read_from_its_subscribe_messages():
    url = "wss://ws-feed.pro.coinbase.com"
    asked = '{"type":"subscribe","product_ids":["ETH-USD"],"channels":["ticker","level2"]}'
    lines = [f"{url} <-> 1.5", f"{url} <- 2.5: {{broken", f"{url} <- 3.5: {asked}"]
    header = CryptofeedImport("c").header(lines)
    assert (header.kind, header.symbols) == ("coinbase", {"ETH-USD": "ETH/USD"})
    assert header.channels == ["ticker"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "no line opens a connection"),
        (["wss://ws.nasdaq.com <-> 1.0"], "ws.nasdaq.com cannot be read"),
        (["wss://ws-feed.pro.coinbase.com <-> 1.0"], "subscribes to nothing"),
    ],
)
def test_what_cannot_be_read_is_refused(lines, words):
    with pytest.raises(ConfigError, match=words):
        CryptofeedImport("x").header(lines)


def test_each_kind_of_line_becomes_its_record_and_times_are_exact():
    source = CryptofeedImport("b")
    lines = [
        f"{URL} <-> 1633998511.159679",
        f"{URL} <- 1633998511.2: {{}}",
        "1633998512.0633569: [1]\r\n",
        "\n",
        "https://api.binance.com/x -> 1633998513.0: body",
        "what is this",
    ]
    records = list(source.records(lines))
    assert [(r.wall, r.mono, r.direction, r.frame) for r in records] == [
        (1633998511159679000, 1633998511159679000, Direction.OPEN, b""),
        (1633998511200000000, 1633998511200000000, Direction.OUT, b"{}"),
        (1633998512063356900, 1633998512063356900, Direction.IN, b"[1]"),
    ]
    assert source.problems == {"http_answer": 1, "bad_line": 1}


COINBASE = "wss://ws-feed.exchange.coinbase.com"


def asked(message):
    return CryptofeedImport("c").header([f"{COINBASE} <-> 1.5", f"{COINBASE} <- 1.5: {message}"])


@pytest.mark.parametrize(
    "message",
    [
        "[1]",
        "5",
        "[" * 3000 + "]" * 3000,
        '{"type":"subscribe","product_ids":5,"channels":["ticker"]}',
        '{"type":"subscribe","product_ids":["ETH-USD"],"channels":"ticker"}',
        '{"type":"subscribe","product_ids":[5],"channels":["ticker"]}',
        '{"type":"subscribe","product_ids":["ETH-USD"],"channels":[{"name":5},[],null]}',
    ],
)
def test_a_sent_message_of_another_shape_subscribes_to_nothing(message):
    with pytest.raises(ConfigError, match="subscribes to nothing"):
        asked(message)


def test_a_channel_may_be_an_object_with_products_of_its_own():
    header = asked(
        '{"type":"subscribe","product_ids":["ETH-USD"],"channels":["ticker",{"name":"heartbeat"},'
        '{"name":"matches","product_ids":["BTC-USD"]}]}'
    )
    assert header.symbols == {"ETH-USD": "ETH/USD", "BTC-USD": "BTC/USD"}
    assert header.channels == ["ticker", "matches", "heartbeat"]


def test_a_product_that_is_no_instrument_is_refused():
    with pytest.raises(ConfigError, match="product 'eth-usd' is no instrument"):
        asked('{"type":"subscribe","product_ids":["eth-usd"],"channels":["ticker"]}')


@pytest.mark.parametrize("time", ["1.2.3", "1.", ".", "9" * 10, "1" * 400, "1." + "0" * 400])
def test_a_time_that_is_none_is_a_bad_line(time):
    source = CryptofeedImport("c")
    lines = [f"{URL} <-> {time}", f"{URL} <- {time}: {{}}", f"{time}: {{}}"]
    assert list(source.records(lines)) == []
    assert source.problems == {"bad_line": 3}
