"""One direction of one pool, as a route needs it: exact amounts both ways, and the real curve."""

from __future__ import annotations

import math
from typing import Protocol

from ..pools import product
from ..pools.product import LARGEST, ProductPool
from ..pools.steps import PIPS
from ..pools.swap import PoolState
from ..pools.ticked import TickedPool
from ..pools.ticks import Q96
from .curve import Curve, Near, near, product_pieces, ticked_pieces

MOST_DOUBLINGS = 128


class Hop(Protocol):
    """A swap from one token to another in a pool as it is."""

    @property
    def curve(self) -> Curve | None:
        """What bounds it; None where its prices are of another kind."""
        ...

    def near(self, amount: int) -> Near | None:
        """What bounds it closely about an input; None where its curve does no worse."""
        ...

    @property
    def log_rate(self) -> float:
        """The natural logarithm of what the first unit gives; minus infinity for nothing."""
        ...

    def out(self, amount: int) -> int:
        """What an input gives; of a pool whose ticks are not all known, as far as they are."""
        ...

    def needed(self, amount: int) -> int | None:
        """The smallest input that gives this or more; None where none does."""
        ...


class ProductHop:
    """A pair.

    Args:
        pool: as it is.
        token_in: the place of what is paid.
    """

    def __init__(self, pool: ProductPool, token_in: int) -> None:
        held, given = pool.reserve0, pool.reserve1
        self._held, self._given = (given, held) if token_in else (held, given)
        self._fee = pool.fee
        self._kept, self._of = pool.fee.kept, pool.fee.of
        self.curve = Curve(product_pieces(pool, token_in))
        rate = self._kept * self._given / (self._of * self._held) if self._held > 0 else 0.0
        self.log_rate = math.log(rate) if rate > 0 else -math.inf

    def out(self, amount: int) -> int:
        """See `Hop.out`."""
        held = self._held
        if amount <= 0 or held <= 0 or held + amount > LARGEST:
            return 0
        paid = amount * self._kept
        return paid * self._given // (held * self._of + paid)

    def near(self, amount: int) -> Near | None:
        """See `Hop.near`."""
        return None

    def needed(self, amount: int) -> int | None:
        """See `Hop.needed`."""
        if amount >= self._given or self._held <= 0:
            return None
        taken = product.needed(amount, self._held, self._given, self._fee)
        return taken if self._held + taken <= LARGEST else None


class TickedHop:
    """A pool of concentrated liquidity.

    Args:
        pool: as it is.
        token_in: the place of what is paid.
    """

    def __init__(self, pool: TickedPool, token_in: int) -> None:
        self._pool, self._side, self._down = pool, token_in, token_in == 0
        self.curve = Curve(ticked_pieces(pool, token_in))
        kept = PIPS - pool.fee_of(self._down)
        self.log_rate = -math.inf
        if pool.root and kept:
            price = 2 * math.log(pool.root / Q96)
            self.log_rate = (price if self._down else -price) + math.log(kept / PIPS)

    def out(self, amount: int) -> int:
        """See `Hop.out`."""
        return self._pool.swap_to(self._down, amount).amount_out

    def near(self, amount: int) -> Near | None:
        """See `Hop.near`."""
        return near(self._pool, self._side, amount)

    def needed(self, amount: int) -> int | None:
        """See `Hop.needed`."""
        if amount <= 0:
            return 0
        asked = self._pool.swap_to(self._down, amount, exact_out=True)
        if asked.stop is not None:
            return None
        return smallest(self, amount, asked.amount_in)


def smallest(hop: Hop, amount: int, enough: int) -> int:
    """The smallest input that gives an amount, from one that gives it.

    A contract asked for an output may take a few units more than it needs: so from there down,
    in steps that double and then halve.
    """
    step = 1
    while step < enough and hop.out(enough - step) >= amount:
        enough -= step
        step *= 2
    low = max(enough - step, 0)
    while enough - low > 1:
        middle = (low + enough) // 2
        if hop.out(middle) >= amount:
            enough = middle
        else:
            low = middle
    return enough


class AskedHop:
    """A pool of any other kind: exact amounts, and no curve.

    Args:
        pool: as it is.
        token_in: the place of what is paid.
        token_out: the place of what is taken.
        unit: an input small beside the pool that still gives an output, to tell the rate by.
    """

    curve = None

    def __init__(self, pool: PoolState, token_in: int, token_out: int, unit: int) -> None:
        self._pool, self._places = pool, (token_in, token_out)
        given = self.out(unit)
        self.log_rate = math.log(given / unit) if given > 0 else -math.inf

    def out(self, amount: int) -> int:
        """See `Hop.out`."""
        return self._pool.swap(*self._places, amount).amount_out

    def near(self, amount: int) -> Near | None:
        """See `Hop.near`."""
        return None

    def needed(self, amount: int) -> int | None:
        """See `Hop.needed`."""
        if amount <= 0:
            return 0
        asked = self._pool.swap(*self._places, amount, exact_out=True)
        enough = self._enough(amount) if asked.stop is not None else asked.amount_in
        return None if enough is None else smallest(self, amount, enough)

    def _enough(self, amount: int) -> int | None:
        """An input that gives this, where the pool has no exact output or refuses it."""
        doubled = (1 << power for power in range(MOST_DOUBLINGS))
        return next((one for one in doubled if self.out(one) >= amount), None)


def hop_of(pool: PoolState, token_in: int, token_out: int) -> Hop | None:
    """A direction of a pool; None where its kind has no curve."""
    if isinstance(pool, ProductPool):
        return ProductHop(pool, token_in)
    if isinstance(pool, TickedPool):
        return TickedHop(pool, token_in)
    return None
