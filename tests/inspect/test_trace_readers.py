"""Blocks of traces are read whole, or refused with what is wrong: cut short, out of order, with
fields that nobody knows, huge, or nested as deep as the virtual machine allows."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inspect.blocks import ANN, BEN, BOT, EVE, HASH, A, B, P, Q, hash_of
from tests.inspect.calling import (
    MINER,
    Made,
    asked,
    block_answer,
    file_of,
    frame_text,
    frames_answer,
    inspected,
    paid,
    unpacked,
)
from tests.inspect.test_selectors import LISTED
from tests.inspect.test_traced_swaps import pair_swap
from tests.support.counted import steps_of
from tests.support.encoding import address
from trio_mev.errors import MalformedFrame
from trio_mev.inspect import (
    Inspection,
    MinedBlock,
    inspect_block,
    read_call_tracer,
    read_parity_file,
    read_trace_block,
)
from trio_mev.inspect.calls import How
from trio_mev.inspect.seizures import SEIZURES
from trio_mev.model.chain import Block

HEAD = Block(7, HASH, HASH, 0, 0, 0, 10, MINER, (hash_of(0),))
TREE = Made(EVE, BOT).holding(
    Made(BOT, A).holding(Made(A, B, kind="delegatecall"), Made(A, P, value=5)),
    Made(BOT, Q, value=7).failing().holding(Made(Q, MINER, value=3)),
    Made(BOT, MINER, value=11),
)


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def shape(block: MinedBlock) -> list[tuple]:
    """All that calls say."""
    return [
        (call.how, call.source, call.target, call.value, call.failed, call.broke, calls.path(place))
        for one in block.transactions
        if (calls := one.calls) is not None
        for place, call in enumerate(calls)
    ]


def by_file(raw: Any) -> MinedBlock:
    return read_parity_file(encoded(raw))


# Every form says the same


def test_files_answers_and_frames_are_the_same_calls():
    file = shape(read_parity_file(encoded(file_of(TREE))))
    assert file == shape(read_trace_block(encoded(block_answer(TREE)), head=HEAD))
    assert file == shape(read_call_tracer(frames_answer(TREE), head=HEAD))
    assert file[0] == (How.CALL, EVE, BOT, 0, False, False, ())
    assert file[2] == (How.DELEGATE, A, B, 0, False, False, (0, 0))


def test_what_is_within_a_reverted_call_is_reverted():
    failed = [(path, failed, broke) for *_, failed, broke, path in shape(by_file(file_of(TREE)))]
    assert failed[4:6] == [((1,), True, True), ((1, 0), True, False)]
    assert not any(one[1] for one in failed[:4])


def test_the_builder_got_what_took_effect():
    (one,) = by_file(file_of(TREE)).transactions
    assert one.builder_wei == 11


def test_without_a_miner_nobody_knows_what_it_was_paid():
    (one,) = read_trace_block(encoded(block_answer(TREE))).transactions
    assert one.builder_wei is None


def test_the_reward_says_who_made_the_block():
    reward = {
        **block_answer(TREE)[0],
        "action": {"author": MINER, "rewardType": "block", "value": "0x1"},
        "transactionHash": None,
        "transactionPosition": None,
        "type": "reward",
    }
    block = read_trace_block(encoded([*block_answer(TREE), reward]))
    assert (block.miner, block.transactions[0].builder_wei) == (MINER, 11)


def test_a_contract_that_is_created_or_ends_itself_moves_ether():
    made, ended = block_answer(Made(EVE, BOT).holding(Made(BOT, A), Made(BOT, B)))[1:]
    made["type"] = "create"
    made["action"] = {"from": BOT, "init": "0x60", "value": "0x9", "gas": "0x0"}
    made["result"] = {"address": MINER, "code": "0x", "gasUsed": "0x0"}
    ended["type"] = "suicide"
    ended["action"] = {"address": BOT, "refundAddress": MINER, "balance": "0x4"}
    ended["result"] = None
    outer = block_answer(Made(EVE, BOT).holding(Made(BOT, A), Made(BOT, B)))[0]
    (one,) = read_trace_block(encoded([outer, made, ended]), head=HEAD).transactions
    assert one.builder_wei == 13


def test_a_contract_that_could_not_be_created_has_no_address():
    (outer, made) = block_answer(Made(EVE, BOT).holding(Made(BOT, A)))
    made["type"], made["error"], made["result"] = "create", "Out of gas", None
    made["action"] = {"from": BOT, "init": "0x60", "value": "0x9", "gas": "0x0"}
    block = read_trace_block(encoded([outer, made]), head=HEAD)
    assert shape(block)[1] == (How.CREATE, BOT, "", 9, True, True, (0,))


def test_older_nodes_do_not_say_the_transactions_and_the_head_does():
    raw = f'[{{"result":{frame_text(TREE)}}}]'.encode()
    (one,) = read_call_tracer(raw, head=HEAD).transactions
    assert one.hash == hash_of(0)


def receipts(logs: list[dict] | None = None, name: str | None = None) -> bytes:
    return encoded(
        [
            {
                "transactionHash": name or hash_of(0),
                "transactionIndex": "0x0",
                "blockHash": HASH,
                "blockNumber": "0x7",
                "from": EVE,
                "to": BOT,
                "gasUsed": "0x5208",
                "effectiveGasPrice": "0x2",
                "status": "0x1",
                "logs": logs or [],
            }
        ]
    )


def test_receipts_say_what_gas_was_paid():
    for block in (
        read_trace_block(encoded(block_answer(TREE)), receipts(), HEAD),
        read_call_tracer(frames_answer(TREE), receipts(), HEAD),
    ):
        (one,) = block.transactions
        assert (one.gas_wei, one.builder_wei, one.succeeded) == (42_000, 11, True)


@pytest.mark.parametrize("gas", [0, 1, 20_999, 2**64 - 1])
def test_gas_that_no_transaction_can_have_used_is_not_known(gas: int):
    (one,) = by_file(file_of(TREE, gas=gas)).transactions
    assert one.gas_used is None


# Logs within frames


def logged(number: int, position: int | None) -> dict:
    log = {"address": A, "topics": [f"0x{number:064x}"], "data": "0x"}
    return log if position is None else {**log, "position": hex(position)}


def test_logs_are_numbered_in_the_order_in_which_they_were_made():
    """Before, between and after what the frame called; what was reverted logged nothing."""
    own = {"type": "CALL", "from": EVE, "to": BOT, "input": "0x", "value": "0x0"}
    inner = {**own, "logs": [logged(2, 0)], "calls": [{**own, "logs": [logged(3, 0)]}]}
    inner["logs"].append(logged(4, 1))
    lost = {**own, "error": "execution reverted", "logs": [logged(99, 0)]}
    outer = {**own, "logs": [logged(1, 0), logged(5, 1), logged(6, 2)], "calls": [inner, lost]}
    raw = encoded([{"txHash": hash_of(0), "result": one} for one in (outer,)])
    (one,) = read_call_tracer(raw, head=HEAD).transactions
    assert [int(log.topics[0], 16) for log in one.logs] == [1, 2, 3, 4, 5, 6]
    assert [log.log_index for log in one.logs] == [0, 1, 2, 3, 4, 5]
    assert one.calls is not None
    assert [call.logs_before for call in one.calls] == [0, 1, 2, 5]


def test_too_many_topics_are_refused():
    own = {"type": "CALL", "from": EVE, "to": BOT, "logs": [{"address": A, "topics": [HASH] * 5}]}
    with pytest.raises(MalformedFrame, match="5 topics"):
        read_call_tracer(encoded([{"txHash": hash_of(0), "result": own}]), head=HEAD)


# What is wrong


def test_a_file_that_is_cut_short_is_refused(corpus: Path):
    raw = unpacked(corpus, 13244807)
    for end in (0, 1, 1000, len(raw) // 2, len(raw) - 1):
        with pytest.raises(MalformedFrame) as caught:
            read_parity_file(raw[:end])
        assert caught.value.reason == "not_json"


def test_every_cut_of_frames_is_refused():
    raw = frames_answer(TREE)
    for end in range(len(raw)):
        with pytest.raises(MalformedFrame):
            read_call_tracer(raw[:end], head=HEAD)


def test_every_trace_that_is_missing_is_missed(corpus: Path):
    """Each but the outermost of a transaction of its own, whose receipt then tells."""
    file = msgspec.json.decode(unpacked(corpus, 13244807))
    traces = file["traces"]
    whole = read_parity_file(encoded(file))
    for place in range(0, len(traces), 7):
        without = encoded({**file, "traces": traces[:place] + traces[place + 1 :]})
        if traces[place]["type"] == "reward":
            assert shape(read_parity_file(without)) == shape(whole)
            continue
        with pytest.raises(MalformedFrame, match=r"missing|without traces"):
            read_parity_file(without)


def test_a_trace_that_is_there_twice_is_refused():
    file = file_of(TREE)
    for trace in file["traces"]:
        with pytest.raises(MalformedFrame, match="twice"):
            by_file({**file, "traces": [*file["traces"], trace]})


def test_the_order_of_traces_means_nothing(corpus: Path):
    file = msgspec.json.decode(unpacked(corpus, 12914944))
    found = inspect_block(read_parity_file(encoded(file)))
    for seed in range(3):
        shuffled = file["traces"][:]
        random.Random(seed).shuffle(shuffled)
        assert inspect_block(read_parity_file(encoded({**file, "traces": shuffled}))) == found
    assert len(found.opportunities) == 3


def test_fields_that_nobody_knows_are_ignored(corpus: Path):
    file = msgspec.json.decode(unpacked(corpus, 13404932))
    found = inspect_block(read_parity_file(encoded(file)))
    for trace in file["traces"]:
        trace["vmTrace"] = {"ops": [1, {"pc": 2}]}
        trace["action"]["future"] = "0x"
    file["future"] = [None]
    assert inspect_block(read_parity_file(encoded(file))) == found


def change(path: tuple[Any, ...], value: Any) -> Callable[[dict], None]:
    def apply(file: dict) -> None:
        *rest, last = path
        for part in rest:
            file = file[part]
        file[last] = value

    return apply


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("miner",), "0x12", "bad_address"),
        (("traces", 1, "action", "to"), "0xzz", "bad_address"),
        (("traces", 2, "action", "from"), 5, "wrong_shape"),
        (("traces", 3, "action", "value"), "12", "bad_hex"),
        (("traces", 3, "action", "value"), "0x" + "f" * 65, "hex_too_long"),
        (("traces", 1, "type"), "loop", "loop"),
        (("traces", 1, "action", "callType"), "loop", "call"),
        (("traces", 1, "transaction_hash"), None, "of no transaction"),
        (("traces", 1, "transaction_position"), 1, "missing"),
        (("traces", 1, "block_number"), 8, "2 blocks"),
        (("traces", 1, "block_hash"), hash_of(3), "2 blocks"),
        (("traces", 1, "trace_address"), [9], "missing"),
        (("traces", 1, "trace_address"), "0", "wrong_shape"),
        (("receipts", 0, "transaction_hash"), hash_of(9), "without"),
        (("receipts", 0, "transaction_index"), 4, "in two places"),
        (("receipts",), [], "without"),
        (("block_number",), 8, "traces of block 7 in one of 8"),
        (("block_number",), None, "wrong_shape"),
        (("traces",), [], "traces of 0 blocks"),
    ],
)
def test_what_cannot_be_is_refused(path: tuple, value: Any, why: str):
    file = file_of(TREE)
    change(path, value)(file)
    with pytest.raises(MalformedFrame, match=why):
        by_file(file)


def test_traces_must_be_of_the_block_that_is_said():
    other = Block(7, hash_of(8), HASH, 0, 0, 0)
    with pytest.raises(MalformedFrame, match="another block"):
        read_trace_block(encoded(block_answer(TREE)), head=other)
    with pytest.raises(MalformedFrame, match="which block"):
        read_trace_block(b"[]")
    with pytest.raises(MalformedFrame, match="which block"):
        read_call_tracer(frames_answer(TREE))
    with pytest.raises(MalformedFrame, match="without a receipt"):
        read_trace_block(encoded(block_answer(TREE)), receipts(name=hash_of(5)))
    with pytest.raises(MalformedFrame, match="other transactions"):
        read_call_tracer(frames_answer(TREE, TREE), head=HEAD)
    assert read_trace_block(b"[]", head=HEAD).transactions == ()


def test_a_transaction_that_could_not_be_traced_is_an_error():
    raw = encoded([{"txHash": hash_of(0), "error": "execution timeout"}])
    with pytest.raises(MalformedFrame, match="execution timeout"):
        read_call_tracer(raw, head=HEAD)


# Large and deep


def deep(depth: int, each: Callable[[int], list[Made]] = lambda _: []) -> Made:
    outer = inner = Made(EVE, BOT)
    for number in range(depth):
        following = Made(inner.target, (A, B)[number % 2])
        inner.holding(following, *each(number))
        inner = following
    return outer


@pytest.mark.parametrize("depth", [300, 600, 1000, 1024])
def test_calls_may_be_nested_as_deep_as_the_machine_allows(depth: int):
    made = deep(depth, lambda number: [paid(A, BOT, MINER, number)] if number % 100 == 0 else [])
    answers = (
        read_parity_file(encoded(file_of(made))),
        read_call_tracer(frames_answer(made), head=HEAD),
    )
    assert shape(answers[0]) == shape(answers[1])
    assert max(len(path) for *_, path in shape(answers[0])) == depth


def test_deeper_than_that_is_refused():
    for read in (
        lambda made: read_parity_file(encoded(file_of(made))),
        lambda made: read_call_tracer(frames_answer(made), head=HEAD),
    ):
        with pytest.raises(MalformedFrame, match="deep"):
            read(deep(1_200))


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"result":' * 3000,
        b'[{"x":' + b"[" * 3000 + b"]" * 3000 + b"}]",
        b'[{"result":{"type":"CALL","from":"","calls":[' + b'{"calls":[' * 900 + b"1",
        b'[{"result":{"calls":[[' + b'{"calls":[' * 900 + b"]}" * 900 + b"]]}}]",
        b'[{"result":{"calls":[' + b'{"calls":[' * 900 + b"]]" + b"]}" * 900,
    ],
)
def test_deep_junk_is_refused(raw: bytes):
    with pytest.raises(MalformedFrame):
        read_call_tracer(raw, head=HEAD)


def test_text_that_looks_like_calls_is_text():
    """Names within texts and within other objects are no frames."""
    made = deep(700)
    raw = frames_answer(made)
    odd = b'"revertReason":"\\",\\"calls\\":[{","other":{"a":["calls",1],"b":"]}"},"type":"CALL"'
    noisy = raw.replace(b'"type":"CALL"', odd)
    assert shape(read_call_tracer(noisy, head=HEAD)) == shape(read_call_tracer(raw, head=HEAD))


def test_what_claims_to_be_within_another_frame_is_refused_or_ignored():
    """The number by which a cut text is put together again is nobody else's to say."""
    raw = frames_answer(deep(700)).replace(b'"type":"CALL"', b'"within":3,"type":"CALL"')
    try:
        block = read_call_tracer(raw, head=HEAD)
    except MalformedFrame:
        return
    assert shape(block) == shape(read_call_tracer(frames_answer(deep(700)), head=HEAD))


