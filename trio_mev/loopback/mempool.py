"""A simulated node: pending transactions, blocks that include most of them, their swaps' logs.

Nothing in it was recorded, and no such transaction is on any chain. Addresses of routers and of
one pool are those of the main network; call data is encoded as the routers' interfaces say.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import attrs

from ..chain.fees import next_base_fee
from ..wire.tape import Direction, Record
from .market import STEP_MS, Prices

NODE = "ethereum:demo"
BLOCK_MS = 12_000
GAS_LIMIT = 36_000_000
GWEI = 10**9
WETH = "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC = "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
V3_ROUTER = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
V2_POOL = "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc"
V2_SWAP = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
HEADS_ID, PENDING_ID, LOGS_ID = "0x1a2b", "0x1a2c", "0x1a2d"


def word(value: int | str) -> str:
    """One 32-byte word of call data."""
    return f"{value:064x}" if isinstance(value, int) else value.rjust(64, "0")


@attrs.define
class Pending:
    """A transaction in the simulated mempool."""

    body: dict[str, Any]
    fee: int
    """Wei a gas, at most."""
    swap: int = 0
    """Wei of ether that it swaps at the V2 pool."""


class Node:
    """One node's frames.

    Args:
        rng: the simulation's.
        prices: where swaps take their price from.
        epoch_ns: the simulation's start.
    """

    def __init__(self, rng: random.Random, prices: Prices, epoch_ns: int) -> None:
        self.rng = rng
        self.prices = prices
        self.epoch_ns = epoch_ns
        self.number = 23_500_000
        self.parent = self._hash()
        self.base_fee = 3 * GWEI
        self.pending: list[Pending] = []
        self.next_id = 4

    def _hash(self) -> str:
        return "0x" + self.rng.randbytes(32).hex()

    def _address(self) -> str:
        return self.rng.randbytes(20).hex()

    def record(self, ms: float, message: Any, direction: Direction = Direction.IN) -> Record:
        """A frame at a time."""
        at = int(ms * 1_000_000) + self.rng.randrange(100_000, 900_000)
        frame = json.dumps(message, separators=(",", ":")).encode()
        return Record(self.epoch_ns + at, at, NODE, direction, frame)

    def notify(self, ms: float, subscription: str, result: Any) -> Record:
        """An ``eth_subscription`` message."""
        params = {"subscription": subscription, "result": result}
        return self.record(ms, {"jsonrpc": "2.0", "method": "eth_subscription", "params": params})

    def opening(self) -> Iterator[Record]:
        """Three subscriptions and the ids that the node gives them."""
        wanted: list[tuple[list[Any], str]] = [
            (["newHeads"], HEADS_ID),
            (["newPendingTransactions", True], PENDING_ID),
            (["logs", {"topics": [[V2_SWAP]]}], LOGS_ID),
        ]
        for number, (params, server_id) in enumerate(wanted, 1):
            request = {"jsonrpc": "2.0", "id": number, "method": "eth_subscribe", "params": params}
            yield self.record(number * 2, request, Direction.OUT)
            reply = {"jsonrpc": "2.0", "id": number, "result": server_id}
            yield self.record(number * 2 + 1, reply)

    def step(self, ms: int) -> Iterator[Record]:
        """A tenth of a second's frames."""
        for _ in range(2):
            if self.rng.random() < 3.0 * STEP_MS / 1000:
                transaction = self._transaction()
                self.pending.append(transaction)
                yield self.notify(ms, PENDING_ID, transaction.body)
        if ms % BLOCK_MS == BLOCK_MS - 3_000:
            yield from self._block(ms)

    def _transaction(self) -> Pending:
        tip = int(self.rng.lognormvariate(0, 1.2) * 0.3 * GWEI)
        fee = 2 * self.base_fee + tip
        to, data, value, gas, swap = self._call()
        body: dict[str, Any] = {
            "blockHash": None,
            "blockNumber": None,
            "transactionIndex": None,
            "from": "0x" + self._address(),
            "to": to,
            "gas": hex(gas),
            "gasPrice": hex(fee),
            "maxFeePerGas": hex(fee),
            "maxPriorityFeePerGas": hex(tip),
            "hash": self._hash(),
            "input": data,
            "nonce": hex(self.rng.randrange(5000)),
            "value": hex(value),
            "type": "0x2",
            "accessList": [],
            "chainId": "0x1",
        }
        return Pending(body, fee, swap)

    def _call(self) -> tuple[str, str, int, int, int]:
        """To whom, call data, value, gas, and ether swapped."""
        kind = self.rng.random()
        value = int(self.rng.lognormvariate(-2, 1.8) * 10**18)
        recipient = self._address()
        if kind < 0.45:
            return "0x" + recipient, "0x", value, 21_000, 0
        if kind < 0.7:  # an ERC-20 transfer
            amount = self.rng.randrange(10**6, 10**10)
            data = "0xa9059cbb" + word(recipient) + word(amount)
            return "0x" + USDC, data, 0, 65_000, 0
        deadline = self.epoch_ns // 10**9 + 1200
        least = int(value / 10**18 * self.prices.true["ETH"] * 0.995 * 10**6)
        if kind < 0.9:  # swapExactETHForTokens(uint256,address[],address,uint256)
            words: tuple[int | str, ...] = (least, 128, recipient, deadline, 2, WETH, USDC)
            return V2_ROUTER, "0x7ff36ab5" + "".join(map(word, words)), value, 180_000, value
        # SwapRouter02's exactInputSingle takes one struct of seven static fields.
        fields: tuple[int | str, ...] = (WETH, USDC, 500, recipient, value, least, 0)
        return V3_ROUTER, "0x04e45aaf" + "".join(map(word, fields)), value, 200_000, 0

    def _block(self, ms: int) -> Iterator[Record]:
        """A head, the answer with its hashes, and the logs of its swaps."""
        self.pending.sort(key=lambda p: p.fee, reverse=True)
        count = int(len(self.pending) * self.rng.uniform(0.8, 0.95))
        taken, self.pending = self.pending[:count], self.pending[count:]
        private = [self._hash() for _ in range(self.rng.randrange(10, 40))]
        hashes = [p.body["hash"] for p in taken] + private
        self.rng.shuffle(hashes)
        gas_used = int(GAS_LIMIT * self.rng.uniform(0.3, 0.7))
        block = self._hash()
        header = {
            "number": hex(self.number),
            "hash": block,
            "parentHash": self.parent,
            "timestamp": hex((self.epoch_ns // 10**6 + ms) // 1000),
            "gasLimit": hex(GAS_LIMIT),
            "gasUsed": hex(gas_used),
            "baseFeePerGas": hex(self.base_fee),
            "miner": "0x" + self._address(),
        }
        yield self.notify(ms, HEADS_ID, header)
        request = {
            "jsonrpc": "2.0",
            "id": self.next_id,
            "method": "eth_getBlockByHash",
            "params": [block, False],
        }
        yield self.record(ms + 1, request, Direction.OUT)
        whole = {**header, "transactions": hashes}
        yield self.record(ms + 20, {"jsonrpc": "2.0", "id": self.next_id, "result": whole})
        for index, p in enumerate(p for p in taken if p.swap):
            yield self.notify(ms + 30, LOGS_ID, self._swap_log(p, block, index, hashes))
        self.next_id += 1
        self.number += 1
        self.parent = block
        self.base_fee = next_base_fee(self.base_fee, gas_used, GAS_LIMIT)

    def _swap_log(self, p: Pending, block: str, index: int, hashes: list[str]) -> dict[str, Any]:
        bought = int(p.swap / 10**18 * self.prices.true["ETH"] * 0.997 * 10**6)
        return {
            "address": V2_POOL,
            "topics": [V2_SWAP, "0x" + word(V2_ROUTER[2:]), "0x" + word(p.body["from"][2:])],
            "data": "0x" + "".join(map(word, (0, p.swap, bought, 0))),
            "blockNumber": hex(self.number),
            "transactionHash": p.body["hash"],
            "transactionIndex": hex(hashes.index(p.body["hash"])),
            "blockHash": block,
            "logIndex": hex(index),
            "removed": False,
        }
