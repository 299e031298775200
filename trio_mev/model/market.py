"""Nouns of the markets off chain. Prices and sizes are the venues' Decimals, exactly."""

from __future__ import annotations

import enum
from decimal import Decimal

import attrs

from .identity import Instrument, Venue
from .noun import Noun


class Quote(Noun, frozen=True):
    """The best bid and ask of one venue for one instrument."""

    venue: Venue
    instrument: Instrument
    bid: Decimal
    ask: Decimal
    bid_size: Decimal | None = None
    """In base units; None where the venue does not say."""
    ask_size: Decimal | None = None
    last: Decimal | None = None
    """Price of the last trade, where the message has it."""
    sequence: int | None = None
    """The venue's own number of the update, rising within one connection."""

    @property
    def key(self) -> tuple[Venue, Instrument]:
        """What a newer quote replaces."""
        return self.venue, self.instrument

    @property
    def mid(self) -> Decimal:
        """Half-way between bid and ask."""
        return (self.bid + self.ask) / 2


class Side(enum.Enum):
    """The taker's side."""

    BUY = "buy"
    SELL = "sell"


class Trade(Noun, frozen=True):
    """One trade, or the venue's aggregate of fills of one taker order at one price."""

    venue: Venue
    instrument: Instrument
    price: Decimal
    size: Decimal
    """In base units."""
    side: Side | None
    trade_id: int | None = None


class PriceStatus(enum.Enum):
    """How far a price can be believed."""

    OK = "ok"
    """Three sources or more, and every fresh one agrees."""
    DEGRADED = "degraded"
    """One or two sources, or a minority was rejected."""
    DISPUTED = "disputed"
    """The sources contradict each other and none can be preferred."""
    STALE = "stale"
    """Too few fresh sources: there is no price."""


class Trend(enum.Enum):
    """Short mean against long mean of the price."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    SIDEWAYS = "sideways"
    INSUFFICIENT_DATA = "insufficient_data"


@attrs.frozen
class Price:
    """One instrument's aggregated price at one time."""

    instrument: Instrument
    price: Decimal | None
    """Of eight digits or more, and as fine as the third digit of the confidence. None where it is
    stale; the rule ``pyth`` then keeps the last one."""
    confidence: Decimal | None
    """Half-width, in quote units, of an interval around the price that is made to hold the true
    one 95 % of the time; of a disputed price it holds every source's own interval. Three digits,
    rounded up; None where the price is."""
    status: PriceStatus
    sources: tuple[Venue, ...]
    """Those that the price was made of, in alphabetical order; of a joined price each with the
    instrument of its leg, such as ``binance ETH/USDT``."""
    rejected: tuple[Venue, ...] = ()
    """Fresh sources that stand outside the gate. A disputed price may be made of them too."""
    volatility: float | None = None
    """Annualised (365 days) standard deviation of log returns, exponentially weighted; 0.6 is
    60 %. None until two prices are far enough apart."""
    trend: Trend = Trend.INSUFFICIENT_DATA
    spread: Decimal | None = None
    """Highest mid of the sources less the lowest, in quote units; None where the price is stale
    or joined."""
    age: float | None = None
    """Seconds since the latest quote of a source of it; of a stale price since the latest of
    any, None where there was none. Of a joined price that of the older leg."""
    via: tuple[Instrument, ...] = ()
    """The two instruments whose prices were multiplied; none of a price of its own quotes."""

    @property
    def key(self) -> Instrument:
        """What a newer price replaces."""
        return self.instrument


@attrs.frozen
class Spread:
    """Buying at one venue's ask and selling at another's bid pays, after both taker fees."""

    instrument: Instrument
    buy_venue: Venue
    sell_venue: Venue
    buy_price: Decimal
    sell_price: Decimal
    size: Decimal | None
    """Base units that both sides show; None where a venue does not say."""
    net_per_unit: Decimal
    """Quote units a base unit, after fees."""
    net_ratio: Decimal
    """Net gain over what buying costs, fees included; 0.001 is 0.1 %."""
    net: Decimal | None
    """Quote units for the whole size."""

    def profit_on(self, amount: Decimal) -> Decimal:
        """Quote units gained by spending ``amount`` quote units, fees included."""
        return amount * self.net_ratio


@attrs.frozen
class PriceAlert:
    """A configured threshold was crossed."""

    alert_id: str
    type: str
    """``price_above`` or ``price_below``."""
    instrument: Instrument
    threshold: Decimal
    current_price: Decimal
    message: str
