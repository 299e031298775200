"""Scenarios of which a quarter of all transactions is never announced: what could be foreseen is,
to the last unit, what could not is said to have landed unseen, and the score is the truth's."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from tests.devnet.abi import call_data, decode
from tests.devnet.addresses import AGGREGATORS
from tests.devnet.cast import EXECUTORS, SEARCHERS
from tests.devnet.chain import Chain
from tests.devnet.deploy import devnet
from tests.devnet.markets import RUN, find_markets
from tests.devnet.reckoning import Reckoning, differing, mined, rows
from tests.devnet.rpc import Hex, Json, Rpc, open_rpc
from tests.devnet.scenario import open_scenario
from tests.devnet.test_jit import same
from tests.devnet.test_liquidations import Telling, agrees
from tests.devnet.test_pool_tracker import CONFIG
from tests.devnet.test_predictions import Watch as Tries
from tests.support.uncounted import first_counted
from trio_mev.chain.effects.pending import PendingEffect
from trio_mev.chain.pools.view import PoolsView
from trio_mev.config import loads
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.opportunity import Exposure, Kind, Opportunity, Status, Verdict
from trio_mev.processors.ledger import PredictionLedger
from trio_mev.processors.liquidations import LiquidationDetector
from trio_mev.stream import open_stream

SEEDS = range(1, 1 + int(os.environ.get("SCORE_SEEDS", "2")))
BLOCKS = 40
LENDING = """
[liquidations]
enabled = true
check_interval = 600
[liquidations.contracts]
"""
WANTED = (
    DataType.TRANSACTION,
    DataType.MEMPOOL,
    DataType.REORG,
    DataType.POOLS,
    DataType.EFFECT,
    DataType.ARBITRAGE,
    DataType.LIQUIDATION,
    DataType.FINDING,
    DataType.LANDED,
    DataType.VERDICT,
)
PREDICTIONS = frozenset({DataType.ARBITRAGE, DataType.LIQUIDATION, DataType.FINDING})


@attrs.frozen
class Private:
    """Which transactions go to the producer past everybody's pool: another quarter of them with
    each seed."""

    seed: int

    def __contains__(self, transaction: Hex | None) -> bool:
        return transaction is not None and (int(transaction[-6:], 16) + self.seed) % 4 == 0

    def hides(self, event: DataEvent) -> bool:
        raw = event.event_type in {DataType.TRANSACTION, DataType.MEMPOOL}
        return raw and event.data.hash in self

    def unaware(self, made: Any) -> Any:
        """The same processor, which is told of none of them before its block."""
        if isinstance(made, LiquidationDetector):
            made = Telling(made.settings)
        hides = self.hides

        class Unaware(type(made)):  # type: ignore[misc]
            def admits(self, event: DataEvent) -> bool:
                return not hides(event) and super().admits(event)

        made.__class__ = Unaware
        return made


@attrs.define(eq=False)
class Watch(Tries):
    """Somebody who is told everything, in step with the node."""

    lending: Telling = attrs.field(kw_only=True)
    heard: list[DataEvent] = attrs.Factory(list)
    """All but what the chain is made of."""
    seen: set[Hex] = attrs.Factory(set)
    views: dict[Hex, PoolsView] = attrs.Factory(dict)
    effects: dict[tuple[Hex, Hex], PendingEffect] = attrs.Factory(dict)
    """By the transaction, and the block on whose state it is."""

    moved: trio.Event = attrs.Factory(trio.Event)

    async def listen(self) -> None:
        """Until the stream ends."""
        async for event in self.subscription:
            self.hear(event)
            self.moved.set()
            self.moved = trio.Event()

    def hear(self, event: DataEvent) -> None:
        kind, data = event.event_type, event.data
        if kind is DataType.TRANSACTION:
            self.seen.add(data.hash)
        elif kind is DataType.POOLS:
            self.view = self.views[data.hash] = data
            self.shown.add(data.hash)
        elif kind is DataType.EFFECT:
            self.effects[data.transaction.hash, data.view.hash] = data
        else:
            self.heard.append(event)
        if kind is DataType.LANDED:
            self.landed.add(data.hash)
        elif isinstance(data, Opportunity):
            self.told.append((kind, data))

    async def try_all(self, told: list[tuple[DataType, Opportunity]]) -> None:
        await super().try_all(told)
        for _, one in told:
            if one.status is Status.PREDICTED and len(one.victims) > 1:
                await self.try_sandwich(one)

    async def try_sandwich(self, one: Opportunity) -> None:
        """Run a sandwich about several swaps where it is predicted for: it makes what was said."""
        assert isinstance(one.detail, Exposure)
        assert one.block is not None
        market, ((token, gross),) = self.markets[one.pools[0]], (one.gross or {}).items()
        view = next(view for view in reversed(self.views.values()) if view.number == one.block)
        state = view.state(market.address)
        assert state is not None
        sides = (0, 1) if token == market.tokens[0] else (1, 0)
        paid = one.detail.attacker_in
        bought = state.swap(*sides, paid).amount_out
        searcher = SEARCHERS[0]

        def run(leg: Any) -> Json:
            data = call_data(RUN, [leg], 0)
            return {"from": searcher, "to": EXECUTORS[searcher], "input": data}

        calls = [
            run(market.leg(token, paid)),
            *map(self.cause, one.victims),
            run(market.leg(market.other(token), bought)),
        ]
        asked = {"blockStateCalls": [{"calls": calls}], "validation": False}
        (made,) = await self.rpc.call("eth_simulateV1", asked, hex(one.block))
        assert [call["status"] for call in made["calls"]] == ["0x1"] * len(calls)
        first, last = (
            decode("(uint256,uint256)", made["calls"][place]["returnData"]) for place in (0, -1)
        )
        assert (first, last[1] - paid) == ((paid, bought), gross)
        self.tried["several"] += 1

    async def until(self, block: Hex) -> None:
        while not (block in self.shown and block in self.landed):
            await self.moved.wait()
        keeper = self.lending.keeper
        while keeper.waiting or keeper.why is not None or keeper.doubtful:
            await self.lending.read.wait()

    async def pending(self, transaction: Hex) -> None:
        while transaction not in self.seen:
            await self.moved.wait()


@asynccontextmanager
async def watching(
    rpc: Rpc, other: Rpc, url: str, private: Private
) -> AsyncIterator[tuple[Watch, PredictionLedger]]:
    """A stream with all processors, whose pools and positions are read."""
    feeds_set = "\n".join(f'"{one}" = "settable_feed"' for one in AGGREGATORS.values())
    config = loads(CONFIG.format(url=url, check=600) + LENDING + feeds_set, {})
    made: list[Any] = []

    def kept(factory: Any) -> Any:
        def make() -> Any:
            made.append(private.unaware(factory()))
            return made[-1]

        return make

    feeds, markets = config.feeds(), await find_markets(Chain(rpc))
    with trio.fail_after(240):
        async with (
            trio.open_nursery() as nursery,
            open_stream(feeds, map(kept, config.processors())) as stream,
        ):
            (ledger,) = [one for one in made if isinstance(one, PredictionLedger)]
            (lending,) = [one for one in made if isinstance(one, Telling)]
            by_address = {market.address: market for market in markets}
            watch = Watch(stream.subscribe(*WANTED), other, by_address, lending=lending)
            nursery.start_soon(watch.listen)
            for status in feeds[0].statuses:
                await status.wait_for(FeedState.READY)
            while watch.view is None or len(list(watch.view.usable())) < len(markets):
                await rpc.call("evm_mine")
                head = await rpc.call("eth_getBlockByNumber", "latest", False)
                await watch.until(head["hash"])
            yield watch, ledger


@pytest.mark.parametrize("seed", first_counted(SEEDS))
async def test_the_score_is_that_of_the_truth(seed: int):
    private = Private(seed)
    async with devnet() as node, open_rpc(node.ws_url) as rpc, open_rpc(node.ws_url) as other:
        async with watching(rpc, other, node.ws_url, private) as (watch, ledger):
            watch.scenario = scenario = await open_scenario(rpc, seed)
            scenario.stage.witness = watch
            await scenario.play(BLOCKS)
            truth = await scenario.truth()
        scores = ledger.scores()
    reckoning = Reckoning(mined(truth))
    for event in watch.heard:
        if event.event_type is not DataType.VERDICT and not private.hides(event):
            reckoning.take(event.data)
    assert differing(rows(scores), reckoning.table()) == []
    assert {"arbitrage", "sandwich"} <= {kind for kind, _ in reckoning.table()}
    said_unseen(watch, reckoning)
    kinds: Counter[str] = Counter()
    parents = {block["hash"]: block["parent"] for block in truth["blocks"]}
    for block in reckoning.blocks.values():
        for record in block.records:
            if visible(record, private):
                assert record not in reckoning.unseen
                foretold(record, watch, parents[record["block_hash"]])
                kinds[record["kind"]] += 1
            elif hidden(record, private):
                assert record in reckoning.unseen
                kinds["hidden"] += 1
    assert kinds["sandwich"] > 3
    assert watch.tried["state"] > 10


def said_unseen(watch: Watch, reckoning: Reckoning) -> None:
    """What landed and nobody had foretold is told, with what it made."""
    told = {
        (one.transactions, tuple((one.gross or {}).items()))
        for kind, one in watch.told
        if kind is DataType.VERDICT
        and one.outcome is not None
        and one.outcome.verdict is Verdict.UNSEEN
        and one.status is Status.LANDED
    }
    for record in reckoning.unseen:
        made = tuple((token, int(amount)) for token, amount in record["gross"].items())
        assert (tuple(record["transactions"]), made) in told


def visible(record: Json, private: Private) -> bool:
    """Whether all that it takes to foretell it was announced, or is in the last block."""
    needed = [record["cause"], *record["victims"]]
    if record["kind"] == "jit":
        needed += record["transactions"]
    return not any(one in private for one in needed)


def hidden(record: Json, private: Private) -> bool:
    """Whether nothing of it could be foretold. An arbitrage may pay before what it was meant to
    follow, and be foretold as such; liquidity be foretold about another swap that is pending."""
    if record["kind"] == "jit":
        return record["transactions"][0] in private
    return record["kind"] != "arbitrage" and all(
        one in private for one in (record["cause"], *record["victims"])
    )


def foretold(record: Json, watch: Watch, parent: Hex) -> None:
    """That it was foretold for its block, to the unit, or as less than there was to be made."""
    causes = record["victims"] if record["kind"] == "sandwich" else [record["cause"]]
    found = [
        one
        for kind, one in watch.told
        if kind in PREDICTIONS
        and one.status is Status.PREDICTED
        and one.kind.value == record["kind"]
        and (one.block or 0) < record["block"]
        and (
            one.cause in causes
            or (one.on_state and record["cause"] is None)
            or (one.kind is Kind.JIT and one.transactions == tuple(record["transactions"]))
        )
    ]
    assert found, record
    if record["kind"] == "liquidation":
        agrees(found[-1], record)
    elif record["kind"] == "jit":
        # A swap of a block that was given up is pending still, and may be among them.
        if list(found[-1].victims) == record["victims"]:
            same(found[-1], record)
    elif record["kind"] == "sandwich":
        follow(record, watch.views[parent])
    else:
        cause = watch.effects.get((record["cause"], parent))
        view = watch.views[parent]
        behind = {} if cause is None else cause.effect.changed
        path = record["detail"]["path"]
        amounts = along(path, lambda pool: behind.get(pool) or view.state(pool))
        best = [one for one in found if not set(one.pools).isdisjoint(record["pools"])]
        assert max(sum((one.gross or {}).values()) for one in best) >= amounts[-1] - amounts[0]


def along(path: list[Json], state: Any) -> list[int]:
    """What each swap gives, by our arithmetic: what the chain says."""
    amounts = [int(path[0]["amount_in"])]
    for swap in path:
        assert int(swap["amount_in"]) == amounts[-1]
        sides = (0, 1) if swap["token_in"] < swap["token_out"] else (1, 0)
        amounts.append(state(swap["pool"]).swap(*sides, amounts[-1]).amount_out)
        assert int(swap["amount_out"]) == amounts[-1]
    return amounts


def follow(record: Json, view: PoolsView) -> None:
    """All of a sandwich's swaps one after the other, by our arithmetic, are what the chain says."""
    detail = record["detail"]
    swaps = [*detail["frontrun"], *detail["victims"], *detail["backrun"]]
    state = view.state(swaps[0]["pool"])
    assert state is not None
    for swap in swaps:
        sides = (0, 1) if swap["token_in"] < swap["token_out"] else (1, 0)
        paid, got = int(swap["amount_in"]), int(swap["amount_out"])
        # Who sold first buys back exactly what was sold.
        out = record["variant"] == "sell_first" and swap in detail["backrun"]
        done = state.swap(*sides, got if out else paid, out)
        assert (done.amount_in, done.amount_out) == (paid, got)
        state = done.after
