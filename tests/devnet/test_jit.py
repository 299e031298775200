"""Every stay of liquidity that is planted is predicted before its block, to the last unit."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import pytest
import trio

from tests.devnet.addresses import POSITIONS, PROVIDER_OF_LIQUIDITY
from tests.devnet.cast import QUICK_PROVIDER
from tests.devnet.chain import Chain
from tests.devnet.deploy import GWEI, devnet
from tests.devnet.jit_watch import JitWatch, watch
from tests.devnet.markets import find_markets
from tests.devnet.rpc import Json, Rpc, open_rpc
from tests.devnet.scenario import Scenario, open_scenario
from tests.devnet.scenario_arbitrage import backrun
from tests.devnet.scenario_mev import quick_liquidity, sandwich
from tests.devnet.scenario_pending import dropped, replaced
from tests.devnet.scenario_programme import Act, Programme
from tests.devnet.scenario_searchers import swap_at
from tests.devnet.stage import Round
from tests.devnet.uniswap import MINT, NEVER, SPACING, around, current_tick
from trio_mev.config import loads
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.opportunity import Grounds, JustInTime, Kind, Opportunity, Status
from trio_mev.stream import open_stream
from trio_mev.wire.lines import line_of

SEEDS = int(os.environ.get("JIT_SEEDS", "3"))


async def addition(round_: Round, tip: int, swaps: bool) -> None:
    """Somebody adds liquidity to stay, and somebody else swaps in the same pool."""
    stage, owner = round_.stage, PROVIDER_OF_LIQUIDITY
    market = stage.random.choice([m for m in round_.markets if m.concentrated])
    round_.claim(market)
    token_in = stage.random.choice(market.tokens)
    depths = [await market.depth(stage.chain, token) for token in market.tokens]
    tick, spacing = await current_tick(stage.chain, market.address), SPACING[market.fee]
    position = (
        *market.tokens,
        market.fee,
        *around(tick, 200 * spacing, spacing),
        *(depth // 1_000 for depth in depths),
        0,
        0,
        owner,
        NEVER,
    )
    if swaps:
        paid = depths[market.tokens.index(token_in)] // 10_000
        await swap_at(round_, market, token_in, paid, 2 * GWEI)
    await stage.send(owner, POSITIONS, MINT, position, tip=tip)


def programme() -> Programme:
    """Stays among all else that is pending."""
    entries: tuple[list[Act] | int, ...] = (
        [],
        [quick_liquidity],
        [quick_liquidity, partial(sandwich, variant="front_first", victims=2)],
        [partial(addition, tip=4 * GWEI, swaps=True)],
        [quick_liquidity, replaced],
        [partial(addition, tip=GWEI, swaps=True), dropped],
        [partial(backrun, variant="v2_v3"), quick_liquidity],
        [partial(addition, tip=4 * GWEI, swaps=False), quick_liquidity],
        [partial(sandwich, variant="sell_first", victims=1)],
        [quick_liquidity, partial(addition, tip=4 * GWEI, swaps=True)],
    )
    return Programme(entries, frozenset())


async def played(seed: int, rpc: Rpc) -> tuple[Scenario, JitWatch, list[Json]]:
    scenario = await open_scenario(rpc, seed)
    seen = await watch(rpc, scenario.stage.reader.markets.values())
    scenario.stage.witness = seen
    chosen = programme()
    await scenario.play(len(chosen.entries), chosen)
    truth = await scenario.truth()
    return scenario, seen, truth["planted"]


def shown(change: Json) -> tuple[object, ...]:
    """What both the truth and a prediction have of a change of liquidity."""
    return (
        change["transaction"],
        change["pool"],
        change["owner"],
        change["tick_lower"],
        change["tick_upper"],
        int(change["liquidity"]),
        int(change["amount0"]),
        int(change["amount1"]),
    )


def same(found: Opportunity, record: Json) -> None:
    """A prediction is what then was in the block."""
    detail = found.detail
    assert isinstance(detail, JustInTime)
    for ours, truth in ((detail.mint, "mint"), (detail.burn, "burn")):
        fields = (
            ours.transaction,
            ours.pool,
            ours.owner,
            ours.tick_lower,
            ours.tick_upper,
            ours.liquidity,
            ours.amount0,
            ours.amount1,
        )
        assert fields == shown(record["detail"][truth])
    assert [
        (one.transaction, one.pool, one.token_in, one.amount_in, one.token_out, one.amount_out)
        for one in detail.swaps
    ] == [
        (
            one["transaction"],
            one["pool"],
            one["token_in"],
            int(one["amount_in"]),
            one["token_out"],
            int(one["amount_out"]),
        )
        for one in record["detail"]["swaps"]
    ]
    assert found.gross == {token: int(amount) for token, amount in record["gross"].items()}
    assert found.block == record["block"] - 1
    assert found.expires_block == record["block"]
    assert list(found.transactions) == record["transactions"]
    assert list(found.victims) == record["victims"]
    assert (found.cause, found.searcher) == (record["cause"], record["searcher"])
    assert list(found.pools) == record["pools"]
    assert (found.grounds, found.confidence) == (Grounds.ARITHMETIC, 1.0)


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_every_planted_stay_is_predicted_and_nothing_else(seed: int):
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        _, seen, planted = await played(seed, rpc)
    records = [one for one in planted if one["kind"] == "jit"]
    assert len(records) == 6
    whole = [one for one in seen.told if len(one.transactions) == 2]
    assert {one.kind for one in seen.told} == {Kind.JIT}
    assert {one.status for one in whole} == {Status.PREDICTED}
    assert len(whole) == len(records)
    for found, record in zip(whole, records, strict=True):
        same(found, record)
        gas = found.gas_wei
        assert gas is not None
        assert abs(gas - int(record["gas_wei"])) < int(record["gas_wei"]) // 20
    # What is told before the leave is seen is of the same stays.
    assert {one.id for one in seen.told} == {one.id for one in whole}
    assert {one.searcher for one in seen.told} == {QUICK_PROVIDER}


CONFIG = """
[[feeds]]
name = "node"
kind = "ethereum"
endpoint = "{url}"
chain_id = 1
connection = {{ first_delay = 0.05, subscribe_interval = 0.0 }}

