"""Bad input: each kind is counted under its own reason, and the next frame is read as if nothing
had happened."""

from __future__ import annotations

import json

import pytest

from tests.support.faults import believed, faults
from trio_mev.model.identity import Instrument
from trio_mev.model.settings import EthereumSettings
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.node import EthereumSession
from trio_mev.wire.tape import (
    Direction,
    FeedHeader,
    Header,
    Record,
    TapeReader,
    encode_header,
    encode_record,
    pack,
)

ETH = Instrument("ETH", "USDT")
BRACKETS = b"[" * 100_000 + b"]" * 100_000


def book_ticker(**fields) -> bytes:
    sound = {"u": 5, "s": "ETHUSDT", "b": "1999", "B": "1", "a": "2000", "A": "1"}
    return json.dumps(sound | fields).encode()


def coinbase_ticker(**fields) -> bytes:
    sound = {
        "type": "ticker",
        "sequence": 5,
        "product_id": "ETH-USDT",
        "price": "2000",
        "best_bid": "1999",
        "best_ask": "2000",
        "time": "2023-03-04T03:37:20.799258Z",
    }
    return json.dumps(sound | fields).encode()


class Peer:
    """A session and a sound frame of it, which must be read after a bad one."""

    def __init__(self, session, sound: bytes) -> None:
        self.session = session
        self.sound = sound

    def expect(self, frame: bytes, reason: str) -> None:
        before = self.session.refused.copy()
        assert believed(self.session.receive(frame, 1.0, 1)) == []
        assert self.session.refused - before == {reason: 1}
        assert len(self.session.receive(self.sound, 1.0, 2)) == 1
        assert self.session.refused - before == {reason: 1}


@pytest.fixture
def binance() -> Peer:
    session = BinanceAdapter("binance", [ETH], ["bookTicker"])
    session.opening()
    session.receive(b'{"result":null,"id":1}', 0.0, 0)
    return Peer(session, book_ticker())


@pytest.fixture
def coinbase() -> Peer:
    return Peer(CoinbaseAdapter("coinbase", [ETH], ["ticker"]), coinbase_ticker())


@pytest.fixture
def node(reply, notify, body) -> Peer:
    session = EthereumSession(EthereumSettings(name="node", heads=False))
    session.opening()
    session.receive(reply(1, result="0xbb"), 0.0, 0)
    return Peer(session, notify("0xbb", body))


@pytest.fixture(params=["binance", "coinbase", "node"])
def peer(request) -> Peer:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("frame", [b"", b"pong", b"{", b'{"type":"ticker"}}', b"{'a':1}", b"\x00"])
def test_what_is_not_json(peer, frame):
    peer.expect(frame, "not_json")


