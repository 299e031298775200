"""Of prices, and of what is told of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import attrs

from ..identity import Instrument
from .checks import (
    DEAREST,
    LONGEST,
    MOST,
    MOST_SOURCES,
    check_assets,
    check_at_most,
    check_fees,
    check_fraction,
    check_name,
    check_not_negative,
    check_over_zero,
    positive,
)


@attrs.frozen
class AlertSettings:
    """One alert; raised once each time that its limit is crossed."""

    id: str = attrs.field(validator=check_name)
    instrument: Instrument
    type: Literal["above", "below", "change", "spread", "disputed", "stale"]
    price: Decimal | None = positive(None, DEAREST)
    """The limit of ``above`` and ``below``, in quote units."""
    ratio: Decimal | None = attrs.field(
        default=None, validator=[check_over_zero, check_at_most(MOST)]
    )
    """That of ``change``, up or down, and of ``spread``, net of both taker fees; 0.01 is 1 %.
    Raised again only after it was below half."""
    window: float = positive(60.0)
    """Seconds in which the price must have changed by so much."""
    hysteresis: Decimal = attrs.field(default=Decimal("0.001"), validator=check_fraction)
    """Share of ``price`` by which it must be back on the other side to be raised again."""
    hold: float = attrs.field(default=10.0, validator=[check_not_negative, check_at_most(MOST)])
    """Seconds for which ``disputed`` and ``stale`` must be over to be raised again."""

    def __attrs_post_init__(self) -> None:
        needed = {"above": "price", "below": "price", "change": "ratio", "spread": "ratio"}
        for name in ("price", "ratio"):
            given = getattr(self, name) is not None
            if given != (needed.get(self.type) == name):
                raise ValueError(
                    f"an alert of type {self.type} has {'no' if given else 'a'} {name}"
                )


TAKER_FEES = {
    "binance": Decimal("0.001"),
    "binance_us": Decimal("0.0001"),
    "binance_usdm": Decimal("0.0005"),
    "bitfinex": Decimal("0.002"),
    "bitstamp": Decimal("0.004"),
    "bybit": Decimal("0.001"),
    "bybit_linear": Decimal("0.00055"),
    "coinbase": Decimal("0.006"),
    "gemini": Decimal("0.004"),
    "kraken": Decimal("0.004"),
    "okx": Decimal("0.001"),
}
"""The venues' lowest tiers, as fractions of one."""


def _beside_the_defaults(given: dict[str, Decimal]) -> dict[str, Decimal]:
    return {**TAKER_FEES, **given}


@attrs.frozen
class PriceSettings:
    """How prices are aggregated and what is reported of them."""

    rule: Literal["calibrated", "pyth", "chainlink", "median"] = "calibrated"
    """By which many sources become one price: weighted by their learned errors, or as Pyth or
    Chainlink do it, or their plain median."""
    min_sources: int = positive(1, MOST_SOURCES)
    """Fewer fresh sources than that make no price."""
    max_deviation: Decimal = attrs.field(default=Decimal("0.05"), validator=check_fraction)
    """A source further than this from where the others agree is never admitted, however large
    its errors are known to be."""
    max_age: float = positive(60.0)
    """No quote counts for longer than this."""
    clock_slack: float = attrs.field(
        default=2.0, validator=[check_not_negative, check_at_most(MOST)]
    )
    """Seconds by which a venue's clock may be ahead of ours."""
    reliability_half_life: float = positive(60.0)
    """Seconds after which what a source did weighs half in its reliability."""
    bases: tuple[str, ...] = attrs.field(default=("USDT", "USDC"), validator=check_assets)
    """Currencies through which a price is had from two others: X/Q from X/B and B/Q."""
    joined: tuple[str, ...] = attrs.field(default=("USD",), validator=check_assets)
    """Currencies Q for which that is done, beside the instruments that are quoted themselves."""
    history: int = positive(1000, LONGEST)
    """Prices kept for each instrument."""
    retention: float = positive(3600.0)
    """Seconds for which they are kept."""
    volatility_half_life: float = positive(600.0)
    """Seconds after which a return weighs half in the volatility."""
    publish_interval: float = attrs.field(
        default=0.1, validator=[check_not_negative, check_at_most(MOST)]
    )
    """Least time between two prices of one instrument."""
    fees: dict[str, Decimal] = attrs.field(
        factory=dict, converter=_beside_the_defaults, validator=check_fees
    )
    """Taker fee by venue, beside the defaults; no spread is reported for a venue without one."""
    spread_max_age: float = positive(10.0)
    """Both quotes of a spread must be younger than this."""
    spread_report: Decimal = attrs.field(default=Decimal("0.001"), validator=check_fraction)
    """Net ratio from which a spread is reported."""
    spread_high: Decimal = attrs.field(default=Decimal("0.005"), validator=check_fraction)
    """Net ratio from which it has HIGH priority."""
    max_lag: float = positive(5.0)
    """Seconds from event to arrival, on the average, over which a venue's data is reported."""
    stuck_after: float = positive(60.0)
    """Seconds after which a quote that does not change, while others do, is reported."""
    alerts: tuple[AlertSettings, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.spread_high < self.spread_report:
            raise ValueError("spread_high is below spread_report; it must be as high or higher")