[pools]
tokens = ["WETH", "USDC", "WBTC", "DAI"]
"""


async def test_a_stream_tells_of_it_before_the_block_is_made():
    """As a configuration makes it, over the node's own socket."""
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        config = loads(CONFIG.format(url=node.ws_url), {})
        feeds = config.feeds()
        with trio.fail_after(180):
            async with open_stream(feeds, config.processors()) as stream:
                subscription = stream.subscribe(DataType.POOLS, DataType.FINDING)
                for status in feeds[0].statuses:
                    await status.wait_for(FeedState.READY)
                await usable(rpc, subscription, {m.address for m in await find_markets(Chain(rpc))})
                scenario = await open_scenario(rpc, 4)
                round_ = scenario.stage.new_round()
                plant = await quick_liquidity(round_)
                assert plant is not None
                found = await stay_in(subscription)
                line = line_of(DataEvent(DataType.FINDING, EventPriority.HIGH, found, "s", 0.0))
                await scenario.stage.mine()
                (record,) = await scenario.stage.reader.settle(plant)
    same(found, record)
    assert line is not None
    assert line["kind"] == "jit"
    assert line["detail"]["mint"]["amount0"] == record["detail"]["mint"]["amount0"]


async def usable(rpc: Rpc, subscription: Any, pools: set[str]) -> None:
    """Make blocks until these pools are."""
    while True:
        await rpc.call("evm_mine")
        while (event := await anext(subscription)).event_type is not DataType.POOLS:
            pass
        if pools <= {entry.pool.id for entry in event.data.usable()}:
            return


async def stay_in(subscription: Any) -> Opportunity:
    """The first stay of which both ends are seen."""
    while True:
        one = (await anext(subscription)).data
        if isinstance(one, Opportunity) and len(one.transactions) == 2:
            return one
