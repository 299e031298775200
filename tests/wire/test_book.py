"""The best bid and ask of a book, whatever becomes of its levels."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.errors import MalformedFrame
from trio_mev.wire import book as module
from trio_mev.wire.book import Book

CHANGES = st.lists(
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 8), st.integers(0, 3)), max_size=40
)


@given(CHANGES)
def test_the_best_is_what_all_levels_show(changes):
    book, levels = Book(), {"buy": {}, "sell": {}}
    for side, price, size in changes:
        book.apply([(side, Decimal(price), Decimal(size))])
        levels[side][price] = size
        for name, best_of, shown in (("buy", max, book.bids), ("sell", min, book.asks)):
            left = {p: s for p, s in levels[name].items() if s}
            assert shown.best == ((best_of(left), left[best_of(left)]) if left else None)


def test_a_price_is_the_same_however_many_zeros_it_is_written_with():
    book = Book()
    book.apply([("buy", Decimal("9.50"), Decimal(1)), ("sell", Decimal(10), Decimal(2))])
    book.apply([("buy", Decimal("9.500"), Decimal(3))])
    assert book.top() == ((Decimal("9.5"), Decimal(3)), (Decimal(10), Decimal(2)))
    book.apply([("buy", Decimal("9.5"), Decimal("0.000"))])
    assert book.top() is None


def test_it_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_LEVELS", 2)
    book = Book()
    book.apply([("sell", Decimal(p), Decimal(1)) for p in (1, 2, 2, 1)])
    book.apply([("sell", Decimal(1), Decimal(0)), ("sell", Decimal(3), Decimal(1))])
    with pytest.raises(MalformedFrame) as caught:
        book.apply([("sell", Decimal(4), Decimal(1))])
    assert caught.value.reason == "too_many_levels"
