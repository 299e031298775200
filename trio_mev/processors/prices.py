"""PriceDataProcessor: prices, spreads between venues, alerts, and how good the data is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs
from msgspec.structs import replace

from ..flow.processor import DataProcessor
from ..model.event import DataEvent, DataType, EventPriority
from ..model.health import HealthIssue
from ..model.identity import Instrument, Venue
from ..model.market import MarketFault, Price, PriceAlert, Quote, Trade
from ..model.settings import AlertSettings, PriceSettings
from ..pricing.aggregator import PriceFeedAggregator
from ..pricing.alerts import Alert
from ..pricing.joins import legs
from ..pricing.quality import QualityBook, QualityFigures
from ..pricing.spreads import SpreadBook

LOOK_INTERVAL = 1.0
"""Seconds after which a price is made anew though nothing was heard of its instrument."""
SMALL = Decimal("0.05")
"""A move by less than this share of the interval waits for the next look."""
WIDER = Decimal("0.2")
"""As does an interval that changes by less than this share."""

# Looked up once: a member of an enumeration costs ten times what a name does.
_QUOTE, _TRADE, _FAULT = DataType.QUOTE, DataType.TRADE, DataType.FAULT
_NEVER = float("-inf")


@attrs.define(eq=False)
class _Published:
    """When an instrument's price was made, and the one that was told last."""

    made_at: float = _NEVER
    told_at: float = _NEVER
    price: Price | None = None
    venues: set[Venue] = attrs.Factory(set)
    """Those that have quoted it."""


