"""Amounts between two prices, and the price after an amount (SqrtPriceMath of Uniswap V3 and V4).

Prices are square roots in 2**-96; liquidity is that of one range, and amounts are of the smallest
units. What a pool takes is rounded up, what it gives down, and prices against whoever swaps.
"""

from __future__ import annotations

from .ticks import Q96

_WORD = 1 << 256


def _up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def amount0(low: int, high: int, liquidity: int, round_up: bool) -> int:
    """Token 0 between two square roots, low not above high (getAmount0Delta)."""
    product = (liquidity << 96) * (high - low)
    return _up(_up(product, high), low) if round_up else product // high // low


def amount1(low: int, high: int, liquidity: int, round_up: bool) -> int:
    """Token 1 between two square roots, low not above high (getAmount1Delta)."""
    product = liquidity * (high - low)
    return _up(product, Q96) if round_up else product >> 96


def after_input(root: int, liquidity: int, amount: int, zero_for_one: bool) -> int:
    """The square root after an input that the range has room for (getNextSqrtPriceFromInput)."""
    if not zero_for_one:
        return root + (amount << 96) // liquidity
    weight = liquidity << 96
    product = amount * root
    if product < _WORD and weight + product < _WORD:
        return _up(weight * root, weight + product)
    # Where 256 bits are too few the contracts round otherwise.
    return _up(weight, weight // root + amount)


def after_output(root: int, liquidity: int, amount: int, zero_for_one: bool) -> int:
    """The square root after an output that the range holds (getNextSqrtPriceFromOutput)."""
    if zero_for_one:
        return root - _up(amount << 96, liquidity)
    weight = liquidity << 96
    return _up(weight * root, weight - amount * root)
