"""The best real input of a route: the closed form on one piece after another.

The profit of a route is a concave function of its input. On the pieces that its hops are on it is
a Möbius transformation, whose best input is known; where that is beyond the end of a piece, the
walk goes on from there on the next one. It goes in one direction and never back.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.noun import Noun
from .curve import Curve, Piece
from .mobius import compose, optimum


class Optimum(Noun, frozen=True):
    """Where a route pays best, over the real numbers; amounts are scaled as a curve's are."""

    amounts: tuple[int, ...]
    """What goes into each hop, and last what comes out."""
    rates: tuple[float, ...]
    """What one more unit into each hop gives, there."""
    ended: bool
    """Whether more would pay but for a pool whose next ticks nobody knows or that has no more."""
    cut: bool
    """Whether pieces of a curve were left out before the optimum was reached."""


class _Spot:
    """How far one hop has come on its curve."""

    def __init__(self, curve: Curve, first: Piece) -> None:
        self.curve, self._place = curve, 0
        self._stand(first)

    def _stand(self, piece: Piece) -> None:
        self.held, self.given = piece.reserve_in, piece.reserve_out
        self.kept, self.of = piece.kept, piece.of
        self.left = piece.length

    def turn(self) -> bool:
        """Go on to the next piece; whether there is one."""
        self._place += 1
        piece = self.curve.piece(self._place)
        if piece is not None:
            self._stand(piece)
        return piece is not None

    def gives(self, paid: int) -> int:
        counted = paid * self.kept
        return counted * self.given // (self.held * self.of + counted)

    def takes(self, got: int) -> int:
        return self.held * got * self.of // ((self.given - got) * self.kept)

    def advance(self, paid: int) -> int:
        got = self.gives(paid)
        self.held += paid * self.kept // self.of
        self.given -= got
        if self.left is not None:
            self.left = max(self.left - paid, 0)
        return got

    @property
    def rate(self) -> float:
        return self.kept * self.given / (self.of * self.held)


def walk(curves: Sequence[Curve]) -> Optimum | None:
    """Where a route pays best; None where it pays nowhere.

    Args:
        curves: of its hops, in order, each giving what the next one takes.
    """
    firsts = [curve.piece(0) for curve in curves]
    spots = [_Spot(c, first) for c, first in zip(curves, firsts, strict=True) if first is not None]
    if len(spots) < len(curves):
        return None
    amounts, ended = [0] * (len(curves) + 1), False
    while paid := optimum(*compose((s.held, s.given, s.kept, s.of) for s in spots)):
        paid, which = _within(spots, paid)
        for place, spot in enumerate(spots):
            amounts[place] += paid
            paid = spot.advance(paid)
        amounts[-1] += paid
        if which is None:
            break
        if not spots[which].turn():
            ended = True
            break
    if amounts[-1] <= amounts[0]:
        return None
    cut = any(curve.cut for curve in curves)
    return Optimum(tuple(amounts), tuple(spot.rate for spot in spots), ended, cut)


def _within(spots: Sequence[_Spot], paid: int) -> tuple[int, int | None]:
    """As much as all hops can take before one comes to the end of its piece, and which does."""
    which, amount = None, paid
    for place, spot in enumerate(spots):
        if spot.left is not None and amount > spot.left:
            which, amount = place, spot.left
            paid = amount
            for earlier in reversed(spots[:place]):
                paid = earlier.takes(paid)
        amount = spot.gives(amount)
    if which is not None:
        # What is rounded away must not leave the hop just short of the end.
        spots[which].left = 0
    return paid, which
