"""How good the venues' data is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import MarketFault, Quote
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing import quality
from trio_mev.pricing.quality import QualityBook

ETH, BTC = Instrument("ETH", "USD"), Instrument("BTC", "USD")
ALPHA, BETA = Venue("alpha"), Venue("beta")


@pytest.fixture
def book() -> QualityBook:
    return QualityBook(PriceSettings(), {BETA: "low_frequency"})


def quote(bid: str, venue: Venue = ALPHA, instrument: Instrument = ETH) -> Quote:
    return Quote(venue, instrument, Decimal(bid), Decimal(bid) + 1)


def wrong(book: QualityBook, now: float) -> list[tuple[str, str]]:
    return [(issue.kind, issue.where) for issue in book.issues(now)]


def test_lag_and_interval_are_means_of_late(book):
    for n in range(200):
        book.quote(quote("10"), n * 0.5, 0.2)
    (figures,) = book.figures(100.0)
    assert figures.interval == pytest.approx(0.5)
    assert figures.lag == pytest.approx(0.2)
    for n in range(200):
        book.quote(quote("10"), 100 + n * 2.0, 6.0)
    (figures,) = book.figures(500.0)
    assert figures.interval == pytest.approx(2.0, rel=0.01)
    assert figures.lag == pytest.approx(6.0, rel=0.01)
    assert (figures.updates, figures.age, figures.worst_lag) == (400, 2.0, 6.0)
    assert ("quote_lag", "alpha ETH/USD") in wrong(book, 500.0)


def test_a_venue_whose_clock_is_ahead_is_told_apart_from_one_that_is_late(book):
    book.quote(quote("10"), 0.0, -3.0)
    assert wrong(book, 1.0) == [("quote_ahead", "alpha ETH/USD")]


def test_silence_is_judged_by_what_is_expected_of_the_venue(book):
    book.quote(quote("10"), 0.0, None)
    book.quote(quote("10", BETA), 0.0, None)
    assert wrong(book, 50.0) == []
    assert wrong(book, 51.0) == [("quote_late", "alpha ETH/USD")]
    assert wrong(book, 301.0) == [("quote_late", "alpha ETH/USD"), ("quote_late", "beta ETH/USD")]


def test_another_instruments_quotes_do_not_hide_a_silent_one(book):
    book.quote(quote("10"), 0.0, None)
    for n in range(60):
        book.quote(quote(str(n), instrument=BTC), float(n), None)
    assert wrong(book, 60.0) == [("quote_late", "alpha ETH/USD")]


def test_a_quote_is_stuck_where_it_stays_and_the_others_move(book):
    for n in range(100):
        book.quote(quote("10"), float(n), None)
        book.quote(quote(str(10 + n // 10), BETA), float(n), None)
    assert wrong(book, 60.0) == []  # nine changes elsewhere do not suffice
    for n in range(100, 120):
        book.quote(quote("10"), float(n), None)
        book.quote(quote(str(10 + n // 10), BETA), float(n), None)
    assert wrong(book, 119.0) == [("quote_stuck", "alpha ETH/USD")]
    (alpha, beta) = book.figures(119.0)
    assert (alpha.unchanged, beta.unchanged) == (119.0, 9.0)


def test_a_quiet_market_has_no_stuck_quotes(book):
    for n in range(200):
        book.quote(quote("10"), float(n), None)
        book.quote(quote("11", BETA), float(n), None)
    assert wrong(book, 200.0) == []


def test_faults_are_wrong_for_a_minute_and_counted_for_ever(book):
    book.fault(MarketFault(ALPHA, ETH, "missed", 7), 0.0)
    book.fault(MarketFault(ALPHA, ETH, "crossed_book"), 10.0)
    book.fault(MarketFault(ALPHA, ETH, "bad_number"), 20.0)
    book.fault(MarketFault(ALPHA, None, "not_json"), 30.0)
    assert wrong(book, 60.0) == [
        ("quote_missed", "alpha ETH/USD"),
        ("quote_crossed", "alpha ETH/USD"),
        ("quote_refused", "alpha ETH/USD"),
        ("quote_refused", "alpha as a whole"),
    ]
    assert wrong(book, 90.0) == [("quote_refused", "alpha as a whole")]
    assert wrong(book, 91.0) == []
    first, whole = book.figures(100.0)
    assert first.faults == {"missed": 7, "crossed_book": 1, "bad_number": 1}
    assert (first.age, first.lag, first.interval, first.unchanged) == (None, None, None, None)
    assert (whole.instrument, whole.faults) == (None, {"not_json": 1})


def test_more_places_than_can_be_kept_are_left_out(book, monkeypatch):
    monkeypatch.setattr(quality, "MOST", 1)
    book.quote(quote("10"), 0.0, None)
    book.quote(quote("10", BETA), 0.0, None)
    book.trade(BETA, ETH, 0.0, None)
    book.fault(MarketFault(BETA, ETH, "missed"), 0.0)
    assert [figures.venue for figures in book.figures(1.0)] == [ALPHA]


def test_who_should_quote_and_never_does_is_late():
    book = QualityBook(PriceSettings(), {}, [(ALPHA, ETH)])
    assert wrong(book, 100.0) == []  # looked for from now on
    assert wrong(book, 150.0) == []
    assert wrong(book, 151.0) == [("quote_late", "alpha ETH/USD")]


def test_no_more_is_expected_than_can_be_kept(monkeypatch):
    monkeypatch.setattr(quality, "MOST", 1)
    book = QualityBook(PriceSettings(), {}, [(ALPHA, ETH), (BETA, ETH)])
    assert wrong(book, 0.0) == []
    assert wrong(book, 100.0) == [("quote_late", "alpha ETH/USD")]
