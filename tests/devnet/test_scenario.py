"""The truth of a scenario agrees with the chain, whichever way one asks it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import attrs
import msgspec
import pytest
import trio

from tests.devnet.addresses import PRODUCER, WBTC, WETH
from tests.devnet.deploy import devnet
from tests.devnet.rpc import Json, Rpc, open_rpc
from tests.devnet.scenario import open_scenario
from tests.devnet.scenario_swaps import EVERY
from tests.devnet.truth import ETHER

BLOCKS = 45


@attrs.frozen(eq=False)
class Played:
    """A truth, and what the node said of the same blocks by other calls."""

    truth: Json
    bodies: dict[str, Json]
    """Every block that is left, with whole transactions, by hash."""
    receipts: dict[str, Json]
    earned: dict[str, int]
    """What the producer had more of after each block."""

    def landed(self, kind: str, *variants: str) -> list[Json]:
        """What was planted and is in the chain."""
        return [
            record
            for record in self.truth["planted"]
            if record["kind"] == kind
            and record["status"] == "landed"
            and (not variants or record["variant"] in variants)
        ]


async def _play(seed: int, blocks: int) -> Played:
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        scenario = await open_scenario(rpc, seed)
        await scenario.play(blocks)
        return await _look(rpc, await scenario.truth())


async def _look(rpc: Rpc, truth: Json) -> Played:
    bodies, receipts, earned = {}, {}, {}
    for block in truth["blocks"]:
        number = hex(block["number"])
        bodies[block["hash"]] = await rpc.call("eth_getBlockByNumber", number, True)
        for receipt in await rpc.call("eth_getBlockReceipts", number):
            receipts[receipt["transactionHash"]] = receipt
        before, after = [
            await rpc.number("eth_getBalance", PRODUCER, hex(at))
            for at in (block["number"] - 1, block["number"])
        ]
        earned[block["hash"]] = after - before
    return Played(truth, bodies, receipts, earned)


@pytest.fixture(scope="module")
def played(installed: None) -> Played:
    return trio.run(_play, 1, BLOCKS)


def made(record: Json) -> dict[str, int]:
    return {token: int(amount) for token, amount in record["gross"].items()}


def test_everything_is_planted(played: Played):
    planted = {(record["kind"], record["variant"]) for record in played.truth["planted"]}
    assert planted >= {
        ("sandwich", "front_first"),
        ("sandwich", "sell_first"),
        ("arbitrage", "v2_v2"),
        ("arbitrage", "v2_v3"),
        ("arbitrage", "three_legs"),
        ("arbitrage", "too_late"),
        ("arbitrage", "backrun_v2_v2"),
        ("arbitrage", "backrun_v2_v3"),
        ("liquidation", "oracle"),
        ("jit", "jit"),
        ("swap", "large"),
        ("swap", "replacement"),
    }
    assert {len(record["victims"]) for record in played.landed("sandwich")} >= {1, 2, 3}
    assert [reorg["depth"] for reorg in played.truth["reorgs"]][:7] == [1, 2, 3, 4, 5, 6, 7]
    assert {fate["fate"] for fate in played.truth["pending"]} == {
        "included",
        "replaced",
        "dropped",
        "retracted",
    }


def test_every_router_and_method_is_called(played: Played):
    methods = {
        (record["detail"]["router"], record["variant"])
        for record in played.truth["planted"]
        if record["kind"] == "swap" and "router" in record["detail"]
    }
    assert methods >= {(router, method.partition("(")[0]) for router, method in EVERY}


def test_the_blocks_are_the_nodes_own_and_a_chain(played: Played):
    parent = None
    for block in played.truth["blocks"]:
        body = played.bodies[block["hash"]]
        assert block["transactions"] == [each["hash"] for each in body["transactions"]]
        assert parent in (None, block["parent"])
        assert block["timestamp"] == int(body["timestamp"], 16)
        parent = block["hash"]
    assert sum(not block["transactions"] for block in played.truth["blocks"]) > 10


def test_time_and_fees_follow_the_chains_rules(played: Played):
    for before, block in pairwise(played.truth["blocks"]):
        assert block["timestamp"] - before["timestamp"] == 12
        target = int(played.bodies[before["hash"]]["gasLimit"], 16) // 2
        fee, used = int(before["base_fee"]), before["gas_used"]
        change = fee * abs(used - target) // target // 8
        expected = fee + max(1, change) if used > target else fee - change
        assert int(block["base_fee"]) == expected


def test_reorganisations_replace_what_they_say(played: Played):
    final = {block["hash"] for block in played.truth["blocks"]}
    for reorg in played.truth["reorgs"]:
        assert len(reorg["retracted"]) == len(reorg["added"]) == reorg["depth"]
        assert not set(reorg["retracted"]) & set(reorg["added"])
        assert not set(reorg["retracted"]) & final
    gone = {hash_ for reorg in played.truth["reorgs"] for hash_ in reorg["retracted"]}
    for record in played.truth["planted"]:
        assert (record["status"] == "retracted") == (record["block_hash"] in gone)
        assert (record["block_hash"] in final) == (record["status"] == "landed")


def test_receipts_say_the_same(played: Played):
    for record in played.truth["planted"]:
        if record["status"] != "landed":
            continue
        receipts = [played.receipts[hash_] for hash_ in record["transactions"]]
        assert {receipt["blockHash"] for receipt in receipts} == {record["block_hash"]}
        assert record["reverted"] == (receipts[-1]["status"] == "0x0")
        gas = [int(r["gasUsed"], 16) * int(r["effectiveGasPrice"], 16) for r in receipts]
        assert int(record["gas_wei"]) == sum(gas)


def test_a_transaction_that_comes_again_is_the_same_one(played: Played):
    status: dict[str, list[str]] = {}
    for record in played.truth["planted"]:
        for hash_ in record["transactions"]:
            status.setdefault(hash_, []).append(record["status"])
    again = [each for each in status.values() if len(each) > 1]
    assert again
    assert any(each[0] == "retracted" and each[-1] == "landed" for each in again)
    assert all(each.count("landed") <= 1 for each in again)


def test_sandwiches_surround_their_victims(played: Played):
    for record in played.landed("sandwich"):
        order = played.truth["blocks"][record["block"] - played.truth["blocks"][0]["number"]]
        front, back = [order["transactions"].index(hash_) for hash_ in record["transactions"]]
        between = order["transactions"][front + 1 : back]
        assert set(between) == set(record["victims"])
        assert all(played.receipts[hash_]["status"] == "0x1" for hash_ in between)
        swaps = [swap for part in record["detail"].values() for swap in part]
        assert len({swap["pool"] for swap in swaps}) == 1
        assert record["detail"]["frontrun"][0]["pool"] in record["pools"]


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


def test_each_ordinary_swap_is_among_its_blocks_swaps(played: Played):
    swaps = {
        (swap["transaction"], swap["log_index"]): swap
        for block in played.truth["blocks"]
        for swap in block["swaps"]
    }
    for record in played.landed("swap"):
        listed = record["detail"].get("swaps", [])
        assert bool(listed) != record["reverted"]
        for swap in listed:
            assert swaps[swap["transaction"], swap["log_index"]] == swap
    assert any(record["reverted"] for record in played.landed("swap"))


def test_pending_transactions_end_as_it_says(played: Played):
    final = {hash_ for block in played.truth["blocks"] for hash_ in block["transactions"]}
    nonces: dict[tuple[str, int], list[str]] = {}
    for fate in played.truth["pending"]:
        assert (fate["hash"] in final) == (fate["fate"] == "included")
        assert (fate["by"] is not None) == (fate["fate"] == "replaced")
        nonces.setdefault((fate["from"], fate["nonce"]), []).append(fate["hash"])
        if fate["fate"] == "replaced":
            assert fate["by"] in nonces[fate["from"], fate["nonce"]] or fate["by"] in final
    assert final == {f["hash"] for f in played.truth["pending"] if f["fate"] == "included"}


def differing(one: Any, other: Any) -> bool:
    return msgspec.json.encode(one) != msgspec.json.encode(other)


@pytest.fixture(scope="module")
def truths(installed: None) -> Callable[[int], Json]:
    def play(seed: int) -> Json:
        return trio.run(_play, seed, 12).truth

    return play


def test_the_same_seed_gives_the_same_truth(truths: Callable[[int], Json]):
    first = truths(7)
    assert not differing(first, truths(7))
    assert differing(first, truths(8))


@pytest.mark.parametrize("seed", range(11, 14))
def test_any_seed_plays_to_its_end(seed: int):
    played = trio.run(_play, seed, 60)
    assert len(played.truth["blocks"]) >= 60
    test_what_a_sandwich_made_is_the_difference_of_its_legs(played)
    test_an_arbitrage_is_a_cycle_and_makes_the_difference_of_its_ends(played)
    test_the_producer_earned_the_tips_and_what_was_sent_along(played)
