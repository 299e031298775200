"""The calls on a tape: found by what they ask, in their order, and not kept for ever."""

from __future__ import annotations

import json

import pytest

from trio_mev.wire.jsonrpc import Message
from trio_mev.wire.node import asks_for_others, is_call
from trio_mev.wire.recorded import KEPT, RecordedCall, RecordedCalls, call_key
from trio_mev.wire.tape import Direction, Record


def sent(*asked: tuple[int, str, list[object]]) -> Record:
    bodies = [{"id": n, "method": method, "params": params} for n, method, params in asked]
    text = json.dumps(bodies[0] if len(bodies) == 1 else bodies)
    return Record(0, 0, "n", Direction.OUT, text.encode())


def test_the_key_is_of_methods_and_parameters_whatever_the_order_of_their_names():
    assert call_key([("a", [{"x": 1, "y": 2}])]) == call_key([("a", ({"y": 2, "x": 1},))])
    keys = [
        call_key(asked)
        for asked in ([("a", [1])], [("a", [2])], [("b", [1])], [("a", [1]), ("b", [])])
    ]
    assert len(set(keys)) == 4
    assert all(len(key) == 16 for key in keys)


def test_of_calls_alike_the_first_is_claimed_first():
    calls = RecordedCalls()
    for number in (1, 2):
        calls.read_ahead(0, sent((number, "a", [])), float(number))
    key = call_key([("a", [])])
    found = [calls.claim(key, 5.0) for _ in range(3)]
    assert [one and one.numbers for one in found] == [(1,), (2,), None]


def test_what_is_sent_too_late_is_not_claimed():
    calls = RecordedCalls()
    calls.read_ahead(0, sent((1, "a", [])), 5.0)
    key = call_key([("a", [])])
    assert calls.claim(key, 4.9) is None
    assert calls.claim(key, 5.0) is not None


def test_what_nobody_asks_for_is_given_up_after_a_while():
    calls = RecordedCalls()
    for at in (1.0, 1.0, 2.0 + KEPT):
        calls.read_ahead(0, sent((1, "a", [])), at)
    claimed = calls.claim(call_key([("a", [])]), 20.0)
    assert claimed is not None
    first, second = calls.sent(0, "n", 1.0), calls.sent(0, "n", 1.0)
    assert (first, claimed.sent) == (claimed, True)
    third = calls.sent(0, "n", 2.0 + KEPT)
    assert calls.claim(call_key([("a", [])]), 20.0) is third is not second
    assert calls.claim(call_key([("a", [])]), 20.0) is None


def test_frames_that_are_no_requests_keep_their_places():
    calls = RecordedCalls()
    for frame in (b"junk", b"[]"):
        calls.read_ahead(0, Record(0, 0, "n", Direction.OUT, frame), 1.0)
    calls.read_ahead(0, sent((4, "a", []), (5, "b", [])), 1.0)
    calls.read_ahead(1, sent((6, "a", [])), 1.0)
    assert calls.sent(0, "n", 1.0) is None
    assert calls.sent(0, "n", 1.0) is None
    both, other = calls.sent(0, "n", 1.0), calls.sent(1, "n", 1.0)
    assert both is not None
    assert other is not None
    assert (both.numbers, other.numbers) == ((4, 5), (6,))


def test_a_call_is_over_when_all_of_it_is_answered_or_it_is_lost():
    told: list[bool] = []
    call = RecordedCall(b"", (4, 5), 0.0)
    call.answered(4, Message(id=4))  # nobody has asked for it yet
    call.moved = lambda: told.append(call.over)
    call.send()
    call.answered(5, Message(id=5))
    other = RecordedCall(b"", (4, 5), 0.0)
    other.answered(4, None)
    assert told == [False, True]
    assert (other.over, other.lost) == (True, True)


@pytest.mark.parametrize(
    ("method", "params", "call", "for_others"),
    [
        ("eth_call", [{}], True, True),
        ("eth_getLogs", [{}], False, False),
        ("eth_getBlockByNumber", ["0x1", False], False, False),
        ("eth_getBlockByNumber", ["latest", False], False, True),
    ],
)
def test_whose_a_request_is(method: str, params: list[object], call: bool, for_others: bool):
    frame = sent((1, method, params)).frame
    assert (is_call(frame), asks_for_others(frame)) == (call, for_others)


def test_junk_is_nobodys():
    assert not is_call(b"junk")
    assert not asks_for_others(b"junk")


def test_of_calls_alike_each_goes_to_who_asked_where_the_tape_says_so():
    calls = RecordedCalls()
    for number in (1, 2, 3):
        calls.read_ahead(0, sent((number, "a", [])), float(number))
        if number != 2:
            calls.name(0, "n", number, f"answer:{number}")
    calls.read_ahead(0, Record(0, 0, "n", Direction.OUT, b"junk"), 4.0)
    calls.name(0, "n", 9, "answer:9")  # it is of no call on the tape
    calls.name(1, "n", 1, "answer:1")
    key = call_key([("a", [])])
    names = ["answer:3", "answer:4", "answer:5", ""]
    found = [calls.claim(key, 5.0, name) for name in names]
    assert [one and one.numbers for one in found] == [(3,), (2,), (1,), None]
