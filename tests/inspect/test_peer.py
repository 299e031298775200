"""The rules on the swaps that mev-inspect-py finds in recorded blocks: where it is right they say
the same, and where its answer has been shown to be wrong they do not."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.inspect.blocks import WETH
from trio_mev.chain.logs.venues import Transfer
from trio_mev.inspect import Inspection, Known, Mined, MinedBlock
from trio_mev.inspect.acts import Act
from trio_mev.inspect.budget import Budget
from trio_mev.inspect.inspector import judge
from trio_mev.model.chain import Log
from trio_mev.model.opportunity import Kind, Opportunity, SwapRecord

USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
BLOCKS = (
    11931272,
    12483198,
    12498502,
    12775690,
    12914944,
    13207907,
    13234998,
    13244807,
    13326607,
    13376024,
    13404932,
    13666184,
    13666363,
)


def load(path: Path) -> Any:
    with gzip.open(path) as file:
        return msgspec.json.decode(file.read())


class Recorded:
    """A block's traces, and what the peer made of them."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.answer = load(folder / "expected" / f"{number}.json.gz")
        self.traces = load(folder / "traces" / f"{number}.json.gz")["traces"]
        self._failed = {
            (one["transaction_hash"], tuple(one["trace_address"]))
            for one in self.traces
            if one.get("error")
        }

    def took_effect(self, one: dict) -> bool:
        """Whether neither a call nor one that it is inside of was reverted."""
        address = tuple(one["trace_address"])
        return not any(
            (one["tx"], address[:depth]) in self._failed for depth in range(len(address) + 1)
        )

    def inspected(self) -> Inspection:
        """What our rules make of the peer's swaps and transfers."""
        acts = [self._act(*one) for one in self._transactions()]
        block = MinedBlock(self.number, "0x", tuple(act.mined for act in acts))
        return judge(block, acts, Counter(), Known(), Budget())

    def _transactions(self) -> list[tuple[int, str, dict]]:
        outer = (one for one in self.traces if one["trace_address"] == [])
        return sorted(
            (one["transaction_position"], one["transaction_hash"], one["action"])
            for one in outer
            if one["transaction_hash"] is not None
        )

    def _act(self, place: int, name: str, action: dict) -> Act:
        said = [
            (Log("0x", 1, 0, name, place, one["token"], (), b""), self._transfer(one))
            for one in self.answer["transfers"]
            if one["tx"] == name and self.took_effect(one)
        ]
        mined = Mined(name, place, (), action.get("from"), action.get("to"))
        swaps = [
            self._swap(one, 1000 * place + number)
            for number, one in enumerate(self.answer["swaps"])
            if one["tx"] == name and self.took_effect(one)
        ]
        return Act(mined, said, swaps, len(swaps))

    @staticmethod
    def _transfer(one: dict) -> Transfer:
        return Transfer(one["from_"], one["to"], one["amount"])

    @staticmethod
    def _swap(one: dict, index: int) -> SwapRecord:
        return SwapRecord(
            one["pool"],
            one["protocol"] or one["abi"],
            one["token_in"],
            one["amount_in"],
            one["token_out"],
            one["amount_out"],
            one["tx"],
            index,
            tuple(one["trace_address"]),
            one["from_"],
            one["to"],
        )


@pytest.fixture(scope="module")
def recorded(corpus: Path) -> dict[int, Recorded]:
    return {number: Recorded(corpus / "mainnet", number) for number in BLOCKS}


@pytest.fixture(scope="module")
def ours(recorded: dict[int, Recorded]) -> dict[int, Inspection]:
    return {number: one.inspected() for number, one in recorded.items()}


@pytest.fixture(scope="module")
def audit(corpus: Path) -> list[dict]:
    return msgspec.json.decode((corpus / "mainnet/expected/audit.json").read_bytes())


def of(inspection: Inspection, kind: Kind) -> dict[str, Opportunity]:
    return {one.transactions[0]: one for one in inspection.opportunities if one.kind is kind}


def wrong(audit: list[dict], kind: str) -> dict[str, dict]:
    return {one["tx"]: one for one in audit if one["kind"] == kind}


def test_every_arbitrage_that_is_one_is_found_with_its_amount(recorded, ours, audit):
    false = wrong(audit, "false_positive_arbitrage").keys()
    unmade = wrong(audit, "unrealised_arbitrage").keys()
    seen = 0
    for number, one in recorded.items():
        found = of(ours[number], Kind.ARBITRAGE)
        inside = {
            hash_
            for each in of(ours[number], Kind.SANDWICH).values()
            if Kind.ARBITRAGE in each.alternatives
            for hash_ in each.transactions
        }
        for peer in one.answer["arbitrages"]:
            hash_ = peer["tx"]
            if hash_ in {*false, *unmade}:
                assert hash_ not in found
            elif hash_ not in inside:
                assert found.pop(hash_).gross[peer["profit_token"]] == peer["profit_amount"]
                seen += 1
        for hash_, each in found.items():
            missed = wrong(audit, "missed_arbitrage")[hash_]
            assert each.gross == missed["net"]
            seen += 1
    assert seen == 13


def test_what_is_left_over_on_the_way_is_said_too(ours):
    """The peer counts the start's token alone."""
    several = [
        one.gross
        for each in ours.values()
        for one in each.opportunities
        if one.gross is not None and len(one.gross) > 1
    ]
    assert several == [{WETH: 18231262442915460, USDC: 18938633}]


def test_what_only_looks_like_mev_is_none(ours, audit):
    alike = wrong(audit, "not_mev_but_looks_like_it")
    assert len(alike) == 2
    for hash_, one in alike.items():
        landed = ours[one["block"]].opportunities
        assert all(hash_ not in each.transactions for each in landed)


def test_every_sandwich_is_found_once_with_what_it_really_made(recorded, ours, audit):
    found = {number: list(of(one, Kind.SANDWICH).values()) for number, one in ours.items()}
    for number, one in recorded.items():
        ends = {(peer["front_tx"], peer["back_tx"]) for peer in one.answer["sandwiches"]}
        assert {each.transactions for each in found[number]} == ends
    victims = {number: len(each[0].victims) for number, each in found.items() if each}
    assert victims == {12775690: 4, 12914944: 1, 13234998: 1, 13404932: 1, 13666363: 1}
    (plain,), (double,), (selling,) = found[12775690], found[12914944], found[13666363]
    assert plain.gross == {WETH: 49991481915322274}
    (twice,) = [one for one in audit if one["kind"] == "sandwich_double_count"]
    assert double.gross == {WETH: twice["true_gross_profit"]["weth"]}
    (other,) = [one for one in audit if one["kind"] == "sandwich_profit_in_other_token"]
    assert selling.gross == other["true_gross"]


def test_a_front_that_loses_and_a_back_that_makes_more_are_one_sandwich(ours, audit):
    """What the peer calls two arbitrages are its legs."""
    (front,) = wrong(audit, "false_positive_arbitrage").values()
    (one,) = of(ours[13404932], Kind.SANDWICH).values()
    assert one.transactions[0] == front["tx"]
    assert one.gross == {WETH: 346702828872370621 + front["claimed_profit"]}
