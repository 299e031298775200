"""Balancer's vault with weighted pools in it."""

from __future__ import annotations

import random
from typing import Any

import attrs

from tests.devnet.abi import Address, call_data, encode
from tests.devnet.addresses import DAI, DEPLOYER, NOBODY, PROVIDER_OF_LIQUIDITY, USDC, WBTC, WETH
from tests.devnet.artifacts import vault_codes
from tests.devnet.chain import Chain

ONE = 10**18
LOTS = 2**100
DAY = 86_400
SWAP = (
    "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool)"
    ",uint256,uint256)"
)
QUERY = (
    "queryBatchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[]"
    ",(address,bool,address,bool))"
)
CHANGE = "(address[],uint256[],bytes,bool)"
NEVER = 2**63


@attrs.frozen(eq=False)
class Vault:
    """The vault, and who has tokens and is asked for them."""

    chain: Chain
    address: Address
    owner: Address = PROVIDER_OF_LIQUIDITY

    async def pool(
        self, tokens: tuple[Address, ...], weights: tuple[int, ...], fee: int
    ) -> WeightedPoolThere:
        """Make a pool; its first token is managed by whoever deployed it."""
        types = "address", "string", "string", "address[]", "uint256[]", "address[]"
        types += "uint256", "uint256", "uint256", "address"
        managers = [DEPLOYER, *[NOBODY] * (len(tokens) - 1)]
        values = self.address, "a", "b", tokens, weights, managers, fee, 90 * DAY, 30 * DAY
        code = vault_codes()["WeightedPool"] + encode(types, *values, DEPLOYER)
        address = await self.chain.create(DEPLOYER, code)
        (pool_id,) = await self.chain.read(address, "getPoolId()", returns="(bytes32)")
        return WeightedPoolThere(self, address, pool_id, tokens)


@attrs.frozen(eq=False)
class WeightedPoolThere:
    """A weighted pool."""

    vault: Vault
    address: Address
    id: bytes
    tokens: tuple[Address, ...]

    async def join(self, kind: int, amounts: list[int], *more: int) -> None:
        """Kind 0 for the first, 1 with exact amounts and the least of shares."""
        types = ("uint256", "uint256[]") + ("uint256",) * len(more)
        change = self.tokens, [LOTS] * len(amounts), encode(types, kind, amounts, *more), False
        await self._change("joinPool", change)

    async def leave(self, kind: int, *values: int) -> None:
        """Kind 0 for one token, with shares and its place; 1 for all, with shares."""
        words = encode(("uint256",) * (1 + len(values)), kind, *values)
        await self._change("exitPool", (self.tokens, [0] * len(self.tokens), words, False))

    async def _change(self, name: str, change: Any) -> None:
        method, owner = f"{name}(bytes32,address,address,{CHANGE})", self.vault.owner
        chain = self.vault.chain
        await chain.do(owner, self.vault.address, method, self.id, owner, owner, change)

    async def swap(self, token_in: int, token_out: int, amount: int, exact_out: bool) -> None:
        """A swap by places."""
        owner = self.vault.owner
        step = self.id, int(exact_out), self.tokens[token_in], self.tokens[token_out], amount, b""
        limit = LOTS if exact_out else 0
        funds = owner, False, owner, False
        chain = self.vault.chain
        await chain.do(owner, self.vault.address, SWAP, step, funds, limit, NEVER)

    async def manage(self, kind: int, amount: int) -> None:
        """Kind 0 lends the first token out, 1 brings it back, 2 says what is out."""
        method = "managePoolBalance((uint8,bytes32,address,uint256)[])"
        one = kind, self.id, self.tokens[0], amount
        await self.vault.chain.do(DEPLOYER, self.vault.address, method, [one])

    def query(
        self, token_in: int, token_out: int, amount: int, exact_out: bool
    ) -> tuple[Address, str]:
        """A call that asks what a swap comes to."""
        step = self.id, 0, 1, amount, b""
        assets = self.tokens[token_in], self.tokens[token_out]
        funds = NOBODY, False, NOBODY, False
        return self.vault.address, call_data(QUERY, int(exact_out), [step], assets, funds)


async def open_vault(chain: Chain) -> Vault:
    """Make it, with a share of the fees for the protocol."""
    codes = vault_codes()
    authorizer = await chain.create(DEPLOYER, codes["Authorizer"] + encode(("address",), DEPLOYER))
    types = "address", "address", "uint256", "uint256"
    code = codes["Vault"] + encode(types, authorizer, WETH, 90 * DAY, 30 * DAY)
    vault = Vault(chain, await chain.create(DEPLOYER, code))
    method = "setSwapFeePercentage(uint256)"
    collector = await chain.read_address(vault.address, "getProtocolFeesCollector()")
    selector = bytes.fromhex(call_data(method, 0)[2:10])
    (role,) = await chain.read(collector, "getActionId(bytes4)", selector, returns="(bytes32)")
    await chain.do(DEPLOYER, authorizer, "grantRole(bytes32,address)", role, DEPLOYER)
    await chain.do(DEPLOYER, collector, method, 4 * ONE // 10)
    owner = vault.owner
    await chain.do(owner, WETH, "deposit()", value=10**7 * ONE)
    for token in (DAI, USDC, WBTC, WETH):
        if token != WETH:
            await chain.do(owner, token, "mint(address,uint256)", owner, LOTS)
        await chain.do(owner, token, "approve(address,uint256)", vault.address, 2**256 - 1)
    return vault


def sorted_by_address(amounts: dict[Address, int]) -> tuple[tuple[Address, ...], list[int]]:
    """As the vault wants tokens."""
    tokens = tuple(sorted(amounts))
    return tokens, [amounts[token] for token in tokens]


def random_swap(rng: random.Random, balances: tuple[int, ...]) -> tuple[int, int, int, bool]:
    """Of any two tokens and any size, more than is allowed too."""
    places, exact_out = rng.sample(range(len(balances)), 2), rng.random() < 0.5
    amount = int(balances[places[1 if exact_out else 0]] * 10 ** rng.uniform(-12, -0.3)) or 1
    return places[0], places[1], amount, exact_out
