"""Aave V3, on price feeds that can be set."""

from __future__ import annotations

from tests.devnet.abi import Address
from tests.devnet.addresses import (
    AAVE_ACL,
    AAVE_DATA,
    AAVE_ORACLE,
    AAVE_POOL,
    AAVE_PROVIDER,
    AAVE_REGISTRY,
    AGGREGATORS,
    DECIMALS,
    DEPLOYER,
    FEEDS,
    NOBODY,
    PROVIDER_OF_LIQUIDITY,
    SYMBOLS,
    TREASURY,
    USD,
)
from tests.devnet.artifacts import init_code, libraries_of
from tests.devnet.chain import Chain
from tests.devnet.uniswap import units

RAY = 10**27
RATES = (RAY * 9 // 10, 0, RAY * 4 // 100, RAY * 60 // 100, 0, 0, 0, 0, RAY * 20 // 100)
"""Of interest: the best use, the base, two slopes; none for stable debt."""
LOAN_TO_VALUE, THRESHOLD, BONUS = 7_500, 8_000, 10_500
"""In basis points, for every token."""
RESERVE_FACTOR, PROTOCOL_FEE = 1_000, 1_000
RESERVE = (
    "(address,address,address,uint8,address,address,address,address,"
    "string,string,string,string,string,string,bytes)"
)
SUPPLY = "supply(address,uint256,address,uint16)"
DOLLARS = 50_000_000
"""Of each token, for others to borrow."""


async def deploy_feeds(chain: Chain) -> None:
    """Proxies where the main network has them, and aggregators behind them, set to the prices."""
    for token, proxy in FEEDS.items():
        await chain.place(DEPLOYER, AGGREGATORS[token], init_code("Feed"))
        await chain.place(DEPLOYER, proxy, init_code("FeedProxy", ("address",), AGGREGATORS[token]))
        await chain.do(DEPLOYER, AGGREGATORS[token], "set(int256)", USD[token] * 10**8)


async def deploy_lending(chain: Chain) -> None:
    """The protocol with four reserves, each of which can be borrowed and is collateral."""
    configurator, implementations = await _protocol(chain)
    strategy = await chain.create(
        DEPLOYER,
        init_code(
            "DefaultReserveInterestRateStrategy",
            ("address", *("uint256",) * 9),
            AAVE_PROVIDER,
            *RATES,
        ),
    )
    reserves = [_reserve(token, implementations, strategy) for token in DECIMALS]
    await chain.do(DEPLOYER, configurator, f"initReserves({RESERVE}[])", reserves)
    for token in DECIMALS:
        collateral = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
        terms = (LOAN_TO_VALUE, THRESHOLD, BONUS)
        await chain.do(DEPLOYER, configurator, collateral, token, *terms)
        for method, value in (
            ("setReserveBorrowing(address,bool)", True),
            ("setReserveFlashLoaning(address,bool)", True),
            ("setReserveFactor(address,uint256)", RESERVE_FACTOR),
            ("setLiquidationProtocolFee(address,uint256)", PROTOCOL_FEE),
        ):
            await chain.do(DEPLOYER, configurator, method, token, value)
    await _supply(chain)


async def _protocol(chain: Chain) -> tuple[Address, list[Address]]:
    """All up to the configurator; its address, and the three kinds of token."""
    registry = init_code("PoolAddressesProviderRegistry", ("address",), DEPLOYER)
    await chain.place(DEPLOYER, AAVE_REGISTRY, registry)
    market = ("Aave Ethereum Market", DEPLOYER)
    provider = init_code("PoolAddressesProvider", ("string", "address"), *market)
    await chain.place(DEPLOYER, AAVE_PROVIDER, provider)
    register = "registerAddressesProvider(address,uint256)"
    await chain.do(DEPLOYER, AAVE_REGISTRY, register, AAVE_PROVIDER, 30)
    pool = await _linked(chain, "Pool", AAVE_PROVIDER)
    configurator = await _linked(chain, "PoolConfigurator")
    await _administer(chain)
    await _set(chain, "setPoolImpl(address)", pool)
    await _set(chain, "setPoolConfiguratorImpl(address)", configurator)
    data = init_code("AaveProtocolDataProvider", ("address",), AAVE_PROVIDER)
    await chain.place(DEPLOYER, AAVE_DATA, data)
    await _set(chain, "setPoolDataProvider(address)", AAVE_DATA)
    kinds = ("AToken", "StableDebtToken", "VariableDebtToken")
    implementations = [
        await chain.create(DEPLOYER, init_code(kind, ("address",), AAVE_POOL)) for kind in kinds
    ]
    return await chain.read_address(AAVE_PROVIDER, "getPoolConfigurator()"), implementations


async def _linked(chain: Chain, name: str, *provider: Address) -> Address:
    """A contract together with the libraries that it needs, and those that they need."""
    links: dict[str, Address] = {}

    async def link(library: str) -> None:
        if library not in links:
            for needed in libraries_of(library):
                await link(needed)
            links[library] = await chain.create(DEPLOYER, init_code(library, links=links))

    for library in libraries_of(name):
        await link(library)
    types = ("address",) * len(provider)
    return await chain.create(DEPLOYER, init_code(name, types, *provider, links=links))


async def _administer(chain: Chain) -> None:
    """Whoever deploys administers; the oracle reads the feeds."""
    await _set(chain, "setACLAdmin(address)", DEPLOYER)
    await chain.place(DEPLOYER, AAVE_ACL, init_code("ACLManager", ("address",), AAVE_PROVIDER))
    await _set(chain, "setACLManager(address)", AAVE_ACL)
    await chain.do(DEPLOYER, AAVE_ACL, "addPoolAdmin(address)", DEPLOYER)
    types = ("address", "address[]", "address[]", "address", "address", "uint256")
    feeds = (list(FEEDS), list(FEEDS.values()))
    oracle = init_code("AaveOracle", types, AAVE_PROVIDER, *feeds, NOBODY, NOBODY, 10**8)
    await chain.place(DEPLOYER, AAVE_ORACLE, oracle)
    await _set(chain, "setPriceOracle(address)", AAVE_ORACLE)


async def _set(chain: Chain, method: str, address: Address) -> None:
    await chain.do(DEPLOYER, AAVE_PROVIDER, method, address)


def _reserve(
    token: Address, implementations: list[Address], strategy: Address
) -> tuple[object, ...]:
    symbol = SYMBOLS[token]
    names = [
        text
        for kind, letter in (
            ("", "a"),
            ("Variable Debt ", "variableDebt"),
            ("Stable Debt ", "stableDebt"),
        )
        for text in (f"Aave Ethereum {kind}{symbol}", f"{letter}Eth{symbol}")
    ]
    plain = (*implementations, DECIMALS[token], strategy, token, TREASURY, NOBODY)
    return (*plain, *names, b"")


async def _supply(chain: Chain) -> None:
    owner = PROVIDER_OF_LIQUIDITY
    for token in DECIMALS:
        await chain.do(owner, token, "approve(address,uint256)", AAVE_POOL, 2**256 - 1)
        await chain.do(owner, AAVE_POOL, SUPPLY, token, units(token, DOLLARS), owner, 0)
