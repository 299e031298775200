"""The base fee from block to block, as EIP-1559 has it and as the main network had it."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.fees import next_base_fee

GWEI = 10**9
LIMIT = 36_000_000
FEES = st.integers(0, 10**15)
LIMITS = st.integers(5000, 100_000_000)


@pytest.mark.parametrize(
    ("gas_used", "base_fee"),
    [
        (LIMIT, 112_500_000_000),
        (LIMIT // 2, 100_000_000_000),
        (0, 87_500_000_000),
        (LIMIT * 3 // 4, 106_250_000_000),
        (LIMIT // 4, 93_750_000_000),
    ],
)
def test_a_full_block_raises_the_fee_by_an_eighth_and_an_empty_one_lowers_it(gas_used, base_fee):
    assert next_base_fee(100 * GWEI, gas_used, LIMIT) == base_fee


def test_the_first_blocks_after_london():
    """Block 12965000 began at 1 gwei with 30,025,257 of 30,029,122 gas used."""
    assert next_base_fee(1_000_000_000, 30_025_257, 30_029_122) == 1_124_967_822


def test_a_fee_near_zero_rises_by_one_wei_at_least():
    assert next_base_fee(7, LIMIT // 2 + 1, LIMIT) == 8
    assert next_base_fee(0, LIMIT, LIMIT) == 1


def test_a_fee_near_zero_does_not_fall_below_it():
    assert next_base_fee(7, 0, LIMIT) == 7
    assert next_base_fee(0, 0, LIMIT) == 0


@pytest.mark.parametrize("limit", [0, 1])
def test_a_head_without_a_gas_target_leaves_the_fee_alone(limit):
    assert next_base_fee(100, 1, limit) == 100


@given(FEES, LIMITS, st.data())
def test_the_fee_never_moves_by_more_than_an_eighth(fee, limit, data):
    target = limit // 2
    after = next_base_fee(fee, data.draw(st.integers(0, 2 * target)), limit)
    assert fee - fee // 8 <= after <= max(fee + fee // 8, fee + 1)


@given(FEES, LIMITS, st.data())
def test_more_gas_never_means_a_lower_fee(fee, limit, data):
    less, more = sorted(data.draw(st.tuples(st.integers(0, limit), st.integers(0, limit))))
    assert next_base_fee(fee, less, limit) <= next_base_fee(fee, more, limit)


def test_each_recorded_block_determines_the_fee_of_the_next(corpus):
    blocks = []
    for path in sorted((corpus / "mainnet" / "transactions").glob("*.json.gz")):
        with gzip.open(path) as file:
            blocks.append(json.load(file))
    assert [int(b["number"], 16) for b in blocks] == list(range(22431080, 22431086))
    foretold = [
        next_base_fee(*(int(b[name], 16) for name in ("baseFeePerGas", "gasUsed", "gasLimit")))
        for b in blocks[:-1]
    ]
    assert foretold == [int(b["baseFeePerGas"], 16) for b in blocks[1:]]
