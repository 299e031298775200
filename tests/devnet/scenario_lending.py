"""Debts, the price that makes one liquidatable, and its liquidation."""

from __future__ import annotations

from decimal import Decimal

from tests.devnet.abi import Address
from tests.devnet.addresses import AAVE_POOL, AGGREGATORS, USD, USDC, WBTC, WETH
from tests.devnet.cast import BORROWERS, LIQUIDATOR, REPORTER
from tests.devnet.deploy import GWEI
from tests.devnet.lending import SUPPLY
from tests.devnet.rpc import Hex
from tests.devnet.stage import Round, Stage
from tests.devnet.truth import Plant
from tests.devnet.uniswap import units

BORROW = "borrow(address,uint256,uint256,uint16,address)"
LIQUIDATE = "liquidationCall(address,address,address,uint256,bool)"
ACCOUNT = "(uint256,uint256,uint256,uint256,uint256,uint256)"
COLLATERAL = {borrower: (WETH, WBTC)[number % 2] for number, borrower in enumerate(BORROWERS)}
SET = "set(int256)"


async def account_of(stage: Stage, user: Address, block: str = "latest") -> tuple[int, ...]:
    """Collateral, debt and what can be borrowed in hundred-millionths of a dollar, and so on."""
    return await stage.chain.read(
        AAVE_POOL, "getUserAccountData(address)", user, returns=ACCOUNT, block=block
    )


async def borrow(round_: Round, borrower: Address) -> None:
    """Somebody borrows nearly all that the collateral allows."""
    stage, token = round_.stage, COLLATERAL[borrower]
    amount = units(token, 300_000)
    values = (token, amount, borrower, 0)
    await stage.send(borrower, AAVE_POOL, SUPPLY, *values, tip=round_.next_small())
    allowed = (await account_of(stage, borrower, "pending"))[2]
    # Dollars have 8 decimals there, and 6 here.
    debt = allowed * 98 // 100 // 100
    await stage.send(
        borrower, AAVE_POOL, BORROW, USDC, debt, 2, 0, borrower, tip=round_.next_small()
    )


async def report(round_: Round, token: Address, percent: int, tip: int) -> Hex:
    """The feed of a token says so many percent of the price at the start."""
    answer = USD[token] * 10**6 * percent
    return await round_.stage.send(REPORTER, AGGREGATORS[token], SET, answer, tip=tip)


async def liquidation(round_: Round, borrower: Address, percent: int) -> Plant | None:
    """The price of somebody's collateral falls, and the debt is repaid right after it.

    At 90 percent the position is just below the limit, and half of the debt may be repaid; at
    84 all of it.
    """
    stage, token = round_.stage, COLLATERAL[borrower]
    if (await account_of(stage, borrower))[1] == 0:
        return None
    tip = round_.next_band()
    cause = await report(round_, token, percent, tip + 2 * GWEI)
    health = (await account_of(stage, borrower, "pending"))[5]
    assert health < 10**18, "the position is sound"
    values = (token, USDC, borrower, 2**255, False)
    hash_ = await stage.send(LIQUIDATOR, AAVE_POOL, LIQUIDATE, *values, tip=tip)
    return Plant(
        "liquidation",
        "oracle",
        [hash_],
        searcher=LIQUIDATOR,
        accounts=(LIQUIDATOR,),
        tokens=(token, USDC),
        cause=cause,
        notes={"health_factor": f"{Decimal(health).scaleb(-18):f}"},
    )
