"""The best integer input of a route.

Every pool rounds down, so the profit over the integers is a sawtooth below the real one, and the
coarsest token on the way makes the largest teeth. An input is only worth a look if it is the
smallest that brings a certain amount of that token: the left edge of a plateau. So the amounts of
the coarsest token are tried from the real optimum outwards, each with the smallest input that
brings it, exactly, and with what it gives in the end, exactly. The search ends where the real
profit, which no integer one exceeds and which only falls from there on, is not above the best
that was found: then no integer input pays more.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.noun import Noun
from .curve import SHIFT, Curve, Near
from .hop import MOST_DOUBLINGS, Hop
from .outward import outward
from .rough import roughly
from .walk import Optimum, walk

MOST_CANDIDATES = 4096
"""Amounts of the coarsest token that are tried."""
_SLACK = 1 << SHIFT // 2
"""More than what rounding of the scaled amounts comes to."""


class Sized(Noun, frozen=True):
    """How much to send round a route, and what comes of it."""

    amounts: tuple[int, ...]
    """What goes into each hop, and last what comes out of the last."""
    bound: int | None
    """No integer input pays more than this; None where nothing is known of that."""
    ended: bool = False
    """Whether more might pay, but what the pools have beyond is not known, or is nothing."""
    cut: bool = False
    """Whether ranges of a pool were left out, since there were too many."""

    @property
    def profit(self) -> int:
        """What comes out over what goes in, gross of gas."""
        return self.amounts[-1] - self.amounts[0]

    @property
    def exact(self) -> bool:
        """Whether it is known that no integer input pays more."""
        return self.bound == self.profit


def through(hops: Sequence[Hop], amount: int) -> tuple[int, ...]:
    """What goes into each hop, and what comes out of the last."""
    amounts = [amount]
    for hop in hops:
        amounts.append(hop.out(amounts[-1]))
    return tuple(amounts)


def size(hops: Sequence[Hop], most: int = MOST_CANDIDATES) -> Sized | None:
    """The best integer input of a route; None where none pays.

    Args:
        hops: in order; the last gives the token that the first takes.
        most: candidates that are tried before the search gives up, and says so by its bound.
    """
    curves = [hop.curve for hop in hops if hop.curve is not None]
    if len(curves) < len(hops):
        return _sampled(hops)
    best = walk(curves)
    return None if best is None else _Search(hops, curves, best).run(most)


def bound(hops: Sequence[Hop]) -> int | None:
    """What no integer input of a route pays more than; None where a pool of it has no curve."""
    curves = [hop.curve for hop in hops if hop.curve is not None]
    if len(curves) < len(hops):
        return None
    near = roughly(curves)
    if near is not None:
        return near
    best = walk(curves)
    # The walk's own amounts are rounded, by far less than a unit.
    return 0 if best is None else (best.amounts[-1] - best.amounts[0] >> SHIFT) + 1


class _Search:
    def __init__(self, hops: Sequence[Hop], curves: Sequence[Curve], at: Optimum) -> None:
        self._at, self._hops = at, hops
        split = _coarsest(at.rates)
        self._before, self._behind = hops[:split], hops[split:]
        self._loose = curves[:split], curves[split:]
        self._start = at.amounts[split] >> SHIFT
        near = [hop.near(amount >> SHIFT) for hop, amount in zip(hops, at.amounts, strict=False)]
        close = [one or curve for one, curve in zip(near, curves, strict=True)]
        self._close = close[:split], close[split:]
        self._first, self._last = self._range(near[:split], near[split:])
        # Where the close bounds end, the loose ones say that nothing beyond pays more.
        self._beneath = self._ceiling(self._first - 1) if self._first > 1 else -1
        self._beyond = -1 if self._last is None else self._ceiling(self._last + 1)

    def _range(
        self, before: Sequence[Near | None], behind: Sequence[Near | None]
    ) -> tuple[int, int | None]:
        """For which amounts of the coarsest token every hop is in the step that it is in."""
        first, last = 1, list[int]()
        for place, near in enumerate(before):
            if near is not None:
                rest = self._before[place:]
                first = max(first, through(rest, near.first - 1)[-1] + 1)
                last.append(through(rest, near.last)[-1])
        for place, near in enumerate(behind):
            if near is not None:
                ahead = self._behind[:place]
                first = max(first, _least(ahead, near.first) or 1)
                beyond = _least(ahead, near.last + 1)
                last += [] if beyond is None else [beyond - 1]
        return first, min(last, default=None)

    def _ceiling(self, amount: int) -> int:
        """No input that brings this amount of the coarsest token pays more; scaled."""
        return _bound(*self._loose, amount)

    def _closely(self, amount: int) -> int:
        if self._first <= amount and (self._last is None or amount <= self._last):
            return _bound(*self._close, amount)
        return self._ceiling(amount)

    def _under(self, amount: int) -> int:
        outside = self._beneath if amount >= self._first else -1
        return max(self._closely(amount), outside)

    def _over(self, amount: int) -> int:
        outside = self._beyond if self._last is not None and amount <= self._last else -1
        return max(self._closely(amount), outside)

    def _pays(self, amount: int) -> int:
        taken = _least(self._before, amount)
        return 0 if taken is None else through(self._behind, amount)[-1] - taken

    def run(self, most: int) -> Sized | None:
        sides = self._under, self._over
        found = outward(self._start, self._ceiling, self._pays, most, sides=sides)
        if found is None:
            return None
        amounts = through(self._hops, _least(self._before, found.amount) or 0)
        bound = max(found.bound, amounts[-1] - amounts[0])
        return Sized(amounts, bound, self._at.ended, self._at.cut)


def _least(hops: Sequence[Hop], amount: int) -> int | None:
    """The smallest input that brings an amount behind some hops."""
    taken: int | None = amount
    for hop in reversed(hops):
        taken = None if taken is None else hop.needed(taken)
    return taken


def _bound(before: Sequence[Curve | Near], behind: Sequence[Curve | Near], amount: int) -> int:
    given: int = amount << SHIFT
    for curve in behind:
        given = curve.gives(given)
    taken: int | None = amount << SHIFT
    for curve in reversed(before):
        taken = None if taken is None else curve.takes(taken)
    return -1 if taken is None else given - taken + _SLACK


def _coarsest(rates: Sequence[float]) -> int:
    """The hop that takes the token whose unit is worth most, in the last token."""
    worth, most, found = 1.0, 0.0, 0
    for place in reversed(range(len(rates))):
        worth *= rates[place]
        if worth >= most:
            most, found = worth, place
    return found


def _sampled(hops: Sequence[Hop]) -> Sized | None:
    """The best input that is found by doublings, then between two of them by golden sections.

    For pools that have no curve of pieces. It takes the profit to have one maximum, and proves
    nothing.
    """

    def pays(amount: int) -> int:
        return through(hops, amount)[-1] - amount

    powers = [1 << power for power in range(MOST_DOUBLINGS)]
    middle = max(powers, key=pays)
    low, high = middle // 2, middle * 2
    while high - low > 2:
        third = (high - low) * 382 // 1000 or 1
        left, right = low + third, high - third
        if pays(left) < pays(right):
            low = left
        else:
            high = right
    best = max((low, (low + high) // 2, high, middle), key=pays)
    # The same output for less: back to the left edge of the plateau.
    least = _least(hops, through(hops, best)[-1])
    best = best if least is None or pays(least) < pays(best) else least
    amounts = through(hops, best)
    return Sized(amounts, None) if amounts[-1] > amounts[0] else None
