"""A node's session: subscriptions by the server's id, bodies and blocks fetched, life and death."""

from __future__ import annotations

import gzip
import json

import pytest

from trio_mev.errors import SubscriptionLost, SubscriptionRejected
from trio_mev.model.chain import Life, PendingLife
from trio_mev.model.event import DataType, EventPriority
from trio_mev.model.settings import EthereumSettings, LogFilter
from trio_mev.wire.node import EthereumSession

ADDRESS = "0x" + "88" * 20
TOPIC = "0x" + "e5" * 32
BODIES, HEADS = "newPendingTransactions", "newHeads"


def tx_hash(number: int) -> str:
    return f"0x{number:064x}"


def requests(session) -> list[dict]:
    return [json.loads(frame) for frame in session.outgoing()]


@pytest.fixture
def session(reply):
    """A factory of sessions; heads have the server's id 0xaa, pending transactions 0xbb."""

    def make(replaying: bool = False, **settings) -> EthereumSession:
        made = EthereumSession(EthereumSettings(name="main", **settings), replaying)
        ids = {HEADS: "0xaa", BODIES: "0xbb", "logs": "0xcc"}
        for number, frame in enumerate(made.opening(), 1):
            assert (
                made.receive(reply(number, result=ids[json.loads(frame)["params"][0]]), 0, 0) == []
            )
        assert made.confirmed
        return made

    return make


def test_it_asks_for_heads_for_pending_transactions_with_bodies_and_for_logs():
    wanted = (LogFilter((ADDRESS,), (TOPIC, None)), LogFilter())
    made = EthereumSession(EthereumSettings(name="main", logs=wanted))
    frames = [json.loads(frame) for frame in made.opening()]
    assert [frame["params"] for frame in frames] == [
        ["newHeads"],
        ["newPendingTransactions", True],
        ["logs", {"address": [ADDRESS], "topics": [TOPIC, None]}],
        ["logs", {}],
    ]
    assert {frame["method"] for frame in frames} == {"eth_subscribe"}
    assert [frame["id"] for frame in frames] == [1, 2, 3, 4]
    assert made.subscriptions == dict.fromkeys([HEADS, BODIES, "logs:0", "logs:1"], "pending")
    assert made.heard == {HEADS: 0.0}


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({"pending": "hashes"}, [["newHeads"], ["newPendingTransactions"]]),
        ({"pending": "off"}, [["newHeads"]]),
        ({"pending": "off", "heads": False}, []),
    ],
)
def test_it_asks_for_what_is_wanted_only(settings, asked):
    made = EthereumSession(EthereumSettings(name="main", **settings))
    assert [json.loads(frame)["params"] for frame in made.opening()] == asked


def test_a_notification_is_known_by_the_id_that_the_server_gave(session, notify, body):
    made = session()
    assert made.subscriptions == {HEADS: "0xaa", BODIES: "0xbb"}
    (event,) = made.receive(notify("0xbb", body), 3.0, 9)
    assert event.metadata == {"connection_id": "main", "subscription_id": "0xbb"}
    assert (event.received_at, event.sequence) == (3.0, 9)
    assert made.receive(notify(BODIES, body), 3.0, 10) == []
    assert made.refused == {"unknown_subscription": 1}


def test_the_type_of_an_event_follows_its_subscription_and_not_its_method(
    session, notify, reply, head, body, log
):
    made = session(logs=(LogFilter(),))
    frames = [
        notify("0xaa", head | {"transactions": []}),
        reply(4, result=[]),  # its logs, without which it is not whole
        notify("0xbb", body),
        notify("0xbb", tx_hash(1)),
        notify("0xcc", log | {"blockHash": tx_hash(5)}),
    ]
    events = [event for frame in frames for event in made.receive(frame, 0.0, 1)]
    assert [(e.event_type, e.priority) for e in events] == [
        (DataType.BLOCK, EventPriority.HIGH),
        (DataType.TRANSACTION, EventPriority.NORMAL),
        (DataType.MEMPOOL, EventPriority.LOW),
        (DataType.LOG, EventPriority.NORMAL),
    ]
    assert events[0].occurred_at == 1_746_612_263_000_000_000


