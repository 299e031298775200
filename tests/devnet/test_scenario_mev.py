"""What searchers made, by two readings of the chain: balances, and the logs of their swaps."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

from tests.devnet.addresses import WBTC, WETH
from tests.devnet.played import Played, made, play
from tests.devnet.truth import ETHER

BLOCKS = 34


@pytest.fixture(scope="module")
def played(installed: None) -> Played:
    return trio.run(play, 1, BLOCKS)


def test_sandwiches_surround_their_victims(played: Played):
    for record in played.landed("sandwich"):
        order = played.truth["blocks"][record["block"] - played.truth["blocks"][0]["number"]]
        front, back = [order["transactions"].index(hash_) for hash_ in record["transactions"]]
        between = order["transactions"][front + 1 : back]
        assert set(between) == set(record["victims"])
        assert all(played.receipts[hash_]["status"] == "0x1" for hash_ in between)
        detail = record["detail"]
        swaps = [*detail["frontrun"], *detail["victims"], *detail["backrun"]]
        assert len({swap["pool"] for swap in swaps}) == 1
        assert record["pools"] == [swaps[0]["pool"]]
        assert len(detail["losses"]) == len(between)
        assert all(int(loss) > 0 for loss in detail["losses"])


def test_what_a_sandwich_made_is_the_difference_of_its_legs(played: Played):
    for record in played.landed("sandwich"):
        (front,), (back,) = record["detail"]["frontrun"], record["detail"]["backrun"]
        assert (front["token_in"], front["token_out"]) == (back["token_out"], back["token_in"])
        if record["variant"] == "front_first":
            assert back["amount_in"] == front["amount_out"]
            profit = int(back["amount_out"]) - int(front["amount_in"])
            assert made(record) == {front["token_in"]: profit}
        else:
            assert back["amount_out"] == front["amount_in"]
            profit = int(front["amount_out"]) - int(back["amount_in"])
            assert made(record) == {front["token_out"]: profit}
        assert profit > 0


def test_an_arbitrage_is_a_cycle_and_makes_the_difference_of_its_ends(played: Played):
    legs = {"v2_v2": 2, "v2_v3": 2, "three_legs": 3}
    found = [record for record in played.landed("arbitrage") if not record["reverted"]]
    assert len(found) > 4
    for record in found:
        path = record["detail"]["path"]
        assert len(path) == legs[record["variant"].removeprefix("backrun_")]
        for one, following in zip(path, [*path[1:], path[0]], strict=True):
            assert one["token_out"] == following["token_in"]
        for one, following in pairwise(path):
            assert one["amount_out"] == following["amount_in"]
        profit = int(path[-1]["amount_out"]) - int(path[0]["amount_in"])
        assert made(record) == {path[0]["token_in"]: profit}
        assert profit > 0


def test_who_comes_too_late_makes_nothing(played: Played):
    found = played.landed("arbitrage", "too_late")
    assert found
    for record in found:
        assert record["reverted"]
        assert record["gross"] == record["detail"] == {}
        assert int(record["net"][ETHER]) == -int(record["gas_wei"])
        assert played.receipts[record["transactions"][0]]["logs"] == []


def test_a_backrun_comes_right_after_its_cause(played: Played):
    for record in played.landed("arbitrage", "backrun_v2_v2", "backrun_v2_v3"):
        order = played.truth["blocks"][record["block"] - played.truth["blocks"][0]["number"]]
        place = order["transactions"].index(record["transactions"][0])
        assert order["transactions"][place - 1] == record["cause"]


def test_a_liquidation_follows_the_price_and_moves_what_it_says(played: Played):
    found = played.landed("liquidation")
    assert {record["detail"]["collateral_token"] for record in found} == {WETH, WBTC}
    for record in found:
        detail = record["detail"]
        assert float(detail["health_factor"]) < 1
        assert made(record) == {
            detail["collateral_token"]: int(detail["collateral_amount"]),
            detail["debt_token"]: -int(detail["debt_amount"]),
        }
        order = played.truth["blocks"][record["block"] - played.truth["blocks"][0]["number"]]
        place = order["transactions"].index(record["transactions"][0])
        assert order["transactions"][place - 1] == record["cause"]


def test_quick_liquidity_surrounds_one_swap(played: Played):
    found = played.landed("jit")
    assert found
    for record in found:
        mint, burn = record["detail"]["mint"], record["detail"]["burn"]
        assert mint["liquidity"] == burn["liquidity"]
        assert (mint["tick_lower"], mint["tick_upper"]) == (burn["tick_lower"], burn["tick_upper"])
        (swap,) = record["detail"]["swaps"]
        assert swap["pool"] == mint["pool"] == burn["pool"]
        assert mint["log_index"] < swap["log_index"] < burn["log_index"]
        moved = {int(burn[f"collected{n}"]) - int(mint[f"amount{n}"]) for n in (0, 1)}
        assert set(made(record).values()) == moved


def test_the_producer_earned_the_tips_and_what_was_sent_along(played: Played):
    bribes: dict[str, int] = {}
    for record in played.truth["planted"]:
        if record["searcher"] is not None:
            block = record["block_hash"]
            bribes[block] = bribes.get(block, 0) + int(record["builder_wei"])
    for block in played.truth["blocks"]:
        tips = sum(
            int(r["gasUsed"], 16) * (int(r["effectiveGasPrice"], 16) - int(block["base_fee"]))
            for r in (played.receipts[hash_] for hash_ in block["transactions"])
        )
        assert played.earned[block["hash"]] == tips + bribes.get(block["hash"], 0)
    assert any(bribes.values())


@pytest.mark.parametrize("seed", range(11, 14))
def test_any_seed_plays_to_its_end(seed: int):
    played = trio.run(play, seed, 60)
    assert len(played.truth["blocks"]) >= 60
    test_what_a_sandwich_made_is_the_difference_of_its_legs(played)
    test_an_arbitrage_is_a_cycle_and_makes_the_difference_of_its_ends(played)
    test_the_producer_earned_the_tips_and_what_was_sent_along(played)
