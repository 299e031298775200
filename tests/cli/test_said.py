"""What is said of opportunities, and the ledger in a table and for other programs."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from rich.console import Console

from trio_mev.chain.contracts.assets import TOKENS
from trio_mev.cli.said import describe, score_line, score_table
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import (
    Grounds,
    Kind,
    Opportunity,
    Outcome,
    Path,
    Score,
    Status,
    Verdict,
)

WETH, USDC, WBTC = (TOKENS[name] for name in ("WETH", "USDC", "WBTC"))
HASH = "0x12345678" + "9" * 56


def one(status: Status = Status.PREDICTED, **more: Any) -> Opportunity:
    found = Kind.ARBITRAGE, "1", "Detector", status, Grounds.ARITHMETIC, Path(())
    return Opportunity(*found, **more)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (one(), "possible"),
        (one(Status.LANDED), "landed"),
        (one(Status.MISSED), "missed"),
        (one(Status.WITHDRAWN), "withdrawn"),
        (one(Status.SUPERSEDED), "over"),
        (one(Status.MISSED, outcome=Outcome(Verdict.COMPETED)), "missed (competed)"),
        (one(pools=("0xa",)), "possible in one pool"),
        (one(pools=("0xa", "0xb", "0xc")), "possible in 3 pools"),
        (one(cause=HASH), "possible after 0x12345678…"),
        (one(cause=HASH, on_state=True), "possible at 0x12345678…"),
        (one(Status.LANDED, cause=HASH), "landed"),
        (one(Status.LANDED, transactions=(HASH, "0x2")), "landed by 0x12345678…"),
        (one(transactions=(HASH,)), "possible"),
        (one(gross={}), "possible"),
    ],
)
def test_it_says_what_became_of_it_and_where_it_came_of(found, said):
    assert describe(found) == said


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ({WETH: 15 * 10**17}, "+1.5000 WETH"),
        ({ETHER: -(10**15)}, "-0.0010 ETH"),
        ({USDC: 1_234_567_890}, "+1,234.5679 USDC"),
        ({WBTC: 12_345_678}, "+0.1235 WBTC"),
        ({"0xabcdef0123": 7}, "+7 of 0xabcdef01…"),
        ({USDC: -(10**6), WETH: 10**18}, "-1.0000 USDC, +1.0000 WETH"),
    ],
)
def test_amounts_are_in_whole_tokens_where_these_are_known(amounts, said):
    assert describe(one(gross=amounts)) == f"possible {said}"


def test_an_amount_that_cannot_be_is_said_too():
    said = describe(one(gross={WETH: -(2**256)}))
    assert said.startswith("possible -115,792,089,237,316,195,423,570,985,")
    assert said.endswith(".0000 WETH")


@pytest.mark.parametrize("name", TOKENS)
def test_every_token_that_has_a_name_has_its_decimals(name):
    assert describe(one(gross={TOKENS[name]: 10**30})).endswith(f" {name}")


def test_dollars_are_after_gas_only_where_the_gas_is_known():
    """Where it is not, they are of the gross."""
    dear = one(usd=Decimal("1234.567"), net={WETH: 5})
    assert describe(dear) == "possible ($1,234.57 after gas)"
    assert describe(one(usd=Decimal(-3), net={WETH: -5})) == "possible ($-3.00 after gas)"
    assert describe(one(Status.LANDED, usd=Decimal("0.4"))) == "landed ($0.40 before gas)"


def test_everything_is_said_in_one_line():
    found = one(
        Status.LANDED,
        outcome=Outcome(Verdict.TAKEN),
        gross={WETH: 10**18},
        usd=Decimal(2000),
        net={WETH: 1},
        pools=("0xa", "0xb"),
        transactions=(HASH,),
        cause="0x9",
    )
    assert describe(found) == (
        "landed (taken) +1.0000 WETH ($2,000.00 after gas) in 2 pools by 0x12345678…"
    )


FULL = Score(Kind.SANDWICH, "Finder", 21, 2, 3, 4, 5, 6, 7, 8, 9, -0.0123, 3.25, 16, 7)
NEW = Score(Kind.JIT, "Other", 1, 1)


def rows(*scores: Score) -> list[list[str]]:
    paper = io.StringIO()
    Console(file=paper, width=200).print(score_table(scores))
    return [line.split() for line in paper.getvalue().splitlines()]


def test_the_ledgers_table_has_a_row_for_each_kind_and_detector():
    head, full, new = rows(FULL, NEW)
    said = dict(zip(head, full, strict=False))
    names = "predicted", "open", "taken", "competed", "expired", "wrong", "over", "unseen"
    assert [int(said[name]) for name in names] == [21, 2, 3, 4, 5, 6, 7 + 8, 9]
    assert (said["kind"], said["detector"]) == ("sandwich", "Finder")
    assert (said["precision"], said["recall"]) == ("39%", "44%")  # 7 of 18, 7 of 16
    assert full[-3:] == ["-1.23%", "3.2", "s"]
    assert new == ["jit", "Other", "1", "1", *"000000", *"————"]


def test_a_line_of_the_ledger_tells_everything_that_a_score_has():
    line = score_line(FULL)
    fields = set(msgspec.to_builtins(FULL)) | {"precision", "recall"}
    assert set(line) == fields
    assert line.pop("kind") == "sandwich"
    assert line == {name: getattr(FULL, name) for name in fields - {"kind"}}
    assert msgspec.json.decode(msgspec.json.encode(score_line(NEW)))["recall"] is None
