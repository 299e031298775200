"""How the loopback servers answer what no ordinary client of ours would say."""

from __future__ import annotations

import json

from trio_mev.loopback.peers import EVERYBODY, BinancePeer, CoinbasePeer, NodePeer, Visitor
from trio_mev.wire.tape import Direction, Record


def told(peer, visitor, message):
    return [json.loads(answer) for answer in peer.answer(visitor, message)]


def test_a_node_gives_recorded_replies_in_turn_and_errors_for_the_rest():
    peer, visitor = NodePeer(), Visitor()
    asked = [("eth_chainId", []), ("eth_chainId", []), ("eth_subscribe", ["newHeads"])]
    for number, (method, params) in enumerate(asked):
        frame = json.dumps({"id": number, "method": method, "params": params}).encode()
        peer.learn(Record(0, 0, "n", Direction.OUT, frame))
        reply = json.dumps({"id": number, "result": f"0x{number + 1}"}).encode()
        peer.learn(Record(0, 0, "n", Direction.IN, reply))
    peer.learn(Record(0, 0, "n", Direction.IN, b"junk"))
    peer.learn(Record(0, 0, "n", Direction.OPEN))
    question = json.dumps({"id": 9, "method": "eth_chainId", "params": []})
    answers = [told(peer, visitor, question)[0]["result"] for _ in range(3)]
    assert answers == ["0x1", "0x2", "0x2"]
    head = {"id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
    assert told(peer, visitor, json.dumps(head))[0]["result"] == "0x3"
    assert visitor.wants == {"0x3"}
    logs = {"id": 2, "method": "eth_subscribe", "params": ["logs", {}]}
    assert told(peer, visitor, json.dumps(logs))[0]["error"]["code"] == -32602
    call = {"id": 3, "method": "eth_call"}
    assert told(peer, visitor, json.dumps(call))[0]["error"]["code"] == -32601
    assert told(peer, visitor, "[")[0]["error"]["code"] == -32700
    assert told(peer, visitor, "3")[0]["id"] is None


def test_a_nodes_frames_belong_to_their_subscription_or_to_everybody():
    peer = NodePeer()
    assert peer.topic(b'{"params": {"subscription": "0x3", "result": 1}}') == "0x3"
    assert peer.topic(b'{"id": 3, "result": 1}') is None
    assert peer.topic(b"garbage") == EVERYBODY


def test_binance_confirms_and_forgets_streams():
    peer, visitor = BinancePeer(), Visitor()
    for method, left in (("SUBSCRIBE", {"a@ticker"}), ("UNSUBSCRIBE", set())):
        request = {"method": method, "params": ["a@ticker"], "id": 4}
        assert told(peer, visitor, json.dumps(request)) == [{"result": None, "id": 4}]
        assert visitor.wants == left
    assert told(peer, visitor, "?")[0]["error"]["code"] == 2
    assert peer.topic(b'{"stream": "a@ticker", "data": {}}') == "a@ticker"
    assert peer.topic(b'{"result": null, "id": 1}') is None
    assert peer.topic(b"{}") == peer.topic(b"[]") == EVERYBODY


def test_coinbase_answers_with_everything_subscribed_to():
    peer, visitor = CoinbasePeer(), Visitor()
    told(peer, visitor, json.dumps({"type": "subscribe", "product_ids": ["A"], "channels": ["x"]}))
    request = {"type": "subscribe", "product_ids": ["B"], "channels": ["x", "y"]}
    answer = told(peer, visitor, json.dumps(request))[0]["channels"]
    assert answer == [
        {"name": "x", "product_ids": ["A", "B"]},
        {"name": "y", "product_ids": ["B"]},
    ]
    assert told(peer, visitor, "{}")[0]["type"] == "error"
    assert peer.topic(b'{"type": "last_match", "product_id": "A"}') == "matches:A"
    assert peer.topic(b'{"type": "ticker", "product_id": "A"}') == "ticker:A"
    assert peer.topic(b'{"type": "subscriptions"}') is None
    assert peer.topic(b"null") == EVERYBODY
