"""Nouns of the chain: what a transaction calls and what it pays."""

from __future__ import annotations

import pytest

from trio_mev.model.chain import Transaction

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
