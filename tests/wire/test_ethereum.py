"""A node's words as nouns."""

from __future__ import annotations

import gzip
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.errors import MalformedFrame
from trio_mev.model.chain import Block, Log, Transaction
from trio_mev.wire import ethereum
from trio_mev.wire.ethereum import (
    MAX_TRANSACTIONS,
    parse_body,
    parse_head,
    parse_log,
    parse_pending,
    parse_transaction,
)


def raw(value) -> bytes:
    return json.dumps(value).encode()


def reason_of(read, value) -> str:
    with pytest.raises(MalformedFrame) as caught:
        read(raw(value))
    return caught.value.reason


def test_a_head_without_hashes(head):
    assert parse_head(raw(head)) == Block(
        number=22_431_080,
        hash="0x" + "a1" * 32,
        parent="0x" + "b2" * 32,
        timestamp=1_746_612_263,
        gas_limit=36_000_000,
        gas_used=8_007_318,
        base_fee=1_354_626_928,
        miner="0x388c818ca8b9251b393131c08a736a67ccb19297",
        transactions=None,
        complete=False,
    )


def test_a_head_from_before_london_has_no_base_fee(head):
    del head["baseFeePerGas"], head["miner"]
    block = parse_head(raw(head))
    assert (block.base_fee, block.miner) == (None, None)


def test_a_block_has_its_hashes_whether_they_come_alone_or_in_bodies(head, body):
    hashes = ["0x" + "c3" * 32, "0x" + "c4" * 32]
    assert parse_head(raw(head | {"transactions": hashes})).transactions == tuple(hashes)
    mixed = [body, hashes[1]]
    assert parse_head(raw(head | {"transactions": mixed})).transactions == tuple(hashes)
    assert parse_head(raw(head | {"transactions": []})).transactions == ()


def test_a_pending_transaction_is_a_hash_or_a_body(body):
    assert parse_pending(raw("0x" + "AB" * 32)) == "0x" + "ab" * 32
    assert parse_pending(raw(body)) == parse_transaction(raw(body))
    assert parse_transaction(raw(body)) == Transaction(
        hash="0x" + "c3" * 32,
        sender="0x" + "d4" * 20,
        to="0xe592427a0aece92de3edee1f18e0157c05861564",
        nonce=115_249,
        value=3 * 10**18,
        gas=228_966,
        input=b"\x41\x4b\xf3\x89\x00",
        type=2,
        gas_price=None,
        max_fee=30_000_000_000,
        max_priority_fee=2_000_000_000,
        chain_id=1,
    )


@pytest.mark.parametrize("absent", [True, False])
def test_a_transaction_that_creates_a_contract_is_sent_to_nobody(body, absent):
    if absent:
        del body["to"]
    else:
        body["to"] = None
    assert parse_transaction(raw(body)).to is None


def test_an_old_transaction_has_a_gas_price_and_no_caps(body):
    for name in ("type", "maxFeePerGas", "maxPriorityFeePerGas", "chainId"):
        del body[name]
    old = parse_transaction(raw(body | {"gasPrice": "0x3b9aca00"}))
    assert (old.type, old.gas_price, old.chain_id) == (0, 1_000_000_000, None)
    assert (old.max_fee, old.max_priority_fee) == (None, None)


def test_a_log(log):
    assert parse_log(raw(log)) == Log(
        block_hash="0x" + "a1" * 32,
        block_number=22_431_080,
        log_index=16,
        transaction="0x" + "c3" * 32,
        transaction_index=2,
        address="0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640",
        topics=("0x" + "e5" * 32, "0x" + "00" * 32, "0x" + "01" * 32),
        data=b"\x00\xff",
        removed=False,
        complete=False,
    )
    assert parse_log(raw(log | {"removed": True, "topics": []})).removed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": "1564568"}, "bad_hex"),
        ({"number": 22431080}, "wrong_shape"),
        ({"number": "0x" + "1" * 17}, "hex_too_long"),
        ({"hash": "0xa1"}, "bad_hash"),
        ({"timestamp": "0x" + "f" * 11}, "hex_too_long"),
        ({"miner": "0x00"}, "bad_address"),
        ({"transactions": ["0x00"]}, "bad_hash"),
        ({"transactions": [5]}, "wrong_shape"),
        ({"transactions": [5] * (MAX_TRANSACTIONS + 1)}, "too_many"),
    ],
    ids=str,
)
def test_a_head_of_nonsense_has_its_reason(head, change, reason):
    assert reason_of(parse_head, head | change) == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"from": None}, "wrong_shape"),
        ({"to": "0x"}, "bad_address"),
        ({"input": "0x414"}, "odd_hex"),
        ({"value": "0x" + "f" * 65}, "hex_too_long"),
        ({"type": "0x100"}, "hex_too_long"),
        ({"maxFeePerGas": "lots"}, "bad_hex"),
    ],
    ids=str,
)
def test_a_body_of_nonsense_has_its_reason(body, change, reason):
    assert reason_of(parse_pending, body | change) == reason
    assert reason_of(parse_transaction, body | change) == reason