def in_one(*calls: Made) -> Callable[[], Inspection]:
    """One transaction of a file of traces, from its text to what is found."""
    raw = encoded(file_of(Made(EVE, BOT).holding(*calls)))
    return lambda: inspect_block(read_parity_file(raw))


def test_a_block_of_twenty_thousand_traces_is_read_whole():
    """All in one transaction, all of interest; what is done grows as they do, and no faster."""
    few, many = (
        in_one(*[paid(A, BOT, P, 1 + number) for number in range(count)])
        for count in (1_000, 10_000)
    )
    assert steps_of(many) < 11 * steps_of(few)
    found = many()
    assert (found.opportunities, found.left_out, found.cut) == ((), {}, False)


@pytest.mark.parametrize("pools", [1, 50])
def test_swaps_cost_as_much_each_however_many_there_are_in_a_pool(pools: int):
    def swapping(count: int) -> Callable[[], Inspection]:
        made = [pair_swap(address(0x5000 + n % pools), 10 + n, 9, n % 2 == 0) for n in range(count)]
        return in_one(*[call for calls in made for call in calls])

    assert steps_of(swapping(4_000)) < 4.5 * steps_of(swapping(1_000))
    found = swapping(4_000)()
    assert len(found.swaps) == 4_000


def nested_liquidations(depth: int, within: int) -> MinedBlock:
    """Each would be looked through for what it seizes, again and again."""
    outer = inner = Made(EVE, BOT)
    for number in range(depth):
        # Of other amounts each: what hands on the same words is a proxy, and is not read.
        following = asked(
            BOT, P, SEIZURES["0xf5e3c462"][0], ANN, 5 + number, Q, answers=("uint256", [0])
        )
        inner.holding(following)
        inner = following
    inner.holding(*[paid(A, BOT, P, 1 + number) for number in range(within)])
    return by_file(file_of(outer))


