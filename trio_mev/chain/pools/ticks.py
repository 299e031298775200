"""Ticks and square roots of prices, as Uniswap V3 and V4 count them (TickMath).

A price is token 1 for token 0, in smallest units; its square root is an integer of 2**-96.
"""

from __future__ import annotations

import math
from functools import lru_cache

MIN_TICK = -887272
MAX_TICK = 887272
MIN_ROOT = 4295128739
"""sqrt_at(MIN_TICK)."""
MAX_ROOT = 1461446703485210103287273052203988822378723970342
"""sqrt_at(MAX_TICK)."""
Q96 = 1 << 96

_FACTORS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
"""1.0001 ** -(2**k / 2) in 128 bits, for each bit k of a tick."""
_LOG_ROOT = math.log(1.0001) / 2


@lru_cache(maxsize=1 << 16)
def sqrt_at(tick: int) -> int:
    """The square root of a tick's price, rounded up (TickMath.getSqrtRatioAtTick).

    Raises:
        ValueError: the tick is beyond those that there are.
    """
    distance = abs(tick)
    if distance > MAX_TICK:
        raise ValueError(f"there is no tick {tick}")
    ratio = 1 << 128
    for bit, factor in enumerate(_FACTORS):
        if distance >> bit & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = (2**256 - 1) // ratio
    return -(-ratio >> 32)


def tick_at(root: int) -> int:
    """The greatest tick whose square root is not above this one (TickMath.getTickAtSqrtRatio).

    Raises:
        ValueError: there is none, or the root is not below the last.
    """
    if not MIN_ROOT <= root < MAX_ROOT:
        raise ValueError(f"no tick has the square root {root}")
    # Floating point is off by far less than a tick; which of two it is, integers say.
    tick = min(math.floor(math.log(root / Q96) / _LOG_ROOT + 1e-4), MAX_TICK)
    return tick if sqrt_at(tick) <= root else tick - 1