@pytest.mark.parametrize("value", [None, 5, [], "0xabc"])
def test_what_is_neither_a_hash_nor_a_body_is_refused(value):
    assert reason_of(parse_pending, value) in {"wrong_shape", "bad_hash"}


def test_a_log_has_at_most_four_topics(log):
    topics = ["0x" + "e5" * 32] * 4
    assert len(parse_log(raw(log | {"topics": topics})).topics) == 4
    assert reason_of(parse_log, log | {"topics": [*topics, topics[0]]}) == "too_many"
    assert reason_of(parse_log, log | {"topics": ["0xe5"]}) == "bad_hash"


def test_every_recorded_transaction_is_read_exactly(corpus):
    seen = creations = 0
    types = set()
    for path in sorted((corpus / "mainnet" / "transactions").glob("*.json.gz")):
        with gzip.open(path) as file:
            block = json.load(file)
        assert parse_head(raw(block)).transactions == tuple(
            t["hash"] for t in block["transactions"]
        )
        for plain in block["transactions"]:
            read = parse_transaction(raw(plain))
            assert (read.hash, read.sender, read.to) == (plain["hash"], plain["from"], plain["to"])
            assert hex(read.value) == plain["value"]
            assert "0x" + read.input.hex() == plain["input"]
            assert read.fee_per_gas(int(block["baseFeePerGas"], 16)) == int(plain["gasPrice"], 16)
            seen += 1
            creations += read.to is None
            types.add(read.type)
    assert (seen, creations, types) == (640, 2, {0, 1, 2, 3})


HEX = st.text("0123456789abcdefABCDEFxX_+ -", max_size=8)
QUANTITY = st.one_of(
    st.integers(0, 2**64).map(hex),
    st.integers(0, 2**257).map(hex),
    HEX,
    HEX.map("0x".__add__),
    st.just("0x" + "0" * 70 + "1"),
)
NAMED = st.sampled_from(
    ["0x" + "c3" * 20, "0x" + "C3" * 20, "0x" + "d4" * 32, "c3" * 21, "0x" + "x3" * 20, ""]
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hash": NAMED,
            "from": NAMED,
            "to": st.none() | NAMED,
            "nonce": QUANTITY,
            "value": QUANTITY,
            "gas": QUANTITY,
            "type": QUANTITY,
            "gasPrice": st.none() | QUANTITY,
            "maxFeePerGas": st.none() | QUANTITY,
            "maxPriorityFeePerGas": st.none() | QUANTITY,
            "chainId": st.none() | QUANTITY,
            "input": st.one_of(
                HEX, HEX.map("0x".__add__), st.binary(max_size=9).map(lambda b: "0x" + b.hex())
            ),
        },
    )
)
def test_a_body_is_the_same_read_as_a_whole_or_field_by_field(change):
    plain = {
        "hash": "0x" + "c3" * 32,
        "from": "0x" + "d4" * 20,
        "to": "0x" + "e5" * 20,
        "nonce": "0x1",
        "value": "0x0",
        "gas": "0x5208",
        "input": "0x",
        "type": "0x2",
        "maxFeePerGas": "0x6fc23ac00",
        "maxPriorityFeePerGas": "0x1",
        "chainId": "0x1",
    }
    body = msgspec.convert({**plain, **change}, ethereum._Transaction)

    def outcome(read):
        try:
            return read(body)
        except MalformedFrame as error:
            return error.reason

    assert outcome(ethereum._transaction) == outcome(ethereum._by_fields)


@pytest.mark.parametrize("text", ["", "0", "0x", "0x0", "00", "0x 00", "1x00", "0x00", "0xzz"])
def test_data_is_the_same_read_as_a_whole_or_by_itself(body, text):
    def outcome(read):
        try:
            return read(msgspec.convert({**lower, "input": text}, ethereum._Transaction))
        except MalformedFrame as error:
            return error.reason

    lower = {key: value and value.lower() for key, value in body.items()}
    assert outcome(ethereum._transaction) == outcome(ethereum._by_fields)


def test_a_whole_notification_is_read_at_once_or_not_at_all(body, notify):
    frame = notify("0xbb", body)
    assert parse_body(frame) == ("0xbb", parse_transaction(raw(body)))
    for unsound in (notify("0xbb", "0x" + "c3" * 32), b"{", b"[" * 10_000, frame + b"\xff"):
        assert parse_body(unsound) is None
    assert parse_body(notify("0xbb", {**body, "nonce": "1"})) is None
