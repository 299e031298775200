"""The calibrated rule: what one, two, three and more sources make, and what bad ones can do."""

from __future__ import annotations

from math import hypot, inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trio_mev.model.market import PriceStatus
from trio_mev.pricing.consensus import GATE, Estimate, Vector, calibrated, densest

OK, DEGRADED, DISPUTED = PriceStatus.OK, PriceStatus.DEGRADED, PriceStatus.DISPUTED
VALUES = st.floats(-300, 300).map(lambda value: round(value, 3))
ERRORS = st.floats(0.1, 20).map(lambda value: round(value, 3))
SOURCES = st.lists(
    st.tuples(VALUES, ERRORS, st.floats(0.05, 1), st.booleans()), min_size=1, max_size=9
)


def seen(values, errors=None, reliabilities=None, rejected=None) -> Vector:
    count = len(values)
    return Vector(
        [float(value) for value in values],
        errors or [1.0] * count,
        reliabilities or [1.0] * count,
        rejected or [False] * count,
    )


def of(sources) -> Vector:
    return Vector(*map(list, zip(*sources, strict=True)))


def price(values, errors=None, *, kappa=1.0, limit=inf, **others) -> Estimate:
    return calibrated(seen(values, errors, **others), kappa, limit)


def test_one_source_is_never_more_than_degraded_and_has_an_interval_of_its_own():
    assert price([5], [2.0]) == Estimate(5.0, 3.92, DEGRADED, (True,))


def test_two_that_agree_weigh_the_same_whatever_they_are_known_for():
    found = price([0, 2], [1.0, 1.0], reliabilities=[1.0, 0.05])
    assert (found.middle, found.status, found.kept) == (1.0, DEGRADED, (True, True))
    assert found.half_width == pytest.approx(1 + 1.96)


def test_the_votes_of_two_can_be_wider_than_what_each_of_them_says():
    assert price([0, 2], kappa=4.0).half_width > price([0, 2]).half_width
    votes = calibrated(seen([0, 2]), 1.0, inf, votes_only=True)
    assert votes.half_width < price([0, 2]).half_width


@pytest.mark.parametrize(("apart", "status"), [(5.65, DEGRADED), (5.66, DISPUTED)])
def test_two_are_in_dispute_from_four_deviations_of_their_difference(apart, status):
    assert price([0, apart]).status is status


def test_a_dispute_of_two_is_half_way_and_spans_both():
    found = price([0, 100], [1.0, 3.0])
    assert (found.middle, found.status, found.whole) == (50.0, DISPUTED, True)
    assert found.half_width == pytest.approx(50 + 1.96 * 3)


def test_three_that_agree_are_ok_and_the_most_precise_weighs_most():
    found = price([0, 1, 4], [0.5, 1.0, 4.0])
    assert (found.status, found.kept) == (OK, (True, True, True))
    assert 0 < found.middle < 1


def test_an_unreliable_source_weighs_less():
    one = price([0, 0, 3], reliabilities=[1.0, 1.0, 1.0])
    other = price([0, 0, 3], reliabilities=[1.0, 1.0, 0.05])
    assert other.middle < one.middle


def test_of_three_a_rejected_one_is_a_dispute_at_the_price_of_the_two_others():
    found = price([0, 1, 50])
    assert (found.status, found.kept, found.whole) == (DISPUTED, (True, True, False), False)
    assert 0 <= found.middle <= 1
    assert found.middle + found.half_width >= 50 + 1.96


def test_three_of_which_no_two_agree_are_a_dispute_of_all():
    found = price([0, 100, 300], [1.0, 1.0, 1.0])
    assert (found.status, found.kept, found.whole) == (DISPUTED, (False, False, False), True)
    assert found.middle == 100
    assert found.half_width == pytest.approx(200 + 1.96)


def test_of_four_a_rejected_one_is_a_degraded_price_without_it():
    found = price([0, 1, 2, 50])
    assert (found.status, found.kept) == (DEGRADED, (True, True, True, False))
    assert 0 <= found.middle <= 2
    assert found.half_width < 3


def test_two_camps_of_two_are_a_dispute_of_all():
    found = price([0, 0, 90, 90])
    assert (found.status, found.whole, found.middle) == (DISPUTED, True, 45.0)


@pytest.mark.parametrize("count", [5, 6, 7, 8])
def test_a_minority_that_agrees_on_another_price_does_not_move_it(count):
    bad = (count - 1) // 2
    found = price([0.0, 0.5, 1.0, 0.2, 0.7, 0.1][: count - bad] + [50.0] * bad)
    assert found.status is DEGRADED
    assert 0 <= found.middle <= 1


def test_one_old_source_and_two_bad_ones_do_not_leave_the_price_with_the_old_one():
    """The plain median of these is 8; the majority lies closest together around zero."""
    found = price([-0.3, 0.0, 8.0, 50.0, 51.0], [0.5, 1.0, 6.0, 1.0, 1.0])
    assert found.kept == (True, True, True, False, False)
    assert abs(found.middle) < 1


def test_a_source_that_was_rejected_comes_back_at_half_the_gate():
    values = [0.0, 0.0, 0.0, 4.5]
    assert price(values).status is OK
    assert price(values, rejected=[False] * 3 + [True]).kept[3] is False
    assert price([0.0, 0.0, 0.0, 2.5], rejected=[False] * 3 + [True]).status is OK


