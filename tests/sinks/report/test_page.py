"""The page: whole in itself, valid, the same for the same report, and text stays text."""

from __future__ import annotations

import base64
import hashlib
import sys
from decimal import Decimal

import attrs
import plotly.graph_objects
import pytest

from tests.support.reports import (
    ABOUT,
    EPOCH,
    NOTHING,
    event,
    found,
    opportunity,
    price,
    quote,
    read,
    report_of,
)
from trio_mev.errors import ConfigError
from trio_mev.flow.books import BooksSnapshot
from trio_mev.flow.lane import LaneSnapshot
from trio_mev.flow.pump import ConsumerSnapshot
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.flow.timing import Timing
from trio_mev.model.chain import Gap
from trio_mev.model.event import DataType
from trio_mev.model.health import HealthIssue
from trio_mev.model.identity import Venue
from trio_mev.model.market import MarketFault, PriceAlert
from trio_mev.model.opportunity import Kind, Outcome, Score, Status, Verdict
from trio_mev.sinks.report.collect import Collector
from trio_mev.sinks.report.model import Closing, Report, TapePart
from trio_mev.sinks.report.page import NEEDED, embedded, render
from trio_mev.sinks.report.words import label

EVIL = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>&amp;\u202e'
SECTIONS = ("feeds", "prices", "findings", "ledger", "losses", "processors", "played")


def consumer(name: str, lost: bool = True, error: str | None = None) -> ConsumerSnapshot:
    timing = Timing()
    for seconds in (20e-6, 50e-6, 0.004):
        timing.add(seconds, 1.0)
    lost_by = {"normal:shed": 4, "low:expired": 1} if lost else {}
    books = BooksSnapshot(10, 10 - len(lost_by), 0, sum(lost_by.values()), 0, 0, lost_by)
    lanes = tuple(LaneSnapshot(lane, 0, 1000, 7, 0) for lane in ("vital", "high", "normal", "low"))
    return ConsumerSnapshot(name, ("quote",), books, timing.snapshot(), lanes, 1, error)


def everything(text: str) -> Report:
    """A bit of all that there can be, with a text wherever others may have a say."""
    status = FeedStatus(text)
    collector = Collector(attrs.evolve(ABOUT, title=text), EPOCH, 5.0, 0.0)
    keeper = collector.feeds
    collector.watch([status])
    for at, state, detail in (
        (1.0, FeedState.READY, ""),
        (20.0, FeedState.WAITING, text),
        (22.0, FeedState.READY, ""),
        (40.0, FeedState.LOST, text),
        (60.0, FeedState.ENDED, ""),
    ):
        keeper.enter(text, state, detail, at)
    venue, outcome = Venue(text), Outcome(Verdict.COMPETED, lead=4.0)
    collected = [
        quote(3.0, venue=text, source=text),
        price(3.0, sources=(venue,), rejected=(Venue(f"2{text}"),)),
        price(9.0, sources=(venue,)),
        event(DataType.GAP, Gap(1, 2, False, text), 5.0, text),
        event(DataType.FAULT, MarketFault(venue, None, text), 6.0, text),
        event(DataType.FAULT, MarketFault(venue, None, text), 6.0, f"not {text}"),
        event(DataType.HEALTH, HealthIssue(text, text, text), 7.0, "health"),
        event(
            DataType.ALERT, PriceAlert(text, text, quote(0).data.instrument, None, None, text), 8.0
        ),
        event(DataType.FINDING, {"own": text}, 8.0, text),
        found(9.0, opportunity("1", usd=Decimal(-5), gross={text: 5}, cause=text)),
        found(9.0, opportunity("2", Kind.JIT, status=Status.LANDED, usd=Decimal(7), block=3)),
        found(9.0, attrs.evolve(opportunity("3", outcome=outcome), detector=text)),
    ]
    for one in collected:
        collector.take(one)
    scores = (
        Score(Kind.SANDWICH, text, 21, 2, 3, 4, 5, 6, 7, 8, 9, 0.1, 4.5, 12, 7),
        Score(Kind.JIT, "inspect", unseen=3, landed=3),
    )
    consumers = (consumer(text, error=text), consumer("Idle", lost=False))
    whole = BooksSnapshot(
        30, 22, 0, 8, 0, 0, {"normal:shed": 4, "low:expired": 1, "high:unread": 3}
    )
    closing = Closing({"quote": 1, text: 2, "health": 9}, whole, consumers, (status.snapshot(),),
                      scores, "ab" * 32, 1.5)  # fmt: skip
    about = attrs.evolve(
        collector.about, tapes=(TapePart(text, 10**7, text, (text,)),), options={"speed": text}
    )
    collector.about = about
    return attrs.evolve(collector.report(closing), missed=12)


@pytest.fixture(scope="module")
def page() -> str:
    return render(everything(EVIL))


def test_every_section_is_there(page):
    texts = read(page).texts
    assert set(SECTIONS) <= set(texts)
    assert "no event for over 5 s" in texts["feeds"]
    assert "12 events came faster" in texts["header"]  # before the first section


