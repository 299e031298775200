"""Blocks and recorded node sockets as tapes."""

from __future__ import annotations

import json

import pytest

from trio_mev.errors import ConfigError
from trio_mev.wire.import_node import FramesImport, block_records, read_block
from trio_mev.wire.tape import Direction

BLOCK = {
    "number": "0x10",
    "hash": "0xb1",
    "timestamp": "0x64",
    "transactions": [{"hash": "0xt1", "blockHash": "0xb1"}, {"hash": "0xt2"}],
    "withdrawals": [{"index": "0x1"}],
}
SNAKE = {
    "block": {"number": 16, "hash": "0xb1", "timestamp": 100, "base_fee_per_gas": 7},
    "transactions": [{"hash": "0xt1", "value": 5, "to_address": None, "from_address": "0xa"}],
    "logs": [{"log_index": 3, "address": "0xa", "topics": ["0x1"], "data": "0x"}],
}


def frames(records):
    return [json.loads(r.frame) for r in records if r.direction is Direction.IN]


def test_an_answer_is_taken_with_and_without_its_envelope():
    assert read_block({"jsonrpc": "2.0", "id": 1, "result": BLOCK}) == BLOCK
    assert read_block(BLOCK) == BLOCK


def test_snake_case_and_integers_become_a_nodes_spelling():
    block = read_block(SNAKE)
    assert block["number"] == "0x10"
    assert block["baseFeePerGas"] == "0x7"
    assert block["transactions"] == [{"hash": "0xt1", "from": "0xa", "to": None, "value": "0x5"}]
    assert block["logs"] == [
        {"logIndex": "0x3", "address": "0xa", "topics": ["0x1"], "data": "0x", "removed": False}
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "not an object"),
        ({"number": "0x1"}, "hash, timestamp, transactions missing"),
        ({**BLOCK, "transactions": ["0xt1"]}, "hashes only"),
        ({**BLOCK, "number": 16}, "not hexadecimal"),
        ({**BLOCK, "timestamp": "soon"}, "not hexadecimal"),
        ({**BLOCK, "number": "-0x1"}, "number is not hexadecimal"),
        ({**BLOCK, "timestamp": "-0x1"}, "timestamp is not hexadecimal"),
        ({**BLOCK, "number": hex(2**64)}, "number is too large"),
        ({**BLOCK, "timestamp": hex(2**40)}, "timestamp is too large"),
        ({**BLOCK, "transactions": 5}, "transactions are no list"),
        ({**BLOCK, "logs": 5}, "logs are no list"),
        ({**BLOCK, "logs": None}, "logs are no list"),
        ({**BLOCK, "logs": [5]}, "logs are no list of objects"),
        ({**BLOCK, "miner": "\ud800"}, "a value that no tape can hold"),
        ({**SNAKE, "logs": None}, "wrong type"),
        ({"block": {"number": 1}}, "transactions"),
        ({"block": {"number": 1}, "transactions": [3]}, "wrong type"),
    ],
)
def test_what_is_no_block_is_refused(value, words):
    with pytest.raises(ConfigError, match=words):
        read_block(value)


def test_a_block_is_played_as_pending_transactions_a_head_and_logs():
    records = list(block_records("node", [{**BLOCK, "number": "0xf"}, read_block(SNAKE)]))
    assert [r.direction.value for r in records[:7]] == ["open", *["out", "in"] * 3]
    notes = frames(records)[3:]
    shapes = [(n["params"]["subscription"], n["params"]["result"].get("hash")) for n in notes]
    assert shapes == [
        ("0x2", "0xt1"),
        ("0x2", "0xt2"),
        ("0x1", "0xb1"),
        ("0x2", "0xt1"),
        ("0x1", "0xb1"),
        ("0x3", None),
    ]
    pending, head = notes[0]["params"]["result"], notes[2]["params"]["result"]
    assert pending["blockHash"] is None
    assert head["transactions"] == ["0xt1", "0xt2"]
    assert "withdrawals" not in head
    second = 10**9
    times = [r.wall for r in records[7:]]
    assert times == [
        89 * second,
        94_500_000_000,
        100 * second,
        89 * second,
        100 * second,
        100_000_010_000,
    ]


def test_no_blocks_no_records():
    assert list(block_records("node", [])) == []


def test_recorded_frames_begin_with_the_subscriptions_that_they_name():
    source = FramesImport("node", {"newHeads": "0xaa", "logs": "0xbb"})
    lines = [b'{"t": 5, "frame": {"params": 1}}', b"", b"junk", b'{"t": 6, "frame": [2 ]}']
    records = list(source.records(lines))
    sent = [json.loads(r.frame)["params"] for r in records if r.direction is Direction.OUT]
    assert sent == [["newHeads"], ["logs", {}]]
    received = [(r.wall, r.frame) for r in records if r.direction is Direction.IN]
    assert received[-2:] == [(5, b'{"params": 1}'), (6, b"[2 ]")]
    assert source.problems == {"bad_line": 1}


def test_a_subscription_of_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="syncing are not known"):
        FramesImport("node", {"syncing": "0x1"})


def test_a_block_of_the_first_seconds_is_played_from_zero_on():
    block = read_block({**BLOCK, "timestamp": "0x0"})
    assert {r.wall for r in block_records("node", [block])} == {0}


def test_an_id_that_is_no_text_is_refused():
    with pytest.raises(ConfigError, match="the id of newHeads is no text"):
        FramesImport("node", {"newHeads": ["0x1"]})


def test_a_time_that_no_tape_can_hold_is_a_bad_line():
    source = FramesImport("node", {})
    lines = [b'{"t": -1, "frame": 1}', b'{"t": 9223372036854775808, "frame": 1}', b'{"t": 1']
    assert list(source.records(lines)) == []
    assert source.problems == {"bad_line": 3}
