"""The base fee from block to block."""

from __future__ import annotations

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
