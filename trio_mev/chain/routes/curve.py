"""A pool's prices over the real numbers: pieces of constant product, one behind the other.

A pair is one piece. A pool of concentrated liquidity has one for each range between initialised
ticks, in its virtual reserves: L/sqrt(P) of token 0 and L*sqrt(P) of token 1. Without rounding
and with the fee taken all along, a piece gives ``kept*x*out / (of*in + kept*x)``. What a pool
gives is never more than this, since its contract rounds against whoever swaps; so here is the
bound that a search for the best integer stops at.

Amounts are scaled by 2**SHIFT. Rounding is such that the output is never below the real one, and
the input never above.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from math import inf
from typing import TypeAlias

from ...model.noun import Noun
from ..pools.product import ProductPool
from ..pools.steps import PIPS
from ..pools.ticked import TickedPool
from ..pools.ticks import MAX_ROOT, MIN_ROOT, sqrt_at

SHIFT = 64
MOST_PIECES = 1000
"""Of one curve."""
_NOTHING = 1 << SHIFT // 2


_UNIT = 1 << SHIFT
Rough: TypeAlias = "tuple[float, float, float, float]"
"""Reserves of what is paid and of what is given, what of an input counts, and how much is taken."""


class Piece(Noun, frozen=True):
    """Where a piece begins, and its reserves there."""

    start_in: int
    start_out: int
    reserve_in: int
    reserve_out: int
    kept: int
    of: int
    length: int | None
    """Of input; None without an end."""


class Curve:
    """The pieces of one direction of a pool, made as they are needed.

    Args:
        pieces: in order.
    """

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._rest: Iterator[Piece] | None = pieces
        self._pieces: list[Piece] = []
        self._inputs: list[int] = []
        self._outputs: list[int] = []
        self._first: Rough | None = None
        self.cut = False
        """Whether pieces were left out, since there were too many."""

    @property
    def first(self) -> Rough | None:
        """The first piece as floats; None where there is no piece."""
        if self._first is None and (piece := self.piece(0)) is not None:
            length = inf if piece.length is None else piece.length / _UNIT
            rates = piece.reserve_in / _UNIT, piece.reserve_out / _UNIT, piece.kept / piece.of
            self._first = *rates, length
        return self._first

    def piece(self, place: int) -> Piece | None:
        """A piece by its place; None behind the last."""
        while len(self._pieces) <= place:
            if not self._more():
                return None
        return self._pieces[place]

    def _more(self) -> bool:
        if self._rest is None:
            return False
        if len(self._pieces) == MOST_PIECES:
            self.cut, self._rest = True, None
            return False
        following = next(self._rest, None)
        if following is None:
            self._rest = None
            return False
        self._pieces.append(following)
        self._inputs.append(following.start_in)
        self._outputs.append(following.start_out)
        return True

    def _ends_before(self, amount: int, starts: list[int]) -> bool:
        return not starts or (starts[-1] <= amount and self._pieces[-1].length is not None)

    def gives(self, amount: int) -> int:
        """No input of this gives more."""
        while self._ends_before(amount, self._inputs) and self._more():
            pass
        place = bisect_right(self._inputs, amount) - 1
        if place < 0:
            return 0
        piece = self._pieces[place]
        paid = amount - piece.start_in
        if piece.length is not None and paid > piece.length:
            paid = piece.length
        counted = paid * piece.kept
        return piece.start_out - (
            -counted * piece.reserve_out // (piece.reserve_in * piece.of + counted)
        )

    def takes(self, amount: int) -> int | None:
        """No less gives this; None where nothing does."""
        while self._ends_before(amount, self._outputs) and self._more():
            pass
        place = bisect_right(self._outputs, amount) - 1
        if place < 0:
            return None
        piece = self._pieces[place]
        got = amount - piece.start_out
        if got >= piece.reserve_out:
            return None
        counted = piece.reserve_in * got * piece.of
        paid = counted // ((piece.reserve_out - got) * piece.kept)
        if piece.length is not None and paid > piece.length:
            # At the very end of a piece the roundings may disagree by next to nothing.
            if place == len(self._pieces) - 1 and paid - piece.length > _NOTHING:
                return None
            paid = piece.length
        return piece.start_in + paid


class Near(Noun, frozen=True):
    """A curve that holds for some inputs only, and there loses nothing but a last rounding."""

    first: int
    """Input, not scaled, from which it holds."""
    last: int
    piece: Piece

    def gives(self, amount: int) -> int:
        """As `Curve.gives`."""
        piece = self.piece
        paid = min(max(amount - piece.start_in, 0), (self.last - self.first) << SHIFT)
        counted = paid * piece.kept
        return piece.start_out - (
            -counted * piece.reserve_out // (piece.reserve_in * piece.of + counted)
        )

    def takes(self, amount: int) -> int | None:
        """As `Curve.takes`."""
        piece = self.piece
        got = max(amount - piece.start_out, 0)
        if got >= piece.reserve_out:
            return None
        counted = piece.reserve_in * got * piece.of
        return piece.start_in + counted // ((piece.reserve_out - got) * piece.kept)


def near(pool: TickedPool, token_in: int, amount: int) -> Near | None:
    """The step that an input ends in; None where no step takes as much."""
    down = token_in == 0
    kept = PIPS - pool.fee_of(down)
    for step in pool.stretches(down):
        if step.paid <= amount < step.paid + step.more:
            here = _reserves(step.root, step.liquidity, down)
            starts = step.paid << SHIFT, step.got << SHIFT
            piece = Piece(*starts, *here, kept, PIPS, step.more << SHIFT)
            return Near(step.paid, step.paid + step.more, piece)
    return None


def product_pieces(pool: ProductPool, token_in: int) -> Iterator[Piece]:
    """The one piece of a pair."""
    held, given = pool.reserve0, pool.reserve1
    if token_in:
        held, given = given, held
    if held > 0 and given > 0:
        fee = pool.fee
        yield Piece(0, 0, held << SHIFT, given << SHIFT, fee.kept, fee.of, None)


def ticked_pieces(pool: TickedPool, token_in: int) -> Iterator[Piece]:
    """The pieces of a pool of concentrated liquidity, as far as its ticks are known."""
    down = token_in == 0
    kept = PIPS - pool.fee_of(down)
    root, liquidity, spent, got = pool.root, pool.liquidity, 0, 0
    for edge, net in _ranges(pool, down):
        if liquidity and edge != root and kept:
            one = _piece(root, edge, liquidity, kept)
            length, gain = one
            here = _reserves(root, liquidity, down)
            yield Piece(spent, got, *here, kept, PIPS, length)
            spent += length
            got += gain
        root, liquidity = edge, liquidity + (-net if down else net)


def _ranges(pool: TickedPool, down: bool) -> Iterator[tuple[int, int]]:
    """Where the liquidity changes, and by how much when the price rises; the last is the end."""
    ticks, tick = pool.ticks, pool.tick
    next_stop = ticks.below if down else ticks.above
    last, end = pool.root, MIN_ROOT + 1 if down else MAX_ROOT - 1
    while (ahead := next_stop(tick)) is not None:
        at, initialised = ahead
        last = sqrt_at(at)
        if last <= end if down else last >= end:
            yield end, 0
            return
        if initialised:
            yield last, ticks.ticks[at].net
        tick = at - 1 if down else at
    yield last, 0


def _reserves(root: int, liquidity: int, down: bool) -> tuple[int, int]:
    """The virtual reserves at a price: what is paid rounded down, what is given up."""
    if down:
        return (liquidity << 96 + SHIFT) // root, -(-(liquidity * root << SHIFT) >> 96)
    return (liquidity * root << SHIFT) >> 96, -((-liquidity << 96 + SHIFT) // root)


def _piece(root: int, edge: int, liquidity: int, kept: int) -> tuple[int, int]:
    """What a range takes, rounded down, and gives, rounded up."""
    if edge < root:
        paid = (liquidity << 96 + SHIFT) * (root - edge) // root // edge
        gain = -(-(liquidity * (root - edge) << SHIFT) >> 96)
    else:
        paid = (liquidity * (edge - root) << SHIFT) >> 96
        gain = -((-liquidity << 96 + SHIFT) * (edge - root) // edge // root)
    return paid * PIPS // kept, gain
