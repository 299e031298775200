"""What users of block inspectors complain of, each part as a test of its own: by the command on
recorded traces, and where no recording has the case, on blocks made for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    EVE,
    ROUTER,
    WETH,
    A,
    B,
    P,
    act,
    found,
    hash_of,
    only,
    swapped,
)
from trio_mev.inspect import Known
from trio_mev.model.opportunity import Kind

ROOT = Path(__file__).parents[2]
ETHER = "0x" + "ee" * 20
Line = dict[str, Any]


@pytest.fixture(scope="module")
def lines(corpus: Path) -> list[Line]:
    """What the command finds in thirteen blocks."""
    paths = sorted((corpus / "mainnet" / "traces").glob("*.json.gz"))
    command = [sys.executable, "-m", "trio_mev", "inspect", "--json", *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(lines: list[Line], kind: str, block: int | None = None) -> list[Line]:
    return [line for line in lines if line["kind"] == kind and block in {None, line.get("block")}]


def audited(corpus: Path, kind: str) -> list[Line]:
    every = json.loads((corpus / "mainnet/expected/audit.json").read_text())
    return [one for one in every if one["kind"] == kind]


# A sandwich's profit is inflated when its legs are unequal (mev-inspect-py 283).


def test_what_the_back_sells_more_than_the_front_bought_is_a_loss_beside_the_gain():
    one = only(
        act(EVE, BOT, swapped(P, 1000, 2000)),
        act(ANN, BEN, swapped(P, 500, 900, who=ANN)),
        act(EVE, BOT, swapped(P, 3000, 1700, down=False)),
    )
    assert one.gross == {A: 700, B: -1000}


def test_what_the_front_bought_and_the_back_keeps_is_a_gain_beside_the_loss():
    one = only(
        act(EVE, BOT, swapped(P, 1000, 2000)),
        act(ANN, BEN, swapped(P, 500, 900, who=ANN)),
        act(EVE, BOT, swapped(P, 1500, 980, down=False)),
    )
    assert one.gross == {A: -20, B: 500}


def test_one_sandwich_in_two_pools_counts_once_with_its_true_profit(lines, corpus):
    (truth,) = audited(corpus, "sandwich_double_count")
    (one,) = of(lines, "sandwich", truth["block"])
    assert one["gross"] == {WETH: str(truth["true_gross_profit"]["weth"])}


# Sandwiches are missed (mev-inspect-py 304).


def test_several_victims_are_one_sandwich(lines):
    (one,) = of(lines, "sandwich", 12775690)
    assert len(one["victims"]) == 4


def test_a_sandwich_that_sells_first_is_found_with_its_profit(lines, corpus):
    (truth,) = audited(corpus, "sandwich_profit_in_other_token")
    (one,) = of(lines, "sandwich", truth["block"])
    assert one["transactions"] == [truth["front"], truth["back"]]
    assert one["gross"] == {t: str(n) for t, n in truth["true_gross"].items()}


def test_several_fronts_and_backs_are_one_sandwich():
    one = only(
        act(EVE, BOT, swapped(P, 1000, 2000)),
        act(EVE, BOT, swapped(P, 1000, 1900)),
        act(ANN, BEN, swapped(P, 500, 900, who=ANN)),
        act(EVE, BOT, swapped(P, 2000, 1100, down=False)),
        act(EVE, BOT, swapped(P, 1900, 1050, down=False)),
    )
    assert one.kind is Kind.SANDWICH
    assert one.transactions == tuple(hash_of(n) for n in (0, 1, 3, 4))
    assert one.gross == {A: 150}


# Routers are taken for attackers (mev-inspect-py 242).


def test_people_who_use_one_router_are_not_one_attacker():
    apart = (
        act(ANN, ROUTER, swapped(P, 1000, 2000, who=ROUTER)),
        act(BEN, ROUTER, swapped(P, 500, 900, who=ROUTER)),
        act(EVE, ROUTER, swapped(P, 2000, 1100, down=False, who=ROUTER)),
    )
    assert found(*apart) == ()
    # The same of a contract that is nobody's router is one.
    bots = tuple({**one, "to": BOT if one["sender"] != BEN else BEN} for one in apart)
    assert [one.kind for one in found(*bots)] == [Kind.SANDWICH]
    assert found(*bots, known=Known(tokens_of=lambda _: (A, B), shared=frozenset({BOT}))) == ()


def test_no_known_contract_is_anybodys_searcher(lines):
    searchers = {line["searcher"] for line in lines if "searcher" in line}
    assert len(searchers) > 10
    assert searchers.isdisjoint(Known().shared)


# Liquidations with ether are missed (mev-inspect-py 313).


@pytest.mark.parametrize(
    ("block", "amount"), [(13207907, 414547860568297082), (13234998, 268066492249420078)]
)
def test_a_liquidation_that_repays_ether_is_found(lines, block: int, amount: int):
    (one,) = of(lines, "liquidation", block)
    assert (one["detail"]["debt_token"], one["detail"]["debt_amount"]) == (ETHER, str(amount))


# "Arbitrage" with a negative profit (mev-inspect-py 325).


def test_a_sandwichs_front_is_no_arbitrage_that_loses(lines, corpus):
    (truth,) = audited(corpus, "false_positive_arbitrage")
    arbitrages = of(lines, "arbitrage", truth["block"])
    assert all(truth["tx"] not in one["transactions"] for one in arbitrages)
    (sandwich,) = of(lines, "sandwich", truth["block"])
    assert sandwich["transactions"][0] == truth["tx"]


def test_every_arbitrage_gains_and_loses_nothing(lines):
    made = [one for one in of(lines, "arbitrage") if not one["reverted"]]
    assert len(made) >= 13
    for one in made:
        assert one["gross"]
        assert all(int(amount) > 0 for amount in one["gross"].values())


def test_what_was_reverted_made_nothing_and_is_in_no_total(lines, corpus):
    (truth,) = audited(corpus, "unrealised_arbitrage")
    about = [line for line in lines if truth["tx"] in line.get("transactions", ())]
    assert all(one["reverted"] and not one["gross"] for one in about)
    total = lines[-1]["totals"]["arbitrage"]
    made = [one for one in of(lines, "arbitrage") if not one["reverted"]]
    assert int(total["gross"][WETH]) == sum(int(one["gross"].get(WETH, 0)) for one in made)
    assert total["count"] == len(made) == lines[-1]["findings"]["arbitrage"]


def test_a_net_under_zero_is_said_to_be_one(lines):
    """Whoever pays the builder more than there was has lost, and a profit before costs is no
    profit: both are there, by token."""
    known = [one for one in lines[:-1] if one["net"] is not None]
    assert len(known) > 10
    for one in known:
        spent = int(one["gas_wei"]) + int(one["builder_wei"] or 0)
        assert int(one["net"][ETHER]) == int(one["gross"].get(ETHER, 0)) - spent


# What the liquidator repaid is ignored (mev-explore-public 9).


def test_what_a_liquidator_repaid_is_taken_from_what_it_got(lines):
    kept = [
        one
        for one in of(lines, "liquidation")
        if {one["detail"]["collateral_token"], one["detail"]["debt_token"]} <= one["gross"].keys()
    ]
    assert len(kept) >= 5
    for one in kept:
        detail, gross = one["detail"], one["gross"]
        assert int(gross[detail["debt_token"]]) == -int(detail["debt_amount"])
        assert int(gross[detail["collateral_token"]]) == int(detail["collateral_amount"])


def test_collateral_that_was_sold_at_once_counts_by_what_was_left(lines):
    (one,) = of(lines, "liquidation", 13244807)
    assert int(one["detail"]["collateral_amount"]) > 8 * 10**18
    assert one["gross"] == {WETH: "327033932736386881"}
