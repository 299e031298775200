"""Signed transactions: those of recorded blocks, to the last field; and what is none."""

from __future__ import annotations

from collections import Counter

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from tests.support.signed import fields_of, raw_of, recorded
from trio_mev.errors import MalformedFrame
from trio_mev.wire.signed import hash_of, read_signed

ANN, BEN = "0x" + "aa" * 20, "0x" + "bb" * 20
SIGNED = {"v": "0x1", "r": "0x2", "s": "0x3"}
LEGACY = {
    "type": "0x0",
    "nonce": "0x5",
    "gasPrice": "0x7",
    "gas": "0x5208",
    "to": ANN,
    "value": "0x0",
    "input": "0x",
    **SIGNED,
    "v": "0x1b",
}
DYNAMIC = {
    **LEGACY,
    **SIGNED,
    "type": "0x2",
    "chainId": "0x1",
    "maxPriorityFeePerGas": "0x1",
    "maxFeePerGas": "0x9",
}
AUTHORISED = {"chainId": "0x1", "address": BEN, "nonce": "0x0", "yParity": "0x1", **SIGNED}
SET_CODE = {**DYNAMIC, "type": "0x4", "authorizationList": [AUTHORISED]}
BLOB = {
    **DYNAMIC,
    "type": "0x3",
    "maxFeePerBlobGas": "0x4",
    "blobVersionedHashes": ["0x01" + "cc" * 31],
}
NAMES = (
    *("nonce", "gasPrice", "gas", "to", "value", "input", "chainId"),
    *("maxPriorityFeePerGas", "maxFeePerGas", "maxFeePerBlobGas"),
)


def test_recorded_transactions_are_read_to_the_last_field(corpus):
    kinds = Counter()
    for body in recorded(corpus):
        found = read_signed(raw_of(body))
        assert found["hash"] == body["hash"]
        kinds[found["type"]] += 1
        for name in NAMES:
            if name in body and (name in found or body["type"] < "0x2"):
                assert found[name] == body[name], name
    assert kinds == {"0x0": 43, "0x1": 1, "0x2": 590, "0x3": 6}


@pytest.mark.parametrize("body", [LEGACY, DYNAMIC, BLOB, SET_CODE, {**LEGACY, "to": None}])
def test_each_type_is_read(body):
    found = read_signed(raw_of(body))
    assert found["type"] == body["type"]
    assert found["hash"] == hash_of(raw_of(body))
    for name in set(NAMES) & set(found):
        assert found[name] == body[name]


@pytest.mark.parametrize(("v", "chain"), [("0x1b", None), ("0x25", "0x1"), ("0x41ed", "0x20e5")])
def test_a_legacy_one_says_its_chain_in_its_signature(v, chain):
    assert read_signed(raw_of({**LEGACY, "v": v})).get("chainId") == chain


@pytest.mark.parametrize("size", [1, 300, 70_000])
def test_blobs_about_it_are_no_part_of_it(size):
    """As pooled transactions travel: the body, the blobs, commitments and proofs."""
    body = {**BLOB, "input": "0x" + "ab" * size}
    for rest in (
        [[b"\x01" * 500], [b"\x02" * 48], [b"\x03" * 48]],
        [b"\x01", [], [], []],
        [[], [], []],
    ):
        raw = b"\x03" + rlp.encode([fields_of(body), *rest])
        assert read_signed(raw)["hash"] == hash_of(raw_of(body))


def test_a_short_body_with_its_blobs_is_known_to_be_none():
    with pytest.raises(MalformedFrame, match="bad_transaction"):
        read_signed(b"\x03" + rlp.encode([[b"a"], b"b"]))


def changed(place: int, item) -> bytes:
    fields = fields_of(DYNAMIC)
    fields[place] = item
    return b"\x02" + rlp.encode(fields)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "bad_transaction: it is empty"),
        (b"\x00\xc0", "unknown_type: 0"),
        (b"\x05\xc0", "unknown_type: 5"),
        (b"\x7f", "unknown_type: 127"),
        (b"\x02", "bad_rlp"),
        (b"\x02\x05", "bad_transaction: type 2 has 12 fields"),
        (b"\xc0", "bad_transaction: type 0 has 9 fields"),
        (b"\x03\xc0", "bad_transaction"),
        (raw_of(DYNAMIC) + b"\0", "bad_rlp"),
        (changed(1, b"\x01" * 9), "its nonce is no number"),
        (changed(1, b"\x00"), "its nonce is no number"),
        (changed(6, [b"a"]), "its value is a list"),
        (changed(5, b"a" * 19), "its to is no address"),
        (changed(8, b"a"), "its accessList is no list"),
    ],
)
def test_what_is_no_transaction_is_refused(raw, reason):
    with pytest.raises(MalformedFrame, match=reason):
        read_signed(raw)


def test_a_legacy_one_whose_signature_is_no_number_is_of_no_chain():
    fields = fields_of(LEGACY)
    for v in ([b"a"], b"a" * 33):
        fields[6] = v
        assert "chainId" not in read_signed(rlp.encode(fields))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    for start in (b"", b"\x01", b"\x02", b"\x03", b"\x04"):
        try:
            read_signed(start + raw)
        except MalformedFrame as error:
            assert error.reason in {"bad_rlp", "unknown_type", "bad_transaction"}  # noqa: PT017
