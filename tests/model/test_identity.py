"""Venues, instruments and endpoints: one canonical spelling, and no key is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.identity import Endpoint, Instrument, InstrumentKind, Secret, redact

ASSETS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        ("ETH/USDT", Instrument("ETH", "USDT")),
        ("1INCH/USD:spot", Instrument("1INCH", "USD")),
        ("ETH/USDT:perpetual", Instrument("ETH", "USDT", InstrumentKind.PERPETUAL)),
        ("BTC/USD:index", Instrument("BTC", "USD", InstrumentKind.INDEX)),
        (
            "BTC/USD:future-2026-03-27",
            Instrument("BTC", "USD", InstrumentKind.FUTURE, "2026-03-27"),
        ),
    ],
)
def test_an_instrument_is_read_from_its_text(text, instrument):
    assert Instrument.parse(text) == instrument


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ETHUSDT", "is not BASE/QUOTE"),
        ("ETH/USDT:swap", "'swap' in 'ETH/USDT:swap' is not one of spot, perpetual, future, index"),
        ("eth/USDT", "base 'eth' is not 1 to 20"),
        ("ETH/", "quote '' is not 1 to 20"),
        ("ETH/" + "U" * 21, "is not 1 to 20"),
        ("ETH/USDT\n", "is not 1 to 20"),
        ("ETH/USD:future", "a future has an expiry"),
        ("ETH/USD:spot-2026-03-27", "nothing else has one"),
        ("ETH/USD:future-27 March", "is not YYYY-MM-DD"),
        ("ETH/USD:future-２０２６-03-27", "is not YYYY-MM-DD"),
    ],
)
def test_text_that_is_no_instrument_is_refused_with_the_reason(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        Instrument.parse(text)


@given(ASSETS, ASSETS, st.sampled_from(InstrumentKind), st.dates())
def test_the_text_of_an_instrument_reads_back(base, quote, kind, day):
    expiry = day.isoformat() if kind is InstrumentKind.FUTURE else None
    instrument = Instrument(base, quote, kind, expiry)
    assert Instrument.parse(str(instrument)) == instrument


def test_a_perpetual_is_not_the_spot_of_the_same_pair():
    assert Instrument.parse("ETH/USDT:perpetual") != Instrument.parse("ETH/USDT")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "wss://eth-mainnet.example/v2/Q3JldCBrZXk",
            "wss://eth-mainnet.example/v2/***",
        ),
        ("wss://me:hunter2@node.example:8546/ws", "wss://***@node.example:8546/ws"),
        ("wss://node.example/ws?apikey=hunter2&x=", "wss://node.example/ws?apikey=***&***"),
        ("wss://node.example/ws?hunter2", "wss://node.example/ws?***"),
        ("wss://node.example#hunter2", "wss://node.example"),
        ("ws://[::1]:8546/", "ws://[::1]:8546/"),
        ("ws://node.example:hunter2/", "ws://node.example:***/"),
        ("ws:///hunter2", "ws:///***"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_key(url, shown):
    assert redact(url) == shown


@pytest.mark.parametrize(
    ("url", "secure", "host", "port"),
    [
        ("wss://stream.binance.com:9443/stream", True, "stream.binance.com", 9443),
        ("wss://ws-feed.exchange.coinbase.com", True, "ws-feed.exchange.coinbase.com", 443),
        ("ws://[::1]/", False, "::1", 80),
        ("WSS://node.example", True, "node.example", 443),
    ],
)
def test_an_endpoint_knows_its_host_its_port_and_whether_it_uses_tls(url, secure, host, port):
    endpoint = Endpoint(url)
    assert (endpoint.secure, endpoint.host, endpoint.port) == (secure, host, port)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("https://node.example/hunter2", r"does not begin with ws:// or wss://"),
        ("wss:///hunter2", "has no host"),
        ("wss://node.example/#hunter2", "has a fragment"),
        ("wss://node.example:hunter2", "has a port that is not 1 to 65535"),
        ("wss://node.example:65536/hunter2", "has a port that is not 1 to 65535"),
        ("wss://node.example:0/hunter2", "has a port that is not 1 to 65535"),
        ("wss://n\u00f6de..example/hunter2", "has a host that no name look-up takes"),
        (f"wss://{'a' * 64}.example/hunter2", "has a host that no name look-up takes"),
        (f"wss://{'a' * 63}.{'b.' * 120}example/hunter2", "has a host that no name look-up"),
        ("wss://node.example/hunter2\n", "white space or control characters"),
        ("wss://node.example/hunter2 x", "white space or control characters"),
        ("wss://[::1/hunter2", "is not a URL"),
        ("wss://me:hunter2@n\u2100de.example", "is not a URL"),
    ],
)
def test_an_unusable_endpoint_is_refused_and_the_complaint_shows_no_key(url, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        Endpoint(url)
    assert "hunter2" not in str(caught.value)


def test_an_endpoint_and_a_secret_never_show_their_content():
    endpoint = Endpoint("wss://node.example/ws/hunter2")
    secret = Secret("hunter2")
    shown = f"{endpoint} {endpoint!r} {secret} {secret!r}"
    assert shown == (
        "wss://node.example/ws/*** Endpoint('wss://node.example/ws/***') *** Secret(***)"
    )
    assert secret.value == "hunter2"


def test_a_user_without_a_password_is_refused_without_showing_it():
    url = "wss://KEY@host.test/ws"
    with pytest.raises(ValueError, match="has a user without a password") as caught:
        Endpoint(url)
    assert "KEY" not in str(caught.value)


def test_a_host_in_another_script_is_a_host():
    assert Endpoint("wss://n\u00f6de.example").host == "n\u00f6de.example"
    assert Endpoint(f"wss://{'a' * 63}.example").port == 443


@pytest.mark.parametrize("tail", ["\n", "\r\nX-Evil: 1", "\x00", "\x7f", "\u00e9", "\u2028"])
def test_a_secret_that_no_header_can_carry_is_refused_without_showing_it(tail):
    with pytest.raises(ValueError, match="no header can carry") as caught:
        Secret(f"hunter2{tail}")
    assert "hunter2" not in f"{caught.value!r}"
    assert Secret("a b~!").value == "a b~!"
