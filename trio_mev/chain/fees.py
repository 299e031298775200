"""The base fee from block to block."""

from __future__ import annotations

from ..model.chain import Block

ELASTICITY = 2
"""The gas limit over the gas target."""
DENOMINATOR = 8
"""The base fee moves by at most one eighth a block."""


def next_base_fee(base_fee: int, gas_used: int, gas_limit: int) -> int:
    """The base fee of the block that follows, wei a gas (EIP-1559, "calc_base_fee").

    Args:
        base_fee: of this block.
        gas_used: by this block.
        gas_limit: of this block, over 1.
    """
    target = gas_limit // ELASTICITY
    if gas_used == target or target == 0:
        return base_fee
    if gas_used > target:
        rise = base_fee * (gas_used - target) // target // DENOMINATOR
        return base_fee + max(rise, 1)
    return base_fee - base_fee * (target - gas_used) // target // DENOMINATOR


def base_fee_after(head: Block) -> int | None:
    """Of the block to come, wei a gas; None before the London fork."""
    if head.base_fee is None:
        return None
    return next_base_fee(head.base_fee, head.gas_used, head.gas_limit)
