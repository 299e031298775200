"""Series in bounded room: what is thinned out keeps its extremes, and counts keep their sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_mev.sinks.report.series import FINEST, MOST_BINS, Series, Tally

TIMES = st.floats(0, 1e6, allow_nan=False)
VALUES = st.floats(-1e9, 1e9, allow_nan=False)


def kept(series: Series) -> list[tuple[float, float]]:
    return [point for point in series.points() if point is not None]


@given(st.lists(st.tuples(TIMES, VALUES), min_size=1, max_size=200))
def test_the_extremes_and_the_last_point_are_kept(points):
    points.sort(key=lambda point: point[0])
    series = Series(0.0)
    for point in points:
        series.add(*point)
    left = kept(series)
    assert set(left) <= set(points)
    assert min(value for _, value in left) == min(value for _, value in points)
    assert max(value for _, value in left) == max(value for _, value in points)
    assert series.last == points[-1]
    assert series.last in left
    assert left == sorted(left)
    assert series.count == len(points)


def test_one_spike_in_a_long_run_stays_to_be_seen():
    series = Series(0.0)
    for number in range(100_000):
        series.add(number / 10, 1000.0 if number == 54_321 else float(number % 7))
    assert (5432.1, 1000.0) in kept(series)
    assert len(kept(series)) <= 3 * MOST_BINS
    assert series.width > FINEST


def test_what_is_short_is_kept_as_it_was():
    series = Series(10.0)
    points = [(10.0 + number, float(number % 3)) for number in range(40)]
    for point in points:
        series.add(*point)
    assert kept(series) == points


def test_a_point_that_comes_late_counts_where_the_last_one_was():
    series = Series(0.0)
    series.add(5.0, 1.0)
    series.add(1.0, 9.0)
    assert sorted(kept(series)) == [(1.0, 9.0), (5.0, 1.0)]


def test_no_line_leads_over_a_silence_or_a_cut():
    series = Series(0.0, quiet=10.0)
    series.add(0.0, 1.0)
    series.add(9.0, 2.0)
    series.add(20.0, 3.0)
    series.cut()
    series.add(21.0, 4.0)
    assert list(series.points()) == [(0.0, 1.0), (9.0, 2.0), None, (20.0, 3.0), None, (21.0, 4.0)]
    assert list(series.lows()) == list(series.points()) == list(series.highs())


def test_an_envelope_has_the_ends_of_each_bin():
    series = Series(0.0)
    for at, value in ((0.0, 5.0), (0.05, 1.0), (0.1, 3.0), (1.0, 2.0)):
        series.add(at, value)
    assert list(series.lows()) == [(0.0, 1.0), (1.0, 2.0)]
    assert list(series.highs()) == [(0.0, 5.0), (1.0, 2.0)]


def test_nothing_has_no_last_point():
    assert Series(0.0).last is None


@given(st.lists(st.tuples(TIMES, st.integers(1, 9)), max_size=100), st.floats(FINEST, 1e7))
def test_counts_keep_their_sum_however_wide_the_bins(counts, width):
    tally = Tally(0.0)
    for at, count in counts:
        tally.add(at, count)
    assert all(0 <= index < MOST_BINS for index in tally.counts)
    tally.widen(width)
    assert sum(tally.counts.values()) == sum(count for _, count in counts)
    assert tally.width >= width
