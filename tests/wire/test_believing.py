"""What a peer says is checked against what was asked, and one absurd word does not last."""

from __future__ import annotations

import json

import pytest

from tests.support.faults import believed
from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.identity import Endpoint, Instrument
from trio_mev.model.settings import EthereumSettings
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.follower import SPARE
from trio_mev.wire.node import EthereumSession
from trio_mev.wire.updates import NEW_COUNT

ETH = Instrument("ETH", "USD")


def hash_of(number):
    return f"0x{number:064x}"


def head(number):
    return {
        "number": hex(number),
        "hash": hash_of(number),
        "parentHash": hash_of(number - 1),
        "timestamp": "0x1",
        "gasLimit": "0x2",
        "gasUsed": "0x1",
    }


def body(number):
    return {
        "hash": hash_of(number),
        "from": "0x" + "ab" * 20,
        "nonce": hex(number),
        "value": "0x1",
        "gas": "0x1",
        "input": "0x",
    }


def node(**settings):
    endpoint = Endpoint("ws://peer.test")
    session = EthereumSession(EthereumSettings(name="n", endpoint=endpoint, **settings))
    for frame in session.opening():
        number = json.loads(frame)["id"]
        answer = {"id": number, "result": hex(number), "error": None}
        session.receive(json.dumps(answer).encode(), 0.0, 1)
    assert session.confirmed
    return session


def note(subscription, result):
    return json.dumps({"params": {"subscription": subscription, "result": result}}).encode()


def reply(session, result):
    (frame,) = session.outgoing()
    return json.dumps({"id": json.loads(frame)["id"], "result": result}).encode()


def test_a_reply_with_another_transaction_is_refused():
    session = node(heads=False, pending="hashes")
    session.receive(note("0x1", hash_of(7)), 0.0, 1)
    assert session.receive(reply(session, body(8)), 0.0, 1) == []
    assert session.refused == {"wrong_reply": 1}


def test_a_reply_with_another_block_leaves_the_head_without_hashes():
    session = node(pending="off")
    session.receive(note("0x1", head(7)), 0.0, 1)
    answer = reply(session, {**head(8), "transactions": []})
    (event,) = session.receive(answer, 0.0, 1)
    assert (event.data.number, event.data.transactions) == (7, None)
    assert session.refused == {"wrong_reply": 1}


def test_heads_that_wait_for_their_hashes_are_bounded_and_the_oldest_goes_without():
    session = node(pending="off", backfill=1)
    events = []
    for number in range(1, SPARE + 7):
        events += session.receive(note("0x1", head(number)), 0.0, 1)
    assert [event.data.number for event in events] == [1, 2, 3, 4, 5]
    assert session.refused == {"block_backlog_full": 5}


def book(number):
    data = {"u": number, "s": "ETHUSD", "b": "1", "B": "1", "a": "2", "A": "1"}
    return json.dumps({"stream": "ethusd@bookTicker", "data": data}).encode()


def quotes(session, numbers):
    return [
        event.data.sequence
        for number in numbers
        for event in believed(session.receive(book(number), 0.0, 1))
    ]


def test_after_an_absurd_number_a_new_connection_is_asked_for():
    session = BinanceAdapter("b", [ETH], ["bookTicker"])
    session.opening()
    assert quotes(session, [5, 2**63 - 1]) == [5, 2**63 - 1]
    assert quotes(session, range(10, 10 + NEW_COUNT - 1)) == []
    assert not session.leaving
    assert quotes(session, range(20, 30)) == []
    assert session.leaving
    assert session.refused == {"time_backwards": NEW_COUNT - 1 + 10}
    assert session.ignored["new_count"] == 1
    assert quotes(BinanceAdapter("b", [ETH], ["bookTicker"]), [30, 31]) == [30, 31]
    assert quotes(session, [2**63, -1]) == []
    assert session.refused["bad_number"] == 2


def test_old_data_that_is_sent_again_and_again_is_not_a_new_count():
    session = BinanceAdapter("b", [ETH], ["bookTicker"])
    session.opening()
    assert quotes(session, [50]) == [50]
    assert quotes(session, [7, 7, 7, 6, 5] * 20) == []
    assert quotes(session, [51]) == [51]


def test_an_error_of_null_is_none():
    session = BinanceAdapter("b", [ETH], ["bookTicker"])
    session.opening()
    session.receive(b'{"result": null, "id": 1, "error": null}', 0.0, 1)
    assert session.confirmed


@pytest.mark.parametrize(
    ("message", "error"),
    [("rate limit exceeded", SubscriptionLost), ("Failed to subscribe", SubscriptionRejected)],
)
def test_coinbase_may_be_busy_or_refuse(message, error):
    session = CoinbaseAdapter("c", [ETH], ["ticker"])
    session.opening()
    with pytest.raises(error):
        session.receive(json.dumps({"type": "error", "message": message}).encode(), 0.0, 1)


def test_a_replay_needs_no_place_for_a_fetch_that_is_on_the_tape():
    settings = EthereumSettings(name="n", fetches=1, backlog=1)
    session = EthereumSession(settings, replaying=True)
    asked = {"id": 1, "method": "eth_subscribe", "params": ["newPendingTransactions"]}
    session.sent(json.dumps(asked).encode())
    session.receive(b'{"id": 1, "result": "0x1"}', 0.0, 1)
    for number in range(2, 12):
        session.receive(note("0x1", hash_of(number)), 0.0, 1)
        fetch = {"id": number, "method": "eth_getTransactionByHash", "params": [hash_of(number)]}
        session.sent(json.dumps(fetch).encode())
    found = []
    for number in reversed(range(2, 12)):
        answer = {"id": number, "result": body(number)}
        found += session.receive(json.dumps(answer).encode(), 1.0, 1)
    assert [event.data.hash for event in found] == [hash_of(n) for n in reversed(range(2, 12))]
    assert session.refused == {}
