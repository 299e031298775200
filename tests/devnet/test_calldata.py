"""Every pending transaction of a scenario is read, and what it says is what the chain then did."""

from __future__ import annotations

from collections import Counter

import pytest
import trio

from tests.devnet.addresses import (
    AAVE_POOL,
    ROUTER_02,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    V3_ROUTER,
)
from tests.devnet.deploy import devnet
from tests.devnet.played import Played, _look
from tests.devnet.routers import EVERY, variant_of
from tests.devnet.rpc import Json, open_rpc
from tests.devnet.scenario import open_scenario
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.logs import LogDecoder
from trio_mev.chain.logs.aave import AaveLiquidation
from trio_mev.chain.logs.uniswap import V2Swap, V3Swap
from trio_mev.model.chain import Log
from trio_mev.model.intents import Intent, Lending, LendingIntent, PoolKind, SwapIntent

BLOCKS = 45
ROUTERS = {UNISWAP_V2_ROUTER, SUSHISWAP_ROUTER, V3_ROUTER, ROUTER_02, UNIVERSAL_ROUTER}


async def _play() -> tuple[Played, dict[str, Json]]:
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        scenario = await open_scenario(rpc, 5)
        await scenario.play(BLOCKS)
        return await _look(rpc, await scenario.truth()), scenario.stage.sent


@pytest.fixture(scope="module")
def scene(installed: None) -> tuple[Played, dict[str, Json]]:
    return trio.run(_play)


@pytest.fixture(scope="module")
def intents(scene: tuple[Played, dict[str, Json]]) -> dict[str, tuple[Intent, ...]]:
    """What each transaction that the node was given says, by hash."""
    decoder = CallDecoder()
    return {
        hash_: decoder.decode(
            body["to"].lower(),
            bytes.fromhex(body["input"][2:]),
            body["from"].lower(),
            int(body["value"], 16),
        )
        for hash_, body in scene[1].items()
    }


def events_of(receipt: Json) -> list[tuple[str, object]]:
    decoder = LogDecoder()
    found = []
    for one in receipt["logs"]:
        data = bytes.fromhex(one["data"][2:])
        log = Log("", 0, 0, "", 0, one["address"], tuple(one["topics"]), data)
        found.append((one["address"], decoder.decode(log)))
    return found


def test_every_call_of_a_router_is_read(scene, intents):
    """Each of the 26 methods, those that were replaced, dropped or retracted among them."""
    read = Counter()
    for hash_, body in scene[1].items():
        if body["to"].lower() in ROUTERS:
            assert all(isinstance(i, SwapIntent) and i.hops for i in intents[hash_]), body
            read[body["to"].lower()] += 1
    assert set(read) == ROUTERS
    planted = {
        (record["router"], record["variant"])
        for record in scene[0].truth["planted"]
        if record["kind"] == "swap"
    }
    assert planted >= {(router, variant_of(method)) for router, method in EVERY}


def swaps_in(receipt: Json) -> list[tuple[PoolKind, int, int, str]]:
    """By what rule, what went in, what came out, and whom it went to."""
    found = []
    for _, event in events_of(receipt):
        if isinstance(event, V2Swap):
            paid, got = event.amount0_in + event.amount1_in, event.amount0_out + event.amount1_out
            found.append((PoolKind.V2, paid, got, event.to))
        if isinstance(event, V3Swap):
            amounts = event.amount0, event.amount1
            found.append((PoolKind.V3, max(amounts), -min(amounts), event.recipient))
    return found


def test_what_is_promised_is_what_the_receipts_show(scene, intents):
    """Of every swap of a router that succeeded: its pools, its exact amount, its limit."""
    played, sent = scene
    checked = Counter()
    for hash_, receipt in played.receipts.items():
        body = sent.get(hash_)
        if body is None or body["to"].lower() not in ROUTERS or receipt["status"] != "0x1":
            continue
        (intent,) = intents[hash_]
        swaps = swaps_in(receipt)
        kinds = [kind for kind, *_ in swaps]
        assert kinds == [hop.kind for hop in intent.hops]
        # In trading order even where the last pool is called first: it logs when it is done.
        first, last = swaps[0], swaps[-1]
        if intent.exact_out:
            # The newer routers give whatever the computed input brings of a pair.
            whole = kinds[0] is PoolKind.V3 or body["to"].lower() == UNISWAP_V2_ROUTER
            assert last[2] == intent.amount if whole else last[2] >= intent.amount
            assert first[1] <= intent.limit
        else:
            assert first[1] == intent.amount
            assert last[2] >= intent.limit
        assert intent.recipient == body["from"].lower()
        assert last[3] in {intent.recipient, body["to"].lower()}
        checked[body["to"].lower(), body["input"][:10]] += 1
    assert len(checked) >= 20
    assert checked.total() > 100


def test_ordinary_swaps_are_those_of_the_truth(scene, intents):
    """Tokens and amounts, as the scenario's own truth has them."""
    checked = 0
    for record in scene[0].landed("swap"):
        detail = record["detail"]
        if record["reverted"] or not detail:
            continue
        (intent,) = intents[record["transactions"][0]]
        hop = next(
            hop
            for hop in intent.hops
            if (hop.token_in, hop.token_out) == (detail["token_in"], detail["token_out"])
        )
        assert (hop.kind is PoolKind.V3) == ("v3" in detail["protocol"])
        checked += 1
    assert checked > 50


def test_liquidations_and_loans_are_read(scene, intents):
    played, sent = scene
    actions = Counter()
    for hash_, body in sent.items():
        if body["to"].lower() == AAVE_POOL:
            (intent,) = intents[hash_]
            assert isinstance(intent, LendingIntent)
            actions[intent.action] += 1
    assert actions[Lending.BORROW] >= 2
    assert actions[Lending.LIQUIDATE] >= 2
    for record in played.landed("liquidation"):
        receipt = played.receipts[record["transactions"][-1]]
        (event,) = [e for _, e in events_of(receipt) if isinstance(e, AaveLiquidation)]
        (intent,) = [
            i for h in record["transactions"] for i in intents[h] if isinstance(i, LendingIntent)
        ]
        assert (intent.account, intent.asset, intent.collateral) == (
            event.account,
            event.debt,
            event.collateral,
        )
        assert intent.whole or intent.amount >= event.debt_covered
