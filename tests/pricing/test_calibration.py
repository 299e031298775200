"""What is learned of the sources' errors from their quotes alone."""

from __future__ import annotations

import random
from math import sqrt

import pytest

from trio_mev.model.identity import Venue
from trio_mev.model.market import PriceStatus
from trio_mev.pricing.calibration import Calibration, attribute
from trio_mev.pricing.consensus import Estimate
from trio_mev.pricing.constituent import LEAST_RELIABILITY, Constituent
from trio_mev.pricing.sources import Source


def constituent(name: str, value: float = 0.0, time: float = 0.0) -> Constituent:
    one = Constituent(Source(Venue(name), "venue", "normal", 60.0))
    one.value, one.time = value, time
    return one


def compared(deviations, rounds=3000, drift=0.0) -> list[Constituent]:
    """Sources with these errors, after so many quotes of each at the same times."""
    dice = random.Random(7)
    calibration = Calibration(drift=drift)
    sources = [constituent(str(place)) for place in range(len(deviations))]
    for _ in range(rounds):
        for one, deviation in zip(sources, deviations, strict=True):
            one.value = dice.gauss(0.0, deviation)
            calibration.compare(one, [other for other in sources if other is not one])
        attribute(sources)
    return sources


def test_of_three_sources_or_more_each_ones_error_is_found():
    for deviations in ([1.0, 2.0, 3.0], [1.0, 1.0, 2.0, 5.0]):
        found = [sqrt(one.noise) for one in compared(deviations)]
        assert found == pytest.approx(deviations, rel=0.3)


def test_of_two_the_error_is_divided_equally():
    one, other = compared([1.0, 3.0])
    assert one.variance == other.variance == pytest.approx(5.0, rel=0.3)


def test_one_alone_keeps_what_was_known_of_it():
    one = constituent("a")
    one.variance = 7.0
    attribute([one])
    assert one.variance == 7.0


def test_two_that_were_never_compared_keep_what_a_pair_begins_with():
    sources = [constituent("a"), constituent("b")]
    attribute(sources)
    assert [one.variance for one in sources] == [4.0, 4.0]


def test_a_source_that_leaves_leaves_the_other_pairs_alone():
    first, second, third = compared([0.5, 1.0, 3.0])
    attribute([first, second])
    known = first.pair_with(second).square
    assert first.variance == second.variance == known / 2
    attribute([first, second, third])
    assert sqrt(third.noise) == pytest.approx(3.0, rel=0.3)


def test_what_the_price_moved_between_two_quotes_is_not_their_error():
    calibration = Calibration(drift=4.0)
    one, other = constituent("a", 6.0, time=10.0), constituent("b", 0.0, time=1.0)
    calibration.compare(one, [other])
    trust = 8.0 / (8.0 + 36.0)
    assert one.pair_with(other).square == pytest.approx(8.0 + trust**2 * (36.0 - 36.0 - 8.0))


def test_no_difference_counts_for_more_than_three_deviations():
    calibration = Calibration(drift=0.0)
    one, other = constituent("a", 1e6), constituent("b")
    calibration.compare(one, [other])
    assert one.pair_with(other).square == 9 * 8.0


def test_no_error_is_believed_to_be_under_its_floor():
    one = constituent("a")
    one.variance, one.floor = -1.0, 0.25
    assert one.noise == 0.25
    assert Calibration(drift=4.0).error(one, 2.0) == pytest.approx(sqrt(0.25 + 8.0))
    assert Calibration(drift=4.0).error(one, -2.0) == 0.5


@pytest.mark.parametrize(
    ("value", "kappa"),
    [(0.0, -0.0005), (2.7, -0.0005), (2.8, 0.0095), (5.6, 0.0095), (5.7, 0.0)],
)
def test_the_interval_widens_by_each_quote_that_it_misses_and_narrows_by_others(value, kappa):
    """Of two deviations of one each; from four of both together on it is a fault."""
    calibration = Calibration(drift=0.0)
    one = constituent("a", value)
    one.variance = 1.0
    others = Estimate(0.0, 1.96, PriceStatus.OK, (True, True, True))
    calibration.test_interval(others, one, 0.0)
    assert calibration.kappa == pytest.approx(1 + kappa, rel=1e-3)


def test_the_multiple_stays_between_a_half_and_four():
    calibration = Calibration(drift=0.0)
    others = Estimate(0.0, 1.96, PriceStatus.DEGRADED, (True, True, True))
    for value, bound in ((0.0, 0.5), (8.0, 4.0)):
        one = constituent("a", value)
        for _ in range(5000):
            calibration.test_interval(others, one, 0.0)
        assert calibration.kappa == bound


def test_a_dispute_teaches_the_interval_nothing():
    calibration = Calibration()
    others = Estimate(0.0, 1.96, PriceStatus.DISPUTED, (True, True))
    calibration.test_interval(others, constituent("a", 5.0), 0.0)
    assert calibration.kappa == 1.0


def test_the_drift_is_learned_from_prices_ten_seconds_apart():
    dice = random.Random(3)
    calibration = Calibration()
    middle = 0.0
    for tick in range(1, 20_000):
        middle += dice.gauss(0.0, sqrt(0.5 * 9.0))
        calibration.learn_drift(middle, tick * 0.5)
    assert calibration.drift == pytest.approx(9.0, rel=0.3)
    before = calibration.drift
    calibration.learn_drift(middle + 1000, 20_000 * 0.5 + 0.25)
    assert calibration.drift < before * 1.2


def test_a_jump_counts_for_nine_times_the_drift_at_most():
    calibration = Calibration(drift=4.0, drifts=1000)
    calibration.learn_drift(0.0, 0.0)
    calibration.learn_drift(2000.0, 10.0)
    assert calibration.drift == pytest.approx(4.0 + 0.02 * 32.0)


def test_the_drift_is_not_learned_over_a_dispute():
    calibration = Calibration()
    calibration.learn_drift(0.0, 0.0)
    calibration.learn_drift(None, 5.0)
    calibration.learn_drift(2000.0, 11.0)
    assert (calibration.drift, calibration.mark) == (4.0, (11.0, 2000.0))


def test_reliability_is_the_share_of_late_inside_the_gate_and_on_cadence():
    one = constituent("a", time=0.0)
    one.judge(20.0, 0.5)
    assert one.reliability == 1.0
    one.judge(20.1, 0.5)
    assert one.reliability == 0.5
    one.time = 20.1
    one.reject(rejected=True)
    one.judge(21.0, 0.5)
    assert (one.reliability, one.source.rejections) == (0.25, 1)
    one.reject(rejected=True)
    assert one.source.rejections == 1
    for _ in range(20):
        one.judge(21.0, 0.5)
    assert one.reliability == LEAST_RELIABILITY
    one.reject(rejected=False)
    for _ in range(20):
        one.judge(21.0, 0.5)
    assert one.reliability == pytest.approx(1.0, abs=1e-4)


def test_faults_cost_reliability_by_their_share_of_all_quotes_of_late():
    one = constituent("a")
    one.quotes, one.faults = 9, 3
    one.judge(0.0, 0.0)
    assert one.reliability == pytest.approx(10 / 13)
    one.source.faults += 7
    one.judge(0.0, 0.0)
    assert one.reliability == pytest.approx(0.5)
    for _ in range(30):
        one.judge(0.0, 0.5)
    assert one.reliability == pytest.approx(1.0, abs=1e-4)
