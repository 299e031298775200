"""Sessions and headers by kind of feed, live and from a tape."""

from __future__ import annotations

import json

import pytest

from trio_mev.errors import ConfigError
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import (
    EthereumSettings,
    LogFilter,
    NodeSettings,
    VenueSettings,
)
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.node import EthereumSession
from trio_mev.wire.sessions import (
    feed_header,
    feed_headers,
    grouped,
    replay_session,
    replay_trunk,
    tape_settings,
)
from trio_mev.wire.tape import FeedHeader, Header

ETH = Instrument("ETH", "USDT")
PERPETUAL = Instrument.parse("ETH/USDT:perpetual")
PEER = Endpoint("ws://127.0.0.1:9")
ADDRESS, TOPIC = "0x" + "88" * 20, "0x" + "e5" * 32
QUOTE = b'{"u":1,"s":"ETHUSDT","b":"1","B":"1","a":"2","A":"1"}'


def subscribe(*params) -> bytes:
    return json.dumps({"id": 1, "method": "eth_subscribe", "params": list(params)}).encode()


def test_a_tapes_header_says_what_is_needed_to_read_a_feed():
    settings = VenueSettings(
        kind="binance",
        name="spot",
        instruments=(ETH, PERPETUAL),
        symbols={"ETHUSDT_PERP": PERPETUAL},
        channels=("bookTicker",),
    )
    assert feed_header(settings, "wss://host/***") == FeedHeader(
        "binance",
        "wss://host/***",
        {"ETHUSDT": "ETH/USDT", "ETHUSDT_PERP": "ETH/USDT:perpetual"},
        ["bookTicker"],
    )
    coinbase = feed_header(VenueSettings(kind="coinbase", name="cb", instruments=(ETH,)), "")
    assert (coinbase.kind, coinbase.symbols) == ("coinbase", {"ETH-USDT": "ETH/USDT"})
    assert feed_header(EthereumSettings(name="main"), "wss://n") == FeedHeader(
        "ethereum", "wss://n", follow=True
    )


@pytest.mark.parametrize(
    ("kind", "session"),
    [
        ("ethereum", EthereumSession),
        ("binance", BinanceAdapter),
        ("coinbase", CoinbaseAdapter),
    ],
)
def test_a_tapes_feed_is_read_by_the_session_of_its_kind(kind, session):
    made = replay_session("alias", FeedHeader(kind))
    assert type(made) is session
    assert made.source == "alias"


def test_what_was_recorded_is_read_with_the_recorded_symbols():
    header = feed_header(VenueSettings(kind="binance", name="spot", instruments=(ETH,)), "")
    (event,) = replay_session("spot", header).receive(QUOTE, 0.0, 1)
    assert event.data.instrument == ETH


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (FeedHeader("bourse"), "feed f is of the unknown kind 'bourse'"),
        (FeedHeader("binance", symbols={"ETHUSDT": "ETHUSDT"}), "feed f: 'ETHUSDT' is not BASE"),
        (FeedHeader("coinbase", symbols={"X": "X/Y:swap"}), "feed f: 'swap' in"),
    ],
)
def test_a_header_that_cannot_be_used_is_a_clear_error(header, complaint):
    with pytest.raises(ConfigError, match=complaint):
        replay_session("f", header)
    with pytest.raises(ConfigError, match=complaint):
        tape_settings("f", header, PEER, [])


@pytest.mark.parametrize(
    "header",
    [
        FeedHeader("binance", "", {"ETHUSDT": "ETH/USDT"}, ["ticker"]),
        FeedHeader("coinbase", "", {"ETH-USDT": "ETH/USDT"}, ["ticker"]),
    ],
)
def test_a_peer_is_asked_for_the_instruments_of_the_tape(header):
    (symbol,) = header.symbols
    assert tape_settings("f", header, PEER, []) == VenueSettings(
        kind=header.kind,
        name="f",
        endpoint=PEER,
        instruments=(ETH,),
        symbols={symbol: ETH},
        channels=("ticker",),
    )