def test_liquidations_nested_in_each_other_cost_no_more_than_others():
    few, many = nested_liquidations(50, 950), nested_liquidations(1_000, 19_000)
    assert steps_of(lambda: inspect_block(many)) < 25 * steps_of(lambda: inspect_block(few))


def test_what_is_not_read_of_calls_nested_in_each_other_is_said():
    assert inspect_block(nested_liquidations(1_000, 19_000)).cut
    assert not inspect_block(nested_liquidations(10, 100)).cut


def test_what_is_cut_of_one_transaction_costs_the_others_nothing():
    junk = nested_liquidations(1_000, 1_000).transactions[0]
    honest = by_file(file_of(Made(EVE, BOT).holding(*pair_swap(P, 10, 9)))).transactions[0]
    block = MinedBlock(7, HASH, (junk, attrs.evolve(honest, hash=hash_of(1), place=1)))
    found = inspect_block(block)
    assert found.cut
    assert [(one.transaction, one.amount_in) for one in found.swaps] == [(hash_of(1), 10)]


def test_too_many_receipts_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trio_mev.inspect.tracing.MAX_TRANSACTIONS", 0)
    with pytest.raises(MalformedFrame, match="1 receipts"):
        by_file(file_of(TREE))


def test_two_transactions_are_not_in_one_place():
    traces = block_answer(TREE, TREE)
    for trace in traces:
        trace["transactionPosition"] = 0
    with pytest.raises(MalformedFrame, match="two transactions in one place"):
        read_trace_block(encoded(traces))


