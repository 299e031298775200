"""Nouns of the chain: what a transaction calls and what it pays."""

from __future__ import annotations

import pytest

from trio_mev.model.chain import Block, Gap, Reorg, Transaction

GWEI = 10**9


def transaction(**fields) -> Transaction:
    values = {
        "hash": "0x" + "11" * 32,
        "sender": "0x" + "22" * 20,
        "to": None,
        "nonce": 0,
        "value": 0,
        "gas": 21_000,
        "input": b"",
    }
    return Transaction(**(values | fields))


@pytest.mark.parametrize(
    ("data", "selector"),
    [
        (b"", None),
        (b"\x38\xed\x17", None),
        (b"\x38\xed\x17\x39", "0x38ed1739"),
        (b"\x38\xed\x17\x39\xff", "0x38ed1739"),
    ],
)
def test_the_selector_is_the_first_four_bytes_where_there_are_four(data, selector):
    assert transaction(input=data).selector == selector


@pytest.mark.parametrize(
    ("fields", "base_fee", "fee"),
    [
        ({"gas_price": 30 * GWEI}, 20 * GWEI, 30 * GWEI),
        ({"gas_price": 30 * GWEI}, None, 30 * GWEI),
        ({}, 20 * GWEI, None),
        ({"max_fee": 50 * GWEI, "max_priority_fee": 2 * GWEI}, 20 * GWEI, 22 * GWEI),
        ({"max_fee": 21 * GWEI, "max_priority_fee": 2 * GWEI}, 20 * GWEI, 21 * GWEI),
        ({"max_fee": 50 * GWEI}, 20 * GWEI, 20 * GWEI),
        ({"max_fee": 50 * GWEI, "max_priority_fee": 2 * GWEI}, None, 50 * GWEI),
        ({"max_fee": 50 * GWEI, "gas_price": 50 * GWEI, "max_priority_fee": 0}, 0, 0),
    ],
)
def test_the_fee_is_the_base_fee_and_the_tip_within_the_cap(fields, base_fee, fee):
    assert transaction(**fields).fee_per_gas(base_fee) == fee


def test_what_the_chain_did_is_told_in_one_line_whatever_the_blocks_hold():
    block = Block(7, "0x7", "0x6", 84, 30_000_000, 21_000, logs=())
    reorg = Reorg(6, "0x6", (block,), ("0x7b", "0x8b"))
    assert str(reorg) == "the chain was reorganised after block 6: 1 retracted, 2 new"
    assert str(Gap(3, 5, True)) == "no head announced blocks 3 to 5; they are fetched"
    missing = Gap(3, 900, False, "too long")
    assert str(missing) == "no head announced blocks 3 to 900; they are not fetched: too long"
