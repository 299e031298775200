"""Of what is looked for: arbitrage, loans, exposure; and of who confirms it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from ..identity import Instrument
from .checks import (
    DEAREST,
    check_addresses,
    check_at_most,
    check_fraction,
    check_not_negative,
    check_tokens,
    positive,
)


@attrs.frozen
class ArbitrageSettings:
    """Which arbitrage is reported."""

    native: Instrument = Instrument("ETH", "USD")
    """Whose price values what is made."""
    least_wei: int = positive(1, 10**24)
    """What must be left after gas, in wei."""
    bases: tuple[str, ...] = attrs.field(default=(), validator=[check_tokens])
    """Tokens that profit is wanted in, the dearest first: addresses, or symbols of those that are
    known, which are taken where none is named."""
    most: int = positive(5, 1000)
    """Cycles that are reported of one block or one pending swap, the best first."""


@attrs.frozen
class RefereeSettings:
    """Whether a node is asked to try pending transactions whose calls do not say what they do."""

    enabled: bool = False
    """Off, since providers charge more for such calls than for others, and public nodes refuse
    them."""
    calls_per_second: float = positive(5.0, 1000)
    deadline: float = positive(1.0, 60)
    """Seconds from a transaction's arrival to the node's answer; later it is of no use."""
    under_way: int = positive(4, 64)
    """Calls at once."""


FEED_KINDS = ("chainlink_aggregator", "chainlink_forwarder", "settable_feed")
"""Of contracts that bring prices."""


def _feed_kinds(_: Any, attribute: attrs.Attribute[Any], value: dict[str, str]) -> None:
    check_addresses(_, attribute, tuple(value))
    for kind in value.values():
        if kind not in FEED_KINDS:
            known = ", ".join(FEED_KINDS)
            raise ValueError(f"{attribute.name}: {kind[:64]!r} is not one of {known}")


@attrs.frozen
class LiquidationSettings:
    """Which positions of Aave V3 are watched, on the first Ethereum feed's chain."""

    enabled: bool = False
    pool: str | None = attrs.field(default=None, validator=check_addresses)
    """Address of the pool, in place of that on chain 1."""
    users: tuple[str, ...] = attrs.field(default=(), validator=check_addresses)
    """To watch from the start; whoever borrows later is watched too."""
    most: int = positive(20_000, 200_000)
    """Users that are watched; more are left out and counted."""
    watch_within: Decimal = attrs.field(default=Decimal("0.05"), validator=check_fraction)
    """Fall of all collateral within which a position counts as near its liquidation."""
    least_gain: Decimal = attrs.field(
        default=Decimal(1), validator=[check_not_negative, check_at_most(DEAREST)]
    )
    """What a liquidation must bring to be reported, gross, in the currency that the pool reckons
    in: dollars on the main network."""
    contracts: dict[str, str] = attrs.field(factory=dict, validator=_feed_kinds)
    """Contracts that bring prices, by address, and their kinds, beside the aggregators and
    forwarders that the pool's feeds name themselves."""
    block_time: int = positive(12)
    """Seconds to the next block: what is predicted is as of then."""
    check_interval: float = positive(60.0)
    """Seconds between two looks at whether the node says the same."""
    batch: int = positive(100, 1000)
    """Calls in one message to the node."""


@attrs.frozen
class ExposureSettings:
    """Which exposure of pending swaps to sandwiches is reported."""

    native: Instrument = Instrument("ETH", "USD")
    """Whose price values what an attacker would make."""
    least_wei: int = positive(1, 10**24)
    """What a sandwich must leave after gas, in wei."""
    most: int = positive(5, 1000)
    """Swaps that are reported of one pending transaction, the worst first."""
