"""Which pool it is: what never changes about it."""

from __future__ import annotations

import enum

from ...model.noun import Noun


class Protocol(enum.Enum):
    """Whose rules a pool follows; forks follow those of their origin."""

    UNISWAP_V2 = "uniswap_v2"
    UNISWAP_V3 = "uniswap_v3"
    UNISWAP_V4 = "uniswap_v4"
    BALANCER_WEIGHTED = "balancer_weighted"
    CURVE_STABLE = "curve_stable"


class Pool(Noun, frozen=True):
    """A pool, as the chain names it."""

    id: str
    """Its address in lower case; of Uniswap V4 and Balancer the 32 bytes of its id."""
    protocol: Protocol
    tokens: tuple[str, ...]
    """Addresses in the pool's own order; Uniswap V4 calls ether the zero address."""
    decimals: tuple[int, ...]
    """Of each token, as its contract says."""


class Unusable(Noun, frozen=True):
    """A pool that cannot be quoted, and why."""

    id: str
    reason: str
