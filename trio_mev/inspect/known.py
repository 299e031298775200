"""What is known of contracts beforehand: a log does not say whether its contract is what it
seems to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import attrs

from ..chain.calldata import ROUTERS
from ..chain.contracts import (
    aave,
    assets,
    balancer,
    bancor,
    compound,
    cow,
    morpho,
    tokens,
    uniswap_v3,
    uniswap_v4,
    zerox,
)
from .makers import MAKERS, Maker, made_by

TokensOf = Callable[[str], Sequence[str] | None]
NameOf = Callable[[str], str | None]
_BASES = {"Comet USDC": assets.TOKENS["USDC"], "Comet WETH": assets.TOKENS["WETH"]}


_MADE = frozenset({"uniswap_v2", "uniswap_v3"})


def nothing(_: str) -> None:
    """The lookup of somebody who knows no pool."""


@attrs.frozen(eq=False)
class Known:
    """Lookups and addresses, in lower case; the defaults are those of the main network."""

    tokens_of: TokensOf = nothing
    """The tokens of a pool in its own order, by address or id; of a market of Compound what it
    lends, of one of Morpho the loan's token and the collateral's. None where they are not known."""
    protocol_of: NameOf = nothing
    """Whose pool it is, such as ``sushiswap``; asked before the makers."""
    makers: tuple[Maker, ...] = MAKERS
    """Factories, which pools are told by whose tokens are known. A fork of another factory has the
    name of its origin."""
    shared: frozenset[str] = frozenset(
        {*ROUTERS, *zerox.PROXIES, *bancor.NETWORKS}
        | {*cow.SETTLEMENTS, *balancer.VAULTS, *balancer.VAULTS_V3}
        | {*uniswap_v4.POOL_MANAGERS, *tokens.WRAPPED, uniswap_v3.POSITION_MANAGER}
        | {*aave.POOLS, *aave.V1_POOLS, *compound.COMETS, *morpho.MORPHOS}
    )
    """Contracts that anybody calls: to have one in common says nothing about who somebody is."""
    settlements: frozenset[str] = frozenset(cow.SETTLEMENTS)
    """They settle many people's orders at once, and keep a fee."""
    managers: frozenset[str] = frozenset(uniswap_v4.POOL_MANAGERS)
    """Of Uniswap V4."""
    positions: frozenset[str] = frozenset({uniswap_v3.POSITION_MANAGER})
    """They own positions in pools for others."""
    vaults: frozenset[str] = frozenset({*balancer.VAULTS, *balancer.VAULTS_V3})
    """Of Balancer V2 and V3."""
    proxies: frozenset[str] = frozenset(zerox.PROXIES)
    """Of 0x, which fill orders."""
    networks: frozenset[str] = frozenset(bancor.NETWORKS)
    """Of Bancor, which convert along a path."""
    aave_pools: Mapping[str, str] = attrs.field(
        factory=lambda: (
            {
                address: "aave_v3" if "V3" in name else "aave_v2"
                for address, name in aave.POOLS.items()
            }
            | dict.fromkeys(aave.V1_POOLS, "aave_v1")
        )
    )
    """Address to protocol; at any other the event must be borne out by transfers."""
    comptrollers: Mapping[str, str] = attrs.field(factory=lambda: compound.COMPTROLLERS)
    """Whose markets ask a contract what is seized, as far as calls show it."""
    comets: Mapping[str, str] = attrs.field(
        factory=lambda: {address: _BASES[name] for address, name in compound.COMETS.items()}
    )
    """Address to the token that is lent."""
    morphos: frozenset[str] = frozenset(morpho.MORPHOS)
    shares: frozenset[str] = frozenset()
    """aTokens of Aave V2, whose mints look like those of a pair."""

    @cached_property
    def told(self) -> frozenset[str]:
        """Contracts whose word is enough for what they say that was swapped."""
        return self.vaults | self.proxies | self.networks

    def name(self, pool: str, shape: str, token: str, other: str) -> str:
        """Whose pool it is, of two tokens and with the logs or calls of a protocol."""
        known = self.protocol_of(pool)
        if known is None and shape in _MADE:
            known = made_by(pool, shape, token, other, self.makers)
        return known or shape
