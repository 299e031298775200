"""The mempool's line, and what would become of a call in a transaction's."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path as FilePath

import attrs
import jsonschema_rs
import pytest

from trio_mev.model.chain import GasPercentiles, MempoolView, Outlook, SwapProspect
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.mempool import NextBlock, Rivalry, Rivals
from trio_mev.model.opportunity import Grounds, Kind, Opportunity, Path, Status
from trio_mev.model.snapshot import MempoolSnapshot, OpenOpportunity
from trio_mev.wire.lines import encode, line_of
from trio_mev.wire.mempool import describe_outlook, outlook_part

HASH = "0x" + "ab" * 32
BLOCK = NextBlock(7, 30_000_000, 21_000, (HASH,), 3, 0, 1, 2)
VIEW = MempoolView(
    9,
    300.0,
    5,
    1,
    2,
    GasPercentiles(10, 1, 2, 3),
    4.5,
    6.0,
    10**18,
    BLOCK,
    1,
    (Rivals(Rivalry.NONCE, "nonce 1 of 0xa", 2, (HASH,)),),
)
ONE = Opportunity(
    Kind.ARBITRAGE,
    "arbitrage:1",
    "ArbitrageDetector",
    Status.PREDICTED,
    Grounds.ARITHMETIC,
    Path(()),
    cause=HASH,
    expires_block=10,
    usd=Decimal("1.50"),
)
SNAPSHOT = MempoolSnapshot(
    VIEW, {"ETH/USD": Decimal("2000.5")}, 1, Decimal("1.50"), 0, (OpenOpportunity(ONE, 0.9, 8.5),)
)
SWAP = SwapProspect(10**20, 5, 0.01234, 0.005)
SCHEMA = json.loads((FilePath(__file__).parents[2] / "docs/reference/schema.json").read_text())


def line(data: MempoolSnapshot) -> dict:
    event = DataEvent(DataType.MEMPOOL_SNAPSHOT, EventPriority.NORMAL, data, "watch", 1.0)
    found = line_of(event, 5)
    assert found is not None
    jsonschema_rs.Draft202012Validator(SCHEMA).validate(json.loads(encode(found)))
    return found


def test_a_snapshot():
    assert line(SNAPSHOT) == {
        "kind": "mempool",
        "seen_at": 1_000_000_005,
        "view": {
            "block": 9,
            "window": 300.0,
            "pending": 5,
            "without_body": 1,
            "included": 2,
            "gas": {"count": 10, "p50": "1", "p90": "2", "p99": "3"},
            "oldest": 4.5,
            "median_wait": 6.0,
            "value": "1000000000000000000",
            "next_block": {
                "base_fee": "7",
                "gas_limit": 30_000_000,
                "gas": 21_000,
                "transactions": [HASH],
                "least_tip": "3",
                "tip_needed": "0",
                "unable": 1,
                "waiting": 2,
            },
            "contested": 1,
            "rivals": [
                {
                    "rivalry": "nonce",
                    "over": "nonce 1 of 0xa",
                    "count": 2,
                    "transactions": [HASH],
                }
            ],
        },
        "price_tracking": {"ETH/USD": "2000.5"},
        "opportunity_count": 1,
        "total_potential_profit": "1.50",
        "unpriced": 0,
        "opportunities": [
            {
                "id": "arbitrage:1",
                "opportunity": "arbitrage",
                "detector": "ArbitrageDetector",
                "cause": HASH,
                "usd": "1.50",
                "confidence": 0.9,
                "remaining": 8.5,
                "expires_block": 10,
            }
        ],
    }


def test_what_is_not_known_is_null():
    empty = MempoolSnapshot(None, {}, 0, None, 0, ())
    assert line(empty)["view"] is line(empty)["total_potential_profit"] is None
    bare = attrs.evolve(VIEW, gas=None, next_block=None)
    found = line(attrs.evolve(SNAPSHOT, view=bare))["view"]
    assert found["gas"] is found["next_block"] is None
    block = attrs.evolve(BLOCK, least_tip=None)
    found = line(attrs.evolve(SNAPSHOT, view=attrs.evolve(VIEW, next_block=block)))
    assert found["view"]["next_block"]["least_tip"] is None
    unknown = OpenOpportunity(attrs.evolve(ONE, usd=None), 1.0, None)
    (told,) = line(attrs.evolve(SNAPSHOT, opportunities=(unknown,)))["opportunities"]
    assert (told["usd"], told["remaining"]) == (None, None)


def test_what_would_become_of_a_call_is_a_part_of_its_line():
    none = SwapProspect(None, None, None, None, "no_pool")
    assert outlook_part(Outlook(9, "unknown", None, (SWAP, none))) == {
        "block": 9,
        "verdict": "unknown",
        "refusal": None,
        "swaps": [
            {
                "amount_in": "100000000000000000000",
                "amount_out": "5",
                "price_impact": 0.01234,
                "slippage_left": 0.005,
                "unknown": None,
            },
            {
                "amount_in": None,
                "amount_out": None,
                "price_impact": None,
                "slippage_left": None,
                "unknown": "no_pool",
            },
        ],
    }
    assert outlook_part(None) is None


@pytest.mark.parametrize(
    ("outlook", "words"),
    [
        (None, ""),
        (Outlook(9, "reverts", "limit", (SWAP,)), ", would revert: limit"),
        (Outlook(9, "succeeds", None, (SWAP,)), ", price impact 1.23%, slippage left 0.50%"),
        (Outlook(9, "succeeds", None, (SwapProspect(1, 1, None, None),)), ""),
    ],
)
def test_the_same_in_words(outlook, words):
    assert describe_outlook(outlook) == words
