"""What tokens are worth in ether, by the deepest pool that each has with WETH."""

from __future__ import annotations

from decimal import Decimal

from ...model.intents import ETHER, WETH
from .band import spot
from .view import PoolsView


class Worth:
    """Prices in ether as of a view. It serves to add up and to compare, not to trade.

    Args:
        view: the pools.
    """

    def __init__(self, view: PoolsView) -> None:
        self._rates: dict[str, Decimal] = {WETH: Decimal(1), ETHER: Decimal(1)}
        """Wei for the smallest unit of a token."""
        deepest: dict[str, int] = {}
        for entry in view.usable():
            tokens = entry.pool.tokens
            if WETH not in tokens or len(tokens) != 2:
                continue
            base = 1 - tokens.index(WETH)
            found = spot(entry.state, base)
            token = tokens[base]
            if found is not None and found[1] > deepest.get(token, 0):
                deepest[token] = found[1]
                self._rates[token] = found[0]

    def in_wei(self, token: str, amount: int) -> int | None:
        """What an amount is worth; None where no pool tells."""
        rate = self._rates.get(token)
        return None if rate is None else int(amount * rate)
