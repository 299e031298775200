"""Positions in pools of concentrated liquidity: what they take, give, and are paid by swaps.

Sources: LiquidityAmounts (@uniswap/v3-periphery); UniswapV3Pool._modifyPosition and swap,
Tick.getFeeGrowthInside, Tick.tickSpacingToMaxLiquidityPerTick, SwapMath.computeSwapStep,
Position.update (@uniswap/v3-core).
"""

from __future__ import annotations

from .roots import amount0, amount1
from .steps import PIPS
from .ticked import TickedPool
from .ticks import MAX_TICK, MIN_TICK, Q96, sqrt_at

Q128 = 1 << 128


def liquidity_for(root: int, lower: int, upper: int, desired0: int, desired1: int) -> int:
    """The most liquidity that amounts are enough for (LiquidityAmounts.getLiquidityForAmounts).

    Args:
        root: the square root of the price.
        lower: the tick at which the range begins.
        upper: the tick at which it ends, above the other one.
        desired0: of token 0.
        desired1: of token 1.

    Raises:
        ValueError: there is no such tick, or one of the amounts is enough for more than 128 bits.
    """
    low, high = sqrt_at(lower), sqrt_at(upper)
    if root <= low:
        return _for0(low, high, desired0)
    if root >= high:
        return _for1(low, high, desired1)
    return min(_for0(root, high, desired0), _for1(low, root, desired1))


def _for0(low: int, high: int, amount: int) -> int:
    return _fitting(amount * (low * high >> 96) // (high - low))


def _for1(low: int, high: int, amount: int) -> int:
    return _fitting(amount * Q96 // (high - low))


def _fitting(liquidity: int) -> int:
    if liquidity >= Q128:
        raise ValueError("more liquidity than 128 bits")
    return liquidity


def amounts_of(
    pool: TickedPool, lower: int, upper: int, liquidity: int, round_up: bool
) -> tuple[int, int]:
    """What liquidity in a range is of each token (UniswapV3Pool._modifyPosition).

    Args:
        pool: where the price is.
        lower: the tick at which the range begins.
        upper: the tick at which it ends.
        liquidity: how much.
        round_up: whether it is paid in; what is paid out is rounded down.
    """
    low, high = sqrt_at(lower), sqrt_at(upper)
    # By the contract's tick, as it does, which at a tick may be one below that of the price.
    if pool.tick < lower:
        return amount0(low, high, liquidity, round_up), 0
    if pool.tick >= upper:
        return 0, amount1(low, high, liquidity, round_up)
    above = amount0(pool.root, high, liquidity, round_up)
    return above, amount1(low, pool.root, liquidity, round_up)


def most_at_a_tick(spacing: int) -> int:
    """Liquidity that may begin or end at one tick (Tick.tickSpacingToMaxLiquidityPerTick)."""
    return (Q128 - 1) // (MAX_TICK // spacing + -MIN_TICK // spacing + 1)


def growth_inside(
    before: TickedPool, after: TickedPool, zero_for_one: bool, paid: int, lower: int, upper: int
) -> int:
    """What a swap in a pool of V3 pays for each unit of liquidity in a range, in 2**-128 of the
    token that is paid (feeGrowthInside), for a range whose ends are initialised.

    Args:
        before: the pool, and where the swap begins.
        after: where it ends.
        zero_for_one: whether token 0 is paid, and the price falls.
        paid: in all, fee included.
        lower: the tick at which the range begins.
        upper: the tick at which it ends.
    """
    root, tick, liquidity, fee, ticks = (
        before.root,
        before.tick,
        before.liquidity,
        before.fee,
        before.ticks,
    )
    share = before.shares & 15 if zero_for_one else before.shares >> 4
    next_stop, between = (ticks.below, amount0) if zero_for_one else (ticks.above, amount1)
    growth = 0
    while paid or root != after.root:
        ahead = next_stop(tick)
        assert ahead is not None, "a swap ends where the ticks are not known"
        at, initialised = ahead
        edge = sqrt_at(at)
        reached = after.root <= edge if zero_for_one else after.root >= edge
        target = edge if reached else after.root
        taken = between(min(root, target), max(root, target), liquidity, True)
        # Where a step does not come to its end, all that is left is fee.
        kept = (-(-taken * fee // (PIPS - fee)) if taken else 0) if reached else paid - taken
        paid -= taken + kept
        if share:
            kept -= kept // share
        if liquidity and lower <= tick < upper:
            growth += (kept << 128) // liquidity
        root = target
        if reached:
            if initialised:
                net = ticks.ticks[at].net
                liquidity += -net if zero_for_one else net
            tick = at - 1 if zero_for_one else at
    return growth


def owed(growth: int, liquidity: int) -> int:
    """What a position is owed of a growth inside its range, rounded down (Position.update)."""
    return (growth * liquidity >> 128) % Q128
