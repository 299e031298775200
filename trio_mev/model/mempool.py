"""What pending transactions come to together: the block that they would make, and who competes."""

from __future__ import annotations

import enum

import attrs


@attrs.frozen
class NextBlock:
    """What the pending transactions that pay best would fill of the block after the head."""

    base_fee: int
    """Of that block, wei a gas; 0 before the London fork."""
    gas_limit: int
    """Of the head, which that of the next block differs from by a thousandth at most."""
    gas: int
    """The gas limits of those that are in it, together: they may use less."""
    transactions: tuple[str, ...]
    """Hashes of those that are in it, in order."""
    least_tip: int | None
    """The lowest tip in it, wei a gas; None where it is empty."""
    tip_needed: int
    """Wei a gas over the base fee with which a transfer would be in it too: one more than the last
    one that is in it, or nothing where there is room."""
    unable: int
    """Pending transactions whose cap is under the base fee."""
    waiting: int
    """Seen on the way, and not in it since one of the same sender must come before."""


class Rivalry(enum.Enum):
    """For what transactions compete."""

    NONCE = "nonce"
    """Of one sender and nonce: one of them at most can be in the chain."""
    POOL = "pool"
    """Swaps at one pool in the same direction: whoever is first has the better price."""
    LIQUIDATION = "liquidation"
    """Of the same position."""
    CALL = "call"
    """The same call of a contract, by several senders."""


@attrs.frozen
class Rivals:
    """Pending transactions that compete."""

    rivalry: Rivalry
    over: str
    """What they compete for, in words that are the same for the same thing."""
    count: int
    transactions: tuple[str, ...]
    """Hashes of those that were seen first, in the order of sight; bounded."""
