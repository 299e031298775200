"""Tokens, two constant-product venues, and Uniswap V3 with its routers, with liquidity in them."""

from __future__ import annotations

from math import isqrt

from tests.devnet.abi import Address, raw
from tests.devnet.addresses import (
    DAI,
    DECIMALS,
    DEPLOYER,
    NOBODY,
    POSITIONS,
    PROVIDER_OF_LIQUIDITY,
    QUOTER,
    ROUTER_02,
    SUSHISWAP_FACTORY,
    SUSHISWAP_ROUTER,
    SYMBOLS,
    UNISWAP_V2_FACTORY,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    USD,
    USDC,
    V3_FACTORY,
    V3_ROUTER,
    WBTC,
    WETH,
)
from tests.devnet.artifacts import init_code
from tests.devnet.chain import Chain

V2_CODE_HASH = raw("0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
V3_CODE_HASH = raw("0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
NEVER = 2**63
"""A deadline."""
PLENTY = 2**112
ADD = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
INITIALIZE = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"

PAIRS = {
    UNISWAP_V2_ROUTER: {
        (USDC, WETH): 60_000_000,
        (WBTC, WETH): 30_000_000,
        (DAI, WETH): 20_000_000,
    },
    SUSHISWAP_ROUTER: {(USDC, WETH): 12_000_000, (WBTC, WETH): 9_000_000, (DAI, WETH): 6_000_000},
}
"""Pairs of a venue, and the dollars on both sides together."""
POOLS = {
    (USDC, WETH, 500): 4_000_000,
    (USDC, WETH, 3000): 2_000_000,
    (WBTC, WETH, 3000): 2_000_000,
    (WBTC, USDC, 3000): 1_000_000,
    (DAI, USDC, 100): 1_000_000,
}
"""Pools of Uniswap V3, and the dollars that each of its three positions is given."""
SPACING = {100: 1, 500: 10, 3000: 60}
WIDTHS = (20_000, 2_000, 400)
"""Half the width of each position, in ticks."""


def units(token: Address, dollars: float) -> int:
    """A token's smallest units that so many dollars buy at the start."""
    return int(dollars * 10 ** DECIMALS[token]) // USD[token]


def ordered(one: Address, other: Address) -> tuple[Address, Address]:
    """In a pool's order."""
    return (one, other) if one < other else (other, one)


async def deploy_tokens(chain: Chain) -> None:
    """Wrapped ether as it is, and three tokens that anybody may mint."""
    await chain.place(DEPLOYER, WETH, init_code("WETH9"))
    for token in (USDC, WBTC, DAI):
        kinds, symbol = ("string", "string", "uint8"), SYMBOLS[token]
        values = (f"{symbol} of the devnet", symbol, DECIMALS[token])
        await chain.place(DEPLOYER, token, init_code("Token", kinds, *values))


async def deploy_exchanges(chain: Chain) -> None:
    """Factories, routers, the position manager and the quoter."""
    pair = ("address", "address")
    for factory, router in (
        (UNISWAP_V2_FACTORY, UNISWAP_V2_ROUTER),
        (SUSHISWAP_FACTORY, SUSHISWAP_ROUTER),
    ):
        await chain.place(DEPLOYER, factory, init_code("UniswapV2Factory", ("address",), DEPLOYER))
        await chain.place(DEPLOYER, router, init_code("UniswapV2Router02", pair, factory, WETH))
    await chain.place(DEPLOYER, V3_FACTORY, init_code("UniswapV3Factory"))
    await chain.do(DEPLOYER, V3_FACTORY, "enableFeeAmount(uint24,int24)", 100, 1)
    for name, where in (("SwapRouter", V3_ROUTER), ("QuoterV2", QUOTER)):
        await chain.place(DEPLOYER, where, init_code(name, pair, V3_FACTORY, WETH))
    manager = init_code("NonfungiblePositionManager", ("address",) * 3, V3_FACTORY, WETH, NOBODY)
    await chain.place(DEPLOYER, POSITIONS, manager)
    both = (UNISWAP_V2_FACTORY, V3_FACTORY, POSITIONS, WETH)
    await chain.place(DEPLOYER, ROUTER_02, init_code("SwapRouter02", ("address",) * 4, *both))
    kinds = "(address,address,address,address,bytes32,bytes32,address,address,address,address)"
    parameters = (NOBODY, WETH, UNISWAP_V2_FACTORY, V3_FACTORY, V2_CODE_HASH, V3_CODE_HASH)
    universal = init_code(
        "UniversalRouter", (kinds,), (*parameters, NOBODY, POSITIONS, NOBODY, NOBODY)
    )
    await chain.place(DEPLOYER, UNIVERSAL_ROUTER, universal)


async def endow(chain: Chain, owner: Address, spenders: tuple[Address, ...] = ()) -> None:
    """Give somebody plenty of every token, and let the spenders take of it."""
    await chain.fund(owner)
    await chain.do(owner, WETH, "deposit()", value=units(WETH, 300_000_000))
    for token in DECIMALS:
        if token != WETH:
            await chain.do(owner, token, "mint(address,uint256)", owner, units(token, 300_000_000))
        for spender in spenders:
            await chain.do(owner, token, "approve(address,uint256)", spender, 2**256 - 1)


async def add_liquidity(chain: Chain) -> None:
    """Fill every pair and every pool at the prices of the start."""
    owner = PROVIDER_OF_LIQUIDITY
    await endow(chain, owner, (UNISWAP_V2_ROUTER, SUSHISWAP_ROUTER, POSITIONS))
    for router, pairs in PAIRS.items():
        for (one, other), dollars in pairs.items():
            amounts = units(one, dollars / 2), units(other, dollars / 2)
            await chain.do(owner, router, ADD, one, other, *amounts, 0, 0, owner, NEVER)
    for (one, other, fee), dollars in POOLS.items():
        await _fill(chain, ordered(one, other), fee, dollars)


async def _fill(chain: Chain, tokens: tuple[Address, Address], fee: int, dollars: int) -> None:
    owner = PROVIDER_OF_LIQUIDITY
    amounts = [units(token, dollars / 2) for token in tokens]
    price = isqrt((amounts[1] << 192) // amounts[0])
    await chain.do(owner, POSITIONS, INITIALIZE, *tokens, fee, price)
    tick = await current_tick(chain, await pool_of(chain, *tokens, fee))
    for width in WIDTHS:
        low, high = around(tick, width, SPACING[fee])
        position = (*tokens, fee, low, high, *amounts, 0, 0, owner, NEVER)
        await chain.do(owner, POSITIONS, MINT, position)


def around(tick: int, width: int, spacing: int) -> tuple[int, int]:
    """The ends of a range about a tick that a pool allows."""
    low = (tick - width) // spacing * spacing
    return low, low + max(spacing, 2 * width // spacing * spacing)


async def pool_of(chain: Chain, one: Address, other: Address, fee: int) -> Address:
    """A pool's address, as its factory knows it."""
    return await chain.read_address(V3_FACTORY, "getPool(address,address,uint24)", one, other, fee)


async def pair_of(chain: Chain, factory: Address, one: Address, other: Address) -> Address:
    """A pair's address, as its factory knows it."""
    return await chain.read_address(factory, "getPair(address,address)", one, other)


async def current_tick(chain: Chain, pool: Address) -> int:
    """Where a pool's price is."""
    types = "(uint160,int24,uint16,uint16,uint16,uint8,bool)"
    return (await chain.read(pool, "slot0()", returns=types))[1]
