"""A scenario's node as a tracker and a detector see it, without a stream between them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import attrs
import msgspec

from tests.devnet.markets import Market
from tests.devnet.reading import carry_out
from tests.devnet.rpc import Hex, Json, Rpc
from tests.devnet.test_pool_states import log_of
from trio_mev.chain.pools.loading import Loaded, load_pair, load_v3
from trio_mev.model.chain import Block, Life, PendingLife, Transaction
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.opportunity import Opportunity
from trio_mev.model.settings import PoolSettings
from trio_mev.processors.jit import JitDetector
from trio_mev.processors.pools import PoolTracker
from trio_mev.wire.ethereum import parse_transaction


@attrs.define(eq=False)
class JitWatch:
    """Hands over what the node has, and keeps what is predicted.

    A transaction that was replaced or dropped is told when its block is.
    """

    rpc: Rpc
    tracker: PoolTracker
    detector: JitDetector = attrs.Factory(JitDetector)
    told: list[Opportunity] = attrs.Factory(list)
    clock: float = 0.0
    pending_bodies: dict[Hex, Transaction] = attrs.Factory(dict)
    effects: int = 0

    async def start(self) -> None:
        """Load the pools, as of the head."""
        head = await self._block("latest")
        await self._give(DataType.BLOCK, head)
        for pool in self.tracker.keeper.missing:
            plan = self.tracker.keeper.plan(pool)
            read = await carry_out(self.rpc, plan(), {"blockHash": head.hash})
            assert isinstance(read, Loaded)
            assert self.tracker.keeper.take(pool, read, head.hash)

    async def go_to(self, now: int) -> None:
        pass

    async def pending(self, transaction: Hex) -> None:
        body = await self.rpc.call("eth_getTransactionByHash", transaction)
        parsed = parse_transaction(msgspec.json.encode(body))
        self.pending_bodies[parsed.hash] = parsed
        await self._give(DataType.TRANSACTION, parsed)

    async def gone(self, transaction: Hex, life: Life) -> None:
        self.pending_bodies.pop(transaction, None)
        await self._give(DataType.MEMPOOL, PendingLife(transaction, life))

    async def block(self, block_hash: Hex, logs: int) -> None:
        block = await self._block(block_hash)
        assert len(block.logs or ()) == logs
        await self._give(DataType.BLOCK, block)
        for name in block.transactions or ():
            await self.gone(name, Life.INCLUDED)
        for name in list(self.pending_bodies):
            if await self.rpc.call("eth_getTransactionByHash", name) is None:
                await self.gone(name, Life.DROPPED)

    async def _block(self, name: str) -> Block:
        method = "eth_getBlockByHash" if len(name) == 66 else "eth_getBlockByNumber"
        body: Json = await self.rpc.call(method, name, False)
        logs = await self.rpc.call("eth_getLogs", {"blockHash": body["hash"]})
        numbers = [int(body[key], 16) for key in ("timestamp", "gasLimit", "gasUsed")]
        return Block(
            int(body["number"], 16),
            body["hash"],
            body["parentHash"],
            *numbers,
            base_fee=int(body["baseFeePerGas"], 16),
            transactions=tuple(body["transactions"]),
            complete=True,
            logs=tuple(log_of(log) for log in logs),
        )

    async def _give(self, kind: DataType, data: Any) -> None:
        self.clock += 0.25
        event = DataEvent(kind, EventPriority.NORMAL, data, "node", self.clock)
        made = await self._process(self.detector, event)
        if kind in self.tracker.consumes:
            for one in await self._process(self.tracker, event):
                self.effects += one.event_type is DataType.EFFECT
                made += await self._process(self.detector, one)
        self.told += [one.data for one in made]

    async def _process(self, processor: Any, event: DataEvent) -> list[DataEvent]:
        found = await processor.process_event(event)
        return [msgspec.structs.replace(one, source="node") for one in found]


async def watch(rpc: Rpc, markets: Iterable[Market]) -> JitWatch:
    """A watch of these pools, as of the head."""
    found = JitWatch(rpc, PoolTracker(PoolSettings()))
    for market in markets:
        plan = load_v3 if market.concentrated else load_pair
        found.tracker.keeper.want(market.address, partial(plan, market.address))
    await found.start()
    return found
