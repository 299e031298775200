"""Numbers, times and words: with units, and never more than can be read."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trio_mev.sinks.report import words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "—"),
        (0.0, "0 µs"),
        (3.46e-6, "3.46 µs"),
        (0.0123, "12.3 ms"),
        (1.5, "1.5 s"),
        (4000.0, "4,000 s"),
    ],
)
def test_a_short_time_has_its_unit(value, said):
    assert words.seconds(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (61.0, "1 min 01 s"), (3600 * 30 + 61, "30 h 01 min")],
)
def test_a_long_time_is_in_hours_and_minutes(value, said):
    assert words.lasting(value) == said


@pytest.mark.parametrize(
    ("count", "said"), [(999, "999 B"), (1000, "1.0 kB"), (5_200_000, "5.2 MB")]
)
def test_bytes_have_their_unit(count, said):
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("nanoseconds", "said"),
    [
        (1_767_230_412_000_000_000, "2026-01-01 01:20:12"),
        (0, "1970-01-01 00:00:00"),
        (10**30, "1000000000000000000000 s"),
        (-(10**30), "-1000000000000000000000 s"),
    ],
)
def test_any_time_that_a_tape_says_can_be_written(nanoseconds, said):
    assert words.clock(nanoseconds, day=True) == said


def test_what_is_not_known_is_a_dash():
    assert words.number(None) == words.usd(None) == words.share(None) == words.decimal(None) == "—"
    assert words.amounts(None) == "—"
    assert words.amounts({}) == "nothing"


def test_numbers_have_separators_and_all_their_digits():
    assert words.decimal(Decimal("1234567.000010")) == "1,234,567.000010"
    assert words.decimal(Decimal("1E+3")) == "1,000"
    assert words.plain_number(1.303e-05) == "0.00001303"
    assert words.plain_number(12345.678901) == "12,345.679"
    assert words.plain_number(None) == "—"
    assert words.usd(Decimal("-1234.5")) == "−$1,234.50"


def test_text_is_cut_and_has_nothing_that_is_not_to_be_seen():
    assert words.plain("a\n\u202eb\x00", 10) == "a\ufffd\ufffdb\ufffd"
    assert words.plain("x" * 300) == "x" * 199 + "…"
    assert words.label("<b>&") == "&lt;b&gt;&amp;"
    assert words.several(1, "delivery", "deliveries") == "1 delivery"
    assert words.several(2, "delivery", "deliveries") == "2 deliveries"
