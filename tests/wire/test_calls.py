"""Calls on somebody's behalf, batches, and who is told when the life is over."""

from __future__ import annotations

import json

import pytest

from trio_mev.errors import MalformedFrame, SubscriptionRejected
from trio_mev.model.event import DataType
from trio_mev.model.settings import EthereumSettings, LogFilter
from trio_mev.wire.bodies import Bodies
from trio_mev.wire.jsonrpc import MAX_PENDING, RpcBook, parse_batch
from trio_mev.wire.node import EthereumSession


def sent(session) -> list:
    return [json.loads(frame) for frame in session.outgoing()]


@pytest.fixture
def session() -> EthereumSession:
    made = EthereumSession(EthereumSettings(name="main", heads=False, pending="off"))
    made.opening()
    return made


def test_one_call_is_an_object_and_several_are_a_batch(session):
    answers = {}
    assert session.call([("eth_chainId", ())], answers.__setitem__) == [1]
    assert session.call([("a", (1,)), ("b", ())], answers.__setitem__) == [2, 3]
    single, batch = sent(session)
    assert single == {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    assert [(one["id"], one["method"], one["params"]) for one in batch] == [
        (2, "a", [1]),
        (3, "b", []),
    ]
    reply = [{"id": 3, "error": {"code": 3, "message": "reverted", "data": "0x08"}}, {"id": 2}]
    assert session.receive(json.dumps(reply).encode(), 0.0, 1) == []
    assert session.receive(b'{"id": 1, "result": "0x1"}', 0.0, 1) == []
    assert bytes(answers[1].result) == b'"0x1"'
    assert (answers[3].error.code, answers[3].error.data) == (3, "0x08")
    assert answers.keys() == {1, 2, 3}


def test_what_is_forgotten_is_a_late_reply(session):
    answers = {}
    numbers = session.call([("eth_chainId", ())], answers.__setitem__)
    session.forget(numbers)
    session.forget(numbers)
    assert session.receive(b'{"id": 1, "result": "0x1"}', 0.0, 1) == []
    assert answers == {}
    assert session.ignored == {"late_reply": 1}


def test_the_end_of_the_life_is_told_to_who_waits(session):
    answers = {}
    session.call([("a", ()), ("b", ())], answers.__setitem__)
    session.finish()
    assert answers == {1: None, 2: None}


def test_one_damaged_part_of_a_batch_leaves_the_others_alone(session):
    answers = {}
    session.call([("a", ()), ("b", ())], answers.__setitem__)
    reply = [{"id": 99, "result": 1}, {"id": 1, "result": 1}, {"id": 2, "result": 2}]
    session.receive(json.dumps(reply).encode(), 0.0, 1)
    assert answers.keys() == {1, 2}
    assert session.refused == {"unknown_reply": 1}


def test_an_empty_batch_is_none():
    with pytest.raises(MalformedFrame, match="empty batch"):
        parse_batch(b"[]")


def test_a_batch_on_a_tape_is_learned():
    book = RpcBook()
    frame = b'[{"id": 4, "method": "a", "params": [1]}, {"id": 5, "method": "b"}]'
    assert [(number, r.method) for number, r in book.learn(frame)] == [(4, "a"), (5, "b")]
    session = EthereumSession(EthereumSettings(name="main"), replaying=True)
    session.sent(frame)
    session.receive(b'[{"id": 4, "result": 1}, {"id": 5, "result": 2}]', 0.0, 1)
    assert session.ignored == {"reply_a": 1, "reply_b": 1}


def test_subscriptions_follow_when_the_chain_is_proven(reply):
    genesis = "0x" + "ab" * 32
    settings = EthereumSettings(name="main", pending="off", chain_id=1, genesis=genesis)
    session = EthereumSession(settings)
    asked = [json.loads(frame) for frame in session.opening()]
    assert [one["method"] for one in asked] == ["eth_chainId", "eth_getBlockByNumber"]
    assert not session.confirmed
    first = {
        "number": "0x0", "hash": genesis, "parentHash": "0x" + "00" * 32, "timestamp": "0x0",
        "gasLimit": "0x0", "gasUsed": "0x0",
    }  # fmt: skip
    assert session.receive(reply(1, result="0x1"), 0.0, 1) == []
    assert session.outgoing() == []
    assert session.receive(reply(2, result=first), 0.0, 1) == []
    assert [one["params"] for one in sent(session)] == [["newHeads"]]
    other = EthereumSession(settings)
    other.opening()
    with pytest.raises(SubscriptionRejected, match="begins with 0xcdcd"):
        other.receive(reply(2, result=first | {"hash": "0x" + "cd" * 32}), 0.0, 1)
    with pytest.raises(SubscriptionRejected, match="on chain 5, and 1 is configured"):
        other.receive(reply(1, result="0x5"), 0.0, 1)


def test_a_node_that_has_forgotten_its_first_block_is_believed(reply):
    session = EthereumSession(EthereumSettings(name="main", heads=False, genesis="0x" + "ab" * 32))
    session.opening()
    session.receive(reply(1, result=None), 0.0, 1)
    assert [one["method"] for one in sent(session)] == ["eth_subscribe"]


def test_a_log_that_nobody_asked_for_is_refused(reply, notify, log):
    wanted = (LogFilter(("0x" + "11" * 20,)),)
    session = EthereumSession(EthereumSettings(name="m", heads=False, pending="off", logs=wanted))
    session.opening()
    session.receive(reply(1, result="0xcc"), 0.0, 1)
    assert session.receive(notify("0xcc", log), 0.0, 1) == []
    assert session.refused == {"foreign_log": 1}


def test_a_filter_on_a_tape_that_cannot_be_read_admits_nothing(reply, notify, log):
    session = EthereumSession(EthereumSettings(name="m"), replaying=True)
    request = {"id": 1, "method": "eth_subscribe", "params": ["logs", {"address": "0x12"}]}
    session.sent(json.dumps(request).encode())
    session.receive(reply(1, result="0xcc"), 0.0, 1)
    assert session.receive(notify("0xcc", log), 0.0, 1) == []
    assert session.refused == {"sent_bad_filter": 1, "foreign_log": 1}


def test_a_request_for_logs_on_a_tape_before_any_head_changes_nothing():
    session = EthereumSession(EthereumSettings(name="m"), replaying=True)
    session.sent(b'{"id": 1, "method": "eth_getLogs", "params": [{}]}')
    session.oversized()
    assert session.notices() == []
    assert session.finish() == []


def test_who_is_wanted_twice_is_fetched_once():
    bodies = Bodies(1, 5, 10.0)
    bodies.want(["a", "a", "b", "b"], 0.0)
    assert bodies.to_send() == ["a"]
    assert bodies.room == 4
    assert bodies.arrived("a", 1.0)
    assert bodies.to_send() == ["b"]


def test_a_transaction_that_waited_is_asked_for_at_the_next_block(reply, notify, head, body):
    settings = EthereumSettings(name="m", ask_pending_after=5.0)
    session = EthereumSession(settings)
    session.opening()
    session.receive(reply(1, result="0xaa"), 0.0, 1)
    session.receive(reply(2, result="0xbb"), 0.0, 1)
    session.receive(notify("0xbb", body), 0.0, 1)
    session.receive(notify("0xaa", head | {"transactions": []}), 6.0, 2)
    (asked,) = sent(session)
    assert asked["method"] == "eth_getTransactionByHash"
    (event,) = session.receive(reply(asked["id"], result=None), 6.5, 3)
    assert (event.event_type, event.data.life.value) == (DataType.MEMPOOL, "dropped")


def ask_two(session) -> dict:
    answers = {}
    session.call([("a", ()), ("b", ())], answers.__setitem__)
    return answers


def test_a_batch_that_is_refused_fails_whole_with_the_nodes_own_words(session):
    answers = ask_two(session)
    refusal = {"code": -32600, "message": "batch too large"}
    session.receive(json.dumps([{"id": 1, "error": refusal}]).encode(), 0.0, 1)
    assert {n: (m.error.code, m.error.message) for n, m in answers.items()} == dict.fromkeys(
        (1, 2), (-32600, "batch too large")
    )
    answers = ask_two(session)
    session.receive(json.dumps({"id": None, "error": refusal}).encode(), 0.0, 1)
    assert {n: m.error.code for n, m in answers.items()} == {3: -32600, 4: -32600}
    assert session.refused == {}


def test_what_is_left_out_of_an_answer_to_a_batch_will_not_come(session):
    answers = ask_two(session)
    session.receive(json.dumps([{"id": 2, "result": "0x1"}]).encode(), 0.0, 1)
    assert bytes(answers[2].result) == b'"0x1"'
    assert answers[1].error.code == -32603


def test_an_error_without_a_number_is_nobodys_where_several_could_be_meant(session):
    answers = ask_two(session) | ask_two(session)
    session.receive(b'{"id": null, "error": {"code": -32600, "message": "no"}}', 0.0, 1)
    assert answers == {}
    assert session.refused == {"error_without_id": 1}


def test_calls_push_none_of_the_sessions_own_requests_out():
    made = EthereumSession(EthereumSettings(name="main", pending="off"))
    made.opening()
    for _ in range(MAX_PENDING + 5):
        made.forget(made.call([("a", ())], lambda number, message: None))
    made.receive(b'{"id": 1, "result": "0xaa"}', 0.0, 1)
    assert made.subscriptions == {"newHeads": "0xaa"}
    assert len(made.rpc.called) == MAX_PENDING


def test_a_node_is_not_proven_before_it_has_said_which_chain_it_is_of():
    made = EthereumSession(EthereumSettings(name="main", chain_id=1, pending="off"))
    asked = [json.loads(frame) for frame in made.opening()]
    assert not made.proven
    for request in asked:
        chain = request["method"] == "eth_chainId"
        result = "0x1" if chain else {"number": "0x0", "hash": "0x" + "a1" * 32}
        made.receive(json.dumps({"id": request["id"], "result": result}).encode(), 0.0, 1)
    assert made.proven
