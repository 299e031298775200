"""Who acts in a scenario, with what they need; all of it is in the cached state."""

from __future__ import annotations

from tests.devnet.abi import Address, account
from tests.devnet.addresses import (
    AAVE_POOL,
    DECIMALS,
    DEPLOYER,
    POSITIONS,
    ROUTER_02,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    V3_ROUTER,
)
from tests.devnet.artifacts import init_code
from tests.devnet.chain import Chain
from tests.devnet.uniswap import endow, units

TRADERS = tuple(account(f"trader {number}") for number in range(10))
BORROWERS = tuple(account(f"borrower {number}") for number in range(4))
SEARCHERS = tuple(account(f"searcher {number}") for number in range(3))
"""Each trades through a contract of its own."""
EXECUTORS = {searcher: account(f"executor of {searcher}") for searcher in SEARCHERS}
LIQUIDATOR = account("liquidator")
QUICK_PROVIDER = account("quick provider")
"""Who gives liquidity for one swap only."""
REPORTER = account("reporter")
"""Who sets the price feeds."""
HOLDING = 50_000_000
"""Dollars of each token in an executor."""


async def assemble(chain: Chain) -> None:
    """Give everybody tokens, and let the routers take them."""
    routers = (UNISWAP_V2_ROUTER, SUSHISWAP_ROUTER, V3_ROUTER, ROUTER_02)
    for trader in TRADERS:
        await endow(chain, trader, routers)
    for borrower in (*BORROWERS, LIQUIDATOR):
        await endow(chain, borrower, (AAVE_POOL,))
    await endow(chain, QUICK_PROVIDER, (POSITIONS,))
    await chain.fund(REPORTER)
    for searcher, executor in EXECUTORS.items():
        await endow(chain, searcher)
        await chain.place(DEPLOYER, executor, init_code("Executor"))
        await _stock(chain, searcher, executor)


async def _stock(chain: Chain, searcher: Address, executor: Address) -> None:
    for token in DECIMALS:
        amount = units(token, HOLDING)
        await chain.do(searcher, token, "transfer(address,uint256)", executor, amount)