@pytest.mark.parametrize("frame", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_json_of_the_wrong_shape(peer, frame):
    peer.expect(frame, "wrong_shape")


def test_a_field_of_the_wrong_type(binance, coinbase, node, notify):
    binance.expect(book_ticker(b=1999), "wrong_shape")
    coinbase.expect(coinbase_ticker(sequence="5"), "wrong_shape")
    node.expect(notify("0xbb", {"hash": 5}), "wrong_shape")


def test_an_error_answer_without_an_id(binance, coinbase, node, reply):
    binance.expect(b'{"error":{"code":3,"msg":"Invalid JSON"}}', "error_without_id")
    coinbase.expect(b'{"type":"error","message":"too slow"}', "error_without_id")
    node.expect(reply(None, error={"code": -32700, "message": "parse"}), "error_without_id")


def test_an_unknown_subscription_id(node, notify, body):
    node.expect(notify("0xdd", body), "unknown_subscription")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1E+999999"])
def test_text_that_is_not_a_finite_number(binance, coinbase, number):
    reason = "bad_number"
    binance.expect(book_ticker(B=number), reason)
    coinbase.expect(coinbase_ticker(best_bid=number), reason)


@pytest.mark.parametrize(("number", "reason"), [(b"NaN", "not_json"), (b"1e999", "wrong_shape")])
def test_a_json_number_that_is_not_finite(binance, coinbase, number, reason):
    binance.expect(book_ticker().replace(b'"u": 5', b'"u": ' + number), reason)
    frame = coinbase_ticker().replace(b'"sequence": 5', b'"sequence": ' + number)
    coinbase.expect(frame, reason)


@pytest.mark.parametrize("price", ["0", "0.00000000", "-1", "-0.01"])
def test_a_price_that_is_not_positive(binance, coinbase, price):
    binance.expect(book_ticker(b=price), "price_not_positive")
    coinbase.expect(coinbase_ticker(best_ask=price), "price_not_positive")


def test_a_negative_size(binance):
    binance.expect(book_ticker(A="-1"), "negative_number")


def test_a_bid_over_the_ask_with_a_number_from_the_future(binance, coinbase):
    binance.expect(book_ticker(b="2001", u=10**18), "crossed_book")
    coinbase.expect(coinbase_ticker(best_bid="2001", sequence=10**18), "crossed_book")


def test_hex_of_odd_length(node, notify, body):
    node.expect(notify("0xbb", body | {"input": "0x123"}), "odd_hex")


@pytest.mark.parametrize(
    "field", [{"input": "0x" + "00" * (2**20 + 1)}, {"value": "0x" + "0" * 10**6}]
)
def test_hex_of_absurd_length(node, notify, body, field):
    node.expect(notify("0xbb", body | field), "hex_too_long")


def test_deep_nesting(peer):
    peer.expect(b'{"a":' + BRACKETS + b"}", "too_deep")


def test_deep_nesting_where_a_value_belongs(binance, node):
    binance.expect(b'{"stream":"ethusdt@bookTicker","data":' + BRACKETS + b"}", "too_deep")
    params = b'{"subscription":"0xbb","result":' + BRACKETS + b"}"
    node.expect(b'{"method":"eth_subscription","params":' + params + b"}", "too_deep")


def test_nothing_but_brackets(peer):
    peer.expect(BRACKETS, "wrong_shape")


@pytest.mark.parametrize("noise", [b"\xff\xfe\x00", b"\x80", b"\x1f\x8b\x08\x00\xff"])
def test_bytes_that_are_not_utf8(peer, noise):
    peer.expect(noise, "not_utf8")


def test_a_text_inside_that_is_not_utf8(binance, coinbase, node):
    binance.expect(book_ticker().replace(b"ETHUSDT", b"ETH\xff"), "not_utf8")
    coinbase.expect(coinbase_ticker().replace(b"ETH-USDT", b"\xc3("), "not_utf8")
    node.expect(node.sound.replace(b"0xbb", b"\xed\xa0\x80"), "not_utf8")


def test_a_time_that_goes_backwards(binance, coinbase):
    for peer, earlier, later in (
        (binance, book_ticker(u=4), book_ticker(u=6)),
        (coinbase, coinbase_ticker(sequence=4), coinbase_ticker(sequence=6)),
    ):
        assert len(peer.session.receive(peer.sound, 1.0, 1)) == 1
        assert faults(peer.session.receive(earlier, 2.0, 2)) == ["time_backwards"]
        assert len(peer.session.receive(later, 3.0, 3)) == 1
        assert peer.session.refused == {"time_backwards": 1}


@pytest.mark.parametrize("moment", ["0000-00-00T00:00:00Z", "1969-12-31T23:59:59Z", "soon"])
def test_a_time_out_of_every_calendar(coinbase, moment):
    coinbase.expect(coinbase_ticker(time=moment), "bad_time")


def test_a_tape_that_is_cut_in_the_middle():
    record = Record(1, 1, "node", Direction.IN, b"{}")
    header = pack([encode_header(Header(1, {"node": FeedHeader("ethereum")}))])
    lines = pack([encode_record(record)])
    reader = TapeReader()
    assert reader.receive_data(header + lines) == [record]
    reader.receive_data(lines[: len(lines) // 2])
    reader.end()
    assert reader.problems == {"cut": 1}
