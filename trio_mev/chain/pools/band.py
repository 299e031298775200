"""What a pool says of a price, and how far that can be believed.

Whoever would bring a pool's price back in line pays the pool's fee and the gas. So the true price
may be off by as much before anybody does: from below by the fee and from above likewise, and by
what the gas is worth.

What a correction brings follows from the pool's own curve. Let s be the square root of its price
and P the true one. Buying up to s, with a share f of what is paid kept as the fee, is right where
the next unit costs P, that is at s^2 / (1 - f) = P. Until there it gave the base B(s) and took the
quote Q(s) before the fee, so that it brings B P - Q / (1 - f), which is the gas g where

    B s^2 - Q = g (1 - f).

In a range of liquidity L that is entered at r, B grows by L (1/r - 1/s) and Q by L (s - r), which
makes it a quadratic equation in s. Selling down to s is right where P = s^2 (1 - f). It brings Q
for B before the fee, with Q growing by L (r - s) and B by L (1/s - 1/r), and so Q - B s^2 = g.

Ranges are gone through until the solution lies in one. In the first, and in a constant product,
whose only one it is, s is r (1 + sqrt(g (1 - f) / R)) or r (1 - sqrt(g / R)), R being the
(virtual) reserve L r of the quote. Where a range ends and none follows, nothing more is given: the
price may then be off by as much as makes what there was worth the gas. (The closed form of a
constant product is in Angeris and others, "An analysis of Uniswap markets".)
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext

from ...model.noun import Noun
from .product import ProductPool
from .steps import PIPS
from .swap import PoolState
from .ticked import TickedPool
from .ticks import MAX_TICK, MIN_TICK, Q96, sqrt_at

DIGITS = 40
MOST_RANGES = 64
"""That are gone through on a side of the price; what lies beyond is taken to be empty."""
NEAR = Decimal("1.01")
"""By which the price must move to give what is its depth."""

_Range = tuple[int | Decimal, Decimal, Decimal | None]
"""Its liquidity, and the square roots where it begins and ends; None where it does not end."""


class Band(Noun, frozen=True):
    """Within which nobody would trade with a pool to correct it; in quote units a base unit."""

    low: Decimal
    mid: Decimal
    high: Decimal
    depth: int
    """What must be traded to move the price by 1 %: see `depth_of`."""


def spot(state: PoolState, base: int) -> tuple[Decimal, int] | None:
    """A pool's own price, in smallest units of the one token a smallest unit of the other, and
    the quote token's reserve, or the virtual one; None where it has none.

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
    """Between which prices a pool is left alone; None where it has no price, or takes all that
    is paid, or has too little for anybody to correct it.

    Args:
        state: of the pool.
        base: place of the token that is priced.
        decimals: of both tokens.
        correction: what it costs to correct it, in smallest units of the quote token.
    """
    found = spot(state, base)
    if found is None or not found[1]:
        return None
    sell, buy = (1 - fee for fee in fees_of(state, base))
    if min(sell, buy) <= 0:
        return None
    with localcontext(prec=DIGITS):
        lowest = _lowest(_ranges(state, base, rising=False), correction)
        highest = _highest(_ranges(state, base, rising=True), correction * buy)
        if lowest is None or highest is None:
            return None
        low, mid, high = (
            price.scaleb(decimals[base] - decimals[1 - base])
            for price in (lowest * lowest * sell, found[0], highest * highest / buy)
        )
    return Band(low, mid, high, depth_of(state, base))


def depth_of(state: PoolState, base: int) -> int:
    """How much of the quote token, in its smallest unit and without the fee, moves a pool's price
    by 1 %: on that side where it is less. 0 where there is no price.

    It is really there or must really be paid, unlike a virtual reserve.
    """
    if spot(state, base) is None:
        return 0
    with localcontext(prec=DIGITS):
        down = _within(_ranges(state, base, rising=False), 1 / NEAR.sqrt())
        return int(min(down, _within(_ranges(state, base, rising=True), NEAR.sqrt())))


