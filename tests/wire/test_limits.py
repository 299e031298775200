"""Errors of nodes and providers, as they were reported, and what each asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.wire.limits import Answer, classify, pause

SPLIT = [
    (-32005, "query returned more than 10000 results", None),
    (-32005, "query returned more than 1000 results", None),
    (
        -32005,
        "query returned more than 10000 results. Try with this block range [0xBDE5F8, 0x102DBCC].",
        {"from": "0xBDE5F8", "limit": 10000, "to": "0x102DBCC"},
    ),
    (-32005, "", {"from": "0xBDE5F8", "limit": 10000, "to": "0x102DBCC"}),
    (-32602, "range 1000000 exceeds limit of 10000", None),
    (
        -32602,
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range"
        " and no limit on the response size, or you can request any block range with a cap of 10K"
        " logs in the response. Based on your parameters and the response size limit, this block"
        " range should work: [0x0, 0xd043b8]",
        None,
    ),
    (-32602, "Log response size exceeded. Please reduce query block range.", None),
    (
        -32600,
        "You can make eth_getLogs requests with up to a 500 block range. Based on your parameters,"
        " this block range should work: [0x123c9b2, 0x123cba5]",
        None,
    ),
    (-32600, "block range too high", None),
    (-32600, "block range is too wide", None),
    (-32614, "eth_getLogs is limited to a 10,000 range", None),
    (-32602, "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range", None),
    (-32000, "exceed maximum block range: 5000", None),
    (-32000, "exceed maximum block range: 50000", None),
    (-32000, "block range exceeds configured limit", None),
    (-32602, "query exceeds max block range 100000", None),
    (-32602, "query exceeds max results 20000, retry with the range 21102592-21102595", None),
    (-32000, "query timeout exceeded", None),
    (-32005, "Requested range exceeds maximum RPC range limit", None),
    (35, "ranges over 10000 blocks are not supported on freetier", None),
    (-32008, "Response is too big", None),
    (-32000, "requested range too large", None),
    (-32005, "limit exceeded", None),
    (-32614, "no words that we know", None),
]
WAIT = [
    (-32005, "daily request count exceeded, request rate limited", {"backoff_seconds": 30.0}),
    (-32005, "project ID request rate exceeded", {"rate": {"backoff_seconds": 1}}),
    (-32007, "50/second request limit reached - reduce calls per second", None),
    (429, "Your app has exceeded its compute units per second capacity", None),
    (429, "Too Many Requests", None),
    (-32016, "over rate limit", None),
    (-32000, "Rate Limit exceeded, try again later", None),
    (-32005, "no words that we know", None),
    (429, "", None),
]
LATER = [
    (-32000, "unknown block", None),
    (-32001, "resource not found", None),
    (-32000, "header not found", None),
    (-32602, "block range extends beyond current head block", None),
    (-32000, "invalid block range params", None),
    (-32603, "", None),
    (-32000, "something else", None),
    (-32002, "request timed out", None),
]
GIVE_UP = [
    (-32601, "the method eth_getLogs does not exist", None),
    (-32602, "invalid argument 0: hex string of odd length", None),
    (-32600, "invalid request", None),
]


@pytest.mark.parametrize(
    ("code", "message", "data", "answer"),
    [
        (*shape, answer)
        for answer, shapes in (
            (Answer.SPLIT, SPLIT),
            (Answer.WAIT, WAIT),
            (Answer.LATER, LATER),
            (Answer.GIVE_UP, GIVE_UP),
        )
        for shape in shapes
    ],
)
def test_each_reported_shape_has_its_answer(code, message, data, answer):
    assert classify(code, message, data) is answer
    assert classify(code, message.upper(), data) is answer


@given(st.integers(), st.text(max_size=3000), st.none() | st.dictionaries(st.text(), st.text()))
def test_any_error_has_an_answer(code, message, data):
    assert classify(code, message, data) in Answer


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_bound_and_are_spread_over_half_of_it(attempt, jitter):
    full = min(30.0, 0.5 * 2.0 ** min(attempt - 1, 30))
    assert full / 2 <= pause(attempt, jitter) < full or pause(attempt, jitter) == full
    assert pause(attempt + 1, jitter) >= pause(attempt, jitter)