def test_a_contract_creation_is_a_transaction_to_nobody(session, notify, body):
    (event,) = session().receive(notify("0xbb", body | {"to": None}), 0.0, 1)
    assert event.data.to is None
    assert event.data.value == 3 * 10**18


def test_a_head_comes_with_the_hashes_that_are_fetched_for_it(session, notify, reply, head):
    made = session()
    assert made.receive(notify("0xaa", head), 5.0, 1) == []
    assert made.heard == {HEADS: 5.0}
    assert requests(made) == [
        {
            "jsonrpc": "2.0",
            "id": 3,
            "method": "eth_getBlockByHash",
            "params": ["0x" + "a1" * 32, False],
        }
    ]
    assert made.next_due() == 15.0
    (event,) = made.receive(reply(3, result=head | {"transactions": [tx_hash(1)]}), 5.5, 2)
    assert event.data.transactions == (tx_hash(1),)
    assert event.metadata["subscription_id"] == "0xaa"
    assert made.next_due() is None


def test_a_head_that_is_announced_twice_is_fetched_once(session, notify, head):
    made = session()
    made.receive(notify("0xaa", head), 5.0, 1)
    made.receive(notify("0xaa", head), 5.1, 2)
    assert len(made.outgoing()) == 1
    assert made.ignored == {"repeated_head": 1}


@pytest.mark.parametrize(
    ("answer", "refused", "ignored"),
    [
        ({"result": None}, {}, {"not_available": 1}),
        ({}, {}, {"not_available": 1}),
        ({"error": {"code": -32000, "message": "no"}}, {"fetch_error": 1}, {}),
        ({"result": {"number": 5}}, {"wrong_shape": 1}, {}),
    ],
)
def test_a_head_whose_hashes_cannot_be_had_comes_without_them(
    session, notify, reply, head, answer, refused, ignored
):
    made = session()
    made.receive(notify("0xaa", head), 5.0, 1)
    (event,) = made.receive(reply(3, **answer), 5.5, 2)
    assert (event.data.number, event.data.transactions) == (22_431_080, None)
    assert (made.refused, made.ignored) == (refused, ignored)


def test_a_head_whose_hashes_do_not_come_in_time_comes_without_them(session, notify, reply, head):
    made = session()
    made.receive(notify("0xaa", head), 5.0, 1)
    assert made.expire(14.9) == []
    (event,) = made.expire(15.0)
    assert (event.data.transactions, event.received_at) == (None, 15.0)
    assert made.refused == {"fetch_timeout": 1}
    assert made.receive(reply(3, result=head | {"transactions": []}), 16.0, 2) == []
    assert made.ignored == {"late_reply": 1}


def test_a_head_that_returns_after_a_reorganisation_has_its_full_time(session, notify, reply, head):
    made = session()
    whole = head | {"transactions": []}
    other = whole | {"hash": tx_hash(1)}
    below = whole | {"hash": head["parentHash"], "number": "0x1564567", "parentHash": tx_hash(7)}
    made.receive(notify("0xaa", below), 4.0, 1)
    made.receive(notify("0xaa", head), 5.0, 1)
    assert len(made.receive(reply(3, result=whole), 5.5, 2)) == 1
    assert made.receive(notify("0xaa", other), 6.0, 3) == []
    (check,) = requests(made)[1:]
    assert (check["method"], check["params"]) == ("eth_getBlockByNumber", ["0x1564568", False])
    reorg, _ = made.receive(reply(4, result=other), 6.1, 4)
    assert reorg.event_type is DataType.REORG
    made.receive(notify("0xaa", head), 12.0, 5)
    assert made.next_due() == 22.0
    assert made.expire(15.0) == []
    reorg, block = made.receive(reply(5, result=head | {"transactions": [tx_hash(2)]}), 15.5, 6)
    assert (reorg.event_type, block.event_type) == (DataType.REORG, DataType.BLOCK)
    assert reorg.data.added == (block.data.hash,) == ("0x" + "a1" * 32,)
    assert not made.refused


