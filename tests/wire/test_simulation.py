"""What a node is asked to try, and how its answers are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.errors import MalformedFrame
from trio_mev.model.chain import Log, Transaction
from trio_mev.model.simulation import SimulatedCall
from trio_mev.wire import simulation
from trio_mev.wire.simulation import (
    parse_simulated,
    parse_traced,
    simulate_parameters,
    trace_parameters,
)

HASH = "0x" + "c3" * 32
SENDER, TO, POOL = ("0x" + pair * 20 for pair in ("11", "22", "33"))
TOPIC = "0x" + "e5" * 32
BODY = Transaction(HASH, SENDER, TO, 7, 5, 90_000, b"\x01\x02", 2, None, 10**12, 10**9)
CREATION = Transaction("0x" + "c4" * 32, SENDER, None, 8, 0, 50_000, b"")
CALL = {"from": SENDER, "to": TO, "value": "0x5", "gas": "0x15f90", "input": "0x0102"}
ERROR = (
    "0x08c379a0" + f"{32:064x}" + f"{3:064x}" + b"bad".hex().ljust(64, "0")
)  # fmt: skip


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def log(number: int, **fields: Any) -> dict[str, Any]:
    return {"address": POOL.upper().replace("X", "x"), "topics": [TOPIC],
            "data": f"0x{number:02x}", **fields}  # fmt: skip


def read(number: int, index: int, body: Transaction = BODY, place: int = 0) -> Log:
    return Log("", 0, index, body.hash, place, POOL, (TOPIC,), bytes([number]))


def numbers(call: SimulatedCall) -> list[int]:
    assert [one.log_index for one in call.logs] == list(range(len(call.logs)))
    return [one.data[0] for one in call.logs]


def frame(logs=(), calls=(), **fields: Any) -> dict[str, Any]:
    return {"from": SENDER, "gasUsed": "0x5208", "type": "CALL", "logs": list(logs),
            "calls": list(calls), **fields}  # fmt: skip


def test_transactions_are_asked_for_without_fees_and_nonces():
    payload, block = simulate_parameters([BODY, CREATION], HASH)
    creation = {"from": SENDER, "value": "0x0", "gas": "0xc350", "input": "0x"}
    assert payload == {
        "blockStateCalls": [{"calls": [CALL, creation]}],
        "validation": False,
        "traceTransfers": False,
        "returnFullTransactions": False,
    }
    assert block == HASH
    assert trace_parameters(BODY, 255) == [
        CALL,
        "0xff",
        {"tracer": "callTracer", "tracerConfig": {"withLog": True}},
    ]


def test_a_simulated_block_is_read_call_by_call():
    answer = [
        {
            "number": "0x10",
            "calls": [
                {"returnData": "0x07", "logs": [log(1), log(2, logIndex="0x9")],
                 "gasUsed": "0x5208", "status": "0x1"},
                {"returnData": "0x", "logs": [], "gasUsed": "0x1", "status": "0x1"},
            ],
        }
    ]  # fmt: skip
    assert parse_simulated(encode(answer), [BODY, CREATION]) == (
        SimulatedCall(True, 21_000, (read(1, 0), read(2, 1)), True, b"\x07"),
        SimulatedCall(True, 1),
    )


@pytest.mark.parametrize(
    ("call", "returned", "reason"),
    [
        ({"returnData": ERROR, "error": {"code": -3200, "message": "execution failed"}},
         ERROR, "bad"),
        ({"returnData": "0x", "error": {"code": 3, "message": "execution reverted: bad",
          "data": ERROR}}, ERROR, "bad"),
        ({"returnData": ERROR, "error": {"code": 3, "message": "", "data": "0x01020304"}},
         ERROR, "bad"),
        ({"error": {"code": -32015, "message": "out of gas"}}, "0x", "out of gas"),
        ({"error": {"code": -32015, "message": "out of gas", "data": ""}}, "0x", "out of gas"),
        ({"error": {"message": None, "data": {"deep": 1}}}, "0x", "no reason"),
        ({}, "0x", "no reason"),
        ({"logs": [log(1)]}, "0x", "no reason"),
    ],
)  # fmt: skip
def test_a_call_that_reverts_has_a_reason_and_no_logs(call, returned, reason):
    answer = [{"calls": [{"gasUsed": "0x1", "status": "0x0", **call}]}]
    assert parse_simulated(encode(answer), [BODY]) == (
        SimulatedCall(False, 1, (), True, bytes.fromhex(returned[2:]), reason),
    )


@pytest.mark.parametrize(
    "answer",
    [
        None, {}, [], [{}], [{"calls": []}], [{"calls": [{}]}], [{"calls": {}}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x2"}]}],
        [{"calls": [{"gasUsed": "0x1", "status": 1}]}],
        [{"calls": [{"gasUsed": "-1", "status": "0x1"}]}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x1", "returnData": "0x0"}]}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x1", "logs": [{"address": POOL}]}]}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x1", "logs": [log(1, address="0x")]}]}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x1", "logs": [log(1, topics=[TOPIC] * 5)]}]}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x1"}] * 2}],
        [{"calls": [{"gasUsed": "0x1", "status": "0x1"}]}] * 2,
    ],
)  # fmt: skip
def test_another_answer_is_malformed(answer):
    with pytest.raises(MalformedFrame):
        parse_simulated(encode(answer), [BODY])


def test_more_logs_than_a_transaction_can_have_are_refused(monkeypatch):
    monkeypatch.setattr(simulation, "MOST_LOGS", 2)
    call = {"gasUsed": "0x1", "status": "0x1", "logs": [log(1)] * 2}
    assert len(parse_simulated(encode([{"calls": [call]}]), [BODY])[0].logs) == 2
    call["logs"].append(log(1))
    with pytest.raises(MalformedFrame, match="3 logs"):
        parse_simulated(encode([{"calls": [call]}]), [BODY])


def test_an_answer_that_takes_too_long_to_read_is_refused(monkeypatch):
    raw = encode(frame())
    monkeypatch.setattr(simulation, "MOST_BYTES", len(raw))
    assert parse_traced(raw, BODY).succeeded
    for parse in (lambda: parse_traced(raw + b" ", BODY), lambda: parse_simulated(raw + b" ", [])):
        with pytest.raises(MalformedFrame, match="too_many"):
            parse()


def test_logs_of_a_trace_come_in_the_order_of_their_emission():
    inner = frame([log(2, position="0x0"), log(4, position="0x1")],
                  [frame([log(3, position="0x0")])])  # fmt: skip
    top = frame(
        [log(1, position="0x0"), log(5, position="0x1"), log(7, position=2), log(8, position=9)],
        [inner, frame([log(6)])],
        output="0x07",
    )
    told = parse_traced(encode(top), BODY)
    assert numbers(told) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert told == SimulatedCall(
        True, 21_000, tuple(read(n + 1, n) for n in range(8)), True, b"\x07"
    )


def test_what_was_undone_has_logged_nothing():
    """Some nodes keep the logs of a call that fails, and of what it has called."""
    undone = frame([log(1, position="0x0")], [frame([log(2)])], error="execution reverted")
    assert numbers(parse_traced(encode(frame([log(3, position="0x1")], [undone])), BODY)) == [3]


def test_where_places_are_missing_the_index_is_the_order():
    inner = frame([log(2, index=1)])
    told = parse_traced(encode(frame([log(1, index="0x0"), log(3, index="0x2")], [inner])), BODY)
    assert (numbers(told), told.ordered) == ([1, 2, 3], True)


def test_a_node_that_says_no_order_is_told_as_such():
    inner = frame([log(2)])
    told = parse_traced(encode(frame([log(1), log(3)], [inner])), BODY)
    assert (numbers(told), told.ordered) == ([1, 3, 2], False)
    # Where logs and calls are not mixed there is but one order.
    told = parse_traced(encode(frame((), [inner, frame([log(4)])])), BODY)
    assert (numbers(told), told.ordered) == ([2, 4], True)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"error": "execution reverted", "output": ERROR, "revertReason": "other"}, "bad"),
        ({"error": "out of gas"}, "out of gas"),
        ({"error": ""}, "no reason"),
    ],
)
def test_a_traced_revert_has_a_reason_and_no_logs(fields, reason):
    top = frame([log(1, position="0x0")], [frame([log(2)])], **fields)
    told = parse_traced(encode(top), BODY)
    assert (told.succeeded, told.logs, told.reason, told.gas_used) == (False, (), reason, 21_000)


@pytest.mark.parametrize(
    "answer",
    [
        None, [], {}, {"from": SENDER}, frame(gasUsed=1), frame(calls=[{}]),
        {"structLogs": [], "gas": 1, "failed": False, "returnValue": ""},
        frame([log(1, position="0x0")], output="0xzz"),
        frame([log(1, position=-1)], [frame()]), frame([log(1, position="one")], [frame()]),
        frame([log(1, position=2**32)], [frame()]), frame([log(1, position=True)], [frame()]),
        frame([log(1, index=-1)], [frame([log(2, index=0)])]),
    ],
)  # fmt: skip
def test_another_trace_is_malformed(answer):
    with pytest.raises(MalformedFrame):
        parse_traced(encode(answer), BODY)


def test_a_trace_as_deep_as_a_machine_can_call_is_read_or_refused_and_nothing_else():
    deepest = frame([log(1)])
    text = json.dumps(deepest)
    for _ in range(300):
        text = json.dumps(frame()).replace('"calls": []', f'"calls": [{text}]')
    assert numbers(parse_traced(text.encode(), BODY)) == [1]
    for _ in range(2_000):
        text = '{"from": "x", "gasUsed": "0x0", "calls": [' + text + "]}"
    with pytest.raises(MalformedFrame, match="too_deep"):
        parse_traced(text.encode(), BODY)


WORDS = st.sampled_from([
    "0x", "0x0", "0x1", "0x5208", POOL, TOPIC, ERROR, "", "execution reverted", "0x" + "f" * 70,
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)
NAMES = st.sampled_from([
    "from", "gasUsed", "output", "error", "logs", "calls", "address", "topics", "data",
    "position", "index", "status", "returnData", "message",
])  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=30,
)
SOUND_FRAME = st.recursive(
    st.builds(lambda n: frame([log(n)]), st.integers(0, 255)),
    lambda inner: st.builds(
        lambda ns, calls: frame([log(n, position=hex(n % 4)) for n in ns], calls),
        st.lists(st.integers(0, 255), max_size=3),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
SOUND_BLOCK = st.builds(
    lambda ns, status, returned: [
        {"calls": [{"status": status, "gasUsed": "0x1", "returnData": returned,
                    "logs": [log(n) for n in ns], "error": {"message": "no"}}]}
    ],
    st.lists(st.integers(0, 255), max_size=4),
    st.sampled_from(["0x0", "0x1"]),
    st.sampled_from(["0x", ERROR, "0x4e487b71" + f"{17:064x}"]),
)  # fmt: skip


def places(value: Any, path: tuple = ()) -> list[tuple]:
    found = [path]
    for key, inner in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if isinstance(value, list) else ())
    ):
        found += places(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple, new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def tried(parse, raw: bytes) -> Any:
    """What is read, or None; anything but the package's own error passes through."""
    try:
        return parse(raw)
    except MalformedFrame:
        return None


