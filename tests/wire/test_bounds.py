"""What a peer can make a session remember has an end."""

from __future__ import annotations

import json

from trio_mev.model.identity import Instrument
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.jsonrpc import MAX_PENDING, RpcBook
from trio_mev.wire.session import MAX_KINDS

ETH = Instrument("ETH", "USD")


def test_kinds_of_ignored_frames_have_an_end():
    session = CoinbaseAdapter("c", [ETH], ["ticker"])
    for number in range(1000):
        session.receive(json.dumps({"type": f"kind {number}"}).encode(), 0.0, 1)
    assert len(session.ignored) == MAX_KINDS + 1
    assert session.ignored["other"] == 1000 - MAX_KINDS


def test_streams_that_nobody_asked_for_are_no_subscriptions():
    session = BinanceAdapter("b", [ETH], ["bookTicker"])
    for number in range(1, 100):
        data = {"u": number, "s": "ETHUSD", "b": "1", "B": "1", "a": "2", "A": "1"}
        frame = json.dumps({"stream": f"x{number}@bookTicker", "data": data}).encode()
        assert len(session.receive(frame, 0.0, number)) == 1
    assert session.subscriptions == {"ethusd@bookTicker": "ethusd@bookTicker"}


def test_requests_that_are_never_answered_are_forgotten_in_the_end():
    book = RpcBook()
    for _ in range(MAX_PENDING + 5):
        book.request("eth_chainId", [])
    assert len(book.pending) == MAX_PENDING
    assert min(book.pending) == 6


def test_an_exchange_that_is_busy_is_tried_again_and_one_that_refuses_is_not():
    import pytest

    from trio_mev.errors import SubscriptionLost, SubscriptionRejected

    for message, error in (("Too many requests", SubscriptionLost), ("no", SubscriptionRejected)):
        session = BinanceAdapter("b", [ETH], ["bookTicker"])
        session.opening()
        answer = {"id": 1, "error": {"code": 3, "msg": message}}
        with pytest.raises(error):
            session.receive(json.dumps(answer).encode(), 0.0, 1)


def test_a_refused_unsubscribe_is_counted_and_no_more():
    session = BinanceAdapter("b", [ETH], ["bookTicker"])
    session.unsubscribe([("bookTicker", "ETHUSD")])
    session.outgoing()
    session.receive(b'{"id": 1, "error": {"code": 2, "msg": "no"}}', 0.0, 1)
    assert session.refused == {"error": 1}


def test_a_feed_of_two_kinds_cannot_be_merged():
    import pytest

    from trio_mev.errors import ConfigError
    from trio_mev.wire.tape import FeedHeader, merged

    one = FeedHeader("binance", "", {"A": "A/B"}, ["ticker"])
    both = merged("x", one, FeedHeader("binance", "", {"C": "C/D"}, ["ticker", "aggTrade"]))
    assert both == FeedHeader("binance", "", {"A": "A/B", "C": "C/D"}, ["ticker", "aggTrade"])
    with pytest.raises(ConfigError, match="x is binance on one tape and coinbase on another"):
        merged("x", one, FeedHeader("coinbase"))
