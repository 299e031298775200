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
    size: Decimal | None
    """In base units; None where the venue counts in contracts whose worth it does not say."""
    side: Side | None
    trade_id: int | str | None = None
    """The venue's own name of the trade: a number, or text where it uses none."""


class MarketFault(Noun, frozen=True):
    """A venue sent what cannot be believed, or left something out."""

    venue: Venue
    instrument: Instrument | None
    """None where it cannot be told which."""
    reason: str
    """As it is counted under, such as ``crossed_book``, ``time_backwards`` or ``missed``."""
    count: int = 1
    """How many; of ``missed`` those that the venue's own numbers show to be missing."""


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


class OffChainPrice(Noun, frozen=True):
    """An instrument's price as it is without pools, which a pool may be compared with."""

    price: Decimal | None
    confidence: Decimal | None
    status: PriceStatus
    sources: tuple[Venue, ...]


class Price(Noun, frozen=True):
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
    """Fresh sources that stand outside the gate, and pools that had no say. A disputed price may
    be made of them too."""
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
    on_chain: tuple[Venue, ...] = ()
    """Those of the sources that are pools."""
    off_chain: OffChainPrice | None = None
    """The price as it would be had no pool ever quoted; None only where no pool is fresh for the
    instrument, or for one that its price can be had from. Pools may be there and have no say."""

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
    """A configured limit was crossed."""

    alert_id: str
    type: str
    """``price_above``, ``price_below``, ``price_change``, ``price_spread``, ``price_disputed`` or
    ``price_stale``."""
    instrument: Instrument
    threshold: Decimal | None
    """The price or ratio that was set; None where there is none."""
    current_price: Decimal | None
    """None where there is no price, and of a spread."""
    message: str
    ratio: Decimal | None = None
    """By how much the price has changed, or the net spread; 0.01 is 1 %."""
