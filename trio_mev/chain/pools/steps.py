"""One step of a swap, within one range of liquidity (SwapMath.computeSwapStep, V3 and V4).

The two contracts divide a step between input and fee differently where it does not reach its
target. What is paid in all and what is got is the same, and so this is one function for both.
"""

from __future__ import annotations

from .roots import after_input, after_output, amount0, amount1

PIPS = 10**6
"""Fees are in millionths."""


def step_in(
    root: int, target: int, liquidity: int, remaining: int, fee: int
) -> tuple[int, int, int]:
    """A step of an input; the price falls where the target is below it.

    Args:
        root: where the price is.
        target: how far this step may go.
        liquidity: of the range.
        remaining: what is left to be paid, over 0.
        fee: in millionths.

    Returns:
        The next square root, what is paid with the fee, and what is got.
    """
    down = target <= root
    low, high = (target, root) if down else (root, target)
    net = remaining * (PIPS - fee) // PIPS
    taken = (amount0 if down else amount1)(low, high, liquidity, True)
    if net >= taken:
        following = target
        # A fee of the whole leaves nothing to reach a target with, unless it is here already.
        paid = taken - (-taken * fee // (PIPS - fee)) if taken else 0
    else:
        following = after_input(root, liquidity, net, down)
        low, high = (following, root) if down else (root, following)
        paid = remaining
    return following, paid, (amount1 if down else amount0)(low, high, liquidity, False)


def step_out(
    root: int, target: int, liquidity: int, remaining: int, fee: int
) -> tuple[int, int, int]:
    """A step towards an output; as `step_in`, but what remains is to be got.

    The fee is below the whole.
    """
    down = target <= root
    low, high = (target, root) if down else (root, target)
    got = (amount1 if down else amount0)(low, high, liquidity, False)
    if remaining >= got:
        following = target
    else:
        following = after_output(root, liquidity, remaining, down)
        low, high = (following, root) if down else (root, following)
        got = remaining
    taken = (amount0 if down else amount1)(low, high, liquidity, True)
    return following, taken - (-taken * fee // (PIPS - fee)), got
