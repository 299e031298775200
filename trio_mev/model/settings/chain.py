"""Of pending transactions, and of pools."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import attrs

from ..identity import Instrument
from .checks import (
    DEAREST,
    LONGEST,
    check_addresses,
    check_assets_of_tokens,
    check_at_most,
    check_tiers,
    check_tokens,
    positive,
)


@attrs.frozen
class TransactionSettings:
    """What makes a pending transaction worth reporting."""

    native: Instrument = Instrument("ETH", "USD")
    """Whose price values the transferred ether."""
    large: Decimal = positive(Decimal(1000), DEAREST)
    very_large: Decimal = positive(Decimal(10_000), DEAREST)
    mega: Decimal = positive(Decimal(100_000), DEAREST)
    gas_window: int = attrs.field(
        default=100, validator=[attrs.validators.ge(10), check_at_most(LONGEST)]
    )
    """Transactions that the urgency is measured against."""

    def __attrs_post_init__(self) -> None:
        if not self.large < self.very_large < self.mega:
            raise ValueError("large, very_large and mega must rise")


@attrs.frozen
class MempoolSettings:
    """The view of pending transactions."""

    window: float = positive(300.0)
    """Seconds that a transaction is kept for."""
    max_transactions: int = positive(200_000, LONGEST)
    """More than these in the window, and the oldest are forgotten and counted."""


@attrs.frozen
class FactorySettings:
    """Whose pools are looked for."""

    address: str = attrs.field(validator=check_addresses)
    kind: Literal["v2", "v3"] = "v2"
    """Whose interface it has: that of Uniswap V2 or V3."""
    fees: tuple[int, ...] = attrs.field(default=(), validator=check_tiers)
    """Millionths: of V3 its tiers, of V2 what every pair keeps; Uniswap's own where none is
    named."""

    @property
    def tiers(self) -> tuple[int, ...]:
        """The fees, Uniswap's own where none is named."""
        return self.fees or ((3000,) if self.kind == "v2" else (100, 500, 3000, 10_000))

    def __attrs_post_init__(self) -> None:
        if self.kind == "v2" and len(self.fees) > 1:
            raise ValueError("fees: a factory of V2 has one fee for all of its pairs")


@attrs.frozen
class PoolSettings:
    """Which pools of the first Ethereum feed's chain are watched, and how."""

    tokens: tuple[str, ...] = attrs.field(default=(), validator=[check_tokens])
    """Pools of these with each other are looked for: addresses, or symbols of those that are
    known. None: no pools are looked for."""
    addresses: tuple[str, ...] = attrs.field(default=(), validator=check_addresses)
    """Pairs and V3 pools to watch besides."""
    factories: tuple[FactorySettings, ...] = ()
    """Where they are looked for, in place of Uniswap's and SushiSwap's on chain 1."""
    v4_view: str | None = attrs.field(default=None, validator=check_addresses)
    """Address of a StateView of Uniswap V4, in place of that on chain 1."""
    assets: dict[str, str] = attrs.field(factory=dict, validator=check_assets_of_tokens)
    """What tokens are worth, by address, beside those that are known: such as ``ETH``."""
    prices: bool = True
    """Whether pools of two such tokens have a say in prices."""
    correction_gas: int = positive(150_000)
    """Gas that it takes to bring a pool's price back in line; what that costs is part of how far
    a pool's price can be believed."""
    most: int = positive(2000, 100_000)
    """Pools that are watched; more are left out and counted."""
    check_interval: float = positive(60.0)
    """Seconds between two pools that are held against the node."""
    batch: int = positive(100, 1000)
    """Calls in one message to the node."""
    most_pending: int = positive(300, 100_000)
    """Pending swaps at these pools that are looked at again with every block; of more, the oldest
    are forgotten."""

    def __attrs_post_init__(self) -> None:
        if len(self.tokens) > 100:
            raise ValueError(f"tokens: {len(self.tokens)} are too many; at most 100")

    @property
    def enabled(self) -> bool:
        """Whether any pool is watched."""
        return bool(self.tokens or self.addresses)
