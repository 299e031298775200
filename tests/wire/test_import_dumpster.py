"""mempool-dumpster's rows as a node's notifications."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.support.signed import raw_of
from tests.wire.test_signed import ANN, BEN, DYNAMIC
from trio_mev.errors import ConfigError, MalformedFrame
from trio_mev.model.chain import Transaction
from trio_mev.wire.ethereum import parse_transaction
from trio_mev.wire.import_dumpster import REQUIRED, body_of, dumpster_records, wanted
from trio_mev.wire.signed import hash_of
from trio_mev.wire.tape import Direction

NAME = "0x" + "ab" * 32
ROW = {
    "timestamp": "1700000000123",
    "hash": NAME,
    "chainId": "1",
    "txType": "2",
    "from": BEN,
    "to": ANN,
    "value": "1000000000000000000",
    "nonce": "7",
    "gas": "21000",
    "gasPrice": "9",
    "gasTipCap": "1",
    "gasFeeCap": "9",
    "data4Bytes": "0x12345678",
}


def read(row) -> Transaction:
    """As the node's session reads it."""
    return parse_transaction(json.dumps(body_of(row)).encode())


def test_a_row_of_columns_is_a_pending_transaction_with_four_bytes_of_its_call():
    assert read(ROW) == Transaction(
        NAME, BEN, ANN, 7, 10**18, 21_000, bytes.fromhex("12345678"), 2, 9, 9, 1, 1
    )


def test_a_row_with_the_whole_transaction_has_all_of_its_call():
    raw = raw_of({**DYNAMIC, "input": "0x" + "12" * 100})
    for given in (raw, "0x" + raw.hex()):
        found = read({**ROW, "hash": hash_of(raw), "rawTx": given})
        assert found.input == b"\x12" * 100
        assert (found.sender, found.to, found.nonce, found.type) == (BEN, ANN, 5, 2)
        assert (found.gas_price, found.max_fee, found.max_priority_fee) == (9, 9, 1)


def test_another_transaction_than_the_row_says_is_refused():
    with pytest.raises(MalformedFrame, match="hash_mismatch"):
        body_of({**ROW, "rawTx": raw_of(DYNAMIC)})


@pytest.mark.parametrize("absent", [None, ""])
def test_a_file_of_before_there_were_types_tells_them_by_the_fees(absent):
    alike = {"txType": absent, "gasPrice": "9", "gasTipCap": "9", "gasFeeCap": "9"}
    assert read({**ROW, **alike}) == Transaction(
        NAME, BEN, ANN, 7, 10**18, 21_000, bytes.fromhex("12345678"), 0, 9, None, None, 1
    )
    assert read({**ROW, "txType": absent}).type == 2
    bare = {name: ROW[name] for name in REQUIRED}
    assert read(bare) == Transaction(NAME, BEN, ANN, 7, 10**18, 21_000, b"", 0)
    assert read({**bare, "to": "", "gasFeeCap": "9", "gasTipCap": "1"}).gas_price == 9
    assert read({**bare, "to": None}).to is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hash": "0x12"}, "bad_hash"),
        ({"hash": None}, "bad_row"),
        ({"from": ""}, "bad_address"),
        ({"nonce": str(2**64)}, "bad_number"),
        ({"value": "-1"}, "bad_number"),
        ({"value": "9" * 79}, "bad_number"),
        ({"gas": 1.5}, "bad_number"),
        ({"data4Bytes": "0x1"}, "odd_hex"),
        ({"rawTx": "0xzz"}, "bad_hex"),
        ({"rawTx": b"\x05"}, "unknown_type"),
        ({"timestamp": str(2**63)}, "bad_time"),
        ({"timestamp": None}, "bad_number"),
    ],
)
def test_a_row_that_cannot_be_is_counted_and_the_others_go_on(change, reason):
    problems: Counter[str] = Counter()
    records = list(dumpster_records("x", [[{**ROW, **change}, ROW]], problems))
    assert problems == {reason: 1}
    assert [r.direction for r in records] == [
        Direction.OPEN,
        Direction.OUT,
        Direction.IN,
        Direction.IN,
    ]
    assert records[-1].wall == records[-1].mono == 1_700_000_000_123_000_000


def at(*times: int) -> list[dict]:
    return [{**ROW, "timestamp": str(time)} for time in times]


def test_files_are_merged_by_time_and_what_is_late_is_counted():
    problems: Counter[str] = Counter()
    records = list(dumpster_records("x", [at(1, 5, 4), at(2, 3)], problems))
    assert [r.wall // 10**6 for r in records[3:]] == [1, 2, 3, 5, 5]
    assert problems == {"out_of_order": 1}
    assert list(dumpster_records("x", [], problems)) == []


def test_both_spellings_of_columns_are_known():
    csv = "timestamp_ms,hash,chain_id,from,to,value,nonce,gas,gas_price,data_4bytes,sources,tx_type"
    assert wanted(csv.split(",")) == {
        "timestamp_ms": "timestamp",
        "hash": "hash",
        "chain_id": "chainId",
        "from": "from",
        "to": "to",
        "value": "value",
        "nonce": "nonce",
        "gas": "gas",
        "gas_price": "gasPrice",
        "data_4bytes": "data4Bytes",
        "tx_type": "txType",
    }
    with pytest.raises(ConfigError, match="it has no column from, to, value, nonce, gas"):
        wanted(["timestamp_ms", "hash", "source"])