def test_no_gate_is_wider_than_the_limit():
    values, errors = [0.0, 0.0, 0.0, 150.0], [1.0, 1.0, 1.0, 90.0]
    assert price(values, errors).status is OK
    assert price(values, errors, limit=100.0).kept == (True, True, True, False)
    assert price([0.0, 150.0], [90.0, 90.0]).status is DEGRADED
    assert price([0.0, 150.0], [90.0, 90.0], limit=100.0).status is DISPUTED


def test_the_interval_is_as_many_times_the_spread_as_was_learned():
    values = [0.0, 1.0, 2.0, 3.0]
    assert price(values, kappa=2.0).half_width == pytest.approx(2 * price(values).half_width)
    assert price(values, kappa=2.0).middle == price(values).middle


@given(SOURCES, st.randoms())
def test_the_order_of_the_sources_does_not_matter(sources, random):
    shuffled = list(sources)
    random.shuffle(shuffled)
    one, other = (calibrated(of(each), 1.3, 400.0) for each in (sources, shuffled))
    assert (other.middle, other.half_width) == pytest.approx((one.middle, one.half_width))
    assert (other.status, other.whole) == (one.status, one.whole)
    kept = dict(zip(map(id, sources), one.kept, strict=True))
    assert [kept[id(source)] for source in shuffled] == list(other.kept)


def far_from_every_edge(sources, limit: float = 400.0) -> bool:
    """Whether none of the decisions is so narrow that rounding could turn it."""
    centre, typical = densest(of(sources))
    ordered = sorted(value for value, *_ in sources)
    half = len(ordered) // 2 + 1
    widths = sorted(b - a for a, b in zip(ordered, ordered[half - 1 :], strict=False))
    if len(widths) > 1 and widths[1] - widths[0] < 1e-3:
        return False
    edges = [hypot(error, typical) for _, error, *_ in sources]
    if len(sources) == 2:
        centre, edges = ordered[0], [hypot(sources[0][1], sources[1][1])] * 2
    return all(
        abs(abs(value - centre) - edge) > 1e-3
        for (value, *_), gate in zip(sources, edges, strict=True)
        for edge in (GATE * gate, GATE / 2 * gate, limit)
    )


@given(SOURCES, st.floats(-1e5, 1e5))
def test_prices_in_another_currency_make_the_same_price_in_that_currency(sources, shift):
    """A shift of log price is a factor of the price."""
    assume(far_from_every_edge(sources))
    moved = [(value + shift, *rest) for value, *rest in sources]
    one, other = (calibrated(of(each), 1.3, 400.0) for each in (sources, moved))
    assert other.middle == pytest.approx(one.middle + shift, abs=1e-6)
    assert other.half_width == pytest.approx(one.half_width, abs=1e-6)
    assert (other.status, other.kept) == (one.status, one.kept)


@given(SOURCES, st.floats(0.01, 100))
def test_errors_in_another_unit_make_the_same_price_in_that_unit(sources, factor):
    assume(far_from_every_edge(sources))
    scaled = [(value * factor, error * factor, *rest) for value, error, *rest in sources]
    one = calibrated(of(sources), 1.3, 400.0)
    other = calibrated(of(scaled), 1.3, 400.0 * factor)
    assert other.middle == pytest.approx(one.middle * factor, rel=1e-6, abs=1e-6)
    assert other.half_width == pytest.approx(one.half_width * factor, rel=1e-6)
    assert (other.status, other.kept) == (one.status, one.kept)


@given(
    st.lists(st.tuples(st.floats(-10, 10), st.floats(0.1, 3)), min_size=3, max_size=7),
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0.1, 3)), min_size=2, max_size=6),
)
def test_a_minority_of_arbitrary_sources_cannot_carry_the_price_away(honest, arbitrary):
    """It stays within the honest sources' own span of them, and one gate more: an interval that
    holds a majority and is the shortest such has an honest source in it, and is no longer than
    that of the honest ones; nobody beyond the gate around its centre has a vote."""
    count = next(n for n in range(5, 14) if n - (n - 1) // 2 == len(honest))
    bad = arbitrary[: (count - 1) // 2]
    sources = [(value, error, 1.0, False) for value, error in [*honest, *bad]]
    assume(len(sources) >= 5)
    found = calibrated(of(sources), 1.0, inf)
    values = [value for value, _ in honest]
    span = max(values) - min(values)
    largest = max(error for _, error, *_ in sources)
    reach = span + GATE * hypot(largest, largest) + largest
    assert min(values) - reach - 1e-6 <= found.middle <= max(values) + reach + 1e-6


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=7), st.floats(60, 1e6), st.booleans())
def test_a_minority_far_away_does_not_move_the_price_out_of_the_honest_span(honest, far, up):
    count = next(n for n in range(5, 14) if n - (n - 1) // 2 == len(honest))
    bad = [far if up else -far] * ((count - 1) // 2)
    found = price([*honest, *bad])
    assert found.kept == (True,) * len(honest) + (False,) * len(bad)
    assert min(honest) - 1 <= found.middle <= max(honest) + 1


@given(
    st.integers(1, 8), st.floats(-5, 5), st.floats(0.5, 5), st.floats(1.01, 5), st.floats(0.5, 4)
)
def test_the_interval_grows_with_the_errors(count, value, error, factor, kappa):
    """As those of all sources do, with age."""
    one = price([value] * count, [error] * count, kappa=kappa)
    other = price([value] * count, [error * factor] * count, kappa=kappa)
    assert other.half_width == pytest.approx(one.half_width * factor)
