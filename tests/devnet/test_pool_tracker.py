"""Pools in a stream: found, read, advanced and checked against a real node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from eth_hash.auto import keccak

from tests.devnet.abi import encode, hexed
from tests.devnet.addresses import (
    DAI,
    DEPLOYER,
    NOBODY,
    PROVIDER_OF_LIQUIDITY,
    UNISWAP_V2_FACTORY,
    V3_FACTORY,
    WBTC,
    WETH,
)
from tests.devnet.artifacts import init_code
from tests.devnet.chain import LARGEST, Chain
from tests.devnet.deploy import devnet
from tests.devnet.markets import find_markets
from tests.devnet.node import Node, Options
from tests.devnet.reading import carry_out
from tests.devnet.rpc import Hex, Rpc, open_rpc
from tests.devnet.scenario import open_scenario
from trio_mev.chain.contracts.uniswap_v4 import STATE_VIEW
from trio_mev.chain.pools.changes import POOL_MANAGER
from trio_mev.chain.pools.learning import MakePlan
from trio_mev.chain.pools.loading import Loaded
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.ticks import sqrt_at
from trio_mev.chain.pools.view import PoolsView
from trio_mev.config import loads
from trio_mev.flow.status import FeedState
from trio_mev.model.event import DataType
from trio_mev.model.market import Price, PriceStatus
from trio_mev.processors.pools import PoolTracker
from trio_mev.stream import RealtimeDataStream, open_stream

CONFIG = """
[[feeds]]
name = "node"
kind = "ethereum"
endpoint = "{url}"
chain_id = 1
connection = {{ first_delay = 0.05, subscribe_interval = 0.0 }}

