"""Random swaps, ours beside what the contracts answer, many to a message."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from tests.devnet.abi import Address, call_data, decode
from tests.devnet.addresses import DAI, POSITIONS, PROVIDER_OF_LIQUIDITY, QUOTER
from tests.devnet.chain import LARGEST, Chain
from tests.devnet.deploy import devnet
from tests.devnet.node import Options
from tests.devnet.rpc import open_rpc
from tests.devnet.uniswap import INITIALIZE, MINT, NEVER
from trio_mev.chain.pools.swap import Swap
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.ticks import sqrt_at

BATCH = 500
FEES = {100: 1, 500: 10, 3000: 60, 10_000: 200}
"""Fee tiers of Uniswap V3, and their tick spacings."""
EXACT_IN = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
EXACT_OUT = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"


@attrs.frozen
class Asked:
    """A swap to quote."""

    zero_for_one: bool
    amount: int
    exact_out: bool

    def of(self, pool: TickedPool) -> Swap:
        """What ours comes to."""
        return pool.swap_to(self.zero_for_one, self.amount, self.exact_out)

    def other(self, swap: Swap) -> int:
        """The amount that was not asked for."""
        return swap.amount_in if self.exact_out else swap.amount_out


def random_swaps(rng: random.Random, count: int, largest: float) -> list[Asked]:
    """Swaps of all sizes, up to 10 to a power."""
    return [
        Asked(rng.random() < 0.5, int(10 ** rng.uniform(0, largest)), rng.random() < 0.5)
        for _ in range(count)
    ]


@asynccontextmanager
async def roomy_chain() -> AsyncIterator[Chain]:
    """A chain with everything on it, whose blocks have room for the creation of contracts."""
    async with devnet(Options()) as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("evm_setBlockGasLimit", hex(2 * LARGEST))
        chain = Chain(rpc, gas=LARGEST)
        owner = PROVIDER_OF_LIQUIDITY
        await chain.do(owner, DAI, "approve(address,uint256)", POSITIONS, 2**256 - 1)
        yield chain


def random_range(rng: random.Random, middle: int, spacing: int) -> tuple[int, int]:
    """The ends of a position somewhere about a tick, narrow or wide."""
    width = max(spacing, int(10 ** rng.uniform(0.5, 4)) // spacing * spacing)
    low = (middle + rng.randrange(-width, width)) // spacing * spacing
    return low, low + width


async def crowded_pool(
    chain: Chain, rng: random.Random, tokens: Sequence[Address], fee: int, positions: int
) -> None:
    """Make a pool of Uniswap V3 with positions of random ranges and sizes."""
    spacing, owner = FEES[fee], PROVIDER_OF_LIQUIDITY
    middle = rng.randrange(-2000, 2000)
    await chain.do(owner, POSITIONS, INITIALIZE, *tokens, fee, sqrt_at(middle))
    for _ in range(positions):
        amounts = [int(10 ** rng.uniform(9, 21)) for _ in range(2)]
        ends = random_range(rng, middle, spacing)
        position = (*tokens, fee, *ends, *amounts, 0, 0, owner, NEVER)
        await chain.do(owner, POSITIONS, MINT, position)


async def quoted(
    chain: Chain, tokens: Sequence[Address], fee: int, asked: Iterable[Asked]
) -> list[tuple[int, int] | None]:
    """What QuoterV2 says: the other amount, and the square root of the price afterwards; None
    where it reverts."""
    calls = []
    for one in asked:
        token_in, token_out = tokens if one.zero_for_one else tokens[::-1]
        method = EXACT_OUT if one.exact_out else EXACT_IN
        data = call_data(method, (token_in, token_out, one.amount, fee, 0))
        calls.append((QUOTER, data))
    types = "(uint256,uint160,uint32,uint256)"
    return [one and decode(types, one)[:2] for one in await answers(chain, calls)]


async def answers(chain: Chain, calls: list[tuple[Address, str]]) -> list[Any]:
    """What views answer, in order; None for a call that reverts."""
    found: list[Any] = []
    for start in range(0, len(calls), BATCH):
        some = calls[start : start + BATCH]
        asked = [("eth_call", [{"to": to, "data": data}, "latest"]) for to, data in some]
        found += await chain.rpc.batch(asked, refusals=True)
    return found
