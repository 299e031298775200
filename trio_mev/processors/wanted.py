"""What settings want of pools: whose are looked for, and of which tokens."""

from __future__ import annotations

from ..chain.contracts.assets import TOKENS
from ..chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY, UNISWAP_FACTORY
from ..chain.contracts.uniswap_v3 import FACTORY
from ..chain.contracts.uniswap_v4 import STATE_VIEW
from ..chain.pools.learning import Factory, Learner
from ..model.settings import FactorySettings, PoolSettings

MAIN_NETWORK = (
    FactorySettings(UNISWAP_FACTORY, "v2"),
    FactorySettings(SUSHISWAP_FACTORY, "v2"),
    FactorySettings(FACTORY, "v3"),
)
"""Whose pools are looked for, where no others are named."""


def make_learner(settings: PoolSettings, chain_id: int | None = None) -> Learner:
    """What finds the pools that settings want.

    Raises:
        ValueError: a token's symbol is not known.
    """
    main = chain_id in {None, 1}
    factories = settings.factories or (MAIN_NETWORK if main else ())
    view = settings.v4_view or (STATE_VIEW if main else None)
    return Learner(
        [address_of(token) for token in settings.tokens],
        [Factory(one.address.lower(), one.kind, one.tiers) for one in factories],
        None if view is None else view.lower(),
    )


def address_of(token: str) -> str:
    """A token's address, in lower case.

    Raises:
        ValueError: its symbol is not known.
    """
    if token.startswith("0x"):
        return token.lower()
    if token not in TOKENS:
        raise ValueError(f"{token} is not one of {', '.join(TOKENS)}; give its address")
    return TOKENS[token]
