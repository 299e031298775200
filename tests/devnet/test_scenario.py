"""The truth of a scenario agrees with the chain, whichever way one asks it."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
import trio

from tests.devnet.played import Played, play
from tests.devnet.routers import EVERY, variant_of

BLOCKS = 45


@pytest.fixture(scope="module")
def played(installed: None) -> Played:
    return trio.run(play, 1, BLOCKS)


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
    fates = {fate["fate"] for fate in played.truth["pending"]}
    assert fates >= {"included", "replaced", "dropped", "retracted"}


def test_every_router_and_method_is_called(played: Played):
    methods = {
        (record["router"], record["variant"])
        for record in played.truth["planted"]
        if record["kind"] == "swap" and not record["reverted"]
    }
    assert methods >= {(router, variant_of(method)) for router, method in EVERY}


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
    landed: dict[str, set[str]] = {}
    retracted: set[str] = set()
    for record in played.truth["planted"]:
        for hash_ in record["transactions"]:
            if record["status"] == "landed":
                landed.setdefault(hash_, set()).add(record["block_hash"])
            else:
                retracted.add(hash_)
    assert retracted & set(landed)
    assert all(len(blocks) == 1 for blocks in landed.values())


def test_each_ordinary_swap_is_among_its_blocks_swaps(played: Played):
    swaps = {
        (swap["transaction"], swap["log_index"]): swap
        for block in played.truth["blocks"]
        for swap in block["swaps"]
    }
    for record in played.landed("swap"):
        swap = record["detail"]
        assert bool(swap) != record["reverted"]
        assert not swap or swaps[swap["transaction"], swap["log_index"]] == swap
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


def test_the_same_seed_gives_the_same_truth(installed: None):
    one, again, other = [trio.run(play, seed, 12).truth for seed in (7, 7, 8)]
    assert msgspec.json.encode(one) == msgspec.json.encode(again)
    assert one["blocks"][-1]["hash"] != other["blocks"][-1]["hash"]


def test_a_transaction_may_wait_for_a_block_with_room(played: Played):
    pending = {fate["hash"]: fate for fate in played.truth["pending"]}
    places = [fate["block"] for fate in pending.values() if fate["fate"] == "included"]
    order = [place for place in places if place is not None]
    # In the order of sending, a number that is above a later one has waited.
    assert any(one > min(order[at:]) for at, one in enumerate(order))
