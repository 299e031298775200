"""Aave's arithmetic: percentages of ten thousand, rays of 10^27, wads of 10^18, and interest.

Sources: PercentageMath, WadRayMath and MathUtils of @aave/core-v3 1.19.3 and of
@aave-dao/aave-v3-origin 3.6.0; *half-up* adds half of the divisor before it divides.
"""

from __future__ import annotations

RAY = 10**27
WAD = 10**18
WHOLE = 10_000
"""Basis points."""
YEAR = 31_536_000
"""Seconds of 365 days."""
LARGEST = 2**256 - 1


def floor_div(value: int, by: int) -> int:
    """Rounded down."""
    return value // by


def ceil_div(value: int, by: int) -> int:
    """Rounded up."""
    return -(-value // by)


def half_up_div(value: int, by: int) -> int:
    """Rounded to the nearest, a half up."""
    return (value + by // 2) // by


def percent_mul(value: int, percent: int) -> int:
    """So many basis points of a value, half-up."""
    return half_up_div(value * percent, WHOLE)


def percent_div(value: int, percent: int) -> int:
    """What a value is so many basis points of, half-up."""
    return half_up_div(value * WHOLE, percent)


def wad_div(value: int, by: int) -> int:
    """A ratio times 10^18, half-up."""
    return half_up_div(value * WAD, by)


def ray_mul(value: int, ray: int) -> int:
    """A product with a ray, half-up."""
    return half_up_div(value * ray, RAY)


def ray_mul_floor(value: int, ray: int) -> int:
    """A product with a ray, rounded down."""
    return value * ray // RAY


def ray_mul_ceil(value: int, ray: int) -> int:
    """A product with a ray, rounded up."""
    return ceil_div(value * ray, RAY)


def linear_interest(rate: int, seconds: int) -> int:
    """What one becomes at a yearly rate without interest on interest, all in rays."""
    return RAY + rate * seconds // YEAR


def binomial_interest(rate: int, seconds: int) -> int:
    """What one becomes at a yearly rate with interest on interest, up to version 3.3: three terms
    of the binomial, each power divided before it is multiplied."""
    if seconds == 0:
        return RAY
    square = ray_mul(rate, rate) // (YEAR * YEAR)
    cube = ray_mul(square, rate) // YEAR
    second = seconds * (seconds - 1) * square // 2
    third = seconds * (seconds - 1) * max(seconds - 2, 0) * cube // 6
    return RAY + rate * seconds // YEAR + second + third


def exponential_interest(rate: int, seconds: int) -> int:
    """What one becomes at a yearly rate with interest on interest, from version 3.4 on: three
    terms of the exponential function."""
    x = rate * seconds // YEAR
    return RAY + x + ray_mul(x, x // 2 + ray_mul(x, x // 6))
