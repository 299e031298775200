"""Liquidations in a stream: positions as the contracts have them, and what is predicted of them
against what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from tests.devnet.abi import Address
from tests.devnet.addresses import AAVE_POOL, AGGREGATORS
from tests.devnet.chain import Chain
from tests.devnet.deploy import devnet
from tests.devnet.node import Node
from tests.devnet.rpc import Hex, Json, Rpc, open_rpc
from tests.devnet.scenario import open_scenario
from tests.devnet.scenario_lending import ACCOUNT
from trio_mev.chain.lending.account import account_of
from trio_mev.chain.lending.view import LendingView
from trio_mev.config import loads
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.opportunity import Liquidation, Opportunity
from trio_mev.processors.liquidations import LiquidationDetector
from trio_mev.stream import open_stream

CONFIG = """
[[feeds]]
name = "node"
kind = "ethereum"
endpoint = "{url}"
chain_id = 1
connection = {{ first_delay = 0.05, subscribe_interval = 0.0 }}

[liquidations]
enabled = true
check_interval = {check}
[liquidations.contracts]
{contracts}
"""
BLOCKS = 34
"""In which a scenario has each of its kinds once, and reorganisations of each depth."""


class Telling(LiquidationDetector):
    """Says when everything that was to be read is read."""

    read = trio.Event()

    async def _check(self, reader: Any) -> None:
        await super()._check(reader)
        if not self.keeper.waiting and self.keeper.why is None:
            self.read.set()
            self.read = trio.Event()


@attrs.define(eq=False)
class Watch:
    """Somebody who is told what is found, and holds positions against the node."""

    detector: LiquidationDetector
    rpc: Rpc
    subscription: Any
    view: LendingView | None = None
    views: list[LendingView] = attrs.Factory(list)
    found: list[Opportunity] = attrs.Factory(list)
    seen: set[Hex] = attrs.Factory(set)
    compared: int = 0

    async def until(self, what: Callable[[], bool]) -> None:
        while not what():
            event = await anext(self.subscription)
            if event.event_type is DataType.TRANSACTION:
                self.seen.add(event.data.hash)
            elif event.event_type is DataType.LIQUIDATION:
                self.found.append(event.data)
            else:
                self.view = event.data
                self.views.append(event.data)

    async def settled(self, block: Hex) -> None:
        """Until a block is here and all that it touched is read."""
        await self.until(lambda: self.view is not None and self.view.hash == block)
        keeper = self.detector.keeper
        assert keeper.head is not None
        while keeper.waiting or keeper.why is not None or keeper.doubtful:
            await self.detector.read.wait()

    async def block(self, block_hash: Hex, logs: int) -> None:
        await self.settled(block_hash)
        await self.agree()

    async def agree(self) -> None:
        """Every account is worth what the pool says."""
        keeper = self.detector.keeper
        head, market, positions = keeper.head, keeper.market, dict(keeper.positions)
        assert head is not None
        assert market is not None
        assert all(map(keeper.usable, positions))
        for user, position in positions.items():
            account = account_of(market, position, head.time)
            told = await account_at(Chain(self.rpc), user, {"blockHash": head.hash})
            assert (account.collateral, account.debt) == told[:2]
            assert (account.threshold, account.health) == (told[3], told[5])
            self.compared += 1

    async def go_to(self, now: int) -> None:
        pass

    async def pending(self, transaction: Hex) -> None:
        await self.until(lambda: transaction in self.seen)


async def account_at(chain: Chain, user: Address, block: Any = "latest") -> tuple[int, ...]:
    """Collateral, debt, what can be borrowed, threshold, loan to value, health factor."""
    method = "getUserAccountData(address)"
    return await chain.read(AAVE_POOL, method, user, returns=ACCOUNT, block=block)


@asynccontextmanager
async def watching(node: Node, rpc: Rpc, check: float = 60.0) -> AsyncIterator[Watch]:
    """A stream of a node with the detector that a configuration makes."""
    feeds_set = "\n".join(f'"{one}" = "settable_feed"' for one in AGGREGATORS.values())
    config = loads(CONFIG.format(url=node.ws_url, check=check, contracts=feeds_set), {})
    made: list[LiquidationDetector] = []

    def detector() -> LiquidationDetector:
        made.append(Telling(config.settings.liquidations))
        return made[-1]

    feeds = config.feeds()
    with trio.fail_after(180):
        async with open_stream(feeds, [detector]) as stream:
            wanted = DataType.LENDING, DataType.LIQUIDATION, DataType.TRANSACTION
            watch = Watch(made[-1], rpc, stream.subscribe(*wanted))
            for status in feeds[0].statuses:
                await status.wait_for(FeedState.READY)
            yield watch


@pytest.mark.parametrize("seed", [7, 11])
async def test_accounts_are_the_pools_at_every_block_and_liquidations_as_predicted(seed: int):
    """Over reorganisations of each depth."""
    async with devnet() as node, open_rpc(node.ws_url) as rpc, open_rpc(node.ws_url) as other:
        async with watching(node, rpc, check=0.001) as watch:
            scenario = await open_scenario(rpc, seed)
            watch.rpc = other
            scenario.stage.witness = watch
            await scenario.play(BLOCKS)
            truth = await scenario.truth()
            counts = watch.detector.keeper.counts
    assert watch.compared > 60
    assert counts.undone >= 28
    assert counts.checked > 0
    assert counts.repaired == 0
    landed = [one for one in truth["planted"] if one["kind"] == "liquidation"]
    assert len(landed) >= 2
    assert {one["detail"]["user"] for one in landed} <= watch.detector.keeper.positions.keys()
    found = {(one.cause, one.block): one for one in watch.found}
    for one in landed:
        agrees(found.pop((one["cause"], one["block"] - 1)), one)
    assert not found


def agrees(predicted: Opportunity, landed: Json) -> None:
    """A prediction is what then happened, to the unit."""
    detail, told = predicted.detail, landed["detail"]
    assert isinstance(detail, Liquidation)
    assert detail.user == told["user"]
    assert (detail.debt_token, str(detail.debt_amount)) == (told["debt_token"], told["debt_amount"])
    assert detail.collateral_token == told["collateral_token"]
    assert str(detail.collateral_amount) == told["collateral_amount"]
    assert detail.health_factor == int(Decimal(told["health_factor"]).scaleb(18))
    assert predicted.gross is not None
    assert {token: str(amount) for token, amount in predicted.gross.items()} == landed["gross"]
