"""trio_mev's way of a quote but for socket and lanes: decoding, quality, prices and spreads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.aggregator import PriceFeedAggregator
from trio_mev.pricing.quality import QualityBook
from trio_mev.pricing.spreads import SpreadBook
from trio_mev.processors.prices import PriceDataProcessor
from trio_mev.wire.binance import BinanceAdapter
from trio_mev.wire.venue import VenueAdapter
from trio_mev.wire.venues import ADAPTERS

from .quotes import BASES, QUOTE, START, VENUES, Read, book_ticker, checksum, market
from .timing import finish, timed
from .venue_frames import bitfinex_subscribed, wordings

INSTRUMENTS = [Instrument(base, QUOTE) for base in BASES]
CHANNELS = {
    "binance": "bookTicker",
    "bitfinex": "ticker",
    "bitstamp": "order_book",
    "bybit": "orderbook.1",
    "coinbase": "ticker",
    "gemini": "l2",
    "kraken": "ticker",
    "okx": "bbo-tbt",
}
"""That bring quotes."""

Frames = tuple[VenueAdapter, float, list[bytes]]
"""What came over one connection at one time."""


def connect(name: str, own: bool) -> Iterator[VenueAdapter]:
    """An exchange's connections, as many as it wants; Binance's but for the name, unless own."""
    adapter: type[VenueAdapter] = ADAPTERS[name]
    if not own:
        adapter = type(name, (BinanceAdapter,), {"venue": Venue(name)})
    most = adapter.rules.most_subscriptions or len(INSTRUMENTS)
    for start in range(0, len(INSTRUMENTS), most):
        some = INSTRUMENTS[start : start + most]
        session = adapter(name, some, (CHANNELS[name if own else "binance"],))
        session.epoch = int(START * 1e9)
        session.begin(0.0)
        session.opening()
        if own and name == "bitfinex":
            answers = [bitfinex_subscribed(i.base, adapter.spell(i)).encode() for i in some]
            session.receive_batch(answers, 0.0, 0, [])
        yield session


def arrivals(own: bool, reads: int) -> list[list[Frames]]:
    """What comes of each read, when, and over which connections."""
    words = wordings(book_ticker)
    venues = [list(connect(name, own)) for name in VENUES]

    def arrived(read: Read) -> Iterator[Frames]:
        word = words[VENUES[read.venue] if own else "binance"]
        for session in venues[read.venue]:
            bases = {instrument.base for instrument in session.symbols.values()}
            shown = [one for one in read.quotes if one.base in bases]
            yield session, read.at, [word(one, read.at).encode() for one in shown]

    return [list(arrived(read)) for read in market(reads)]


def whole(reads: int, warm: int, own: bool) -> dict[str, Any]:
    """Microseconds of processor time a quote, through everything."""
    come = arrivals(own, reads)
    processor = PriceDataProcessor(PriceSettings())
    process = processor.process_event
    found = dict.fromkeys(processor.emits, 0)

    async def run(some: Sequence[list[Frames]]) -> None:
        for session, at, sent in chain.from_iterable(some):
            events: list[DataEvent] = []
            session.receive_batch(sent, at, 0, events)
            for event in events:
                for one in await process(event):
                    found[one.event_type] += 1

    cost = timed(lambda some: finish(run(some)), come, warm, len(BASES))
    if not found[DataType.PRICE]:
        raise RuntimeError("there is no price")
    figures = processor.get_quality(come[-1][0][1])
    ends = {id(session): session for session, _, _ in chain.from_iterable(come)}.values()
    if any(one.faults for one in figures) or any(end.refused for end in ends):
        raise RuntimeError("not every quote was sound")
    latest = [event.data for end, _, _ in come[-1] for event in end.newest.values()]
    bids = {quote.instrument.base: quote.bid for quote in latest}
    return {"cost": cost, "found": [sum(one.updates for one in figures), checksum(bids)]}


class Parts:
    """Each part of the way alone, on events that are there already."""

    def __init__(self, settings: PriceSettings) -> None:
        self.decoded: list[list[DataEvent]] = []
        self.qualities = QualityBook(settings)
        self.aggregator = PriceFeedAggregator(settings)
        self.book = SpreadBook(
            settings.fees, settings.spread_report, settings.max_deviation, settings.spread_max_age
        )

    def decode(self, some: list[list[Frames]]) -> None:
        for read in some:
            events: list[DataEvent] = []
            for session, at, sent in read:
                session.receive_batch(sent, at, 0, events)
            self.decoded.append(events)

    def quality(self, some: list[list[DataEvent]]) -> None:
        look = self.qualities.quote
        for event in chain.from_iterable(some):
            look(event.data, event.received_at, event.lag)

    def intake(self, some: list[list[DataEvent]]) -> None:
        take = self.aggregator.update_quote
        for event in chain.from_iterable(some):
            quote, now = event.data, event.received_at
            take(quote.venue, quote.instrument, quote.bid, quote.ask, now, stamp=event.occurred_at)

    def spreads(self, some: list[list[DataEvent]]) -> None:
        update = self.book.update
        for event in chain.from_iterable(some):
            update(event.data, event.received_at, event.received_at)


def parts(reads: int, warm: int, own: bool) -> dict[str, float]:
    """Microseconds of processor time a quote, of each part alone."""
    settings = PriceSettings()
    each = Parts(settings)
    cost = {"decode": timed(each.decode, arrivals(own, reads), warm, len(BASES))}
    for name in ("quality", "intake", "spreads"):
        cost[name] = timed(getattr(each, name), each.decoded, warm, len(BASES))
    return {**cost, "prices": made(each.decoded, settings, warm)}


def made(decoded: list[list[DataEvent]], settings: PriceSettings, warm: int) -> float:
    """Microseconds of processor time a quote, of the prices that are made."""
    each, spent, due = Parts(settings), 0.0, 0.0
    for place, read in enumerate(decoded):
        each.intake([read])
        now = read[0].received_at
        if now >= due:
            due = now + settings.publish_interval
            start = time.process_time()
            for instrument in INSTRUMENTS:
                each.aggregator.tick(instrument, now)
            spent += time.process_time() - start if place >= warm else 0.0
    return spent / ((len(decoded) - warm) * len(BASES)) * 1e6
