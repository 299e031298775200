"""Opportunities as lines of JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path as File
from typing import Any

import jsonschema_rs
import pytest

from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import (
    CexDex,
    Exposure,
    Grounds,
    Harm,
    JustInTime,
    Kind,
    Liquidation,
    Liquidity,
    Opportunity,
    Outcome,
    Path,
    Sandwiched,
    Status,
    SwapRecord,
    Verdict,
)
from trio_mev.wire.findings import EEEE
from trio_mev.wire.lines import encode, line_of

ROOT = File(__file__).parent.parent.parent
SCHEMA = json.loads((ROOT / "docs" / "reference" / "schema.json").read_text(encoding="utf-8"))
HASH, WETH, USDC = "0x" + "ab" * 32, "0x" + "c0" * 20, "0x" + "a0" * 20
SWAP = SwapRecord("0xpool", "uniswap_v2", WETH, 10, ETHER, 20)
PLACED = SwapRecord("0xpool", "uniswap_v2", WETH, 10, USDC, 20, HASH, 3, (0, 1), "0xs", "0xr")
ADDED = Liquidity("0xpool", "0xme", -60, 60, 5, 1, 2, HASH, 4)
SHORT = {
    "pool": "0xpool",
    "protocol": "uniswap_v2",
    "token_in": WETH,
    "amount_in": "10",
    "token_out": EEEE,
    "amount_out": "20",
}
LONG = SHORT | {
    "token_out": USDC,
    "transaction": HASH,
    "log_index": 3,
    "trace_address": [0, 1],
    "sender": "0xs",
    "recipient": "0xr",
}
LIQUIDITY = {
    "pool": "0xpool",
    "owner": "0xme",
    "tick_lower": -60,
    "tick_upper": 60,
    "liquidity": "5",
    "amount0": "1",
    "amount1": "2",
    "transaction": HASH,
    "log_index": 4,
}
EXPOSED = {
    "loss": "1",
    "attacker_in": "2",
    "attacker_profit": "3",
    "front_running": "4",
    "others": [],
}
LENT = {"protocol": "aave_v3", "user": "0xu", "debt_token": USDC, "debt_amount": "1"}
LENT |= {"collateral_token": WETH, "collateral_amount": "2"}


def line(**fields: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "kind": Kind.ARBITRAGE,
        "id": "1",
        "detector": "Detector",
        "status": Status.PREDICTED,
        "grounds": Grounds.ARITHMETIC,
        "detail": Path((SWAP, PLACED)),
    }
    one = Opportunity(**usual | fields)
    event = DataEvent(DataType.ARBITRAGE, EventPriority.HIGH, one, "Detector", 1.0)
    found = line_of(event, epoch=10**18)
    assert found is not None
    jsonschema_rs.validate(SCHEMA, json.loads(encode(found)))
    return found


def test_a_line_says_all_that_is_known():
    found = line(
        cause=HASH,
        block=7,
        expires_block=8,
        transactions=(HASH,),
        victims=(HASH,),
        pools=("0xpool",),
        searcher="0xme",
        gross={WETH: 5, ETHER: -6},
        net={WETH: 4},
        gas_wei=1,
        builder_wei=2,
        usd=Decimal("1e-7"),
        reverted=True,
        alternatives=(Kind.SWAP,),
        outcome=Outcome(Verdict.TAKEN, HASH, {WETH: 3}, "why", 1.5),
    )
    assert found == {
        "kind": "arbitrage",
        "id": "1",
        "detector": "Detector",
        "status": "predicted",
        "cause": HASH,
        "basis": "arithmetic",
        "confidence": 1.0,
        "seen_at": 10**18 + 10**9,
        "expires_block": 8,
        "block": 7,
        "transactions": [HASH],
        "victims": [HASH],
        "pools": ["0xpool"],
        "searcher": "0xme",
        "gross": {WETH: "5", EEEE: "-6"},
        "net": {WETH: "4"},
        "gas_wei": "1",
        "builder_wei": "2",
        "usd": "0.0000001",
        "reverted": True,
        "alternatives": ["swap"],
        "detail": {"path": [SHORT, LONG]},
        "outcome": {
            "verdict": "taken",
            "by": HASH,
            "their_gross": {WETH: "3"},
            "why": "why",
            "lead": 1.5,
        },
    }


def test_what_is_not_known_is_null():
    found = line()
    nulls = {name for name, value in found.items() if value is None}
    assert nulls == {
        *("cause", "expires_block", "block", "searcher", "gross", "net"),
        *("gas_wei", "builder_wei", "usd", "outcome"),
    }


def test_a_rule_may_add_to_the_detail():
    extra = {"rule": "cycle", "absorbed": True, "collateral": {WETH: 5}}
    detail = line(detail=Path(()), extra=extra)["detail"]
    assert detail == {
        "path": [],
        "rule": "cycle",
        "absorbed": True,
        "collateral": {WETH: "5"},
    }


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        (Kind.SWAP, SWAP, SHORT),
        (
            Kind.SANDWICH,
            Sandwiched((SWAP,), (PLACED,), (SWAP,)),
            {"frontrun": [SHORT], "victims": [LONG], "backrun": [SHORT]},
        ),
        (
            Kind.SANDWICH,
            Exposure(SWAP, 9, 1, 2, 3, 8, 4),
            EXPOSED | {"victim": SHORT | {"limit": "9"}, "limit_that_prevents": "8"},
        ),
        (
            Kind.SANDWICH,
            Exposure(SWAP, None, 1, 2, 3, None, 4),
            EXPOSED | {"victim": SHORT | {"limit": None}, "limit_that_prevents": None},
        ),
        (
            Kind.SANDWICH,
            Exposure(SWAP, None, 1, 2, 3, None, 4, (Harm(SWAP, 9, 5), Harm(SWAP, None, 6))),
            EXPOSED
            | {
                "victim": SHORT | {"limit": None},
                "limit_that_prevents": None,
                "others": [
                    SHORT | {"limit": "9", "loss": "5"},
                    SHORT | {"limit": None, "loss": "6"},
                ],
            },
        ),
        (
            Kind.LIQUIDATION,
            Liquidation("aave_v3", "0xu", USDC, 1, WETH, 2, 10**17),
            LENT | {"health_factor": str(10**17)},
        ),
        (
            Kind.LIQUIDATION,
            Liquidation("aave_v3", "0xu", USDC, 1, WETH, 2, None),
            LENT | {"health_factor": None},
        ),
        (
            Kind.JIT,
            JustInTime(ADDED, (SWAP,), ADDED),
            {"mint": LIQUIDITY, "swaps": [SHORT], "burn": LIQUIDITY},
        ),
        (
            Kind.CEX_DEX,
            CexDex(Decimal(2000), Decimal("1990.5"), Decimal(1), Decimal("-0.5")),
            {"venue_price": "2000", "pool_price": "1990.5", "interval": "1", "size": "-0.5"},
        ),
    ],
)
def test_each_kind_has_its_detail(kind, detail, expected):
    assert line(kind=kind, detail=detail)["detail"] == expected
