"""Events of Uniswap's pools and factories, and of their forks."""

from __future__ import annotations

from collections.abc import Mapping

from ..contracts import uniswap_v2, uniswap_v3, uniswap_v4
from .event import LogEvent


class PairCreated(LogEvent, frozen=True):
    """By a V2 factory."""

    token0: str
    token1: str
    pair: str
    count: int


class V2Sync(LogEvent, frozen=True):
    """The reserves of a pair as they are now."""

    reserve0: int
    reserve1: int


class V2Swap(LogEvent, frozen=True):
    """Of a pair; a Sync goes before it."""

    sender: str
    to: str
    amount0_in: int
    amount1_in: int
    amount0_out: int
    amount1_out: int


class V2Mint(LogEvent, frozen=True):
    """Liquidity is added. An aToken of Aave V2 logs the same shape: see ``LogDecoder``."""

    sender: str
    amount0: int
    amount1: int


class V2Burn(LogEvent, frozen=True):
    """Liquidity is taken out."""

    sender: str
    to: str
    amount0: int
    amount1: int


class PoolCreated(LogEvent, frozen=True):
    """By the V3 factory."""

    token0: str
    token1: str
    fee: int
    tick_spacing: int
    pool: str


class V3Initialize(LogEvent, frozen=True):
    """The first price of a pool, as its square root times 2^96."""

    sqrt_price: int
    tick: int


class V3Swap(LogEvent, frozen=True):
    """Amounts as the pool sees them: what it gets is positive."""

    sender: str
    recipient: str
    amount0: int
    amount1: int
    sqrt_price: int
    liquidity: int
    tick: int


class PancakeV3Swap(LogEvent, frozen=True):
    """As V3's, and what of the fee goes to the protocol."""

    sender: str
    recipient: str
    amount0: int
    amount1: int
    sqrt_price: int
    liquidity: int
    tick: int
    protocol_fee0: int
    protocol_fee1: int


class V3Mint(LogEvent, frozen=True):
    """Liquidity is added between two ticks."""

    owner: str
    tick_lower: int
    tick_upper: int
    sender: str
    liquidity: int
    amount0: int
    amount1: int


class V3Burn(LogEvent, frozen=True):
    """Liquidity is taken out between two ticks."""

    owner: str
    tick_lower: int
    tick_upper: int
    liquidity: int
    amount0: int
    amount1: int


class V3Collect(LogEvent, frozen=True):
    """What was taken out, and fees, is paid to whoever the owner names."""

    owner: str
    tick_lower: int
    tick_upper: int
    recipient: str
    amount0: int
    amount1: int


class PositionIncreased(LogEvent, frozen=True):
    """By the position manager, after the pool's own mint."""

    position: int
    liquidity: int
    amount0: int
    amount1: int


class PositionDecreased(LogEvent, frozen=True):
    """By the position manager, after the pool's own burn."""

    position: int
    liquidity: int
    amount0: int
    amount1: int


class V3ProtocolShares(LogEvent, frozen=True):
    """Of a pool's fee on each side, one part in so many is the protocol's; 0 is nothing."""

    old0: int
    old1: int
    new0: int
    new1: int


class V4Initialize(LogEvent, frozen=True):
    """A pool of the manager, with all that its id is made of."""

    pool: str
    currency0: str
    currency1: str
    fee: int
    tick_spacing: int
    hooks: str
    sqrt_price: int
    tick: int


class V4Swap(LogEvent, frozen=True):
    """Amounts as the caller sees them: what it pays is negative, contrary to V3."""

    pool: str
    sender: str
    amount0: int
    amount1: int
    sqrt_price: int
    liquidity: int
    tick: int
    fee: int
    """Millionths, the protocol's part included."""


class V4ModifyLiquidity(LogEvent, frozen=True):
    """Liquidity between two ticks changes."""

    pool: str
    sender: str
    tick_lower: int
    tick_upper: int
    liquidity: int
    """By how much."""
    salt: bytes


class V4ProtocolFeeUpdated(LogEvent, frozen=True):
    """It is part of what a trader pays."""

    pool: str
    fee: int


EVENTS: tuple[tuple[type[LogEvent], Mapping[str, str], str], ...] = (
    (PairCreated, uniswap_v2.EVENTS, "PairCreated"),
    (V2Sync, uniswap_v2.EVENTS, "Sync"),
    (V2Swap, uniswap_v2.EVENTS, "Swap"),
    (V2Mint, uniswap_v2.EVENTS, "Mint"),
    (V2Burn, uniswap_v2.EVENTS, "Burn"),
    (PoolCreated, uniswap_v3.EVENTS, "PoolCreated"),
    (V3Initialize, uniswap_v3.EVENTS, "Initialize"),
    (V3Swap, uniswap_v3.EVENTS, "Swap"),
    (V3Mint, uniswap_v3.EVENTS, "Mint"),
    (V3Burn, uniswap_v3.EVENTS, "Burn"),
    (V3Collect, uniswap_v3.EVENTS, "Collect"),
    (V3ProtocolShares, uniswap_v3.EVENTS, "SetFeeProtocol"),
    (PositionIncreased, uniswap_v3.POSITION_EVENTS, "IncreaseLiquidity"),
    (PositionDecreased, uniswap_v3.POSITION_EVENTS, "DecreaseLiquidity"),
    (PancakeV3Swap, uniswap_v3.PANCAKE_EVENTS, "Swap"),
    (V4Initialize, uniswap_v4.EVENTS, "Initialize"),
    (V4Swap, uniswap_v4.EVENTS, "Swap"),
    (V4ModifyLiquidity, uniswap_v4.EVENTS, "ModifyLiquidity"),
    (V4ProtocolFeeUpdated, uniswap_v4.EVENTS, "ProtocolFeeUpdated"),
)
"""Class, where its signature is, and by which name."""
