"""Which spreads are open, and which is the best."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote
from trio_mev.pricing.spreads import SpreadBook, executable_spread

ETH = Instrument("ETH", "USD")
VENUES = [Venue(name) for name in ("a", "b", "c")]
FEES = {"a": Decimal("0.001"), "b": Decimal(0), "c": Decimal("-0.0001")}
REPORT, HIGHEST, MAX_AGE = Decimal("0.001"), Decimal("0.05"), 10.0


def quote(venue: str, bid: str, ask: str) -> Quote:
    return Quote(Venue(venue), ETH, Decimal(bid), Decimal(ask))


def make() -> SpreadBook:
    return SpreadBook(FEES, REPORT, HIGHEST, MAX_AGE)


QUOTES = st.lists(
    st.tuples(
        st.sampled_from(VENUES),
        st.integers(9_900, 10_700),
        st.integers(0, 30),
        st.floats(0, 4),
        st.floats(0, 12),
    ),
    max_size=40,
)


@given(QUOTES)
def test_it_finds_what_comparing_everything_with_everything_finds(steps):
    """The short way in floats leads where exact numbers do."""
    book = make()
    known: dict[str, tuple[Quote, float]] = {}
    opened: set[tuple[str, str]] = set()
    now = 0.0
    for venue, bid, width, wait, age in steps:
        now += wait
        one = Quote(venue, ETH, Decimal(bid) / 10, Decimal(bid + width) / 10)
        known[venue] = one, now - age
        expected = set()
        for name, (other, at) in known.items():
            if name == venue:
                continue
            for buy, sell in ((one, other), (other, one)):
                pair = (buy.venue, sell.venue)
                spread = executable_spread(buy, sell, FEES[buy.venue], FEES[sell.venue])
                sound = min(at, now - age) >= now - MAX_AGE and spread.net_ratio <= HIGHEST
                if sound and pair not in opened and spread.net_ratio >= REPORT:
                    opened.add(pair)
                    expected.add(pair)
                elif pair in opened and (not sound or spread.net_ratio < REPORT / 2):
                    opened.discard(pair)
        found = book.update(one, now, now - age)
        assert {(spread.buy_venue, spread.sell_venue) for spread in found} == expected


def test_the_best_spread_is_told_though_it_does_not_pay():
    book = make()
    assert book.best(ETH, 0.0) is None
    book.update(quote("a", "100", "101"), 0.0, 0.0)
    assert book.best(ETH, 0.0) is None
    book.update(quote("b", "100", "101"), 0.0, 0.0)
    book.update(quote("c", "100.5", "101.5"), 0.0, 0.0)
    best = book.best(ETH, 5.0)
    assert best is not None
    assert (best.buy_venue, best.sell_venue) == ("b", "c")
    assert best.net_ratio < 0
    assert book.best(ETH, 10.1) is None


def test_a_best_spread_that_cannot_be_believed_is_none():
    book = make()
    book.update(quote("a", "100", "101"), 0.0, 0.0)
    assert book.update(quote("b", "200", "201"), 0.0, 0.0) == []
    assert book.implausible == 1
    assert book.best(ETH, 0.0) is None


def test_a_venue_without_a_fee_has_no_spreads():
    book = make()
    book.update(quote("a", "100", "101"), 0.0, 0.0)
    assert book.update(quote("elsewhere", "150", "151"), 0.0, 0.0) == []
