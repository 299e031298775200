"""Random swaps, ours beside what the contracts answer, many to a message."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from tests.devnet.abi import Address, call_data, decode
from tests.devnet.addresses import PROVIDER_OF_LIQUIDITY, QUOTER
from tests.devnet.chain import Chain
from tests.devnet.uniswap import INITIALIZE, MINT, NEVER, POSITIONS
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.ticks import sqrt_at

BATCH = 500
FEES = {100: 1, 500: 10, 3000: 60, 10_000: 200}
EXACT_IN = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
EXACT_OUT = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"


@attrs.frozen
class Asked:
    """A swap to quote."""

    zero_for_one: bool
    amount: int
    exact_out: bool


async def crowded_pool(
    chain: Chain, rng: random.Random, tokens: tuple[Address, Address], fee: int, positions: int
) -> None:
    """Make a pool, if there is none yet, and give it positions of random ranges and sizes."""
    spacing, owner = FEES[fee], PROVIDER_OF_LIQUIDITY
    middle = rng.randrange(-2000, 2000)
    await chain.do(owner, POSITIONS, INITIALIZE, *tokens, fee, sqrt_at(middle))
    for _ in range(positions):
        width = max(spacing, int(10 ** rng.uniform(0.5, 4)) // spacing * spacing)
        low = (middle + rng.randrange(-width, width)) // spacing * spacing
        amounts = [int(10 ** rng.uniform(9, 21)) for _ in range(2)]
        position = (*tokens, fee, low, low + width, *amounts, 0, 0, owner, NEVER)
        await chain.do(owner, POSITIONS, MINT, position)


def random_swaps(rng: random.Random, pool: TickedPool, count: int) -> list[Asked]:
    """Swaps of all sizes, up to some that empty the pool."""
    return [
        Asked(rng.random() < 0.5, int(10 ** rng.uniform(0, 24)), rng.random() < 0.5)
        for _ in range(count)
    ]


async def quoted(
    chain: Chain, tokens: Sequence[Address], fee: int, asked: Iterable[Asked]
) -> list[tuple[int, int, int] | None]:
    """What QuoterV2 says: the other amount, the square root afterwards, and the ticks crossed;
    None where it reverts."""
    calls = []
    for one in asked:
        token_in, token_out = tokens if one.zero_for_one else tokens[::-1]
        method = EXACT_OUT if one.exact_out else EXACT_IN
        data = call_data(method, (token_in, token_out, one.amount, fee, 0))
        calls.append(("eth_call", [{"to": QUOTER, "data": data}, "latest"]))
    return [each and answered(each) for each in await tolerant(chain, calls)]


def answered(text: str) -> tuple[int, int, int]:
    other, root, crossed, _ = decode("(uint256,uint160,uint32,uint256)", text)
    return other, root, crossed


async def tolerant(chain: Chain, calls: list[tuple[str, list[Any]]]) -> list[Any]:
    """The results in order, None for a call that fails."""
    found: list[Any] = []
    for start in range(0, len(calls), BATCH):
        found += await chain.rpc.batch(calls[start : start + BATCH], refusals=True)
    return found