[pools]
tokens = ["WETH", "USDC", "WBTC", "DAI"]
check_interval = {check}
"""
BLOCKS = 34
"""In which a scenario has each of its kinds once, and reorganisations of each depth."""


@attrs.define(eq=False)
class Watch:
    """Somebody who is shown the pools as of each block, and holds them against the node."""

    stream: RealtimeDataStream
    tracker: PoolTracker
    rpc: Rpc
    subscription: Any
    view: PoolsView | None = None
    prices: dict[str, Price] = attrs.Factory(dict)
    compared: int = 0

    async def until(self, what: Callable[[], bool]) -> None:
        while not what():
            event = await anext(self.subscription)
            if event.event_type is DataType.PRICE:
                self.prices[str(event.data.instrument)] = event.data
            else:
                self.view = event.data

    async def shown(self, pools: set[str]) -> PoolsView:
        """Make blocks until these pools can be used."""
        while True:
            await self.rpc.call("evm_mine")
            head = await self.rpc.call("eth_getBlockByNumber", "latest", False)
            view = await self.at(head["hash"])
            if pools <= {entry.pool.id for entry in view.usable()}:
                return view

    async def at(self, block: Hex) -> PoolsView:
        """Until the view of a block is here."""
        await self.until(lambda: self.view is not None and self.view.hash == block)
        assert self.view is not None
        return self.view

    async def block(self, block_hash: Hex, logs: int) -> None:
        view = await self.at(block_hash)
        await self.agree(view, set(view.changed))

    async def agree(self, view: PoolsView, pools: set[str]) -> None:
        for pool in pools:
            plan: MakePlan = self.tracker.keeper.plan(pool)
            read = await carry_out(self.rpc, plan(), {"blockHash": view.hash})
            assert isinstance(read, Loaded)
            assert view.state(pool) == read.state, pool
            self.compared += 1

    async def go_to(self, now: int) -> None:
        pass

    async def pending(self, transaction: Hex) -> None:
        pass


@asynccontextmanager
async def watching(node: Node, rpc: Rpc, check: float = 60.0) -> AsyncIterator[Watch]:
    """A stream of a node with the trackers that a configuration makes."""
    config = loads(CONFIG.format(url=node.ws_url, check=check), {})
    trackers: list[PoolTracker] = []

    def kept(factory: Any) -> Any:
        def make() -> Any:
            made = factory()
            if isinstance(made, PoolTracker):
                trackers.append(made)
            return made

        return make

    feeds = config.feeds()
    with trio.fail_after(180):
        async with open_stream(feeds, map(kept, config.processors())) as stream:
            subscription = stream.subscribe(DataType.POOLS, DataType.PRICE)
            watch = Watch(stream, trackers[-1], rpc, subscription)
            for status in feeds[0].statuses:
                await status.wait_for(FeedState.READY)
            yield watch


@pytest.fixture
async def scene() -> AsyncIterator[tuple[Node, Rpc]]:
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        yield node, rpc


@pytest.mark.no_cover
async def test_a_streams_pools_are_the_nodes_after_every_block(scene: tuple[Node, Rpc]):
    """Those that the factories have of the tokens, over reorganisations of each depth."""
    node, rpc = scene
    markets = {m.address for m in await find_markets(Chain(rpc))}
    async with watching(node, rpc, check=0.001) as watch, open_rpc(node.ws_url) as other:
        await watch.shown(markets)
        watch.rpc = other
        scenario = await open_scenario(rpc, 7)
        scenario.stage.witness = watch
        await scenario.play(BLOCKS)
        assert watch.view is not None
        await watch.agree(watch.view, set(watch.view.entries))
        counts = watch.tracker.keeper.book.counts
    assert set(watch.view.entries) == markets
    assert watch.compared > 100
    assert counts.undone >= 28
    assert counts.checked > 0
    assert counts.repaired == 0
    assert not watch.tracker.keeper.book.quarantined


async def test_pools_have_a_say_in_prices_and_the_price_without_them_is_told(scene):
    node, rpc = scene
    async with watching(node, rpc) as watch:
        markets = {m.address for m in await find_markets(Chain(rpc))}
        await watch.shown(markets)
        await rpc.call("evm_mine")
        await watch.until(lambda: {"ETH/USDC", "ETH/DAI", "WBTC/ETH"} <= set(watch.prices))
    price = watch.prices["ETH/USDC"]
    assert price.price is not None
    assert 2900 < price.price < 3100
    assert price.on_chain == price.sources
    assert all(source.startswith(("uniswap_v2:0x", "uniswap_v3:0x")) for source in price.sources)
    assert price.off_chain is not None
    assert (price.off_chain.price, price.off_chain.status) == (None, PriceStatus.STALE)
    assert 28 < 1 / watch.prices["WBTC/ETH"].price * 900 < 32


async def test_a_pool_that_is_otherwise_than_the_node_says_is_repaired(scene):
    """Its storage is changed without a log, as no contract would."""
    node, rpc = scene
    async with watching(node, rpc, check=0.001) as watch:
        markets = await find_markets(Chain(rpc))
        pairs = {m.address for m in markets if not m.concentrated}
        await watch.shown({m.address for m in markets})
        pair = min(pairs)
        slot = await rpc.call("eth_getStorageAt", pair, "0x8", "latest")
        changed = hex(int(slot, 16) + 1)
        await rpc.call("anvil_setStorageAt", pair, "0x8", "0x" + changed[2:].zfill(64))
        book = watch.tracker.keeper.book
        while not book.counts.repaired:
            await watch.shown({pair})
        view = await watch.shown({pair})
        await watch.agree(view, {m.address for m in markets})
    assert book.counts.repaired == 1
    assert not book.quarantined


async def test_new_pools_are_learned_from_the_factories_logs():
    """A pool of V3 counts from its initialisation on."""
    owner, tokens = PROVIDER_OF_LIQUIDITY, (WBTC, DAI)
    async with (
        devnet(Options()) as node,
        open_rpc(node.ws_url) as rpc,
        watching(node, rpc) as watch,
    ):
        await rpc.call("evm_setBlockGasLimit", hex(2 * LARGEST))
        chain = Chain(rpc, gas=LARGEST)
        view = await watch.shown({m.address for m in await find_markets(chain)})
        create, find = "createPool(address,address,uint24)", "getPool(address,address,uint24)"
        await chain.do(owner, V3_FACTORY, create, *tokens, 10_000)
        pool = await chain.read_address(V3_FACTORY, find, *tokens, 10_000)
        create, find = "createPair(address,address)", "getPair(address,address)"
        await chain.do(owner, UNISWAP_V2_FACTORY, create, *tokens)
        pair = await chain.read_address(UNISWAP_V2_FACTORY, find, *tokens)
        assert not {pool, pair} & set(view.entries)
        view = await watch.shown({pair})
        while pool not in watch.tracker.keeper.unusable:
            view = await watch.shown({pair})  # it may still be read when the pair is there
        assert pool not in view.entries
        assert watch.tracker.keeper.unusable[pool] == "it is not initialised"
        await chain.do(owner, pool, "initialize(uint160)", sqrt_at(60))
        view = await watch.shown({pool})
        await watch.agree(view, {pool, pair})


KEY = "(address,address,uint24,int24,address)"
MODIFY = f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)"
SWAP = f"swap({KEY},(bool,int256,uint160),(bool,bool),bytes)"


async def test_pools_of_v4_are_found_learned_and_followed():
    """By the usual tiers before the stream begins, by their initialisation afterwards; not with
    hooks."""
    owner, tokens = PROVIDER_OF_LIQUIDITY, (DAI, WETH)
    async with devnet(Options()) as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("evm_setBlockGasLimit", hex(2 * LARGEST))
        chain = Chain(rpc, gas=LARGEST)
        await chain.place(DEPLOYER, POOL_MANAGER, init_code("PoolManager", ("address",), DEPLOYER))
        await chain.place(DEPLOYER, STATE_VIEW, init_code("StateView", ("address",), POOL_MANAGER))
        routers = [
            await chain.create(DEPLOYER, init_code(name, ("address",), POOL_MANAGER))
            for name in ("PoolModifyLiquidityTest", "PoolSwapTest")
        ]
        for token in tokens:
            for router in routers:
                await chain.do(owner, token, "approve(address,uint256)", router, 2**256 - 1)
        usual, other, hooked = (
            (*tokens, fee, spacing, hooks)
            for fee, spacing, hooks in (
                (3000, 60, NOBODY),
                (444, 20, NOBODY),
                (500, 10, "0x" + "0" * 37 + "080"),
            )
        )
        start = f"initialize({KEY},uint160)"
        await chain.do(owner, POOL_MANAGER, start, usual, sqrt_at(30))
        ids = {key: hexed(keccak(encode((KEY,), key))) for key in (usual, other)}
        async with watching(node, rpc) as watch:
            await watch.shown({ids[usual]})
            await chain.do(owner, POOL_MANAGER, start, other, sqrt_at(-700))
            await chain.do(owner, POOL_MANAGER, start, hooked, sqrt_at(0))
            await watch.shown({ids[other]})
            with_hooks = hexed(keccak(encode((KEY,), hooked)))
            while with_hooks not in watch.tracker.keeper.unusable:
                await watch.shown({ids[other]})
            assert "hooks" in watch.tracker.keeper.unusable[with_hooks]
            for key, pool in ids.items():
                for ends in ((-60_000, 60_000), (-1200, 1200)):
                    change = (*ends, 10**21, bytes(32))
                    await chain.do(owner, routers[0], MODIFY, key, change, b"")
                for down, amount in ((True, -(10**20)), (False, 10**19), (True, 10**18)):
                    asked = (down, amount, sqrt_at(-50_000 if down else 50_000))
                    await chain.do(owner, routers[1], SWAP, key, asked, (False, False), b"")
                view = await watch.shown({pool})
                await watch.agree(view, set(ids.values()))
    assert watch.compared == 4
    entry = view.entries[ids[other]]
    assert (entry.pool.tokens, entry.pool.decimals) == (tokens, (18, 18))
    assert isinstance(entry.state, TickedPool)
    assert len(entry.state.ticks.ticks) == 4
    assert entry.state.root != sqrt_at(-700)
