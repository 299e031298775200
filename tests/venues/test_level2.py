"""Coinbase's tickers held against its own order book, over the recording of half a minute.

The figures are those of ``docs/explanation/quotes-and-books.md``.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from trio_mev.model.event import DataType
from trio_mev.model.market import Quote
from trio_mev.wire.coinbase import CoinbaseAdapter
from trio_mev.wire.numbers import iso_time

from .level2 import Best, Book, Courses, parsed, received


@attrs.frozen
class Ticker:
    """A quote beside the book of its moment."""

    product: str
    best: Best
    book: Best
    """What the frames before it had made of the book."""
    first: bool
    """Whether it is the product's first, which is sent at the subscription."""
    at: int
    """Its own time, in nanoseconds since the epoch."""
    old: float
    """Seconds by which it is older than the arrival of its product's snapshot."""


@attrs.frozen
class Comparison:
    tickers: list[Ticker] = attrs.Factory(list)
    courses: dict[str, Courses] = attrs.Factory(dict)
    steps: dict[str, list[tuple[int, Best]]] = attrs.Factory(dict)
    """The book's best sides after each update, by the update's own time."""


@pytest.fixture(scope="module")
def compared(corpus: Path) -> Comparison:
    frames = list(received(corpus / "venues" / "COINBASE.ws.28.0.gz"))
    snapshots = {
        message["product_id"]: at
        for at, frame in frames
        if (message := parsed(frame))["type"] == "snapshot"
    }
    instruments = {product: CoinbaseAdapter.read(product) for product in snapshots}
    session = CoinbaseAdapter("cb", instruments.values(), ["ticker"])
    books = {product: Book() for product in snapshots}
    found = Comparison(courses={p: Courses() for p in snapshots}, steps={p: [] for p in snapshots})
    for at, frame in frames:
        message = parsed(frame)
        product = message.get("product_id")
        if message["type"] == "snapshot":
            books[product].begin(message)
            found.courses[product].books.append((at, books[product].best))
            found.steps[product].append((0, books[product].best))
        elif message["type"] == "l2update":
            books[product].change(message)
            found.courses[product].books.append((at, books[product].best))
            found.steps[product].append((iso_time(message["time"]), books[product].best))
        for event in session.receive(frame, at, 1):
            if event.event_type is not DataType.QUOTE:
                continue
            quote: Quote = event.data
            assert quote.instrument == instruments[product]
            assert (quote.bid, quote.ask) == (
                Decimal(message["best_bid"]),
                Decimal(message["best_ask"]),
            )
            quotes = found.courses[product].quotes
            old = snapshots[product] - event.occurred_at / 1e9
            best, moment = (quote.bid, quote.ask), event.occurred_at
            ticker = Ticker(product, best, books[product].best, not quotes, moment, old)
            found.tickers.append(ticker)
            quotes.append((at, best))
    assert not session.refused
    return found


def test_every_ticker_but_the_first_of_a_product_is_the_best_of_the_book_exactly(compared):
    agree = Counter((t.first, t.best == t.book) for t in compared.tickers)
    assert agree == {(False, True): 97, (True, True): 3, (True, False): 7}


def test_those_that_differ_were_sent_at_the_subscription_and_tell_of_the_last_trade_before(
    compared,
):
    """They are as old as that trade; the snapshot is of now."""
    different = [t for t in compared.tickers if t.best != t.book]
    assert all(t.first for t in different)
    ages = sorted(round(t.old, 2) for t in different)
    assert ages == [0.06, 6.66, 6.83, 7.51, 21.83, 26.35, 107.12]
    sides = [pair for t in different for pair in zip(t.best, t.book, strict=True)]
    assert max(abs(ours / its - 1) for ours, its in sides) < Decimal("0.00175")


def test_by_the_venues_own_times_the_steps_of_one_order_cannot_be_told_apart(compared):
    """An order that takes several levels makes several tickers and updates of one time: the book
    of that time is only the last of them."""
    kinds: Counter[str] = Counter()
    for ticker in compared.tickers:
        if ticker.first:
            continue
        until = [best for at, best in compared.steps[ticker.product] if at <= ticker.at]
        same = [best for at, best in compared.steps[ticker.product] if at == ticker.at]
        if until[-1] == ticker.best:
            kinds["the last state of its time"] += 1
        elif ticker.best in same:
            kinds["an earlier state of its time"] += 1
        else:
            kinds["no state of its time"] += 1
    assert kinds == {"the last state of its time": 90, "an earlier state of its time": 7}


def test_between_trades_the_last_ticker_is_seldom_the_best_of_the_book(compared):
    """Tickers come with trades, and the book moves without."""
    moves = sum(course.moves() for course in compared.courses.values())
    assert moves == 1070
    shown = [course.shown() for course in compared.courses.values()]
    agreed, total = sum(a for a, _ in shown), sum(t for _, t in shown)
    assert total == pytest.approx(300.6, abs=0.1)
    assert agreed / total == pytest.approx(0.075, abs=0.001)
    busiest, quiet = compared.courses["SKL-USD"], compared.courses["CRV-EUR"]
    assert (len(busiest.quotes), busiest.moves()) == (53, 245)
    assert busiest.shown()[0] / busiest.shown()[1] == pytest.approx(0.104, abs=0.001)
    assert (len(quiet.quotes), quiet.moves(), quiet.shown()[0]) == (1, 66, 0.0)


def test_a_level_that_is_taken_away_twice_would_be_noticed():
    book = Book()
    book.begin({"bids": [["1", "1"], ["2", "1"]], "asks": [["3", "1"]]})
    book.change({"changes": [["buy", "2", "0"], ["sell", "2.5", "4"]]})
    assert book.best == (Decimal(1), Decimal("2.5"))
    with pytest.raises(KeyError):
        book.change({"changes": [["buy", "2", "0"]]})