def fees_of(state: PoolState, base: int) -> tuple[Decimal, Decimal]:
    """What a pair, or a pool of concentrated liquidity, keeps of the base that is paid in, and of
    the quote, as shares."""
    if isinstance(state, ProductPool):
        fee = 1 - Decimal(state.fee.kept) / state.fee.of
        return fee, fee
    assert isinstance(state, TickedPool)
    return Decimal(state.fee_of(base == 0)) / PIPS, Decimal(state.fee_of(base == 1)) / PIPS


def _ranges(state: PoolState, base: int, *, rising: bool) -> Iterator[_Range]:
    """The ranges from the price on, upwards or downwards."""
    if isinstance(state, ProductPool):
        held, quote = Decimal(state.reserve0 * state.reserve1), (state.reserve1, state.reserve0)
        return iter([(held.sqrt(), quote[base] / held.sqrt(), None)])
    assert isinstance(state, TickedPool)
    return _stops(state, base, rising == (base == 1))


def _stops(state: TickedPool, base: int, down: bool) -> Iterator[_Range]:
    """Those from a stop of a swap to the next, while the pool's own price falls or rises."""
    root, tick, liquidity, ticks = state.root, state.tick, state.liquidity, state.ticks
    next_stop = ticks.below if down else ticks.above
    for _ in range(MOST_RANGES):
        ahead = next_stop(tick)
        if ahead is None or liquidity < 0 or not MIN_TICK <= ahead[0] <= MAX_TICK:
            return
        edge = sqrt_at(ahead[0])
        if edge > root if down else edge < root:
            return  # a tick that is not that of the price
        begin, end = (_root_of(one, base) for one in (root, edge))
        yield liquidity, begin, end
        root, tick = edge, ahead[0] - 1 if down else ahead[0]
        if ahead[1]:
            net = ticks.ticks[ahead[0]].net
            liquidity += -net if down else net


def _root_of(root: int, base: int) -> Decimal:
    return Q96 / Decimal(root) if base else Decimal(root) / Q96


def _root(square: Decimal) -> Decimal:
    """Of what is not below zero but for rounding."""
    return max(square, Decimal(0)).sqrt()


def _highest(ranges: Iterator[_Range], gas: Decimal) -> Decimal | None:
    """The square root up to which to buy brings the gas."""
    given = taken = Decimal(0)
    for liquidity, begin, end in ranges:
        whole = given + liquidity / begin
        if whole:
            rest = liquidity * begin - taken - gas
            root = (liquidity + _root(liquidity * liquidity - whole * rest)) / whole
            if end is None or root <= end:
                return root
        assert end is not None
        given += liquidity * (1 / begin - 1 / end)
        taken += liquidity * (end - begin)
    return ((taken + gas) / given).sqrt() if given else None


def _lowest(ranges: Iterator[_Range], gas: Decimal) -> Decimal | None:
    """The square root down to which to sell brings the gas; None where all there is does not."""
    given = taken = Decimal(0)
    for liquidity, begin, end in ranges:
        rest = liquidity * begin + given - gas
        if rest > 0:
            whole = liquidity / begin - taken
            root = rest / (liquidity + _root(liquidity * liquidity - whole * rest))
            if end is None or root >= end:
                return root
        elif end is None:
            return None
        given += liquidity * (begin - end)
        taken += liquidity * (1 / end - 1 / begin)
    return ((given - gas) / taken).sqrt() if given > gas else None


def _within(ranges: Iterator[_Range], factor: Decimal) -> Decimal:
    """The quote that is traded until the square root has changed by a factor."""
    traded, last = Decimal(0), None
    for liquidity, begin, end in ranges:
        if last is None:
            last = begin * factor
        beyond = end is None or (end >= last if factor > 1 else end <= last)
        until = last if beyond or end is None else end
        traded += liquidity * abs(until - begin)
        if beyond:
            break
    return traded