def test_receipts_and_traces_agree_on_where_a_transaction_is():
    moved = msgspec.json.decode(receipts())
    moved[0]["transactionIndex"] = "0x1"
    with pytest.raises(MalformedFrame, match="in two places"):
        read_trace_block(encoded(block_answer(TREE)), encoded(moved), HEAD)


def test_a_frame_of_an_unknown_kind_is_refused():
    made = Made(EVE, BOT, kind="eofcreate")
    with pytest.raises(MalformedFrame, match="EOFCREATE"):
        read_call_tracer(frames_answer(made), head=HEAD)


def test_a_deep_frame_beside_one_that_could_not_be_traced_is_refused_for_that():
    deeper = frames_answer(deep(700))[:-1] + b',{"txHash":"' + hash_of(1).encode() + b'"}]'
    with pytest.raises(MalformedFrame, match="no frames"):
        read_call_tracer(deeper, head=attrs.evolve(HEAD, transactions=(hash_of(0), hash_of(1))))


def test_a_shallow_frame_beside_a_deep_one_is_read_too():
    beside = {"type": "CALL", "from": ANN, "to": BEN, "input": "0x", "value": "0x5"}
    raw = frames_answer(deep(700))[:-1] + b"," + encoded({"txHash": hash_of(1), "result": beside})
    head = attrs.evolve(HEAD, transactions=(hash_of(0), hash_of(1)))
    block = read_call_tracer(raw + b"]", head=head)
    assert shape(block)[-1] == (How.CALL, ANN, BEN, 5, False, False, ())


