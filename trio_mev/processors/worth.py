"""What ether is worth in dollars, where somebody knows."""

from __future__ import annotations

from decimal import Decimal

from ..model.identity import Instrument
from ..model.market import Price, PriceStatus

MAX_AGE = 60.0
"""Seconds for which a price counts."""
_WEI = Decimal(10**18)
_SOUND = frozenset({PriceStatus.OK, PriceStatus.DEGRADED})


class EtherPrice:
    """The latest price of ether. A stale or disputed one is none.

    Args:
        instrument: whose price it is.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._price: Decimal | None = None
        self._at = 0.0

    def take(self, price: Price, now: float) -> None:
        """Take a price, if it is ether's."""
        if price.instrument == self._instrument:
            self._price = price.price if price.status in _SOUND else None
            self._at = now

    def in_usd(self, wei: int | None, now: float) -> Decimal | None:
        """What an amount of ether is worth; None where no price is known."""
        if wei is None or self._price is None or now - self._at > MAX_AGE:
            return None
        return Decimal(wei) / _WEI * self._price
