"""What is predicted on a real chain: that it could be done, to the last unit, and how it fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from tests.devnet.abi import call_data, decode
from tests.devnet.cast import EXECUTORS, SEARCHERS
from tests.devnet.chain import Chain
from tests.devnet.deploy import devnet
from tests.devnet.markets import RUN, Market, find_markets
from tests.devnet.rpc import Hex, Json, Rpc, open_rpc
from tests.devnet.scenario import Scenario, open_scenario
from tests.devnet.scenario_programme import Programme
from tests.devnet.test_pool_tracker import CONFIG
from tests.support.uncounted import first_counted
from trio_mev.chain.pools.view import PoolsView
from trio_mev.config import loads
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.opportunity import Kind, Opportunity, Path, Status, Verdict
from trio_mev.processors.ledger import PredictionLedger
from trio_mev.stream import open_stream

BLOCKS = 34
KINDS = (
    DataType.POOLS,
    DataType.ARBITRAGE,
    DataType.LIQUIDATION,
    DataType.FINDING,
    DataType.VERDICT,
    DataType.LANDED,
)


@attrs.define(eq=False)
class Watch:
    """Somebody who is told everything, and tries what is predicted before the chain goes on."""

    subscription: Any
    rpc: Rpc
    markets: dict[str, Market]
    scenario: Scenario | None = None
    view: PoolsView | None = None
    shown: set[str] = attrs.Factory(set)
    landed: set[str] = attrs.Factory(set)
    told: list[tuple[DataType, Opportunity]] = attrs.Factory(list)
    tried: Counter[str] = attrs.Factory(Counter)

    async def until(self, block: Hex) -> None:
        """Until the pools, and what landed, are told as of a block."""
        while not (block in self.shown and block in self.landed):
            event = await anext(self.subscription)
            if event.event_type is DataType.POOLS:
                self.view = event.data
                self.shown.add(event.data.hash)
            elif event.event_type is DataType.LANDED:
                self.landed.add(event.data.hash)
            elif isinstance(event.data, Opportunity):
                self.told.append((event.event_type, event.data))

    async def block(self, block_hash: Hex, logs: int) -> None:
        before, number = len(self.told), -1 if self.view is None else self.view.number
        await self.until(block_hash)
        assert self.view is not None
        if self.view.number == number + 1:  # else what was told may be of blocks that are gone
            await self.try_all(self.told[before:])

    async def go_to(self, now: int) -> None:
        pass

    async def pending(self, transaction: Hex) -> None:
        pass

    async def try_all(self, told: list[tuple[DataType, Opportunity]]) -> None:
        """Run each cycle that is predicted where it is predicted for: it gives what was said."""
        for kind, one in told:
            if kind is DataType.ARBITRAGE and one.status is Status.PREDICTED:
                await self.try_cycle(one)

    async def try_cycle(self, one: Opportunity) -> None:
        assert isinstance(one.detail, Path)
        assert one.block is not None
        (gross,) = (one.gross or {}).values()
        legs = [
            self.markets[swap.pool].leg(swap.token_in, 0 if place else swap.amount_in)
            for place, swap in enumerate(one.detail.path)
        ]
        searcher = SEARCHERS[0]
        calls = [] if one.on_state else [self.cause(one.cause or "")]
        run = call_data(RUN, legs, 0)
        calls.append({"from": searcher, "to": EXECUTORS[searcher], "input": run})
        asked = {"blockStateCalls": [{"calls": calls}], "validation": False}
        (made,) = await self.rpc.call("eth_simulateV1", asked, hex(one.block))
        answer = made["calls"][-1]
        assert answer["status"] == "0x1", one
        paid, got = decode("(uint256,uint256)", answer["returnData"])
        assert (paid, got - paid) == (one.detail.path[0].amount_in, gross), one
        self.tried["state" if one.on_state else "pending"] += 1

    def cause(self, name: str) -> Json:
        assert self.scenario is not None
        body = self.scenario.stage.sent[name]
        return {key: body[key] for key in ("from", "to", "input", "value", "gas")}

    def of(self, kind: Kind, *types: DataType) -> list[Opportunity]:
        return [one for type_, one in self.told if one.kind is kind and type_ in types]


@asynccontextmanager
async def watching(rpc: Rpc, other: Rpc, url: str) -> AsyncIterator[tuple[Watch, PredictionLedger]]:
    """A stream with all processors, whose pools are read."""
    config = loads(CONFIG.format(url=url, check=60), {})
    ledgers: list[PredictionLedger] = []

    def kept(factory: Any) -> Any:
        def make() -> Any:
            made = factory()
            if isinstance(made, PredictionLedger):
                ledgers.append(made)
            return made

        return make

    feeds, markets = config.feeds(), await find_markets(Chain(rpc))
    with trio.fail_after(240):
        async with open_stream(feeds, map(kept, config.processors())) as stream:
            watch = Watch(stream.subscribe(*KINDS), other, {m.address: m for m in markets})
            for status in feeds[0].statuses:
                await status.wait_for(FeedState.READY)
            while watch.view is None or len(list(watch.view.usable())) < len(markets):
                await rpc.call("evm_mine")
                head = await rpc.call("eth_getBlockByNumber", "latest", False)
                await watch.until(head["hash"])
            yield watch, ledgers[-1]


@asynccontextmanager
async def played(
    seed: int, blocks: int, programme: Programme | None = None
) -> AsyncIterator[tuple[Watch, PredictionLedger, Json]]:
    """A scenario that has been watched, and the truth about it."""
    async with devnet() as node, open_rpc(node.ws_url) as rpc, open_rpc(node.ws_url) as other:
        async with watching(rpc, other, node.ws_url) as (watch, ledger):
            watch.scenario = scenario = await open_scenario(rpc, seed)
            scenario.stage.witness = watch
            await scenario.play(blocks, programme)
            truth = await scenario.truth()
            yield watch, ledger, truth


@pytest.mark.parametrize("seed", first_counted([1, 2]))
async def test_what_is_predicted_can_be_done_to_the_last_unit(seed: int):
    """And what was made behind a pending swap was seen before, or better."""
    async with played(seed, BLOCKS) as (watch, ledger, truth):
        planted = [
            record
            for record in truth["planted"]
            if record["kind"] == "arbitrage" and not record["reverted"]
        ]
        predicted = watch.of(Kind.ARBITRAGE, DataType.ARBITRAGE)
        verdicts = watch.of(Kind.ARBITRAGE, DataType.VERDICT)
        scores = ledger.scores()
    assert watch.tried["state"] > 10
    assert watch.tried["pending"] > 3
    for record in planted:
        if record["cause"] is None:
            continue
        (made,) = map(int, record["gross"].values())
        mine = [one for one in predicted if one.cause == record["cause"]]
        same = [one for one in mine if set(one.pools) == set(record["pools"])]
        for one in same:
            assert sum((one.gross or {}).values()) >= made
        better = [o for o in mine if not set(o.pools).isdisjoint(record["pools"])]
        assert better, record
    told = Counter(one.outcome.verdict for one in verdicts if one.outcome is not None)
    assert told[Verdict.WRONG] == 0
    (score,) = [one for one in scores if one.detector == "ArbitrageDetector"]
    ended = score.taken + score.competed + score.expired + score.withdrawn + score.superseded
    assert score.predicted == ended + score.open + score.wrong
