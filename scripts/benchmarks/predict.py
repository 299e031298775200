"""What it takes from a pending transaction's frame to what is found about it: decoding, its effect
on the pools, cycles behind it, its exposure, and its analysis."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import trio

from trio_mev.chain.contracts.tokens import WETH
from trio_mev.chain.contracts.uniswap_v2 import UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY
from trio_mev.chain.pools.loading import Loaded
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.flow.processor import DataProcessor
from trio_mev.model.chain import Block
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.settings import ArbitrageSettings, PoolSettings
from trio_mev.processors.arbitrage import ArbitrageDetector
from trio_mev.processors.jit import JitDetector
from trio_mev.processors.pools import PoolTracker
from trio_mev.processors.sandwich import SandwichDetector
from trio_mev.processors.transactions import TransactionAnalyzer
from trio_mev.wire.ethereum import parse_pending

from .pools import Market

GWEI = 10**9
SENDER = "0x" + "5e" * 20
PAIRS_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
RANGES_ROUTER = "0xe592427a0aece92de3edee1f18e0157c05861564"
SHARES = 0.0001, 0.03
"""Of a pool's reserve that a swap pays."""
SLACK = 0.01
"""How far the limit is below what the swap would get, at most."""
NOW = 1_700_000_000


class Setting:
    """Pools that are tracked, and processors that are told of them.

    Args:
        count: how many pools.
    """

    def __init__(self, count: int) -> None:
        self.market = Market(count, first=WETH)
        self.tracker = PoolTracker(PoolSettings(most=count))
        bases = (WETH, *self.market.tokens[1:4])
        self.detectors: list[DataProcessor] = [
            ArbitrageDetector(ArbitrageSettings(bases=bases)),
            SandwichDetector(),
            JitDetector(),
        ]
        self.analyzer = TransactionAnalyzer()
        self.named: list[Pool] = []

    async def begin(self) -> None:
        """Let everybody know the pools."""
        keeper, known = self.tracker.keeper, set()
        await self.block(1)
        for pool in self.market.pools:
            v2 = pool.protocol is Protocol.UNISWAP_V2
            factory, fee = (UNISWAP_FACTORY, None) if v2 else (FACTORY, 3000)
            named = msgspec.structs.replace(pool, factory=factory, fee=fee)
            if key_of(named) in known:  # another one of the same tokens cannot be meant
                named = pool
            else:
                known.add(key_of(named))
                self.named.append(named)
            keeper.want(pool.id, keeper.learner.named(pool.id))
            keeper.take(pool.id, Loaded(named, self.market.states[pool.id]), "0x1")
        await self.block(2)

    async def block(self, number: int) -> None:
        """One more block, in which nothing happens."""
        base = Block(
            number,
            f"0x{number}",
            f"0x{number - 1}",
            NOW,
            36_000_000,
            18_000_000,
            5 * GWEI,
            complete=True,
            transactions=(),
            logs=(),
        )
        event = DataEvent(DataType.BLOCK, EventPriority.HIGH, base, "node", 0.0)
        for one in await self.tracker.process_event(event):
            for detector in self.detectors:
                if one.event_type in detector.consumes:
                    await detector.process_event(one)
        await self.analyzer.process_event(event)

    def frame(self, number: int) -> bytes:
        """Somebody swaps at one of the pools, by the router of its kind."""
        rng = self.market.random
        pool = rng.choice(self.named)
        state, side = self.market.states[pool.id], rng.randrange(2)
        most = _held(state, side)
        amount = max(int(most * rng.uniform(*SHARES)), 1)
        least = int(state.swap(side, 1 - side, amount).amount_out * (1 - rng.random() * SLACK))
        tokens = pool.tokens[side], pool.tokens[1 - side]
        v2 = pool.protocol is Protocol.UNISWAP_V2
        data = _pairs(amount, least, tokens) if v2 else _ranges(amount, least, tokens)
        body = {
            "hash": f"0x{number + 2**200:064x}",
            "from": SENDER,
            "to": PAIRS_ROUTER if v2 else RANGES_ROUTER,
            "nonce": hex(number),
            "value": "0x0",
            "gas": hex(300_000),
            "input": "0x" + data.hex(),
            "type": "0x2",
            "maxFeePerGas": hex(rng.randrange(5, 50) * GWEI),
            "maxPriorityFeePerGas": hex(rng.randrange(1, 5) * GWEI),
        }
        return json.dumps(body).encode()

    async def take(self, frame: bytes) -> int:
        """From a frame to its findings; how many there are."""
        event = DataEvent(
            DataType.TRANSACTION, EventPriority.NORMAL, parse_pending(frame), "node", 0.0
        )
        found = len(list(await self.analyzer.process_event(event) or ()))
        effects = await self.tracker.process_event(event)
        for detector in self.detectors:
            if DataType.TRANSACTION in detector.consumes:
                found += len(list(await detector.process_event(event) or ()))
            for effect in effects:
                found += len(list(await detector.process_event(effect) or ()))
        return found


def _held(state: Any, side: int) -> int:
    """The reserve of a token, or the virtual one at the price."""
    if hasattr(state, "reserve0"):
        return int((state.reserve0, state.reserve1)[side])
    scaled = state.liquidity << 96
    return int(state.liquidity * state.root >> 96) if side else scaled // state.root


def _words(*values: int | str) -> bytes:
    return b"".join(
        (int(one, 16) if isinstance(one, str) else one).to_bytes(32, "big") for one in values
    )


def _pairs(amount: int, least: int, tokens: tuple[str, str]) -> bytes:
    return bytes.fromhex("38ed1739") + _words(amount, least, 160, SENDER, NOW + 600, 2, *tokens)


def _ranges(amount: int, least: int, tokens: tuple[str, str]) -> bytes:
    words = _words(*tokens, 3000, SENDER, NOW + 600, amount, least, 0)
    return bytes.fromhex("414bf389") + words


def run(pools: int, count: int) -> dict[str, Any]:
    """Microseconds from a frame to its findings, and of processor time for each."""
    return trio.run(_run, pools, count)


async def _run(pools: int, count: int) -> dict[str, Any]:
    setting = Setting(pools)
    await setting.begin()
    frames = [setting.frame(number) for number in range(count * 6 // 5)]
    for frame in frames[count:]:
        await setting.take(frame)
    spent, found = [], 0
    begin = time.process_time()
    for frame in frames[:count]:
        start = time.perf_counter()
        found += await setting.take(frame)
        spent.append(time.perf_counter() - start)
    total = time.process_time() - begin
    spent.sort()
    return {
        "p50": spent[count // 2] * 1e6,
        "p99": spent[min(count - 1, count * 99 // 100)] * 1e6,
        "cost": total / count * 1e6,
        "found": found,
    }
