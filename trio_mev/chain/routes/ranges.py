"""The best sandwich of a swap in a pool of concentrated liquidity.

Such a pool keeps its fees apart from its liquidity, so a payment before the swap and the swap
itself go along one curve, one behind the other, and the sale goes back on it. Let S(q) be what
has been paid in where q is left of the other token, without fees: it is convex. What a sandwich
leaves is, but for constants, S(after the swap) - S(after the sale) - S(after the front) / (1 - f).

Of an exact input, what is left after the swap is a Möbius transformation of what is left after
the front, as long as both end in the same ranges. Where that is concave, so is the whole, and the
integers about its real maximum are tried until none can pay more. The ranges are therefore gone
through one pair after the other. Where it is not concave the search is the same, and proves
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ...model.noun import Noun
from ..pools.steps import PIPS
from ..pools.ticked import LARGEST, TickedPool
from ..pools.ticks import MAX_ROOT, MIN_ROOT
from .curve import SHIFT, Curve, Piece, ticked_pieces
from .hop import TickedHop
from .outward import Edge, outward
from .victim import Sandwich, Victim, play

MOST_RANGES = 64
"""Pairs of ranges that are gone through."""
_SLACK = 1 << SHIFT // 2
_ONE = 1 << SHIFT
_DOUBLINGS = 5
_A_BOUND = 2
"""What it takes to reckon with real numbers once."""
_FACTOR = 32
"""By which the square root of the price moves at most, where a swap has no limit to speak of."""


class _Stretch(Noun, frozen=True):
    """Amounts that are looked through at a time."""

    first: int
    last: int
    concave: bool


class Ranges:
    """A swap in a pool of concentrated liquidity, and the real numbers about it; these are scaled
    by 2**SHIFT.

    Args:
        pool: before the swap.
        victim: the swap.
    """

    def __init__(self, pool: TickedPool, victim: Victim) -> None:
        self._pool, self._victim, side = pool, victim, victim.token_in
        free = TickedPool(pool.root, pool.tick, pool.liquidity, 0, pool.ticks)
        self._curve = Curve(ticked_pieces(free, side))
        self._kept = PIPS - pool.fee_of(side == 0)
        self._kept_back = PIPS - pool.fee_of(side == 1)
        self._hop = TickedHop(pool, side)
        first = self._curve.piece(0)
        self._by_input = first is not None and first.reserve_out > first.reserve_in
        self._amount = victim.amount << SHIFT

    def limit_root(self) -> int:
        """The payment before the swap at which its limit is reached, over the real numbers, or at
        which the price has moved as far as is looked at."""
        alone = self._victim.asks(self._pool).amount_in
        low, high = 0, alone << SHIFT
        for _ in range(_DOUBLINGS):
            if not self._bears(high):
                break
            low, high = high, high * 2
        else:
            high = self._reach() << SHIFT
            if self._bears(high):
                return high >> SHIFT
        while high - low > _ONE:
            middle = (low + high) // 2
            if self._bears(middle):
                low = middle
            else:
                high = middle
        return high >> SHIFT

    def _reach(self) -> int:
        """What moves the price as far as is looked at, or as its ticks are known."""
        pool, down = self._pool, self._victim.token_in == 0
        end = max(pool.root // _FACTOR, MIN_ROOT + 1) if down else pool.root * _FACTOR
        return pool.swap_to(down, LARGEST, limit=min(end, MAX_ROOT - 1)).amount_in

    def _bears(self, paid: int) -> bool:
        victim, curve = self._victim, self._curve
        victim.spend(_A_BOUND)
        bought = curve.gives(paid * self._kept // PIPS)
        if victim.exact_out:
            there = curve.takes(bought + self._amount)
            if there is None:
                return False
            return there * PIPS // self._kept - paid <= victim.limit << SHIFT
        there = (paid + self._amount) * self._kept // PIPS
        return curve.gives(there) - bought >= victim.limit << SHIFT

    def best(self, limit: int, most: int, least: int, enough: int | None) -> Sandwich | None:
        """The best sandwich up to a payment; None where none pays what it must."""
        last = limit if self._by_input else self._hop.out(limit)
        stretches = [(*self._peak(one), one) for one in self._stretches(last)]
        stretches.sort(key=lambda one: -one[0])
        found, bound, proven = None, least - 1, all(one.concave for _, _, one in stretches)
        for top, start, stretch in stretches:
            if top >> SHIFT < least or most <= 0 or (enough is not None and bound >= enough):
                proven = proven and top >> SHIFT < least
                break
            edge, tried = self._within(stretch, start, most, least, enough)
            most -= tried
            if edge is not None:
                found, least, bound = edge.amount, edge.pays + 1, max(bound, edge.bound)
            elif most <= 0:
                proven = False
        if found is None:
            return None
        paid = found if self._by_input else self._hop.needed(found) or 0
        played = play(self._pool, self._victim, paid)
        assert played is not None, "the search only found what can be played"
        sure = proven and not self._curve.cut
        return msgspec.structs.replace(played, bound=bound if sure else None)

    def _within(
        self, stretch: _Stretch, start: int, most: int, least: int, enough: int | None
    ) -> tuple[Edge | None, int]:
        """The best of a stretch, and how many amounts were tried."""
        tried = 0

        def pays(amount: int) -> int:
            nonlocal tried
            tried += 1
            return self._pays(amount)

        def ceiling(amount: int) -> int:
            return self._leaves(amount) if amount >= stretch.first else -1

        edge = outward(start, ceiling, pays, most, stretch.last, None, least, enough)
        return edge, tried

    def _pays(self, amount: int) -> int:
        paid = amount if self._by_input else self._hop.needed(amount)
        played = None if paid is None else play(self._pool, self._victim, paid)
        return 0 if played is None else played.profit

    def _peak(self, stretch: _Stretch) -> tuple[int, int]:
        """The most that a sandwich leaves in a stretch over the real numbers, and about where."""
        at = self._summit(stretch.first, stretch.last)
        near = (one for one in (at - 1, at, at + 1) if stretch.first <= one <= stretch.last)
        return max(map(self._leaves, near)), at

    def _summit(self, first: int, last: int) -> int:
        leaves = self._leaves
        step = max((last - first) >> 20, 1)
        if last - first < 2 or leaves(last) >= leaves(last - step):
            # Of an exact output it may leave less between the ends than at both.
            return last if leaves(last) >= leaves(first) else first
        if leaves(first) >= leaves(first + step):
            return first
        while last - first > 2:
            third = (last - first) * 382 // 1000 or 1
            left, right = first + third, last - third
            if leaves(left) < leaves(right):
                first = left
            else:
                last = right
        return (first + last) // 2

    def _leaves(self, amount: int) -> int:
        """No sandwich with this amount, paid or bought, leaves more; below zero where none can."""
        self._victim.spend(_A_BOUND)
        curve, kept = self._curve, self._kept
        if self._by_input:
            paid = amount << SHIFT
            bought = curve.gives(-(-paid * kept // PIPS))
        else:
            bought = amount << SHIFT
            taken = curve.takes(bought)
            if taken is None:
                return -1
            paid = taken * PIPS // kept
        if self._victim.exact_out:
            # The front may pay up to a unit more than it must, and what the pool asks for is
            # rounded up.
            out = bought + self._amount
            taken = curve.takes(curve.gives(paid * kept // PIPS + _ONE) + self._amount)
            taken = curve.takes(out) if taken is None else taken
            if taken is None:
                return -1
            there = taken + _ONE
        else:
            there = -(-(paid + self._amount) * kept // PIPS)
            out = curve.gives(there)
        back = curve.takes(max(out - -(-bought * self._kept_back // PIPS), 0))
        return -1 if back is None else there - back - paid + _SLACK

    def _stretches(self, last: int) -> Iterator[_Stretch]:
        """Where both the front and the swap end in the same ranges, up to an amount."""
        ends = sorted({*self._turns(last), last})
        first = 1
        for number, end in enumerate(ends):
            if number == MOST_RANGES:
                yield _Stretch(first, last, False)
                return
            yield _Stretch(first, end, self._concave((first + end) // 2))
            first = end + 1

    def _turns(self, last: int) -> Iterator[int]:
        """Amounts at which the front or the swap comes to the end of a range."""
        curve, kept = self._curve, self._kept
        ahead = self._amount * kept // PIPS
        end = last << SHIFT if self._by_input else curve.takes(last << SHIFT)
        most = (end or 0) * (kept if self._by_input else PIPS) // PIPS
        out = self._amount if self._victim.exact_out else 0
        beyond = curve.takes(curve.gives(most) + out) or most
        beyond = beyond if out else most + ahead
        place = 1
        while (piece := curve.piece(place)) is not None and piece.start_in < beyond:
            turn = curve.takes(max(piece.start_out - out, 0)) if out else piece.start_in - ahead
            for paid in (piece.start_in, turn or 0):
                amount = paid * PIPS // kept if self._by_input else curve.gives(paid)
                if 0 < amount >> SHIFT < last:
                    yield amount >> SHIFT
            place += 1

    def _concave(self, amount: int) -> bool:
        """Whether what a sandwich leaves is a concave function about an amount, or at least has
        its maximum at an end."""
        if self._victim.exact_out:
            return self._curve.piece(1) is None
        curve, kept = self._curve, self._kept
        scaled = amount << SHIFT
        paid = scaled * kept // PIPS if self._by_input else curve.takes(scaled)
        ahead = self._amount * kept // PIPS
        front, swap = self._piece(paid), self._piece(None if paid is None else paid + ahead)
        if front is None or swap is None:
            return False
        return ahead + swap.reserve_in - swap.start_in >= front.reserve_in - front.start_in

    def _piece(self, paid: int | None) -> Piece | None:
        """The piece that a payment ends in."""
        place = 0
        while paid is not None and (piece := self._curve.piece(place)) is not None:
            if piece.length is None or paid < piece.start_in + piece.length:
                return piece
            place += 1
        return None