def test_text_from_elsewhere_stays_text(page):
    """Nothing that a venue, a node or a plug-in says becomes an element."""
    seen = read(page)
    assert "img" not in seen.tags
    assert len(seen.scripts) == 2  # the charts' library and what draws
    shown = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1'
    for section in ("header", *SECTIONS):
        assert shown in seen.texts[section], section
    assert "\u202e" not in page


def test_a_chart_takes_text_for_text(page):
    """A chart would make links and letters of tags."""

    def strings(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from strings(one)

    every = [text for data in read(page).data.values() for text in strings(data)]
    evil = [text for text in every if "hacked" in text]
    assert len(evil) > 10
    assert not any("<img" in text or "<script" in text for text in evil)


def test_what_charts_are_drawn_from_cannot_end_its_element():
    data = {"data": [], "layout": {"title": "</script><!--<script>"}}
    seen = read(f'<script type="application/json" id="it">{embedded(data)}</script>')
    assert seen.tags == ["script"]
    assert seen.data == {"it": data}


def test_no_script_runs_but_ours(page):
    seen = read(page)
    digests = [hashlib.sha256(script.encode()).digest() for script in seen.scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    assert f"script-src {allowed};" in seen.policy
    assert "default-src 'none'" in seen.policy


def test_it_needs_nothing_from_elsewhere(page):
    assert all(url.startswith(("#", "data:")) for url in read(page).urls)


def test_every_chart_is_one_that_plotly_knows(page):
    data = read(page).data
    assert {"feed-chart", "rate-chart", "price-1", "finding-chart", "profit-chart", "ledger-chart",
            "processor-chart"} == {name.removesuffix("-data") for name in data}  # fmt: skip
    for name, figure in data.items():
        assert figure["data"], name
        plotly.graph_objects.Figure(figure)


def test_a_source_has_one_colour_on_every_chart(page):
    data = read(page).data
    (life,) = [
        one
        for one in data["feed-chart-data"]["data"]
        if one.get("width") == 0.5 and one["name"] == label(EVIL)
    ]
    (mid,) = [one for one in data["price-1-data"]["data"] if "hacked" in one["name"]]
    assert mid["line"]["color"] in life["marker"]["color"]


def test_losses_are_told_by_consumer_lane_and_reason(page):
    text = " ".join(read(page).texts["losses"].split())
    for told in ("normal shed 4", "low expired 1", "sinks and subscribers high unread 3"):
        words = told.replace("sinks and subscribers ", "")
        lane, reason, count = words.split()
        assert f"{lane}{reason}{count}" in text.replace(" ", "")


def test_the_ledger_has_precision_recall_and_lead_time(page):
    text = read(page).texts["ledger"]
    for told in ("39%", "58%", "4.5 s", "+10.00%"):
        assert told in text


def test_the_same_report_is_the_same_page(page):
    assert render(everything(EVIL)) == page


def test_where_nothing_happened_the_page_says_why():
    text = {name: " ".join(t.split()) for name, t in read(render(report_of())).texts.items()}
    assert "There were no feeds." in text["feeds"]
    assert "no exchange was among the feeds" in text["prices"]
    assert "No liquidations: nothing looked, since no pools or positions" in text["findings"]
    assert "No other findings" in text["findings"]
    assert "Predictions need pools or positions" in text["ledger"]
    assert "Nothing was lost." in text["losses"]
    assert "There were no processors." in text["processors"]
    assert "No tape: live feeds." in text["played"]


def test_a_note_that_several_tapes_have_is_said_once():
    tapes = tuple(TapePart(f"{n}.tape", 1, "imported", ("a",)) for n in range(3))
    report = attrs.evolve(report_of(), about=attrs.evolve(ABOUT, tapes=tapes))
    assert read(render(report)).texts["header"].count("imported.") == 1


def test_what_is_thinned_or_left_out_is_said(monkeypatch):
    monkeypatch.setattr("trio_mev.sinks.report.feeds.MOST_FEEDS", 1)
    report = report_of(quote(1.0), quote(2.0, venue="kraken"), price(1.0))
    report = attrs.evolve(
        report, prices=tuple(attrs.evolve(one, left_out=3) for one in report.prices)
    )
    seen = read(render(report))
    assert "1 events came from more feeds" in seen.texts["feeds"]
    assert "3 earlier times of trouble" in seen.texts["prices"]
    assert "least, greatest and last point" in seen.texts["footer"]


def test_without_its_libraries_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(ConfigError, match="trio-mev") as caught:
        render(report_of())
    assert caught.value.problems == (NEEDED,)


def test_what_is_idle_has_no_time():
    idle = attrs.evolve(consumer("Idle", lost=False), timing=Timing().snapshot())
    seen = read(render(report_of(closing=attrs.evolve(NOTHING, consumers=(idle,)))))
    assert "Idle" in seen.texts["processors"]
    assert seen.data["processor-chart-data"]["layout"]["yaxis"]["categoryarray"] == []
