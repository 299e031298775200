"""What tokens are worth in ether, by the pools that each has with it.

Anybody can make a pool and set its price; what it takes is holding it there against whoever trades
with it. So a pool tells as much as it has depth, which is really there: a token's price is that of
the pool in the middle, on either side of which is half of all depth. One that keeps over 1 % tells
nothing: nobody corrects it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

import attrs

from ...model.intents import ETHER, WETH
from .band import depth_of, fees_of, spot
from .book import Entry
from .view import PoolsView

MOST_FEE = Decimal("0.01")
"""That a pool may keep to be believed."""
MOST_AMOUNT = 2**127
"""Of a token, of which it is asked how much is worth so and so much."""
NATIVE = frozenset({WETH, ETHER})


def told_by(entry: Entry, base: int) -> tuple[Decimal, int] | None:
    """A pool's price in smallest units, and its depth, if both can be believed.

    Args:
        entry: of two tokens.
        base: place of the one that is priced.
    """
    found = spot(entry.state, base)
    if found is None or max(fees_of(entry.state, base)) > MOST_FEE:
        return None
    depth = depth_of(entry.state, base)
    return (found[0], depth) if depth else None


def middle(votes: Iterable[tuple[Decimal, int]]) -> Decimal:
    """The lowest value up to which at least half of all depth is; of at least one vote."""
    ordered = sorted(votes)
    sums = list(accumulate(depth for _, depth in ordered))
    return ordered[bisect_left(sums, -(-sums[-1] // 2))][0]


@attrs.frozen
class _Rate:
    """What a token is worth, and the pools that it can be sold to."""

    price: Decimal
    """Wei for the smallest unit."""
    limit: int
    """Wei that the deepest pool gives for a price that is 1 % lower; more is not worth as much."""
    pools: tuple[tuple[Entry, int], ...]
    """With the token's place."""


class Worth:
    """Prices in ether as of a view. It serves to add up and to compare, not to trade.

    A token's pools are looked at when it is asked for.

    Args:
        view: the pools.
    """

    def __init__(self, view: PoolsView) -> None:
        self._view = view
        self._pools: dict[str, list[tuple[Entry, int]]] | None = None
        self._rates: dict[str, _Rate | None] = {}

    def in_wei(self, token: str, amount: int) -> int | None:
        """What an amount is worth; None where no pool tells.

        Where it is more than the deepest pool takes for 1 %, it is worth what the best of them
        gives for it.
        """
        if token in NATIVE:
            return amount
        rate = self._rate(token)
        return None if rate is None else _value(rate, amount)

    def amount_of(self, token: str, wei: int) -> int | None:
        """The least amount of a token, over 0, that is worth so much; None where no pool tells,
        or none gives it."""
        if token in NATIVE:
            return max(wei, 1)
        rate = self._rate(token)
        if rate is None:
            return None
        high = min(int(wei / rate.price) + 1, MOST_AMOUNT)
        low = max(high - 2 - (high >> 60), 0)  # which is worth less, whatever is rounded
        while _value(rate, high) < wei:
            if high == MOST_AMOUNT:
                return None
            low, high = high, min(high * 2, MOST_AMOUNT)
        while high - low > 1:
            between = (low + high) // 2
            if _value(rate, between) < wei:
                low = between
            else:
                high = between
        return high

    def _rate(self, token: str) -> _Rate | None:
        if token not in self._rates:
            self._rates[token] = self._find(token)
        return self._rates[token]

    def _find(self, token: str) -> _Rate | None:
        if self._pools is None:
            self._pools = _with_ether(self._view)
        telling = [
            (told, pool)
            for pool in self._pools.get(token, ())
            if (told := told_by(*pool)) is not None
        ]
        if not telling:
            return None
        price = middle(told for told, _ in telling)
        limit = max(told[1] for told, _ in telling)
        return _Rate(price, limit, tuple([pool for _, pool in telling]))


def _with_ether(view: PoolsView) -> dict[str, list[tuple[Entry, int]]]:
    """The pools of each token with ether or WETH, and the token's place."""
    found: dict[str, list[tuple[Entry, int]]] = {}
    for entry in view.usable():
        tokens = entry.pool.tokens
        if len(tokens) == 2 and (tokens[0] in NATIVE) is not (tokens[1] in NATIVE):
            base = 0 if tokens[1] in NATIVE else 1
            found.setdefault(tokens[base], []).append((entry, base))
    return found


def _value(rate: _Rate, amount: int) -> int:
    fair = int(amount * rate.price)
    if abs(fair) <= rate.limit:
        return fair
    if amount < 0:
        return fair  # what is missing is not cheaper for being much
    given = max(
        entry.state.swap(base, 1 - base, min(amount, MOST_AMOUNT)).amount_out
        for entry, base in rate.pools
    )
    return max(rate.limit, min(fair, given))