def test_a_hash_is_announced_and_its_body_fetched(session, notify, reply, body):
    made = session(pending="hashes")
    (announced,) = made.receive(notify("0xbb", body["hash"]), 2.0, 1)
    assert announced.data == PendingLife("0x" + "c3" * 32, Life.ANNOUNCED)
    (asked,) = requests(made)
    assert (asked["method"], asked["params"]) == ("eth_getTransactionByHash", ["0x" + "c3" * 32])
    (event,) = made.receive(reply(asked["id"], result=body), 2.5, 2)
    assert event.event_type is DataType.TRANSACTION
    assert event.data.hash == "0x" + "c3" * 32
    assert event.metadata["subscription_id"] == "0xbb"


def test_a_hash_that_is_announced_twice_is_fetched_once(session, notify):
    made = session(fetches=1)
    for number in (1, 1, 2, 2):
        made.receive(notify("0xbb", tx_hash(number)), 2.0, 1)
    assert len(made.outgoing()) == 1
    assert made.ignored == {"repeated_hash": 2}


def test_fetches_are_bounded_and_the_backlog_counts_what_it_cannot_hold(
    session, notify, reply, body
):
    made = session(fetches=2, backlog=1)
    events = [
        event
        for number in range(1, 5)
        for event in made.receive(notify("0xbb", tx_hash(number)), 2.0, number)
    ]
    assert [event.data.hash for event in events] == [tx_hash(n) for n in range(1, 5)]
    assert [r["params"] for r in requests(made)] == [[tx_hash(1)], [tx_hash(2)]]
    assert made.refused == {"body_backlog_full": 1}
    made.receive(reply(3, result=body), 2.1, 5)
    assert [r["params"] for r in requests(made)] == [[tx_hash(3)]]
    made.receive(reply(4, result=None), 2.2, 6)
    assert requests(made) == []
    assert made.ignored == {"not_available": 1}


def test_a_body_that_cannot_be_read_frees_its_place(session, notify, reply):
    made = session(fetches=1)
    made.receive(notify("0xbb", tx_hash(1)), 2.0, 1)
    made.receive(notify("0xbb", tx_hash(2)), 2.0, 2)
    made.outgoing()
    assert made.receive(reply(3, error={"code": -32000, "message": "busy"}), 2.1, 3) == []
    assert made.refused == {"fetch_error": 1}
    assert [r["params"] for r in requests(made)] == [[tx_hash(2)]]


def test_a_body_that_does_not_come_in_time_frees_its_place(session, notify, reply, body):
    made = session(fetches=1, fetch_timeout=4.0)
    made.receive(notify("0xbb", tx_hash(1)), 2.0, 1)
    made.receive(notify("0xbb", tx_hash(2)), 3.0, 2)
    made.outgoing()
    assert made.next_due() == 6.0
    assert made.expire(6.0) == []
    assert made.refused == {"fetch_timeout": 1}
    assert [r["params"] for r in requests(made)] == [[tx_hash(2)]]
    assert made.next_due() == 10.0
    assert made.receive(reply(3, result=body), 7.0, 3) == []
    assert made.ignored == {"late_reply": 1}


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": -32000, "message": "busy"}},
        {"result": {"hash": "0x" + "ee" * 32}},
        {"result": {"blockHash": "0x1", "blockNumber": "0x1"}},
        None,  # the connection ends before the answer
    ],
)
def test_one_that_was_asked_for_without_an_answer_is_asked_for_again(
    session, notify, reply, body, head, answer
):
    made = session(ask_pending_after=5.0)
    made.receive(notify("0xbb", body), 0.0, 1)
    made.receive(notify("0xaa", head | {"transactions": []}), 6.0, 2)
    (asked,) = requests(made)
    assert asked["params"] == ["0x" + "c3" * 32]
    if answer is None:
        made.finish()
    else:
        broken = answer if "error" in answer else {"result": body | answer["result"]}
        assert made.receive(reply(asked["id"], **broken), 7.0, 3) == []
    assert made._trunk.expire(12.0, 9) == ([], ["0x" + "c3" * 32])


