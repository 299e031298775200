"""Prices as Decimals, and as basis points of log price, 10^4 ln(price)."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from math import exp, expm1, floor, log, log1p, log10

BP = 1e4
"""Basis points in one."""
LOWEST, HIGHEST = Decimal("1e-30"), Decimal("1e30")
"""Prices that are taken."""
FURTHEST = BP * log(1e30)
"""And their distance from a price of one, in bp."""
DIGITS = 8
"""Of a price, at least."""
FINER = 3
"""Digits of an interval's half-width, and of a price down to the last of them."""
_LEAST_WIDTH = 1e-6


def rounded(price: float, width: float) -> tuple[Decimal, Decimal]:
    """A price and its half-width, both over zero, to the digits that mean something.

    The half-width has three digits and is rounded up. The price is as fine as the last of them,
    and has eight digits or more, so that neither is ever zero.
    """
    digits = max(DIGITS, floor(log10(price)) - floor(log10(width)) + FINER)
    exact = Decimal(width)
    last = Decimal((0, (1,), exact.adjusted() - FINER + 1))
    return Decimal(f"{price:.{digits - 1}e}"), exact.quantize(last, ROUND_CEILING)


def price_of(middle: float, half_width: float) -> tuple[Decimal, Decimal]:
    """Price and half-width in quote units, of those in bp of log price.

    The interval's upper half is the longer one in quote units, and is the one that is given.
    """
    price = exp(middle / BP)
    return rounded(price, price * expm1(max(half_width, _LEAST_WIDTH) / BP))


def deviation(share: Decimal) -> float:
    """In bp, a deviation by a share of the price; downwards it is by the same factor."""
    return BP * log1p(float(share))
