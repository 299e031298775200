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


class TestANoisyOne:
    """Its error is over five times what is usual among the others."""

    def test_it_is_found_and_its_error_is_bounded(self):
        *steady, noisy = compared([1.0, 1.0, 1.0, 8.0])
        assert [one.noisy for one in steady] == [False] * 3
        assert noisy.noisy
        assert sqrt(noisy.noise) == pytest.approx(5.0, rel=0.2)

    def test_it_says_nothing_of_the_errors_of_the_others(self):
        first, second, noisy = compared([1.0, 1.0, 50.0])
        assert noisy.noisy
        assert first.variance == second.variance == first.pair_with(second).square / 2

    def test_three_times_is_not_noisy(self):
        assert not any(one.noisy for one in compared([1.0, 1.0, 1.0, 3.0]))

    def test_of_errors_under_two_and_a_half_bp_none_is(self):
        assert not any(one.noisy for one in compared([0.05, 0.05, 2.0]))

    def test_thirty_differences_from_two_others_have_to_show_it(self):
        sources = [constituent(name) for name in "abc"]
        for one in sources[:2]:
            pair = sources[2].pair_with(one)
            pair.square, pair.count = 1000.0, 29
        attribute(sources)
        assert not sources[2].noisy
        for one in sources[:2]:
            sources[2].pair_with(one).count = 30
        attribute(sources)
        assert sources[2].noisy

    def test_it_is_back_under_three_times(self):
        sources = [constituent(name) for name in "abc"]
        for place, one in enumerate(sources):
            for other in sources[:place]:
                pair = one.pair_with(other)
                pair.square, pair.count = 2.0, 30
        first, second, noisy = sources
        noisy.noisy = True
        for square, expected in ((26.5, True), (10.5, True), (9.5, False)):
            for other in (first, second):
                noisy.pair_with(other).square = square
            attribute(sources)
            assert noisy.noisy is expected

    def test_a_majority_is_always_left(self):
        assert sum(one.noisy for one in compared([1.0, 1.0, 60.0, 50.0])) == 1
        assert sum(one.noisy for one in compared([1.0, 1.0, 1.0, 60.0, 50.0])) == 2

    def test_with_one_other_alone_the_two_are_taken_to_be_equal(self):
        first, _, noisy = compared([1.0, 1.0, 50.0])
        attribute([first, noisy])
        assert first.variance == noisy.variance
        assert noisy.noisy


def test_a_quote_that_repeats_the_last_one_is_as_old_as_that():
    """What the price moved meanwhile is not the source's error."""
    calibration = Calibration(drift=4.0)
    one, other = constituent("a", 0.0, time=1.0), constituent("b", 20.0, time=101.0)
    one.note_value()
    one.time = 101.0
    one.note_value()
    assert (one.news_at, other.news_at) == (1.0, 101.0)
    calibration.compare(one, [other])
    trust = 8.0 / (8.0 + 400.0)
    assert one.pair_with(other).square == pytest.approx(8.0 + trust**2 * (400.0 - 400.0 - 8.0))
    one.value = 20.0
    assert one.news_at == 101.0


def test_an_interval_does_not_miss_what_a_source_repeats_while_the_price_moves():
    calibration = Calibration(drift=1.0)
    one = constituent("a", 6.0, time=0.0)
    one.variance = 1.0
    one.note_value()
    one.time = 24.0
    others = Estimate(0.0, 1.96, PriceStatus.OK, (True, True, True))
    calibration.test_interval(others, one, 24.0)
    assert calibration.kappa == pytest.approx(1 - 0.0005, rel=1e-5)
