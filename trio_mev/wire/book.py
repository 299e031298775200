"""An order book by price levels, for venues that send no best bid and ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from ..errors import MalformedFrame

MAX_LEVELS = 20_000
"""Of one side; the deepest public books have a few thousand."""

Change = tuple[str, Decimal, Decimal]
"""The side, ``buy`` or ``sell``, the price, and the whole size there; none removes the level."""
Level = tuple[Decimal, Decimal]


class Levels:
    """One side: the size at each price, and the best price.

    Args:
        best_of: ``max`` for bids, ``min`` for asks.
    """

    def __init__(self, best_of: Callable[[Iterable[Decimal]], Decimal]) -> None:
        self._best_of = best_of
        self._sizes: dict[Decimal, Decimal] = {}
        self._best: Decimal | None = None

    def put(self, price: Decimal, size: Decimal) -> None:
        """The size at a price is now this.

        Raises:
            MalformedFrame: ``too_many_levels``.
        """
        if size:
            self._sizes[price] = size
            if len(self._sizes) > MAX_LEVELS:
                raise MalformedFrame("too_many_levels", f"over {MAX_LEVELS} on one side")
            best = self._best
            self._best = price if best is None else self._best_of((best, price))
        elif self._sizes.pop(price, None) is not None and price == self._best:
            self._best = self._best_of(self._sizes) if self._sizes else None

    @property
    def best(self) -> Level | None:
        """The best price and its size; None where there is no level."""
        return None if self._best is None else (self._best, self._sizes[self._best])


class Book:
    """Both sides of one symbol; its changes are whole sizes, never differences."""

    def __init__(self) -> None:
        self.bids = Levels(max)
        self.asks = Levels(min)

    def apply(self, changes: Iterable[Change]) -> None:
        """Take changes over.

        Raises:
            MalformedFrame: ``too_many_levels``; the book can be used no longer.
        """
        for side, price, size in changes:
            (self.bids if side == "buy" else self.asks).put(price, size)

    def top(self) -> tuple[Level, Level] | None:
        """The best bid and the best ask; None where a side is empty."""
        bid, ask = self.bids.best, self.asks.best
        return None if bid is None or ask is None else (bid, ask)
