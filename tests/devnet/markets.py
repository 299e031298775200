"""The pools that a scenario trades at, as their factories know them."""

from __future__ import annotations

from typing import Any

import attrs

from tests.devnet.abi import Address
from tests.devnet.addresses import (
    SUSHISWAP_FACTORY,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_FACTORY,
    UNISWAP_V2_ROUTER,
    V3_ROUTER,
)
from tests.devnet.chain import Chain
from tests.devnet.uniswap import PAIRS, POOLS, ordered, pair_of, pool_of

_VENUES = {
    UNISWAP_V2_ROUTER: ("uniswap_v2", UNISWAP_V2_FACTORY),
    SUSHISWAP_ROUTER: ("sushiswap", SUSHISWAP_FACTORY),
}
LEG = "(address,bool,address,uint256,uint256)"
RUN = f"run({LEG}[],uint256)"


@attrs.frozen
class Market:
    """A pool."""

    address: Address
    protocol: str
    tokens: tuple[Address, Address]
    """In the pool's order."""
    router: Address
    fee: int
    """In millionths."""

    @property
    def concentrated(self) -> bool:
        """Whether it is one of Uniswap V3."""
        return self.protocol == "uniswap_v3"

    def other(self, token: Address) -> Address:
        """The token on the other side."""
        return self.tokens[self.tokens.index(token) ^ 1]

    def leg(self, token_in: Address, paid: int = 0, wanted: int = 0) -> tuple[Any, ...]:
        """A swap here by an executor: of an amount, for an amount, or of what it has just got."""
        return (self.address, self.concentrated, token_in, paid, wanted)

    async def depth(self, chain: Chain, token: Address) -> int:
        """How much of a token it holds; of a concentrated pool, as if its range had no end."""
        side = self.tokens.index(token)
        if not self.concentrated:
            return (await chain.read(self.address, "getReserves()", returns="(uint112,uint112)"))[
                side
            ]
        liquidity = await chain.read_int(self.address, "liquidity()")
        root = (await chain.read(self.address, "slot0()", returns="(uint160)"))[0]
        return liquidity * root >> 96 if side else (liquidity << 96) // root


async def find_markets(chain: Chain) -> list[Market]:
    """All of them, always in the same order."""
    found: list[Market] = []
    for router, pairs in PAIRS.items():
        protocol, factory = _VENUES[router]
        for one, other in pairs:
            address = await pair_of(chain, factory, one, other)
            found.append(Market(address, protocol, ordered(one, other), router, 3000))
    for one, other, fee in POOLS:
        address = await pool_of(chain, one, other, fee)
        found.append(Market(address, "uniswap_v3", ordered(one, other), V3_ROUTER, fee))
    return found