def test_one_that_is_in_a_block_below_the_first_that_was_told_is_included(
    session, notify, reply, body, head
):
    """Its block will never be told of."""
    made = session(ask_pending_after=5.0)
    made.receive(notify("0xbb", body), 0.0, 1)
    made.receive(notify("0xaa", head | {"transactions": []}), 6.0, 2)
    (asked,) = requests(made)
    number = int(head["number"], 16)
    mined = body | {"blockHash": "0x" + "dd" * 32, "blockNumber": hex(number)}
    assert made.receive(reply(asked["id"], result=mined), 7.0, 3) == []
    above = {"number": hex(number + 1), "hash": tx_hash(9), "parentHash": head["hash"]}
    made.receive(notify("0xaa", head | above | {"transactions": []}), 13.0, 4)
    (asked,) = requests(made)
    mined["blockNumber"] = hex(number - 1)
    (event,) = made.receive(reply(asked["id"], result=mined), 14.0, 5)
    assert (event.data.life, event.data.number) == (Life.INCLUDED, number - 1)


def test_what_an_answer_tells_of_a_transaction_confirms_no_subscription(
    session, notify, reply, body, head
):
    first = session()
    first.receive(notify("0xbb", body), 0.0, 1)
    first.receive(notify("0xaa", head | {"transactions": []}), 1.0, 2)
    second = EthereumSession(EthereumSettings(name="main"), trunk=first._trunk)
    heads, pending = (json.loads(frame)["id"] for frame in second.opening())
    second.receive(reply(heads, result="0xaa"), 2.0, 3)
    above = {"number": hex(int(head["number"], 16) + 1), "hash": tx_hash(9)}
    mined = {"transactions": [body["hash"]], "parentHash": head["hash"]}
    events = second.receive(notify("0xaa", head | above | mined), 3.0, 4)
    assert [event.event_type for event in events] == [DataType.BLOCK, DataType.MEMPOOL]
    assert not second.confirmed
    second.receive(reply(pending, result="0xcc"), 4.0, 5)
    assert second.confirmed


def test_a_hash_that_is_announced_again_after_its_answer_has_its_full_time(session, notify, reply):
    made = session()
    made.receive(notify("0xbb", tx_hash(1)), 0.0, 1)
    made.receive(reply(3, result=None), 1.0, 2)
    made.receive(notify("0xbb", tx_hash(1)), 8.0, 3)
    made.expire(10.0)
    assert not made.refused
    assert made.next_due() == 18.0


def test_a_body_that_comes_by_another_way_frees_its_place(session, notify, body):
    made = session(fetches=1)
    made.receive(notify("0xbb", body["hash"]), 2.0, 1)
    made.receive(notify("0xbb", tx_hash(2)), 2.0, 2)
    made.outgoing()
    (event,) = made.receive(notify("0xbb", body), 2.5, 3)
    assert event.event_type is DataType.TRANSACTION
    assert [r["params"] for r in requests(made)] == [[tx_hash(2)]]


def test_a_node_that_refuses_bodies_is_asked_for_hashes(notify, reply):
    made = EthereumSession(EthereumSettings(name="main", heads=False))
    made.opening()
    assert (
        made.receive(reply(1, error={"code": -32602, "message": "too many arguments"}), 0, 1) == []
    )
    assert [r["params"] for r in requests(made)] == [["newPendingTransactions"]]
    assert made.ignored == {"bodies_refused": 1}
    assert not made.confirmed
    made.receive(reply(2, result="0xbb"), 0.0, 2)
    assert made.confirmed
    (event,) = made.receive(notify("0xbb", tx_hash(1)), 0.0, 3)
    assert event.event_type is DataType.MEMPOOL


