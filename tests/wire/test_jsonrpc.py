"""JSON-RPC: requests out, replies matched by id."""

from __future__ import annotations

import json

import pytest

from trio_mev.errors import MalformedFrame
from trio_mev.wire.jsonrpc import Request, RpcBook, parse_message


def refusal(call, *arguments) -> MalformedFrame:
    with pytest.raises(MalformedFrame) as caught:
        call(*arguments)
    return caught.value


def test_a_request_has_a_number_of_its_own_and_is_known_by_it():
    book = RpcBook()
    first, frame = book.request("eth_subscribe", ["newHeads"], "heads")
    second, _ = book.request("eth_blockNumber", [])
    assert (first, second) == (1, 2)
    assert json.loads(frame) == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_subscribe",
        "params": ["newHeads"],
    }
    settled = book.settle(parse_message(b'{"jsonrpc":"2.0","id":1,"result":"0x9"}'))
    assert settled == Request("eth_subscribe", ("newHeads",), "heads")
    assert list(book.pending) == [2]


def test_a_reply_is_settled_once():
    book = RpcBook()
    book.request("eth_blockNumber", [])
    message = parse_message(b'{"id":1,"result":"0x9"}')
    book.settle(message)
    assert refusal(book.settle, message).reason == "unknown_reply"


@pytest.mark.parametrize(
    ("frame", "reason", "told"),
    [
        (b'{"error":{"code":-32700,"message":"parse"}}', "error_without_id", "-32700 parse"),
        (b'{"id":null,"error":{"code":7}}', "error_without_id", "7 "),
        (b'{"method":"eth_subscription"}', "unknown_message", "eth_subscription"),
        (b"{}", "unknown_message", ""),
        (b'{"id":"1","result":1}', "unknown_reply", "1"),
        (b'{"id":2,"result":1}', "unknown_reply", "2"),
    ],
)
def test_a_message_that_answers_nothing_has_its_reason(frame, reason, told):
    book = RpcBook()
    book.request("eth_blockNumber", [])
    error = refusal(book.settle, parse_message(frame))
    assert error.reason == reason
    assert told in str(error)
    assert list(book.pending) == [1]


@pytest.mark.parametrize(
    "frame",
    [b"[]", b'"text"', b'{"id":1.5}', b'{"id":1,"error":"no"}', b'{"params":{"subscription":1}}'],
)
def test_a_message_of_another_shape_is_refused(frame):
    assert refusal(parse_message, frame).reason == "wrong_shape"


def test_a_request_that_was_sent_before_is_learned_with_its_number():
    book = RpcBook()
    learned = book.learn(b'{"jsonrpc":"2.0","id":41,"method":"eth_call","params":[{"to":"0x"},1]}')
    assert learned == [(41, Request("eth_call", ({"to": "0x"}, 1)))]
    assert book.learn(b'{"id":7,"method":"eth_chainId"}') == [(7, Request("eth_chainId", ()))]
    assert book.settle(parse_message(b'{"id":7,"result":"0x1"}')).method == "eth_chainId"
    assert book.request("eth_blockNumber", [])[0] == 42


def test_what_was_sent_and_is_no_request_is_refused():
    assert refusal(RpcBook().learn, b'{"result":1}').reason == "wrong_shape"