def test_something_among_deep_calls_that_is_no_call_is_refused():
    text = b'"calls":[7,{'.join(frames_answer(deep(700)).rsplit(b'"calls":[{', 1))
    with pytest.raises(MalformedFrame, match="among calls"):
        read_call_tracer(text, head=HEAD)


def test_too_many_traces_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trio_mev.inspect.framing.MAX_TRACES", 5)
    for read in (
        lambda: by_file(file_of(TREE)),
        lambda: read_call_tracer(frames_answer(TREE), head=HEAD),
    ):
        with pytest.raises(MalformedFrame, match="traces"):
            read()


WORDS = st.binary(max_size=200).map(lambda raw: "0x" + raw.hex())
NAMES = st.sampled_from([EVE, BOT, ANN, BEN, A, B, P, Q, MINER])


@given(st.lists(st.tuples(NAMES, NAMES, st.integers(0, 80), WORDS, WORDS, st.booleans())))
def test_whatever_the_data_is_nothing_is_raised(calls: list[tuple]):
    """Every method that is known, with any arguments and answers, from anybody to anybody."""
    selectors = [*LISTED]
    inner = [
        Made(
            source,
            target,
            selectors[number % len(selectors)] + data[2:],
            output,
            error="Reverted" if failed else None,
        )
        for source, target, number, data, output, failed in calls
    ]
    found = inspected(Made(EVE, BOT).holding(*inner))
    assert all(swap.amount_in > 0 < swap.amount_out for swap in found.swaps)
