"""After every block of a scenario, reorganisations included, the pools are as the node has them."""

from __future__ import annotations

import os

import attrs
import pytest

from tests.devnet.abi import raw
from tests.devnet.deploy import devnet
from tests.devnet.markets import Market
from tests.devnet.reading import carry_out, together
from tests.devnet.rpc import Hex, Json, Rpc, open_rpc
from tests.devnet.scenario import open_scenario
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.loading import Loaded, load_pair, load_v3
from trio_mev.model.chain import Block, Log, Reorg

SEEDS = int(os.environ.get("SEEDS", "10"))
"""Scenarios that are played; each takes a second and a half of processor time, node included."""
BLOCKS = 34
"""In which a scenario has each of its kinds once, and reorganisations of each depth."""


@attrs.define(eq=False)
class Follower:
    """Somebody who follows a scenario's pools by its blocks alone, and checks them each time."""

    rpc: Rpc
    markets: list[Market]
    book: PoolBook = attrs.Factory(PoolBook)
    chain: list[Block] = attrs.Factory(list)
    changed: int = 0
    reorgs: int = 0

    async def start(self) -> None:
        head = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        self.chain.append(await self.fetch(head["hash"]))
        self.book.begin(self.chain[-1].number, head["hash"])
        for loaded in await self.read(self.markets):
            assert self.book.load(loaded.pool, loaded.state, head["hash"])

    async def fetch(self, block_hash: Hex) -> Block:
        return await block_at(self.rpc, block_hash)

    async def read(self, markets: list[Market]) -> list[Loaded]:
        plans = [load_v3(m.address) if m.concentrated else load_pair(m.address) for m in markets]
        found = await carry_out(self.rpc, together(plans), {"blockHash": self.chain[-1].hash})
        assert all(isinstance(one, Loaded) for one in found), found
        return [one for one in found if isinstance(one, Loaded)]

    async def block(self, block_hash: Hex, logs: int) -> None:
        added = [await self.fetch(block_hash)]
        known = {block.hash: place for place, block in enumerate(self.chain)}
        while added[0].parent not in known:
            added.insert(0, await self.fetch(added[0].parent))
        place, suspects = known[added[0].parent], set[str]()
        if place + 1 < len(self.chain):
            ancestor, gone = self.chain[place], self.chain[place + 1 :]
            hashes = tuple(block.hash for block in added)
            reorg = Reorg(ancestor.number, ancestor.hash, tuple(gone[::-1]), hashes)
            suspects |= self.book.undo(reorg)
            del self.chain[place + 1 :]
            self.reorgs += 1
        for one in added:
            self.chain.append(one)
            suspects |= self.book.advance(one)
        self.changed += len(suspects)
        await self.check(suspects)

    async def check(self, pools: set[str] | None = None) -> None:
        suspects = [m for m in self.markets if pools is None or m.address in pools]
        for market, loaded in zip(suspects, await self.read(suspects), strict=True):
            assert self.book[market.address].quarantine is None
            assert self.book.check(market.address, loaded.state, self.chain[-1].hash)

    async def go_to(self, now: int) -> None:
        pass

    async def pending(self, transaction: Hex) -> None:
        pass


async def block_at(rpc: Rpc, at: Hex = "latest") -> Block:
    """A block with its logs, by its number or hash."""
    method = "eth_getBlockByHash" if len(at) == 66 else "eth_getBlockByNumber"
    header = await rpc.call(method, at, False)
    logs = await rpc.call("eth_getLogs", {"blockHash": header["hash"]})
    numbers = [int(header[name], 16) for name in ("timestamp", "gasLimit", "gasUsed")]
    return Block(
        int(header["number"], 16),
        header["hash"],
        header["parentHash"],
        *numbers,
        complete=True,
        logs=tuple(map(log_of, logs)),
    )


def log_of(log: Json) -> Log:
    return Log(
        log["blockHash"],
        int(log["blockNumber"], 16),
        int(log["logIndex"], 16),
        log["transactionHash"],
        int(log["transactionIndex"], 16),
        log["address"],
        tuple(log["topics"]),
        raw(log["data"]),
        complete=True,
    )


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_pools_are_the_nodes_after_every_block(seed: int):
    async with devnet() as node, open_rpc(node.ws_url) as rpc, open_rpc(node.ws_url) as other:
        scenario = await open_scenario(rpc, seed)
        markets = list(scenario.stage.reader.markets.values())
        follower = Follower(other, markets)
        scenario.stage.witness = follower
        await follower.start()
        await scenario.play(BLOCKS)
        await follower.check()
    assert follower.reorgs >= 7
    assert follower.changed > 100
    assert follower.book.counts.undone >= 28
    assert follower.book.counts.repaired == 0
    assert not follower.book.quarantined