class PriceDataProcessor(DataProcessor):
    """Owns the aggregator; nothing else writes it.

    Makes a price when a quote has come and ``publish_interval`` seconds are over, or at once if it
    is a venue's first, and once a
    second where none has come: quotes of other instruments and blocks tell the time. Emits it
    when its status or sources have changed, when it or its interval has moved by more than a
    trifle, and otherwise once a second if it has moved at all.
    Emits a spread when buying at one venue's ask and selling at another's bid pays more than
    ``spread_report`` after both taker fees: once, until it has fallen below half of that.

    Args:
        settings: limits, fees, alerts.
        classes: how often each venue is expected to be heard.
    """

    consumes = frozenset({DataType.QUOTE, DataType.TRADE, DataType.FAULT, DataType.BLOCK})
    emits = frozenset({DataType.PRICE, DataType.ARBITRAGE, DataType.ALERT})

    def __init__(
        self, settings: PriceSettings | None = None, classes: dict[Venue, str] | None = None
    ) -> None:
        self.settings = settings = settings or PriceSettings()
        self.aggregator = PriceFeedAggregator(settings)
        for venue, update_class in (classes or {}).items():
            self.aggregator.add_price_source(venue, "venue", update_class)
        self.spreads = SpreadBook(
            settings.fees, settings.spread_report, settings.max_deviation, settings.spread_max_age
        )
        self.quality = QualityBook(settings, classes)
        self._published: dict[Instrument, _Published] = {}
        self._joined: dict[Instrument, list[Instrument]] = {}
        """Prices that are made of an instrument's among others."""
        self._known = 0
        self._looked_at = _NEVER
        self._alerts: dict[str, Alert] = {}
        for alert in settings.alerts:
            self.add_alert(alert)

    def add_alert(self, alert: AlertSettings) -> None:
        """Watch for one more thing, or replace the alert of that id."""
        self._alerts[alert.id] = Alert(alert)

    def remove_alert(self, alert_id: str) -> None:
        """Watch for it no longer. KeyError where there is none of that id."""
        del self._alerts[alert_id]

    def get_quality(self, now: float) -> tuple[QualityFigures, ...]:
        """How good each venue's data of each instrument is."""
        return self.quality.figures(now)

    def health(self, now: float) -> Iterator[HealthIssue]:
        """Data that comes late, not at all, stuck, crossed or with gaps."""
        return self.quality.issues(now)

    async def process_event(self, event: DataEvent) -> Iterable[DataEvent]:
        """The prices, spreads and alerts that follow from an event, or from the time it tells."""
        now, kind = event.received_at, event.event_type
        out: list[DataEvent] = []
        if kind is _QUOTE:
            self._quoted(event, event.data, now, out)
        elif kind is _FAULT:
            fault: MarketFault = event.data
            self.quality.fault(fault, now)
            self.aggregator.note_fault(fault.venue, fault.instrument, fault.reason)
        elif kind is _TRADE:
            trade: Trade = event.data
            self.quality.trade(trade.venue, trade.instrument, now, event.lag)
        if now - self._looked_at >= LOOK_INTERVAL:
            self._looked_at = now
            self._look(event, now, out)
        return out

    def _quoted(self, event: DataEvent, quote: Quote, now: float, out: list[DataEvent]) -> None:
        venue, instrument, lag = quote.venue, quote.instrument, event.lag
        self.quality.quote(quote, now, lag)
        at = None if lag is None else now - lag
        refused = self.aggregator.update_quote(
            venue, instrument, quote.bid, quote.ask, now, at, stamp=event.occurred_at
        )
        if refused is not None:
            self.quality.fault(MarketFault(venue, instrument, refused), now)
            return
        for spread in self.spreads.update(quote, now, now if at is None else min(at, now)):
            high = spread.net_ratio >= self.settings.spread_high
            priority = EventPriority.HIGH if high else EventPriority.NORMAL
            out.append(event.finding(spread, DataType.ARBITRAGE, priority))
        published = self._published.get(instrument)
        if published is None:
            published = self._published[instrument] = _Published()
            self._learn_joins()
        due = now - published.made_at >= self.settings.publish_interval
        if due or venue not in published.venues:
            published.venues.add(venue)
            self._make(event, instrument, published, now, out)
            for other in self._joined.get(instrument, ()):
                self._make_if_due(event, other, self.settings.publish_interval, now, out)

    def _learn_joins(self) -> None:
        """There is a new instrument: which prices can be made of two others now?"""
        self._joined.clear()
        for instrument in self.aggregator.instruments():
            self._published.setdefault(instrument, _Published())
            for pair in legs(instrument, self.settings.bases):
                if all(leg in self._published for leg in pair):
                    for leg in pair:
                        self._joined.setdefault(leg, []).append(instrument)

    def _look(self, event: DataEvent, now: float, out: list[DataEvent]) -> None:
        """Prices of which nothing was made for a while: time alone changes them."""
        for instrument in tuple(self._published):
            self._make_if_due(event, instrument, LOOK_INTERVAL, now, out)

    def _make_if_due(
        self, event: DataEvent, instrument: Instrument, after: float, now: float,
        out: list[DataEvent],
    ) -> None:  # fmt: skip
        published = self._published[instrument]
        if now - published.made_at >= after:
            self._make(event, instrument, published, now, out)

    def _make(
        self, event: DataEvent, instrument: Instrument, published: _Published, now: float,
        out: list[DataEvent],
    ) -> None:  # fmt: skip
        """The price as of now, told if it is news, and the alerts that it raises."""
        price = self.aggregator.tick(instrument, now)
        published.made_at = now
        if _is_news(published, price, now):
            published.price, published.told_at = price, now
            _, volatility, trend = self.aggregator.get_course(instrument)
            told = replace(price, volatility=volatility, trend=trend)
            out.append(event.finding(told, DataType.PRICE, EventPriority.NORMAL))
        if self._alerts:
            out += [event.finding(a, DataType.ALERT) for a in self._crossed(price, now)]

    def _crossed(self, price: Price, now: float) -> Iterator[PriceAlert]:
        for alert in self._alerts.values():
            if alert.settings.instrument != price.instrument:
                continue
            if alert.settings.type == "spread":
                spread = self.spreads.best(price.instrument, now)
                raised = None if spread is None else alert.look_at(spread)
            else:
                raised = alert.look(price, now)
            if raised is not None:
                yield raised


def _is_news(published: _Published, price: Price, now: float) -> bool:
    last = published.price
    if last is None or last.status is not price.status or last.sources != price.sources:
        return True
    if price.price == last.price and price.confidence == last.confidence:
        return False
    assert price.price is not None  # nor is any: a stale price does not change
    assert price.confidence is not None
    assert last.price is not None
    assert last.confidence is not None
    move = abs(price.price - last.price)
    moved = move > (0 if now - published.told_at >= LOOK_INTERVAL else SMALL * last.confidence)
    return moved or abs(price.confidence - last.confidence) > WIDER * last.confidence
