"""PriceDataProcessor: prices, spreads between venues, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs

from ..flow.processor import DataProcessor
from ..model.event import DataEvent, DataType, EventPriority
from ..model.identity import Instrument, Venue
from ..model.market import Price, PriceAlert, PriceStatus, Quote, Spread
from ..model.settings import AlertSettings, PriceSettings
from ..pricing.aggregator import PriceFeedAggregator
from ..pricing.spreads import executable_spread

LOOK_INTERVAL = 1.0
"""Seconds between two looks for prices that have gone stale."""
HYSTERESIS = Decimal("0.001")
"""An alert is armed again when the price is this share back on the other side."""


@attrs.define(eq=False)
class _Alert:
    settings: AlertSettings
    armed: bool = True

    def crossed(self, price: Decimal) -> bool:
        """Whether the threshold was crossed just now; once until the price has come back."""
        threshold = self.settings.price
        above = self.settings.type == "above"
        if self.armed and (price > threshold if above else price < threshold):
            self.armed = False
            return True
        back = threshold * (1 - HYSTERESIS if above else 1 + HYSTERESIS)
        if price < back if above else price > back:
            self.armed = True
        return False


class PriceDataProcessor(DataProcessor):
    """Owns the aggregator; nothing else writes it.

    Looks at a price when a quote comes, at most every ``publish_interval`` seconds, and emits it
    when it or its status has changed. When one goes stale, quotes of other instruments and blocks
    tell the time.
    Emits a spread when buying at one venue's ask and selling at another's bid pays more than
    ``spread_report`` after both taker fees: once, until it has fallen below half of that.

    Args:
        settings: limits, fees, alerts.
        classes: how often each venue is expected to be heard.
    """

    consumes = frozenset({DataType.QUOTE, DataType.BLOCK})
    emits = frozenset({DataType.PRICE, DataType.ARBITRAGE, DataType.ALERT})

    def __init__(
        self, settings: PriceSettings | None = None, classes: dict[Venue, str] | None = None
    ) -> None:
        self.settings = settings or PriceSettings()
        self.aggregator = PriceFeedAggregator(self.settings)
        for venue, update_class in (classes or {}).items():
            self.aggregator.add_price_source(venue, "venue", update_class)
        self._quotes: dict[Instrument, dict[Venue, tuple[Quote, float]]] = {}
        self._published: dict[Instrument, Price] = {}
        self._ticked: dict[Instrument, float] = {}
        self._looked_at = float("-inf")
        self._open: set[tuple[Instrument, Venue, Venue]] = set()
        self._alerts: dict[str, _Alert] = {}
        for alert in self.settings.alerts:
            self.add_alert(alert)

    def add_alert(self, alert: AlertSettings) -> None:
        """Watch one more threshold, or replace the alert of that id."""
        self._alerts[alert.id] = _Alert(alert)

    def remove_alert(self, alert_id: str) -> None:
        """Watch a threshold no longer. KeyError where there is none of that id."""
        del self._alerts[alert_id]

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The price, spreads and alerts that follow from a quote; prices that have gone stale."""
        now = event.received_at
        out = []
        if event.event_type is DataType.QUOTE:
            out = self._quoted(event, event.data, now)
        return out + [self._told(event, price) for price in self._silent(now)]

    def _quoted(self, event: DataEvent, quote: Quote, now: float) -> list[DataEvent]:
        refused = self.aggregator.update_quote(
            quote.venue, quote.instrument, quote.bid, quote.ask, now
        )
        if refused is not None:
            return []
        out = self._priced(event, quote.instrument, now)
        self._quotes.setdefault(quote.instrument, {})[quote.venue] = (quote, now)
        for spread in self._spreads(quote, now):
            high = spread.net_ratio >= self.settings.spread_high
            priority = EventPriority.HIGH if high else EventPriority.NORMAL
            out.append(event.finding(spread, DataType.ARBITRAGE, priority))
        return out

    def _priced(self, event: DataEvent, instrument: Instrument, now: float) -> list[DataEvent]:
        """The price and its alerts, where it is time for one."""
        last = self._ticked.get(instrument)
        if last is not None and now - last < self.settings.publish_interval:
            return []
        self._ticked[instrument] = now
        price = self.aggregator.tick(instrument, now)
        out = [self._told(event, price)] if self._is_news(price) else []
        return out + [event.finding(a, DataType.ALERT) for a in self._crossed(price)]

    def _told(self, event: DataEvent, price: Price) -> DataEvent:
        """The price's event, with its volatility and trend."""
        _, volatility, trend = self.aggregator.get_course(price.instrument)
        told = attrs.evolve(price, volatility=volatility, trend=trend)
        return event.finding(told, DataType.PRICE, EventPriority.NORMAL)

    def _silent(self, now: float) -> Iterator[Price]:
        """Prices of instruments without a quote for a while, whose status has changed since.

        Quotes of others and blocks tell the time; it is looked at once a second.
        """
        if now - self._looked_at < LOOK_INTERVAL:
            return
        self._looked_at = now
        for instrument, ticked in self._ticked.items():
            if now - ticked >= LOOK_INTERVAL:
                price = self.aggregator.get_price(instrument, now)
                if price.status is not self._published[instrument].status:
                    self._published[instrument] = price
                    yield price

    def _is_news(self, price: Price) -> bool:
        last = self._published.get(price.instrument)
        if last is not None and last.status is price.status and last.price == price.price:
            return False
        self._published[price.instrument] = price
        return True

    def _crossed(self, price: Price) -> Iterator[PriceAlert]:
        if price.price is None or price.status in {PriceStatus.DISPUTED, PriceStatus.STALE}:
            return
        for alert in self._alerts.values():
            one = alert.settings
            if one.instrument == price.instrument and alert.crossed(price.price):
                text = f"{one.instrument} is {one.type} {one.price:f}: {price.price:f}"
                kind = f"price_{one.type}"
                yield PriceAlert(one.id, kind, one.instrument, one.price, price.price, text)

    def _spreads(self, quote: Quote, now: float) -> Iterator[Spread]:
        """Spreads that this quote has opened, in both directions."""
        for other, at in list(self._quotes[quote.instrument].values()):
            if other.venue == quote.venue:
                continue
            for buy, sell in ((quote, other), (other, quote)):
                if now - at > self.settings.spread_max_age:
                    self._open.discard((quote.instrument, buy.venue, sell.venue))
                    continue
                spread = self._spread(buy, sell)
                if spread is not None and self._opened(spread):
                    yield spread

    def _spread(self, buy: Quote, sell: Quote) -> Spread | None:
        fees = self.settings.fees
        if buy.venue not in fees or sell.venue not in fees:
            return None
        return executable_spread(buy, sell, fees[buy.venue], fees[sell.venue])

    def _opened(self, spread: Spread) -> bool:
        key = (spread.instrument, spread.buy_venue, spread.sell_venue)
        limit = self.settings.spread_report
        if key in self._open:
            if spread.net_ratio < limit / 2:
                self._open.discard(key)
            return False
        if spread.net_ratio < limit:
            return False
        self._open.add(key)
        return True
