"""Aave's arithmetic against its contracts: random positions, random prices, random liquidations,
by the rules of 3.0 and of 3.6."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from tests.devnet.abi import Address, call_data
from tests.devnet.addresses import (
    AAVE_CONFIGURATOR,
    AAVE_POOL,
    AGGREGATORS,
    DAI,
    DECIMALS,
    DEPLOYER,
    NOBODY,
    TREASURY,
    USD,
    USDC,
)
from tests.devnet.cast import BORROWERS, LIQUIDATOR, REPORTER
from tests.devnet.chain import LARGEST, Chain
from tests.devnet.deploy import devnet
from tests.devnet.lending import SUPPLY
from tests.devnet.node import Options
from tests.devnet.origin import deploy_origin
from tests.devnet.reading import carry_out
from tests.devnet.rpc import Json, RpcError, open_rpc
from tests.devnet.scenario_lending import ACCOUNT, BORROW, LIQUIDATE, SET
from tests.devnet.uniswap import units
from trio_mev.chain.lending.account import Position, account_of, owed
from trio_mev.chain.lending.liquidation import Amounts, Pair, Refused, liquidate, pairs_of
from trio_mev.chain.lending.loading import load_market, load_positions
from trio_mev.chain.lending.market import Market
from trio_mev.chain.lending.maths import RAY
from trio_mev.chain.logs import LogDecoder
from trio_mev.chain.logs.aave import AaveBalanceTransfer, AaveDeficit, AaveLiquidation
from trio_mev.model.chain import Log

DECODE = LogDecoder().decode
TRIES = 60
"""Liquidations of each seed."""


def log_of(row: Json) -> Log:
    topics = tuple(row["topics"])
    return Log("", 0, 0, "", 0, row["address"], topics, bytes.fromhex(row["data"][2:]))


@attrs.define(eq=False)
class Bench:
    """A market, on which anything may be tried."""

    chain: Chain
    pool: Address
    rng: random.Random
    stable: bool
    """Whether there are stable rates."""
    seen: Counter[str] = attrs.Factory(Counter)

    async def state(self) -> tuple[Market, list[Position], int]:
        """As of the last block, with its time."""
        head = await self.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        market = await carry_out(self.chain.rpc, load_market(self.pool, {1}))
        assert isinstance(market, Market)
        positions = await carry_out(self.chain.rpc, load_positions(market, BORROWERS))
        assert all(isinstance(one, Position) for one in positions)
        return market, positions, int(head["timestamp"], 16)

    async def accounts_agree(self) -> None:
        market, positions, time = await self.state()
        for position in positions:
            told = await self.account(position.user)
            found = account_of(market, position, time)
            assert (found.collateral, found.debt) == told[:2]
            assert (found.threshold, found.health) == (told[3], told[5])
            self.seen["accounts"] += 1

    async def account(self, user: Address) -> tuple[int, ...]:
        method = "getUserAccountData(address)"
        return await self.chain.read(self.pool, method, user, returns=ACCOUNT)

    async def open(self, user: Address, mode: int) -> None:
        """Supply some tokens, borrow mostly others."""
        rng = self.rng
        tokens = [USDC, DAI] if mode else list(DECIMALS)
        supplied = rng.sample(tokens, rng.randrange(1, len(tokens)))
        for token in supplied:
            amount = units(token, 10) * rng.choice((30, 150, 9000)) * rng.randrange(50, 150) // 100
            await self.chain.do(user, self.pool, SUPPLY, token, amount, user, 0)
        if mode:
            await self.chain.do(user, self.pool, "setUserEMode(uint8)", mode)
        others = [token for token in tokens if token not in supplied]
        borrowed = rng.sample(others, rng.randrange(1, len(others) + 1))
        if rng.random() < 0.2:
            borrowed.append(supplied[0])
        for token in borrowed:
            allowed = (await self.account(user))[2] * rng.randrange(50, 99) // 100
            amount = allowed * 10 ** DECIMALS[token] // (USD[token] * 10**8)
            kinds = (1, 2) if self.stable else (2,)
            for kind in rng.sample(kinds, rng.randrange(1, len(kinds) + 1)):
                await self._borrow(user, token, amount // len(kinds), kind)

    async def _borrow(self, user: Address, token: Address, amount: int, kind: int) -> None:
        values = (token, amount, kind, 0, user)
        try:
            await self.chain.do(user, self.pool, BORROW, *values)
            self.seen[f"rate mode {kind}"] += 1
        except (RpcError, AssertionError):
            assert kind == 1  # not in one's own collateral

    async def move(self) -> Position:
        """Time goes by, and prices change: that of somebody's collateral so that the health
        factor is about one."""
        market, positions, _ = await self.state()
        position = self.rng.choice([p for p in positions if pairs_of(market, p)])
        health = (await self.account(position.user))[5] / 1e18
        aim = self.rng.choice((0.6, 0.9, 0.951, 0.97, 0.99, 1.01))
        fallen = {market.by_id[place].asset for place in position.collaterals}
        fallen -= {market.by_id[place].asset for place in position.debts}
        for token, aggregator in AGGREGATORS.items():
            if token in fallen:
                answer = int(market.prices[token] * aim / health) + 1
                await self.chain.do(REPORTER, aggregator, SET, answer)
        await self.chain.rpc.call("evm_increaseTime", self.rng.randrange(1, 86_400))
        await self.chain.rpc.call("evm_mine")
        return position

    async def reset(self) -> None:
        """The prices at the start."""
        for token, aggregator in AGGREGATORS.items():
            await self.chain.do(REPORTER, aggregator, SET, USD[token] * 10**8)

    async def attempt(self, user: Address) -> None:
        """Liquidate somebody in a block whose time is known; then undo it."""
        market, positions, time = await self.state()
        time += self.rng.randrange(1, 50_000)
        (position,) = [one for one in positions if one.user == user]
        # The node now and then mines what was undone once more: then there may be nothing left.
        pairs = pairs_of(market, position)
        if not pairs:
            return
        pair = self.rng.choice(pairs)
        debt = owed(market, position, pair.debt, time)
        asked = self.rng.choice((2**255, debt, debt * self.rng.randrange(1, 99) // 100, 1000))
        predicted = liquidate(market, position, pair, time, asked)
        snapshot = await self.chain.rpc.call("evm_snapshot")
        await self.chain.rpc.call("evm_setNextBlockTimestamp", time)
        logs = await self._liquidate(position.user, pair, asked)
        await self.chain.rpc.call("evm_revert", snapshot)
        if isinstance(predicted, Refused):
            self.seen[predicted.reason] += 1
            assert logs is None, predicted
        else:
            self.seen["liquidations"] += 1
            assert logs is not None, predicted
            self._agree(market, position, pair, predicted, time, logs)

    async def _liquidate(self, user: Address, pair: Pair, asked: int) -> list[Any] | None:
        """What the contracts say; None where they refuse."""
        values = (pair.collateral.asset, pair.debt.asset, user, asked, False)
        body = {
            "from": LIQUIDATOR,
            "to": self.pool,
            "data": call_data(LIQUIDATE, *values),
            "gas": hex(LARGEST),
        }
        receipt = await self.chain.rpc.call("eth_sendTransactionSync", body)
        if receipt["status"] == "0x0":
            return None
        return [(row["address"], DECODE(log_of(row))) for row in receipt["logs"]]

    def _agree(
        self,
        market: Market,
        position: Position,
        pair: Pair,
        predicted: Amounts,
        time: int,
        logs: list[Any],
    ) -> None:
        (said,) = [one for _, one in logs if isinstance(one, AaveLiquidation)]
        assert (said.debt_covered, said.collateral_seized) == (predicted.debt, predicted.collateral)
        fees = [
            one.amount
            for address, one in logs
            if isinstance(one, AaveBalanceTransfer)
            and address == pair.collateral.a_token
            and one.target == TREASURY
        ]
        assert len(fees) == (predicted.fee > 0)
        # They are told in shares.
        index = pair.collateral.income(time)
        assert all(abs(one * index - predicted.fee * RAY) <= index for one in fees)
        whole = predicted.collateral + predicted.fee
        self.seen["with a fee"] += len(fees)
        self.seen["of all the collateral"] += whole >= account_balance(market, position, pair)
        deficits = {one.asset: one.amount for _, one in logs if isinstance(one, AaveDeficit)}
        assert deficits == dict(predicted.written_off)
        self.seen["written off"] += bool(deficits)


def account_balance(market: Market, position: Position, pair: Pair) -> int:
    """What there was of the collateral, without the interest since."""
    shares = position.supplied[pair.collateral.id]
    return market.rules.balance(shares, pair.collateral.liquidity_index)


@asynccontextmanager
async def bench(version: str, seed: int) -> AsyncIterator[Bench]:
    async with devnet(Options()) as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("evm_setBlockGasLimit", hex(2 * LARGEST))
        chain = Chain(rpc)
        if version == "3.0":
            made = Bench(chain, AAVE_POOL, random.Random(seed), True)
            await add_modes(chain)
        else:
            made = Bench(chain, (await deploy_origin(chain)).pool, random.Random(seed), False)
        for user in (*BORROWERS, LIQUIDATOR):
            for token in DECIMALS:
                await chain.do(user, token, "approve(address,uint256)", made.pool, 2**256 - 1)
        yield made


async def add_modes(chain: Chain) -> None:
    """An efficiency mode of the two dollars, at the price of one of them; and stable rates."""
    mode = "setEModeCategory(uint8,uint16,uint16,uint16,address,string)"
    await chain.do(DEPLOYER, AAVE_CONFIGURATOR, mode, 1, 9000, 9300, 10100, NOBODY, "dollars")
    for token in DECIMALS:
        stable = "setReserveStableRateBorrowing(address,bool)"
        await chain.do(DEPLOYER, AAVE_CONFIGURATOR, stable, token, True)
    for token in (USDC, DAI):
        method = "setAssetEModeCategory(address,uint8)"
        await chain.do(DEPLOYER, AAVE_CONFIGURATOR, method, token, 1)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("version", ["3.0", "3.6"])
async def test_accounts_and_liquidations_are_the_contracts(version: str, seed: int) -> None:
    async with bench(version, seed) as made:
        for number, user in enumerate(BORROWERS):
            await made.open(user, number % 2)
            await made.accounts_agree()
        for _ in range(TRIES // 4):
            chosen = await made.move()
            await made.accounts_agree()
            for _ in range(4):
                await made.attempt(chosen.user)
            if made.rng.random() < 0.5:
                await made.reset()
    assert made.seen["liquidations"] >= 20
    assert made.seen["of all the collateral"] >= 5
    assert made.seen["with a fee"] >= 20
    assert made.seen["it would leave dust"] > 0 or version == "3.0"
    assert made.seen["accounts"] >= 60