def test_a_tape_with_a_channel_that_is_not_known_is_refused():
    header = FeedHeader("binance", "", {"ETHUSDT": "ETH/USDT"}, ["depth"])
    with pytest.raises(ConfigError, match="feed f: channel 'depth' is not one of bookTicker"):
        replay_session("f", header)


@pytest.mark.parametrize(
    ("requests", "wanted"),
    [
        ([], {"heads": False, "pending": "off"}),
        ([subscribe("newHeads")], {"heads": True, "pending": "off"}),
        ([subscribe("newPendingTransactions")], {"heads": False, "pending": "hashes"}),
        (
            [subscribe("newPendingTransactions", True), subscribe("newPendingTransactions")],
            {"heads": False, "pending": "bodies"},
        ),
        (
            [
                subscribe("logs"),
                subscribe("logs", {"address": ADDRESS}),
                subscribe("logs", {"address": [ADDRESS], "topics": [None, TOPIC, [TOPIC, TOPIC]]}),
                subscribe("logs", {"address": None}),
            ],
            {
                "heads": False,
                "pending": "off",
                "logs": (
                    LogFilter(),
                    LogFilter((ADDRESS,)),
                    LogFilter((ADDRESS,), (None, TOPIC, (TOPIC, TOPIC))),
                    LogFilter(),
                ),
            },
        ),
        (
            [
                b"ping",
                b"[" * 100_000,
                b"[]",
                b'{"id":1,"method":"eth_chainId"}',
                b'{"id":1,"method":"eth_subscribe"}',
                b'{"id":1,"method":"eth_subscribe","params":"newHeads"}',
            ],
            {"heads": False, "pending": "off"},
        ),
    ],
    ids=["nothing", "heads", "hashes", "bodies", "logs", "nonsense"],
)
def test_a_node_is_asked_for_what_was_asked_when_the_tape_was_recorded(requests, wanted):
    settings = tape_settings("f", FeedHeader("ethereum"), PEER, requests)
    assert settings == EthereumSettings(name="f", endpoint=PEER, follow=False, **wanted)


@pytest.mark.parametrize(
    "request_frame",
    [
        subscribe("logs", "all"),
        subscribe("logs", {"topics": 5}),
        subscribe("logs", {"address": "0x"}),
    ],
)
def test_recorded_conditions_that_make_no_sense_are_a_clear_error(request_frame):
    with pytest.raises(ConfigError, match="feed f: "):
        tape_settings("f", FeedHeader("ethereum"), PEER, [request_frame])


def test_an_exchange_without_instruments_is_a_clear_error():
    with pytest.raises(ConfigError, match=r"feed f: .*instruments"):
        tape_settings("f", FeedHeader("binance"), PEER, [])


def several() -> EthereumSettings:
    nodes = (NodeSettings("a", Endpoint("ws://a.test/k")), NodeSettings("b", Endpoint("ws://b")))
    return EthereumSettings(name="chain", nodes=nodes)


def test_several_nodes_are_as_many_feeds_of_one_group_on_a_tape():
    headers = feed_headers(several())
    assert headers == {
        "a": FeedHeader("ethereum", "ws://a.test/***", follow=True, group="chain"),
        "b": FeedHeader("ethereum", "ws://b", follow=True, group="chain"),
    }
    header = Header(1, {**headers, "c": FeedHeader("binance")})
    trunk = replay_trunk(header, "a")
    assert trunk is not None
    assert trunk.several
    trunk.join("b", 0.0)
    assert replay_trunk(header, "c") is None
    alone = replay_trunk(Header(1, {"x": FeedHeader("ethereum")}), "x")
    assert alone is not None
    assert not alone.several


def test_a_groups_settings_are_one_feeds():
    nodes = [several().of_node(node) for node in several().nodes]
    made = grouped("chain", nodes)
    assert made == several()
