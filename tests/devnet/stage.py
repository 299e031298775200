"""What a scenario is played on: the chain block by block, its clock, and who has acted already."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, Protocol

import attrs

from tests.devnet.abi import Address, account, call_data, decode
from tests.devnet.addresses import PRODUCER
from tests.devnet.cast import EXECUTORS, SEARCHERS, TRADERS
from tests.devnet.chain import Chain
from tests.devnet.deploy import BLOCK_TIME, GWEI
from tests.devnet.markets import RUN, Market
from tests.devnet.rpc import Hex, Json, RpcError
from tests.devnet.truth import Plant, Reader

CEILING = 60 * GWEI
"""Above any base fee, so that blocks are ordered by what is offered above it."""
GAS = 600_000
SECOND = 10**9


class Witness(Protocol):
    """Somebody who listens to the node while a scenario goes on."""

    async def go_to(self, now: int) -> None:
        """The scenario's time, in nanoseconds since the epoch, is now this."""

    async def pending(self, transaction: Hex) -> None:
        """A transaction was handed to the node."""

    async def block(self, block_hash: Hex, logs: int) -> None:
        """The node made a block with so many logs."""


class Nobody:
    """No witness."""

    async def go_to(self, now: int) -> None:
        """Time matters to nobody."""

    async def pending(self, transaction: Hex) -> None:
        """Nobody listens."""

    async def block(self, block_hash: Hex, logs: int) -> None:
        """Nobody listens."""