def test_a_node_that_refuses_hashes_too_is_not_asked_again(reply):
    made = EthereumSession(EthereumSettings(name="main", heads=False))
    made.opening()
    made.receive(reply(1, error={"code": -32602, "message": "too many arguments"}), 0.0, 1)
    with pytest.raises(
        SubscriptionRejected, match="newPendingTransactions: the node answers -32601"
    ):
        made.receive(reply(2, error={"code": -32601, "message": "no such method"}), 0.0, 2)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32601, SubscriptionRejected),
        (-32005, SubscriptionLost),
        (-32097, SubscriptionLost),
        (429, SubscriptionLost),
    ],
)
def test_a_refusal_is_for_good_and_a_spent_quota_is_not(reply, code, kind):
    made = EthereumSession(EthereumSettings(name="main"))
    made.opening()
    with pytest.raises(kind, match=f"newHeads: the node answers {code} 'no'"):
        made.receive(reply(1, error={"code": code, "message": "no"}), 0.0, 1)


@pytest.mark.parametrize("answer", [{}, {"result": None}, {"result": 5}])
def test_a_confirmation_without_an_id_is_refused(reply, answer):
    made = EthereumSession(EthereumSettings(name="main"))
    made.opening()
    assert made.receive(reply(1, **answer), 0.0, 1) == []
    assert made.refused == {"wrong_shape": 1}
    assert not made.confirmed


def test_what_still_waits_at_the_end_of_the_life_is_told_or_counted(session, notify, head):
    made = session(fetches=1)
    made.receive(notify("0xaa", head), 1.0, 1)
    made.receive(notify("0xbb", tx_hash(1)), 1.0, 2)
    made.receive(notify("0xbb", tx_hash(2)), 1.0, 3)
    (event,) = made.finish()
    assert (event.data.number, event.data.transactions) == (22_431_080, None)
    assert made.refused == {"life_ended": 2}
    assert (made.finish(), made.next_due(), made.expire(1e9)) == ([], None, [])
    assert made.refused == {"life_ended": 2}


def test_logs_that_are_still_held_back_at_the_end_of_the_life_are_counted_and_come_with_their_block(
    session, notify, reply, head, log
):
    made = session(logs=(LogFilter(),), pending="off")
    whole = head | {"transactions": []}
    number = int(head["number"], 16)
    between = whole | {"number": hex(number + 1), "hash": tx_hash(8), "parentHash": head["hash"]}
    newest = whole | {"number": hex(number + 2), "hash": tx_hash(9), "parentHash": tx_hash(8)}
    streamed = [
        log | {"blockHash": tx_hash(9), "blockNumber": newest["number"], "logIndex": hex(index)}
        for index in range(3)
    ]
    made.receive(notify("0xaa", whole), 1.0, 1)
    (asked,) = requests(made)
    (block,) = made.receive(reply(asked["id"], result=[]), 1.1, 2)
    assert block.event_type is DataType.BLOCK
    assert made.receive(notify("0xaa", newest), 2.0, 3) == []  # the one between was missed
    for one in streamed:
        assert made.receive(notify("0xcc", one), 2.0, 4) == []
    assert not made.ignored
    assert made.finish() == []
    assert made.ignored == {"held_log_dropped": 3}
    assert made.finish() == []
    assert made.ignored == {"held_log_dropped": 3}

    second = EthereumSession(made._settings, trunk=made._trunk)
    for frame, name in zip(second.opening(), ("0xaa", "0xcc"), strict=True):
        second.receive(reply(json.loads(frame)["id"], result=name), 3.0, 5)
    second.receive(notify("0xaa", newest), 3.0, 6)
    answers = {
        ("eth_getBlockByNumber", "latest"): newest,
        ("eth_getBlockByHash", tx_hash(8)): between,
        ("eth_getLogs", tx_hash(8)): [],
        ("eth_getLogs", tx_hash(9)): streamed,
    }
    events = []
    while frames := requests(second):
        for asked in frames:
            subject = asked["params"][0]
            subject = subject["blockHash"] if isinstance(subject, dict) else subject
            answer = answers[asked["method"], subject]
            events += second.receive(reply(asked["id"], result=answer), 3.1, 7)
    assert [event.event_type for event in events] == [
        DataType.GAP,
        DataType.BLOCK,
        DataType.BLOCK,
        *[DataType.LOG] * 3,
    ]
    assert [event.data.log_index for event in events[3:]] == [0, 1, 2]
    assert "held_log_dropped" not in second.ignored


