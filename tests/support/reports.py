"""Reports of runs that tests make up: the events are given, all else is as in a run."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import attrs
import msgspec

from trio_mev.flow.books import BooksSnapshot
from trio_mev.flow.status import FeedStatus
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Price, PriceStatus, Quote
from trio_mev.model.opportunity import Grounds, Kind, Opportunity, Path, Status
from trio_mev.sinks.report.collect import Collector
from trio_mev.sinks.report.model import About, Closing, Report

EPOCH = 1_767_225_600 * 10**9
ABOUT = About("Replay of a.tape", "0.1.0")
NOTHING = Closing({}, BooksSnapshot.total(()), (), (), (), "0" * 64, 1.0)
ETH = Instrument("ETH", "USDT")
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"


def event(kind: DataType, data: Any, at: float, source: str = "node") -> DataEvent:
    """Something that arrived then."""
    return DataEvent(kind, EventPriority.NORMAL, data, source, at)


def quote(at: float, mid: float = 100.0, venue: str = "binance", **more: Any) -> DataEvent:
    """A quote, half a unit to each side."""
    instrument = more.pop("instrument", ETH)
    sides = Decimal(str(mid - 0.5)), Decimal(str(mid + 0.5))
    made = Quote(Venue(venue), instrument, *sides)
    return event(DataType.QUOTE, made, at, more.pop("source", f"{venue}:test"))


def price(
    at: float,
    value: float | None = 100.0,
    status: PriceStatus = PriceStatus.OK,
    half: float = 1.0,
    **more: Any,
) -> DataEvent:
    """A price of one venue."""
    known = None if value is None else Decimal(str(value))
    confidence = None if value is None else Decimal(str(half))
    given = {"instrument": ETH, "sources": (Venue("binance"),)} | more
    made = Price(price=known, confidence=confidence, status=status, **given)
    return event(DataType.PRICE, made, at, "PriceDataProcessor")


def opportunity(name: str = "1", kind: Kind = Kind.ARBITRAGE, **more: Any) -> Opportunity:
    """A prediction, unless more is said."""
    given = {"status": Status.PREDICTED, "grounds": Grounds.ARITHMETIC, "detail": Path(())} | more
    return Opportunity(kind, name, "Detector", **given)


def found(at: float, one: Opportunity, kind: DataType = DataType.ARBITRAGE) -> DataEvent:
    """An opportunity that was told then."""
    return event(kind, one, at, one.detector)


def collected(
    events: Iterable[DataEvent], quiet: float = 90.0, statuses: Iterable[FeedStatus] = ()
) -> Collector:
    """A collector that has taken these."""
    collector = Collector(ABOUT, EPOCH, quiet, 0.0)
    collector.watch(statuses)
    for one in events:
        collector.take(one)
    return collector


def report_of(*events: DataEvent, closing: Closing = NOTHING, quiet: float = 90.0) -> Report:
    """What is told of these events."""
    return collected(events, quiet).report(closing)


@attrs.define(eq=False, slots=False)
class Read(HTMLParser):
    """A page as a browser reads it: elements, and text by the id of the section it is in."""

    tags: list[str] = attrs.Factory(list)
    urls: list[str] = attrs.Factory(list)
    texts: dict[str, str] = attrs.Factory(dict)
    data: dict[str, Any] = attrs.Factory(dict)
    """What charts are drawn from."""
    policy: str = ""
    scripts: list[str] = attrs.Factory(list)
    _section: str = ""
    _element: tuple[str, dict[str, str | None]] = ("", {})

    def __attrs_post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.urls += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]
        if tag in {"section", "header", "footer"}:
            self._section = given.get("id") or tag
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self._element = tag, given

    def handle_endtag(self, tag: str) -> None:
        self._element = "", {}

    def handle_data(self, data: str) -> None:
        tag, given = self._element
        if tag == "script" and given.get("type") == "application/json":
            self.data[given["id"] or ""] = msgspec.json.decode(data)
        elif tag == "script":
            self.scripts.append(data)
        elif tag != "style":
            self.texts[self._section] = self.texts.get(self._section, "") + data


def read(page: str) -> Read:
    """Read a page."""
    parser = Read()
    parser.feed(page)
    parser.close()
    return parser
