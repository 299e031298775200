"""Alerts on prices: each once a crossing, and armed again only when it is clearly over."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import attrs

from ..model.market import Price, PriceAlert, PriceStatus, Spread
from ..model.settings import AlertSettings

POINTS = 256
"""Prices that stand for a window, evenly spread over it."""

_UNUSABLE = frozenset({PriceStatus.DISPUTED, PriceStatus.STALE})
_STATUS = {"disputed": PriceStatus.DISPUTED, "stale": PriceStatus.STALE}


@attrs.define(eq=False)
class Alert:
    """One alert: what it watches, and whether it may be raised."""

    settings: AlertSettings
    armed: bool = True
    _calm_since: float | None = None
    """Since when the status has been another one, while it waits to be armed again."""
    _window: deque[tuple[float, Decimal]] = attrs.Factory(deque)

    def look(self, price: Price, now: float) -> PriceAlert | None:
        """The alert, if this price of its instrument raises it."""
        kind = self.settings.type
        if kind in _STATUS:
            return self._status(price, now)
        if price.price is None or price.status in _UNUSABLE:
            return None
        if kind == "change":
            return self._change(price.price, now)
        return self._level(price.price)

    def look_at(self, spread: Spread | None) -> PriceAlert | None:
        """The alert, if the best spread of its instrument raises it."""
        if spread is None:  # where no two quotes can be compared it is over
            self.armed = True
            return None
        ratio = spread.net_ratio
        text = (
            f"{self.settings.instrument}: buying at {spread.buy_venue} and selling at "
            f"{spread.sell_venue} pays {_percent(ratio)} after fees"
        )
        return self._raised(self._exceeded(ratio), text, None, ratio)

    def _exceeded(self, ratio: Decimal) -> bool:
        """Whether a ratio has come to the limit, which it may again once it was below half."""
        limit = self.settings.ratio
        assert limit is not None
        if self.armed:
            self.armed = ratio < limit
            return not self.armed
        self.armed = ratio < limit / 2
        return False

    def _level(self, price: Decimal) -> PriceAlert | None:
        settings = self.settings
        threshold = settings.price
        assert threshold is not None
        above = settings.type == "above"
        crossed = price > threshold if above else price < threshold
        back = threshold * (1 - settings.hysteresis if above else 1 + settings.hysteresis)
        raised, self.armed = (
            self.armed and crossed,
            not crossed and (self.armed or (price < back if above else price > back)),
        )
        text = f"{settings.instrument} is {settings.type} {threshold:f}: {price:f}"
        return self._raised(raised, text, price)

    def _change(self, price: Decimal, now: float) -> PriceAlert | None:
        """How far it is from the lowest or highest price of the window."""
        settings, window = self.settings, self._window
        while window and now - window[0][0] > settings.window:
            window.popleft()
        if not window or now - window[-1][0] >= settings.window / POINTS:
            window.append((now, price))
        prices = [then for _, then in window]
        lowest, highest = min(prices), max(prices)
        rise, fall = price / lowest - 1, price / highest - 1
        ratio = rise if rise >= -fall else fall
        text = (
            f"{settings.instrument} has moved by {_percent(ratio)} within {settings.window:g} s: "
            f"{price:f}"
        )
        return self._raised(self._exceeded(abs(ratio)), text, price, ratio)

    def _status(self, price: Price, now: float) -> PriceAlert | None:
        """Whether the status has just come up, having been away for as long as it must."""
        kind = self.settings.type
        if price.status is not _STATUS[kind]:
            if self._calm_since is None:
                self._calm_since = now
            self.armed = self.armed or now - self._calm_since >= self.settings.hold
            return None
        self._calm_since = None
        raised, self.armed = self.armed, False
        text = f"the price of {self.settings.instrument} is {kind}"
        return self._raised(raised, text, price.price)

    def _raised(
        self, raised: bool, text: str, price: Decimal | None, ratio: Decimal | None = None
    ) -> PriceAlert | None:
        if not raised:
            return None
        one = self.settings
        threshold = one.price if one.type in {"above", "below"} else one.ratio
        return PriceAlert(
            one.id, f"price_{one.type}", one.instrument, threshold, price, text, ratio
        )


def _percent(ratio: Decimal) -> str:
    return f"{ratio:+.3%}"