def test_without_a_draw_a_pause_is_in_the_middle_of_its_bounds(session, notify, reply, head):
    """So a tape replays alike."""
    made = session(logs=(LogFilter(),), pending="off")
    made.receive(notify("0xaa", head | {"transactions": []}), 1.0, 1)
    for ordinal, pause in enumerate((0.375, 0.75)):
        (asked,) = requests(made)
        assert asked["method"] == "eth_getLogs"
        at = 2.0 + ordinal * 10
        busy = {"code": 429, "message": "slow down"}
        assert made.receive(reply(asked["id"], error=busy), at, 2) == []
        assert requests(made) == []
        assert made.next_due() == at + pause
        made.expire(at + pause)


def test_a_life_that_owes_nothing_ends_without_a_count(session):
    made = session()
    assert made.finish() == []
    assert not made.refused


def replayed(*sent: dict) -> EthereumSession:
    made = EthereumSession(EthereumSettings(name="main"), replaying=True)
    for frame in sent:
        made.sent(json.dumps({"jsonrpc": "2.0", **frame}).encode())
    return made


def subscribe(number: int, *params) -> dict:
    return {"id": number, "method": "eth_subscribe", "params": list(params)}


def test_a_tape_tells_which_subscriptions_were_asked_for(notify, reply, log):
    made = replayed(
        subscribe(9, "newHeads"),
        subscribe(4, "logs", {}),
        subscribe(5, "logs", {"address": ADDRESS}),
    )
    assert list(made.subscriptions) == [HEADS, "logs:0", "logs:1"]
    made.receive(reply(9, result="0xaa"), 0.0, 1)
    made.receive(reply(4, result="0xcc"), 0.0, 2)
    assert made.subscriptions == {HEADS: "0xaa", "logs:0": "0xcc", "logs:1": "pending"}
    (event,) = made.receive(notify("0xcc", log), 0.0, 3)
    assert event.event_type is DataType.LOG


def test_a_replay_reads_recorded_answers_and_sends_nothing(notify, reply, head, body):
    made = replayed(subscribe(1, "newHeads"), subscribe(2, "newPendingTransactions"))
    made.receive(reply(1, result="0xaa"), 0.0, 1)
    made.receive(reply(2, result="0xbb"), 0.0, 2)
    made.receive(notify("0xaa", head), 1.0, 3)
    made.receive(notify("0xbb", body["hash"]), 1.0, 4)
    for number, method, subject in (
        (3, "eth_getBlockByHash", "0x" + "a1" * 32),
        (4, "eth_getTransactionByHash", "0x" + "c3" * 32),
    ):
        frame = {"id": number, "method": method, "params": [subject]}
        made.sent(json.dumps(frame).encode())
    (block,) = made.receive(reply(3, result=head | {"transactions": []}), 1.1, 5)
    (transaction,) = made.receive(reply(4, result=body), 1.2, 6)
    assert block.event_type is DataType.BLOCK
    assert transaction.event_type is DataType.TRANSACTION
    assert made.outgoing() == []


