"""PriceDataProcessor: prices, spreads between venues, alerts, and how good the data is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs
from msgspec.structs import replace

from ..chain.pools.view import PoolsView
from ..flow.processor import DataProcessor
from ..model.event import DataEvent, DataType, EventPriority
from ..model.health import HealthIssue
from ..model.identity import Instrument, Venue
from ..model.market import MarketFault, Price, PriceAlert, Quote, Trade
from ..model.settings import AlertSettings, PriceSettings
from ..pricing.aggregator import PriceFeedAggregator
from ..pricing.alerts import Alert
from ..pricing.quality import QualityBook, QualityFigures
from ..pricing.sources import POOL
from ..pricing.spreads import SpreadBook
from .pool_prices import PoolPrices

LOOK_INTERVAL = 1.0
"""Seconds after which a price is made anew though nothing was heard of its instrument."""
LOOK_EVERY = 0.05
"""Seconds between two looks for those."""
MOST_AT_ONCE = 20
"""Of them that are made in one look."""
ENDS_A_QUOTE = frozenset({"crossed_book", "one_sided", "no_snapshot", "too_many_levels"})
"""Faults after which a venue's last quote says nothing any more: a newer state is known to be
another one."""
SMALL = Decimal("0.05")
"""A move by less than this share of the interval waits for the next look."""
WIDER = Decimal("0.2")
"""As does an interval that changes by less than this share."""

# Looked up once: a member of an enumeration costs ten times what a name does.
_QUOTE, _TRADE, _FAULT, _POOLS = (
    DataType.QUOTE,
    DataType.TRADE,
    DataType.FAULT,
    DataType.POOLS,
)
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
        expected: who should quote what.
        pools: what pools say; None leaves them out.
    """

    consumes = frozenset(
        {DataType.QUOTE, DataType.TRADE, DataType.FAULT, DataType.BLOCK, DataType.POOLS}
    )
    emits = frozenset({DataType.PRICE, DataType.ARBITRAGE, DataType.ALERT})

    def __init__(
        self,
        settings: PriceSettings | None = None,
        classes: dict[Venue, str] | None = None,
        expected: Iterable[tuple[Venue, Instrument]] = (),
        pools: PoolPrices | None = None,
    ) -> None:
        self.settings = settings = settings or PriceSettings()
        self.aggregator = PriceFeedAggregator(settings)
        for venue, update_class in (classes or {}).items():
            self.aggregator.add_price_source(venue, "venue", update_class)
        self.spreads = SpreadBook(
            settings.fees, settings.spread_report, settings.max_deviation, settings.spread_max_age
        )
        self.quality = QualityBook(settings, classes, expected)
        self._published: OrderedDict[Instrument, _Published] = OrderedDict()
        """Those made longest ago first."""
        self._looked_at = _NEVER
        self._pools = pools
        self._quoting: dict[Venue, Instrument] = {}
        """Pools that have a say, and in what."""
        self._alerts: dict[str, Alert] = {}
        self._alerts_on: dict[Instrument, tuple[Alert, ...]] = {}
        for alert in settings.alerts:
            self.add_alert(alert)

    def add_alert(self, alert: AlertSettings) -> None:
        """Watch for one more thing, or replace the alert of that id."""
        self._alerts[alert.id] = Alert(alert)
        self._sort_alerts()

    def remove_alert(self, alert_id: str) -> None:
        """Watch for it no longer. KeyError where there is none of that id."""
        del self._alerts[alert_id]
        self._sort_alerts()

    def _sort_alerts(self) -> None:
        sorted_out: dict[Instrument, list[Alert]] = {}
        for alert in self._alerts.values():
            sorted_out.setdefault(alert.settings.instrument, []).append(alert)
        self._alerts_on = {instrument: tuple(those) for instrument, those in sorted_out.items()}

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
            self._faulted(event.data, now)
        elif kind is _TRADE:
            trade: Trade = event.data
            self.quality.trade(trade.venue, trade.instrument, now, event.lag)
        elif kind is _POOLS:
            self._pooled(event, event.data, now, out)
        if kind is not _POOLS and now - self._looked_at >= LOOK_EVERY:
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
        if refused is not None and refused != "repeated":  # then its sizes may have changed
            if refused != "superseded":
                self.quality.fault(MarketFault(venue, instrument, refused), now)
            return
        for spread in self.spreads.update(quote, now, now if at is None else min(at, now)):
            high = spread.net_ratio >= self.settings.spread_high
            priority = EventPriority.HIGH if high else EventPriority.NORMAL
            out.append(event.finding(spread, DataType.ARBITRAGE, priority))
        self._priced(event, venue, instrument, now, out)

    def _pooled(self, event: DataEvent, view: PoolsView, now: float, out: list[DataEvent]) -> None:
        """Take in what pools say as of a block: it stands until the next one."""
        quoting: dict[Venue, Instrument] = {}
        for quote in () if self._pools is None else self._pools.quotes(view):
            venue, instrument = quote.venue, quote.instrument
            if self.aggregator.knows(venue) or self.aggregator.admit(venue, POOL):
                refused = self.aggregator.update_quote(
                    venue, instrument, quote.bid, quote.ask, now, depth=float(quote.depth)
                )
                if refused is None:
                    quoting[venue] = instrument
        for venue, instrument in self._quoting.items():
            if venue not in quoting:
                self.aggregator.withdraw(venue, instrument)
        self._quoting = quoting
        joinable = self.aggregator.joinable.of
        for instrument in dict.fromkeys(quoting.values()):
            for one in (instrument, *joinable.get(instrument, ())):
                published = self._published.get(one) or self._learn(one)
                # When venues are learned from does not depend on when there are pools.
                self._tell(event, published, self.aggregator.tick(one, now, learn=False), now, out)

    def _priced(
        self, event: DataEvent, venue: Venue, instrument: Instrument, now: float,
        out: list[DataEvent],
    ) -> None:  # fmt: skip
        """A venue's quote was taken in: make the instrument's price, if it is time for it."""
        published = self._published.get(instrument) or self._learn(instrument)
        due = now - published.made_at >= self.settings.publish_interval
        if due or venue not in published.venues:
            published.venues.add(venue)
            self._make(event, instrument, published, now, out)
            for other in self.aggregator.joinable.of.get(instrument, ()):
                joined = self._published.get(other) or self._learn(other)
                if now - joined.made_at >= self.settings.publish_interval:
                    self._make(event, other, joined, now, out)

    def _learn(self, instrument: Instrument) -> _Published:
        """There is a new instrument."""
        made = self._published[instrument] = _Published()
        return made

    def _faulted(self, fault: MarketFault, now: float) -> None:
        """A venue has sent what cannot be used; it may mean that its last quote is over."""
        self.quality.fault(fault, now)
        self.aggregator.note_fault(fault.venue, fault.instrument, fault.reason)
        if fault.reason in ENDS_A_QUOTE and fault.instrument is not None:
            self.aggregator.withdraw(fault.venue, fault.instrument)
            self.spreads.withdraw(fault.venue, fault.instrument)

    def _look(self, event: DataEvent, now: float, out: list[DataEvent]) -> None:
        """Prices of which nothing was made for a while: time alone changes them.

        The longest unmade are first; with very many the rest wait for the next event.
        """
        for _ in range(min(MOST_AT_ONCE, len(self._published))):
            instrument, published = next(iter(self._published.items()))
            if now - published.made_at < LOOK_INTERVAL:
                return
            self._make(event, instrument, published, now, out)

    def _make(
        self, event: DataEvent, instrument: Instrument, published: _Published, now: float,
        out: list[DataEvent],
    ) -> None:  # fmt: skip
        """The price as of now."""
        price = self.aggregator.tick(instrument, now)
        published.made_at = now
        self._published.move_to_end(instrument)
        self._tell(event, published, price, now, out)

    def _tell(
        self, event: DataEvent, published: _Published, price: Price, now: float,
        out: list[DataEvent],
    ) -> None:  # fmt: skip
        """A price that was made, told if it is news, and the alerts that it raises."""
        instrument = price.instrument
        if _is_news(published, price, now):
            published.price, published.told_at = price, now
            _, volatility, trend = self.aggregator.get_course(instrument)
            told = replace(price, volatility=volatility, trend=trend)
            out.append(event.finding(told, DataType.PRICE, EventPriority.NORMAL))
        for alert in self._alerts_on.get(instrument, ()):
            raised = self._raised(alert, price, now)
            if raised is not None:
                out.append(event.finding(raised, DataType.ALERT))

    def _raised(self, alert: Alert, price: Price, now: float) -> PriceAlert | None:
        if alert.settings.type != "spread":
            return alert.look(price, now)
        return alert.look_at(self.spreads.best(price.instrument, now))


def _is_news(published: _Published, price: Price, now: float) -> bool:
    last = published.price
    if last is None or last.status is not price.status or last.sources != price.sources:
        return True
    if (last.off_chain is None) is not (price.off_chain is None):
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
