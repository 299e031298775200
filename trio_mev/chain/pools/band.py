"""What a pool says of a price, and how far that can be believed.

Whoever would bring a pool's price back in line pays the pool's fee and the gas. So the true price
may be off by as much before anybody does: from below by the fee and from above likewise, and by
what the gas is worth. In a constant product a deviation of e, as a logarithm, brings about
R e^2 / 4 of the quote token, R being its (virtual) reserve, which pays gas worth g from
e = 2 sqrt(g / R) on. (From the closed form of the best input: (sqrt K - sqrt M)^2 / N.)
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from ...model.noun import Noun
from .product import ProductPool
from .steps import PIPS
from .swap import PoolState
from .ticked import TickedPool
from .ticks import Q96

DIGITS = 40


class Band(Noun, frozen=True):
    """Within which nobody would trade with a pool to correct it; in quote units a base unit."""

    low: Decimal
    mid: Decimal
    high: Decimal
    depth: int
    """The quote token's reserve, or the virtual one at the price, in its smallest unit."""


def spot(state: PoolState, base: int) -> tuple[Decimal, int] | None:
    """A pool's own price, in smallest units of the one token a smallest unit of the other, and
    the quote token's reserve; None where it has none.

    Args:
        state: of a pair, or of a pool of concentrated liquidity.
        base: place of the token that is priced, 0 or 1.
    """
    with localcontext(prec=DIGITS):
        if isinstance(state, ProductPool):
            held = state.reserve0, state.reserve1
            if not all(held):
                return None
            return Decimal(held[1 - base]) / held[base], held[1 - base]
        if not isinstance(state, TickedPool) or not (state.root and state.liquidity):
            return None
        price = Decimal(state.root) ** 2 / Q96**2
        if base:
            return 1 / price, state.liquidity * Q96 // state.root
        return price, state.liquidity * state.root // Q96


def band(
    state: PoolState, base: int, decimals: tuple[int, ...], correction: Decimal
) -> Band | None:
    """Between which prices a pool is left alone; None where it has no price, no
    liquidity, or takes all that is paid.

    Args:
        state: of the pool.
        base: place of the token that is priced.
        decimals: of both tokens.
        correction: what it costs to correct it, in smallest units of the quote token.
    """
    found = spot(state, base)
    if found is None or not found[1]:
        return None
    raw, depth = found
    with localcontext(prec=DIGITS):
        mid = raw.scaleb(decimals[base] - decimals[1 - base])
        slack = 1 + 2 * (correction / depth).sqrt()
        sell, buy = 1 - _fee(state, base), 1 - _fee(state, 1 - base)
        if min(sell, buy) <= 0:
            return None
        return Band(mid * sell / slack, mid, mid / buy * slack, depth)


def _fee(state: PoolState, token_in: int) -> Decimal:
    """What a pool keeps of what is paid in."""
    if isinstance(state, ProductPool):
        return 1 - Decimal(state.fee.kept) / state.fee.of
    assert isinstance(state, TickedPool)
    return Decimal(state.fee_of(token_in == 0)) / PIPS
