"""Which pool it is: what never changes about it."""

from __future__ import annotations

import enum
from typing import TypeAlias

from ...model.intents import Hop, PoolKind
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
    factory: str | None = None
    """That made it, and says so itself; None where that is not known. Uniswap V4 has none."""
    fee: int | None = None
    """In millionths, as V3's factory or V4's key names it; None where that is no part of a name."""
    tick_spacing: int | None = None
    hooks: str | None = None
    """Of Uniswap V4; the zero address is none."""


Key: TypeAlias = tuple[object, ...]
"""What a call may name a pool by in place of its address."""


def key_of(pool: Pool) -> Key | None:
    """What a call may name a pool by; None where nothing but its id tells it from others."""
    if pool.protocol is Protocol.UNISWAP_V4:
        return PoolKind.V4, pool.tokens, pool.fee, pool.tick_spacing, pool.hooks
    if pool.factory is None:
        return None
    if pool.protocol is Protocol.UNISWAP_V3:
        return PoolKind.V3, pool.factory, pool.tokens, pool.fee
    return PoolKind.V2, pool.factory, pool.tokens


def key_named(hop: Hop) -> Key | None:
    """What a call names the pool of a hop by; None where it does not."""
    one, two = hop.token_in, hop.token_out
    if one is None or two is None:
        return None
    tokens = (one, two) if one < two else (two, one)
    if hop.kind is PoolKind.V4:
        return PoolKind.V4, tokens, hop.fee, hop.tick_spacing, hop.hooks
    if hop.kind is PoolKind.V3:
        return PoolKind.V3, hop.factory, tokens, hop.fee
    return PoolKind.V2, hop.factory, tokens


class Unusable(Noun, frozen=True):
    """A pool that cannot be quoted, and why."""

    id: str
    reason: str