def test_a_replay_of_refused_bodies_waits_for_the_recorded_request(reply):
    made = replayed(subscribe(1, "newPendingTransactions", True))
    made.receive(reply(1, error={"code": -32602, "message": "no"}), 0.0, 1)
    assert made.outgoing() == []
    made.sent(json.dumps(subscribe(2, "newPendingTransactions")).encode())
    made.receive(reply(2, result="0xbb"), 0.0, 2)
    assert made.subscriptions == {BODIES: "0xbb"}


@pytest.mark.parametrize("method", ["eth_getBlockByHash", "eth_getTransactionByHash"])
def test_an_answer_to_a_recorded_request_that_names_nothing_is_late(reply, method):
    made = replayed({"id": 1, "method": method})
    assert made.receive(reply(1, result=None), 0.0, 1) == []
    assert made.ignored == {"late_reply": 1}


def test_an_answer_to_another_recorded_request_is_ignored_by_its_method(reply):
    made = replayed({"id": 1, "method": "eth_chainId"}, {"id": 2, "method": "eth_subscribe"})
    assert made.receive(reply(1, result="0x1"), 0.0, 1) == []
    assert made.ignored == {"reply_eth_chainId": 1}
    assert made.subscriptions == {}


def test_what_a_tape_says_was_sent_and_is_no_request_is_counted():
    made = replayed()
    made.sent(b"ping")
    assert made.refused == {"sent_not_json": 1}


def test_recorded_transactions_come_as_notifications(corpus, session, notify):
    with gzip.open(corpus / "mainnet" / "transactions" / "22431082.json.gz") as file:
        bodies = json.load(file)["transactions"]
    made = session()
    events = [event for body in bodies for event in made.receive(notify("0xbb", body), 0.0, 1)]
    assert [event.data.hash for event in events] == [body["hash"] for body in bodies]
    assert sum(event.data.to is None for event in events) == 1
    assert not made.refused


def bodies_of(body, count: int) -> list[dict]:
    return [{**body, "hash": tx_hash(number), "nonce": hex(number)} for number in range(count)]


def test_bodies_that_come_together_are_told_in_order_and_each_once(session, notify, body):
    made = session()
    some = bodies_of(body, 5)
    frames = [notify("0xbb", one) for one in some]
    head = notify("0xbb", tx_hash(9))
    events = []
    made.receive_batch(frames[:1], 1.0, 1, events)
    made.receive_batch([*frames[1:4], frames[2], head, frames[4]], 2.0, 2, events)
    told = [e for e in events if e.event_type is DataType.TRANSACTION]
    assert [event.data.hash for event in told] == [tx_hash(number) for number in range(5)]
    assert [event.sequence for event in told] == [1, 3, 4, 5, 7]
    assert {(e.source, e.ordinal, e.size - 128) for e in told} == {
        ("main", 0, len(frame)) for frame in frames
    }
    assert len({id(event.metadata) for event in told}) == 1
    assert made.ignored == {"repeated_body": 1}


def test_lives_are_followed_where_heads_are_and_a_tape_shows_whether(session, notify, body):
    frames = [notify("0xbb", one) for one in bodies_of(body, 2)] * 2
    for made, count in ((session(), 2), (session(heads=False), 4)):
        assert sum(len(made.receive(frame, 1.0, 1)) for frame in frames) == count
    for asked, count in (([HEADS, BODIES], 2), ([BODIES], 4)):
        replayed = EthereumSession(EthereumSettings(name="main"), replaying=True)
        for number, label in enumerate(asked):
            params = [label, True] if label == BODIES else [label]
            request = {"id": number, "method": "eth_subscribe", "params": params}
            replayed.sent(json.dumps(request).encode())
            answer = {"id": number, "result": "0xbb" if label == BODIES else "0xaa"}
            replayed.receive(json.dumps(answer).encode(), 0.0, 1)
        assert sum(len(replayed.receive(frame, 1.0, 1)) for frame in frames) == count