@given(ANYTHING)
def test_random_answers_raise_nothing_but_the_packages_error(answer):
    raw = encode(answer)
    tried(lambda raw: parse_simulated(raw, [BODY]), raw)
    tried(lambda raw: parse_traced(raw, BODY), raw)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_the_packages_error(raw):
    assert tried(lambda raw: parse_simulated(raw, [BODY]), raw) is None
    assert tried(lambda raw: parse_traced(raw, BODY), raw) is None


@given(st.data())
def test_answers_with_one_part_changed_are_read_or_refused(data):
    parse, sound = data.draw(st.sampled_from([
        (lambda raw: parse_simulated(raw, [BODY]), SOUND_BLOCK),
        (lambda raw: (parse_traced(raw, BODY),), SOUND_FRAME),
    ]))  # fmt: skip
    answer = data.draw(sound)
    assert tried(parse, encode(answer)) is not None
    path = data.draw(st.sampled_from(places(answer)))
    changed = tried(parse, encode(replaced(answer, path, data.draw(LEAVES | ANYTHING))))
    if changed is not None:
        (call,) = changed
        assert [one.log_index for one in call.logs] == list(range(len(call.logs)))
        assert call.succeeded or (call.reason and not call.logs)


@given(SOUND_FRAME)
def test_a_trace_has_as_many_logs_as_its_frames(answer):
    def count(one: dict[str, Any]) -> int:
        return len(one["logs"]) + sum(map(count, one["calls"]))

    assert len(parse_traced(encode(answer), BODY).logs) == count(answer)