@attrs.define(eq=False)
class Round:
    """One block in the making: each pool and each person is used by one act only."""

    stage: Stage
    markets: list[Market]
    """Those that no act of this block has claimed."""
    traders: list[Address]
    searchers: list[Address]
    plants: list[Plant] = attrs.Factory(list)
    band: int = 50 * GWEI
    """What the next act offers; an earlier act comes first in the block."""
    small: int = 3 * GWEI

    def claim(self, *markets: Market) -> None:
        """Take pools away from the acts that follow."""
        for market in markets:
            self.markets.remove(market)

    def next_band(self) -> int:
        """Five gwei for an act to order its transactions in, above all ordinary ones."""
        self.band -= 5 * GWEI
        return self.band

    def next_small(self) -> int:
        """A tip below every band, and below those given before."""
        self.small -= self.stage.random.randrange(1_000_000, GWEI // 20)
        return self.small


@attrs.define(eq=False)
class Stage:
    """The chain of one scenario, and its books of what was sent."""

    chain: Chain
    reader: Reader
    random: random.Random
    witness: Witness
    head: Json
    sent: dict[Hex, Json] = attrs.Factory(dict)
    """The body of each transaction, as it was pending."""
    replaced: dict[Hex, Hex] = attrs.Factory(dict)
    dropped: list[Hex] = attrs.Factory(list)
    announced: int = 0
    """Transactions since the last block."""
    waiting: dict[Hex, tuple[Address, list[Market]]] = attrs.Factory(dict)
    """Transactions that find no room yet: whose, and the pools that they go to."""
    reorganised: int = 0
    """How often; each time by another producer."""

    def new_round(self) -> Round:
        """The next block, with everybody at hand who does not wait for something."""
        busy = {trader for trader, _ in self.waiting.values()}
        claimed = {market for _, markets in self.waiting.values() for market in markets}
        traders = [trader for trader in TRADERS if trader not in busy]
        searchers = list(SEARCHERS)
        self.random.shuffle(traders)
        self.random.shuffle(searchers)
        markets = [market for market in self.reader.markets.values() if market not in claimed]
        return Round(self, markets, traders, searchers)

    async def call(
        self,
        sender: Address,
        to: Address,
        signature: str,
        *values: Any,
        returns: str,
        block: str = "latest",
    ) -> tuple[Any, ...] | None:
        """What a transaction would give; None where it would revert.

        Args:
            sender: whose.
            to: the contract.
            signature: the method's.
            values: its arguments.
            returns: the answer's types in parentheses.
            block: ``pending`` for after what the node holds already.
        """
        call = {"from": sender, "to": to, "data": call_data(signature, *values)}
        try:
            return decode(returns, await self.chain.rpc.call("eth_call", call, block))
        except RpcError:
            return None

    async def run(
        self, searcher: Address, legs: Iterable[tuple[Any, ...]], block: str = "latest"
    ) -> tuple[int, int] | None:
        """What a searcher's executor would pay first and get last."""
        to = EXECUTORS[searcher]
        answer = await self.call(
            searcher, to, RUN, list(legs), 0, returns="(uint256,uint256)", block=block
        )
        return answer and (answer[0], answer[1])

    async def send(
        self,
        sender: Address,
        to: Address,
        signature: str,
        *values: Any,
        tip: int,
        value: int = 0,
        **fields: int,
    ) -> Hex:
        """Hand over a transaction that offers a tip, at its time within the slot."""
        data = call_data(signature, *values) if signature else "0x"
        return await self.hand_over(sender, to, data, value, tip, fields)

    async def hand_over(
        self, sender: Address, to: Address, data: Hex, value: int, tip: int, fields: dict[str, int]
    ) -> Hex:
        """As ``send``, with the input made already."""
        self.announced += 1
        # Between one and eleven seconds into the slot, ever closer together.
        part = 1 - 0.9**self.announced
        await self.witness.go_to(self._slot() + int((1 + 10 * part) * SECOND))
        fees = {"maxFeePerGas": CEILING + tip, "maxPriorityFeePerGas": tip}
        asked = {"gas": GAS, **fees, **fields}
        hash_ = await self.chain.send(sender, to, data, value, **asked)
        self.sent[hash_] = await self.chain.rpc.call("eth_getTransactionByHash", hash_)
        await self.witness.pending(hash_)
        return hash_

    def _slot(self) -> int:
        """When the slot began that ends with the next block."""
        return int(self.head["timestamp"], 16) * SECOND

    async def mine(self) -> None:
        """Make the next block."""
        await self.witness.go_to(self._slot() + BLOCK_TIME * SECOND)
        await self.chain.rpc.call("evm_mine")
        self.announced = 0
        await self._to_head()
        await self._show(self.head)

    async def _to_head(self) -> None:
        self.head = await self.chain.rpc.call("eth_getBlockByNumber", "latest", False)

    async def _show(self, block: Json) -> None:
        logs = await self.chain.rpc.call("eth_getLogs", {"blockHash": block["hash"]})
        await self.witness.block(block["hash"], len(logs))

    async def reorganise(self, depth: int) -> Json:
        """Let the node replace its last blocks by empty ones; a record of it."""
        top = int(self.head["number"], 16)
        numbers = range(top - depth, top + 1)
        before = await self._hashes(numbers)
        await self.witness.go_to(self._slot() + SECOND)
        # The node would go on with the fee that followed from the last block it retracts.
        first = await self.chain.rpc.call("eth_getBlockByNumber", hex(numbers[1]), False)
        fee = first["baseFeePerGas"]
        await self.chain.rpc.call("anvil_setNextBlockBaseFeePerGas", fee)
        # Of two empty blocks in one place, by one producer, the hash would be the same.
        self.reorganised += 1
        await self.chain.rpc.call("anvil_setCoinbase", account(f"rival {self.reorganised}"))
        await self.chain.rpc.call("anvil_reorg", depth, [])
        await self.chain.rpc.call("anvil_setCoinbase", PRODUCER)
        await self._to_head()
        after = await self._hashes(numbers)
        for number in numbers[1:]:
            block = await self.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
            await self._show(block)
        return {
            "depth": depth,
            "ancestor": {"number": top - depth, "hash": before[0]},
            "retracted": before[:0:-1],
            "added": after[1:],
        }

    async def _hashes(self, numbers: range) -> list[Hex]:
        asked = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        return [block["hash"] for block in await self.chain.rpc.batch(asked)]
