"""Powers of fixed-point numbers with 18 decimals, digit for digit as Balancer V2 computes them.

Source: LogExpMath.pow (@balancer-labs/v2-solidity-utils). Its logarithm and its exponential are
series that are cut off; a more exact power would be another one, so its steps are followed,
among them divisions that round towards zero.
"""

from __future__ import annotations

ONE = 10**18
ONE_20 = 10**20
ONE_36 = 10**36

_NEAR = ONE // 10
"""How near to one a number is whose logarithm is taken with 36 decimals."""
_WHOLE = (
    (128 * ONE, 38877084059945950922200000000000000000000000000000000000),
    (64 * ONE, 6235149080811616882910000000),
)
"""Exponents, and e to their power without decimals."""
_PARTS = (
    (32 * ONE_20, 7896296018268069516100000000000000),
    (16 * ONE_20, 888611052050787263676000000),
    (8 * ONE_20, 298095798704172827474000),
    (4 * ONE_20, 5459815003314423907810),
    (2 * ONE_20, 738905609893065022723),
    (ONE_20, 271828182845904523536),
    (ONE_20 // 2, 164872127070012814685),
    (ONE_20 // 4, 128402541668774148407),
    (ONE_20 // 8, 113314845306682631683),
    (ONE_20 // 16, 106449445891785942956),
)
"""Exponents with 20 decimals, and e to their power with as many."""
_EXP_PARTS = _PARTS[:8]
MOST_EXPONENT = 130 * ONE
LEAST_EXPONENT = -41 * ONE
_MOST_POWER = 2**254 // ONE_20


def _cut(dividend: int, divisor: int) -> int:
    """Divided as the machine divides signed integers: towards zero."""
    return dividend // divisor if dividend >= 0 else -(-dividend // divisor)


def power(base: int, exponent: int) -> int | None:
    """A number to the power of another; None where the contract would revert."""
    if exponent == 0:
        return ONE
    if base == 0:
        return 0
    if base >> 255 or exponent >= _MOST_POWER:
        return None
    if -_NEAR < base - ONE < _NEAR:
        fine = _log_36(base)
        whole = _cut(fine, ONE)
        product = whole * exponent + _cut((fine - whole * ONE) * exponent, ONE)
    else:
        product = _log(base) * exponent
    product = _cut(product, ONE)
    if not LEAST_EXPONENT <= product <= MOST_EXPONENT:
        return None
    return _exp(product)


def _exp(x: int) -> int:
    if x < 0:
        return ONE * ONE // _exp(-x)
    whole = 1
    for exponent, factor in _WHOLE:
        if x >= exponent:
            # Both at once would be more than the greatest exponent.
            x, whole = x - exponent, factor
            break
    x *= 100
    product = ONE_20
    for exponent, factor in _EXP_PARTS:
        if x >= exponent:
            x -= exponent
            product = product * factor // ONE_20
    series, term = ONE_20 + x, x
    for n in range(2, 13):
        term = term * x // ONE_20 // n
        series += term
    return product * series // ONE_20 * whole // 100


def _log(a: int) -> int:
    if a < ONE:
        return -_log(ONE * ONE // a)
    total = 0
    for exponent, factor in _WHOLE:
        if a >= factor * ONE:
            a //= factor
            total += exponent
    total *= 100
    a *= 100
    for exponent, factor in _PARTS:
        if a >= factor:
            a = a * ONE_20 // factor
            total += exponent
    return (total + _series(a, ONE_20, 11)) // 100


def _log_36(x: int) -> int:
    return _series(x * ONE, ONE_36, 15)


def _series(a: int, one: int, last: int) -> int:
    """2 * (z + z**3/3 + ... ), with z = (a - 1) / (a + 1)."""
    z = _cut((a - one) * one, a + one)
    square = z * z // one
    total, term = z, z
    for n in range(3, last + 1, 2):
        term = _cut(term * square, one)
        total += _cut(term, n)
    return 2 * total
