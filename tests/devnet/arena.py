"""A chain on which every router that is read can be used: Uniswap V4 and Permit2 are there too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
from eth_hash.auto import keccak

from tests.devnet.abi import Address, call_data, encode, hexed
from tests.devnet.addresses import (
    DAI,
    DECIMALS,
    DEPLOYER,
    NOBODY,
    POSITIONS,
    PROVIDER_OF_LIQUIDITY,
    UNISWAP_V2_FACTORY,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    USDC,
    V3_FACTORY,
    WBTC,
    WETH,
)
from tests.devnet.artifacts import artifact, init_code
from tests.devnet.cast import TRADERS
from tests.devnet.chain import LARGEST, Chain
from tests.devnet.deploy import devnet
from tests.devnet.markets import find_markets
from tests.devnet.node import Options
from tests.devnet.reading import load
from tests.devnet.rpc import Rpc, open_rpc
from tests.devnet.uniswap import (
    ADD,
    NEVER,
    V2_CODE_HASH,
    V3_CODE_HASH,
    around,
    ordered,
    pair_of,
    units,
)
from trio_mev.chain.pools.changes import POOL_MANAGER
from trio_mev.chain.pools.loading import Loaded, PoolKey, load_pair, load_v3, load_v4
from trio_mev.chain.pools.ticks import sqrt_at, tick_at
from trio_mev.model.intents import ETHER

NEWER_ROUTER = "0x4c82d1fbfe28c977cbb58d8c7ff8fcf9f70a2cca"
"""The same code in a second place. The package is of a version between: its V4 paths are written
as those of the version that is here, all else as of the one at the first place."""
PERMIT2 = "0x000000000022d473030f116ddee9f6b43ac78ba3"
_PERMIT2_START, _PERMIT2_SIZE = "6040608081526004908136101561001557600080fd5b600090813560e01c", 9152
MORE_PAIRS = ((USDC, WBTC), (DAI, USDC))
"""Of Uniswap V2, so that ways can go in circles."""
KEY = "(address,address,uint24,int24,address)"
POOLS_V4 = ((ETHER, USDC, 3000, 60), (USDC, WETH, 500, 10), (DAI, USDC, 100, 1))
DOLLARS_V4 = 3_000_000
"""On both sides together of each position."""
WIDTHS = (12_000, 1_200)


@attrs.frozen
class Arena:
    """The chain, and what is on it."""

    chain: Chain
    view: Address
    """Of V4's states."""
    keys: dict[str, PoolKey]
    """V4's pools, by their ids."""
    pairs: tuple[Address, ...]
    pools: tuple[Address, ...]
    """Of V3."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of every pool."""
        return (*self.pairs, *self.pools, *self.keys)

    async def read(self, pool: str, block: object = "latest") -> Loaded:
        """A pool as the node has it."""
        if pool in self.keys:
            plan = load_v4(self.view, pool, self.keys[pool])
        else:
            plan = load_pair(pool) if pool in self.pairs else load_v3(pool)
        return await load(self.chain.rpc, plan, block)


def permit2_code() -> str:
    """Its code on the main network, which the package has inside of a script that deploys it."""
    text = artifact("DeployPermit2")["bytecode"]["object"]
    start = text.index(_PERMIT2_START)
    return "0x" + text[start : start + 2 * _PERMIT2_SIZE]


@asynccontextmanager
async def arena() -> AsyncIterator[Arena]:
    """The chain, which makes a block when told from here on, with room for whatever is in it."""
    async with devnet(Options()) as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("evm_setBlockGasLimit", hex(200 * LARGEST))
        chain = Chain(rpc, gas=LARGEST)
        view = await _place(chain)
        keys = await _fill_v4(chain)
        await _permit(rpc)
        markets = await find_markets(chain)
        more = [await _more_pairs(chain, *tokens) for tokens in MORE_PAIRS]
        await rpc.call("evm_setAutomine", False)
        yield Arena(
            chain,
            view,
            keys,
            (*more, *(m.address for m in markets if not m.concentrated)),
            tuple(m.address for m in markets if m.concentrated),
        )


