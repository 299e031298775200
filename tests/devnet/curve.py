"""A pool of Curve with everything in it: four tokens, of 18, 6, 6 and 18 decimals."""

from __future__ import annotations

import random
from itertools import permutations

import attrs
from eth_hash.auto import keccak

from tests.devnet.abi import Address
from tests.devnet.addresses import DAI, DEPLOYER, PROVIDER_OF_LIQUIDITY, USDC
from tests.devnet.artifacts import init_code
from tests.devnet.chain import Chain

COINS = 4
LOTS = 5 * 10**76
DECIMALS = (18, 6, 6, 18)
DIRECTIONS = tuple(permutations(range(COINS), 2))
# Where Vyper 0.1 puts them.
_BALANCES, _A, _FEE, _ADMIN_FEE = int.from_bytes(keccak((2).to_bytes(32))), 3, 4, 5


@attrs.frozen(eq=False)
class CurvePool:
    """The pool, and who has all of its tokens."""

    chain: Chain
    address: Address
    tokens: tuple[Address, ...]
    owner: Address = PROVIDER_OF_LIQUIDITY

    async def do(self, signature: str, *values: object) -> dict:
        return await self.chain.do(self.owner, self.address, signature, *values)

    async def write(self, balances: list[int], a: int, fee: int, admin_fee: int) -> None:
        """Give it these, in its storage."""
        slots = {_BALANCES + at: one for at, one in enumerate(balances)}
        slots |= {_A: a, _FEE: fee, _ADMIN_FEE: admin_fee}
        calls = [
            ("anvil_setStorageAt", [self.address, hex(slot), f"0x{value:064x}"])
            for slot, value in slots.items()
        ]
        await self.chain.rpc.batch(calls)

    async def balances(self) -> tuple[int, ...]:
        """What it says it holds."""
        name = "balances(int128)"
        return tuple([await self.chain.read_int(self.address, name, at) for at in range(COINS)])


async def curve_pool(chain: Chain) -> CurvePool:
    """Make it, with nothing in it."""
    tokens = [DAI, USDC]
    for symbol, decimals in (("USDT", 6), ("sUSD", 18)):
        code = init_code("Token", ("string", "string", "uint8"), symbol, symbol, decimals)
        tokens.append(await chain.create(DEPLOYER, code))
    types = "string", "string", "uint256", "uint256"
    share = await chain.create(DEPLOYER, init_code("CurvePoolERC20", types, "a", "b", 18, 0))
    types = "address[4]", "address[4]", "address", "uint256", "uint256"
    code = init_code("Stableswap", types, tokens, tokens, share, 100, 4 * 10**6)
    made = CurvePool(chain, await chain.create(DEPLOYER, code), tuple(tokens))
    await chain.do(DEPLOYER, share, "set_minter(address)", made.address)
    for token in tokens:
        await chain.do(made.owner, token, "mint(address,uint256)", made.owner, LOTS)
        await chain.do(made.owner, token, "mint(address,uint256)", made.address, LOTS)
        await chain.do(made.owner, token, "approve(address,uint256)", made.address, 2**256 - 1)
    return made


def random_holdings(rng: random.Random) -> tuple[list[int], int, int, int]:
    """Balances, even ones and such as no pool would have, A and fees."""
    size, spread = rng.uniform(2, 10), rng.choice((0.01, 0.3, 3))
    balances = [
        int(10 ** (size + rng.uniform(-spread, spread) + decimals)) for decimals in DECIMALS
    ]
    fee = rng.choice((0, 10**6, 4 * 10**6, 10**8))
    return balances, rng.choice((1, 10, 100, 2000, 10**5)), fee, rng.choice((0, 5 * 10**9))


def random_amount(rng: random.Random, held: int) -> int:
    """From nothing to more than there is, and now and then more than there can be."""
    size = rng.choice((rng.uniform(-14, 0.7), rng.uniform(-14, 50)))
    return min(int(held * 10**size), 2**256 - 1)
