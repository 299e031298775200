"""BlockInspector: what a block's logs show of swaps and MEV."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from ..chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY
from ..chain.pools.book import Entry
from ..flow.processor import DataProcessor
from ..inspect import Known, inspect_block, mined_block
from ..model.chain import Block, Transaction
from ..model.event import DataEvent, DataType, EventPriority
from ..model.opportunity import Kind, Landed

REMEMBERED = 50_000
"""Pending transactions whose sender and recipient are kept for the block that has them."""
_TYPES = {Kind.ARBITRAGE: DataType.ARBITRAGE, Kind.LIQUIDATION: DataType.LIQUIDATION}


class BlockInspector(DataProcessor):
    """Finds the swaps and the MEV in every complete block, from its logs.

    Emits each piece of MEV, and all of a block together, against which predictions are held.
    Whoever sent a transaction is known where it was seen pending.

    Args:
        sources: whose blocks are looked at, by the feed's name and its nodes'; None: all.
    """

    consumes = frozenset({DataType.BLOCK, DataType.TRANSACTION, DataType.POOLS})
    emits = frozenset({DataType.LANDED, DataType.ARBITRAGE, DataType.LIQUIDATION, DataType.FINDING})

    def __init__(self, sources: frozenset[str] | None = None) -> None:
        self._sources = sources
        self._bodies: OrderedDict[str, Transaction] = OrderedDict()
        self._pools: Mapping[str, Entry] = {}
        self._known = Known(tokens_of=self._tokens_of, protocol_of=self._protocol_of)

    def admits(self, event: DataEvent) -> bool:
        """Whether it is of the chain that is followed."""
        derived = event.event_type is DataType.POOLS
        return derived or self._sources is None or event.source in self._sources

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """What landed in a block."""
        kind = event.event_type
        if kind is DataType.POOLS:
            self._pools = event.data.entries
        elif kind is DataType.TRANSACTION:
            self._remember(event.data)
        else:
            return self._inspect(event, event.data)
        return ()

    def _remember(self, body: Transaction) -> None:
        self._bodies[body.hash] = replace(body, input=b"")
        if len(self._bodies) > REMEMBERED:
            self._bodies.popitem(last=False)

    def _inspect(self, event: DataEvent, block: Block) -> Iterable[DataEvent]:
        if block.logs is None:
            return ()
        mined = mined_block(block, self._bodies)
        found = inspect_block(mined, self._known)
        names = tuple(one.hash for one in mined.transactions)
        whole = Landed(block.number, block.hash, names, found.swaps, found.opportunities)
        told = [event.finding(whole, DataType.LANDED, EventPriority.HIGH)]
        told += [
            event.finding(one, _TYPES.get(one.kind, DataType.FINDING), EventPriority.NORMAL)
            for one in found.opportunities
        ]
        return told

    def _tokens_of(self, pool: str) -> Sequence[str] | None:
        entry = self._pools.get(pool)
        return None if entry is None else entry.pool.tokens

    def _protocol_of(self, pool: str) -> str | None:
        entry = self._pools.get(pool)
        if entry is None:
            return None
        ours = entry.pool.factory == SUSHISWAP_FACTORY
        return "sushiswap" if ours else entry.pool.protocol.value