async def _place(chain: Chain) -> Address:
    """Permit2, V4, and a Universal Router that knows of both."""
    await chain.rpc.call("anvil_setCode", PERMIT2, permit2_code())
    await chain.place(DEPLOYER, POOL_MANAGER, init_code("PoolManager", ("address",), DEPLOYER))
    kinds = "(address,address,address,address,bytes32,bytes32,address,address,address,address)"
    hashes = V2_CODE_HASH, V3_CODE_HASH
    known = (PERMIT2, WETH, UNISWAP_V2_FACTORY, V3_FACTORY, *hashes, POOL_MANAGER)
    code = init_code("UniversalRouter", (kinds,), (*known, POSITIONS, NOBODY, NOBODY))
    for address in (UNIVERSAL_ROUTER, NEWER_ROUTER):
        await chain.place(DEPLOYER, address, code)
    return await chain.create(DEPLOYER, init_code("StateView", ("address",), POOL_MANAGER))


async def _fill_v4(chain: Chain) -> dict[str, PoolKey]:
    owner = PROVIDER_OF_LIQUIDITY
    helper = await chain.create(
        DEPLOYER, init_code("PoolModifyLiquidityTest", ("address",), POOL_MANAGER)
    )
    for token in DECIMALS:
        await chain.do(owner, token, "approve(address,uint256)", helper, 2**256 - 1)
    keys = {}
    for one, other, fee, spacing in POOLS_V4:
        tokens = ordered(one, other)
        key = (*tokens, fee, spacing, NOBODY)
        keys[hexed(keccak(encode((KEY,), key)))] = PoolKey(*key)
        held = [units(WETH if token == ETHER else token, DOLLARS_V4 / 2) for token in tokens]
        root = int((held[1] / held[0]) ** 0.5 * 2**96)
        await chain.do(owner, POOL_MANAGER, f"initialize({KEY},uint160)", key, root)
        for width in WIDTHS:
            ends = around(tick_at(root), width, spacing)
            # Of the first token, what a range holds above the price.
            upper = sqrt_at(ends[1])
            liquidity = held[0] * root // 2**96 * upper // (upper - root)
            change = (*ends, liquidity, bytes(32))
            method = f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)"
            await chain.do(owner, helper, method, key, change, b"", value=10**24)
    return keys


async def _more_pairs(chain: Chain, one: Address, other: Address) -> Address:
    owner = PROVIDER_OF_LIQUIDITY
    amounts = units(one, 2_000_000), units(other, 2_000_000)
    given = (one, other, *amounts, 0, 0, owner, NEVER)
    await chain.do(owner, UNISWAP_V2_ROUTER, ADD, *given)
    return await pair_of(chain, UNISWAP_V2_FACTORY, one, other)


async def _permit(rpc: Rpc) -> None:
    """Every trader lets the Universal Routers take of every token, by way of Permit2."""
    chain = Chain(rpc)
    await rpc.call("evm_setAutomine", False)
    for trader in TRADERS:
        for token in DECIMALS:
            await _hand_over(chain, trader, token, "approve(address,uint256)", PERMIT2, 2**256 - 1)
            for router in (UNIVERSAL_ROUTER, NEWER_ROUTER):
                allowance = (token, router, 2**160 - 1, 2**48 - 1)
                method = "approve(address,address,uint160,uint48)"
                await _hand_over(chain, trader, PERMIT2, method, *allowance)
    await rpc.call("evm_mine")
    await rpc.call("evm_setAutomine", True)


async def _hand_over(
    chain: Chain, sender: Address, to: Address, method: str, *values: object
) -> None:
    await chain.send(sender, to, call_data(method, *values), gas=100_000)
