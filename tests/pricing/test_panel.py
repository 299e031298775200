"""The sources of one instrument together: what they learn, and who is left out."""

from __future__ import annotations

import random
from math import inf, sqrt

import pytest

from trio_mev.model.identity import Venue
from trio_mev.model.market import PriceStatus
from trio_mev.pricing.consensus import Rule, calibrated
from trio_mev.pricing.panel import Panel
from trio_mev.pricing.rules import RULES
from trio_mev.pricing.sources import Source

OK, DEGRADED, DISPUTED = PriceStatus.OK, PriceStatus.DEGRADED, PriceStatus.DISPUTED


class Told:
    """A panel whose sources a, b, c and so on can be told values."""

    def __init__(
        self, count: int, limit: float = 500.0, rule: Rule = calibrated, **settings
    ) -> None:
        self.panel = Panel(rule, limit, 60.0, **settings)
        self.members = [
            self.panel.add(Source(Venue("abcdefgh"[place]), "venue", "normal", 60.0), 0.0)
            for place in range(count)
        ]

    def say(self, place: int, value: float, now: float, at: float | None = None) -> None:
        one = self.members[place]
        one.value, one.time = value, now if at is None else at
        if now >= one.learn_at:
            self.panel.learn(one, now)

    def all(self, values, now: float) -> None:
        for place, value in enumerate(values):
            self.say(place, value, now)

    def tick(self, now: float):
        return self.panel.tick(now).estimate


@pytest.fixture
def learned():
    """Five sources with errors of 1 bp that have been heard for 300 s."""
    told, dice = Told(5), random.Random(1)
    for second in range(300):
        told.all([dice.gauss(0.0, 1.0) for _ in range(5)], float(second))
        told.tick(second + 0.5)
    return told


def test_a_panel_without_quotes_has_no_price_and_no_latest_time():
    told = Told(2)
    assert told.panel.latest is None
    assert told.panel.look(0.0).estimate is None
    assert told.tick(0.0) is None


def test_fewer_sources_than_are_wanted_make_no_price():
    told = Told(2, least=2)
    told.say(0, 1.0, 0.0)
    assert told.tick(0.0) is None
    told.say(1, 1.0, 1.0)
    assert told.tick(1.0).middle == pytest.approx(1.0)
    assert told.panel.latest == 1.0


def test_looking_changes_nothing(learned):
    before = repr(learned.panel)
    learned.panel.look(310.0)
    learned.panel.look(1000.0)
    assert repr(learned.panel) == before


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_interval_grows_with_age_until_the_quotes_no_longer_count(count):
    told, dice = Told(count), random.Random(2)
    truth = 0.0
    for second in range(200):
        truth += dice.gauss(0.0, 1.0)
        told.all([truth + dice.gauss(0.0, 1.0) for _ in range(count)], float(second))
        told.tick(second + 0.5)
    looks = [told.panel.look(199.0 + age) for age in (0, 3, 8, 20, 40, 60)]
    widths = [look.estimate.half_width for look in looks]
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]
    assert told.panel.look(259.5).estimate is None


def test_a_quote_is_learned_from_once_a_second_and_never_the_first():
    told = Told(3)
    told.all([0.0, 0.0, 0.0], 0.0)
    one, other, _ = told.members
    assert one.pairs == {}
    for now in (0.5, 1.0, 1.2, 1.9, 2.0, 2.1):
        told.say(0, 1.0, now)
    assert one.pair_with(other).count == 2


def test_a_source_alone_or_too_late_is_not_learned_from():
    told = Told(2)
    told.say(0, 0.0, 0.0)
    told.say(0, 1.0, 5.0)
    assert told.members[0].pairs == {}
    told.say(1, 1.0, 6.0)
    known = repr(told.members[1].pairs)
    told.say(1, 1.0, 100.0, at=30.0)
    assert repr(told.members[1].pairs) == known


def test_what_a_source_is_known_for_is_found_in_its_quotes():
    told, dice = Told(3), random.Random(4)
    for second in range(2000):
        told.all([dice.gauss(0.0, deviation) for deviation in (1.0, 2.0, 4.0)], float(second))
        told.tick(second + 0.5)
    precise, *others = (sqrt(one.noise) for one in told.members)
    assert others == pytest.approx([2, 4], rel=0.35)
    assert precise < others[0]


def test_two_in_dispute_do_not_learn_to_agree():
    told = Told(2)
    for second in range(1000):
        told.all([0.0, 50.0], float(second))
        assert told.tick(second + 0.5).status is DISPUTED
    assert [one.variance for one in told.members] == [4.0, 4.0]


def test_a_rejected_source_does_not_widen_its_own_gate():
    told, dice = Told(5), random.Random(5)
    for second in range(2000):
        told.all([dice.gauss(0.0, 1.0) for _ in range(4)] + [50.0], float(second))
        found = told.tick(second + 0.5)
        assert found.status is DEGRADED
        assert abs(found.middle) < 4
    assert sqrt(told.members[4].noise) < 10


def test_reliability_falls_with_the_half_life_while_a_source_is_outside():
    told = Told(4)
    for tick in range(601):
        told.all([0.0, 0.0, 0.0, 50.0], tick * 0.1)
        told.tick(tick * 0.1)
    assert [one.reliability for one in told.members[:3]] == [1.0, 1.0, 1.0]
    assert told.members[3].reliability == pytest.approx(0.5, abs=0.01)
    assert told.members[3].source.rejections == 1


def test_a_long_pause_between_ticks_weighs_as_a_minute_and_time_does_not_run_backwards():
    told = Told(4)
    told.all([0.0, 0.0, 0.0, 50.0], 0.0)
    told.tick(0.0)
    told.all([0.0, 0.0, 0.0, 50.0], 9999.0)
    told.tick(9999.0)
    assert told.members[3].reliability == pytest.approx(0.5)
    told.tick(9000.0)
    assert told.members[3].reliability == pytest.approx(0.5)


def test_a_source_that_is_off_is_neither_heard_nor_judged():
    told = Told(4)
    told.all([0.0, 0.0, 0.0, 50.0], 0.0)
    told.members[3].source.is_active = False
    found = told.panel.tick(0.0)
    told.tick(30.0)
    assert (found.estimate.status, len(found.fresh)) == (OK, 3)
    assert told.members[3].reliability == 1.0
    assert told.members[0].reliability < 1.0


class TestOneOfThreeThatIsFarOff:
    """Further than the limit from both others, who agree."""

    def told(self, off: float = 900.0) -> Told:
        told = Told(3)
        told.all([0.0, 1.0, 0.0], 0.0)
        told.tick(0.0)
        told.say(2, off, 1.0)
        assert told.tick(1.0).status is DISPUTED
        return told

    @pytest.mark.parametrize("off", [900.0, -900.0])
    def test_it_is_left_out_once_both_have_said_again_what_they_said(self, off):
        told = self.told(off)
        told.say(0, 0.0, 2.0)
        told.say(2, off, 2.0)
        assert told.tick(2.0).status is DISPUTED
        told.say(1, 1.0, 3.0)
        found = told.panel.tick(3.0)
        assert (found.estimate.status, found.left_out) == (DEGRADED, [told.members[2]])
        assert found.estimate.half_width < 20
        assert told.members[2].rejected

    def test_it_counts_again_when_it_is_back(self):
        told = self.told()
        told.all([0.0, 1.0, 900.0], 2.0)
        told.all([0.0, 1.0, 900.0], 3.0)
        assert told.tick(3.0).status is DEGRADED
        told.say(2, 0.0, 4.0)
        assert told.tick(4.0).status is OK
        assert told.members[2].astray_since is None

    def test_the_first_to_follow_a_true_move_is_never_left_out(self):
        told = self.told()
        told.say(0, 900.0, 2.0)
        found = told.panel.tick(2.0)
        assert (found.estimate.status, found.left_out) == (DISPUTED, [])
        assert found.estimate.middle == pytest.approx(900.0, abs=1)
        told.say(1, 901.0, 3.0)
        assert told.tick(3.0).status is OK

    def test_the_last_to_follow_is_left_out_until_it_does(self):
        told = self.told()
        for now in (2.0, 3.0):
            told.say(0, 900.0, now)
            told.say(2, 900.0, now)
            told.tick(now)
        assert told.panel.look(3.0).left_out == [told.members[1]]
        told.say(1, 900.0, 4.0)
        assert told.tick(4.0).status is OK

    def test_it_stays_a_dispute_where_the_others_do_not_agree_either(self):
        told = self.told()
        for now in (2.0, 3.0):
            told.all([0.0, 300.0, 900.0], now)
            assert told.tick(now).status is DISPUTED
        assert told.panel.look(3.0).left_out == []

    def test_nearer_than_the_limit_it_stays_a_dispute(self):
        told = Told(3)
        for now in (0.0, 1.0, 2.0, 3.0):
            told.all([0.0, 1.0, 450.0], now)
            assert told.tick(now).status is DISPUTED


class TestOneThatRepeatsItself:
    """With new times, while the price moves."""

    def told(self, count: int, repeating: int, *, move: float, rule: Rule = calibrated) -> Told:
        """Ninety seconds in which the last ones say the same; quotes count for sixty."""
        told, dice = Told(count, rule=rule), random.Random(8)
        for second in range(100):
            values = [dice.gauss(move * second, 1.0) for _ in range(count - repeating)]
            said = [one.value for one in told.members[count - repeating :]]
            told.all(values + (said if second > 9 else [values[0]] * repeating), float(second))
            told.tick(float(second))
        return told

    @pytest.mark.parametrize("count", [3, 5])
    def test_it_is_left_out_by_name_until_it_says_something_new(self, count):
        told = self.told(count, 1, move=0.5)
        stuck = told.members[-1]
        found = told.panel.look(99.0)
        assert (found.estimate.status, found.left_out) == (DEGRADED, [stuck])
        assert found.estimate.middle == pytest.approx(49.5, abs=3)
        assert (stuck.stuck, stuck.rejected) == (True, True)
        assert stuck.reliability < 1
        told.say(count - 1, 49.5, 100.0)
        assert told.tick(100.0).status is OK
        assert (stuck.stuck, stuck.rejected) == (False, False)

    def test_what_it_repeats_teaches_nothing_of_its_error(self):
        assert sqrt(self.told(5, 1, move=0.5).members[4].noise) < 5

    def test_it_counts_where_the_price_has_not_moved(self):
        told = self.told(3, 1, move=0.0)
        assert told.tick(100.0).status is OK
        assert not told.members[2].stuck

    def test_it_counts_where_those_that_move_are_no_majority(self):
        told = self.told(5, 3, move=0.5)
        assert not any(one.stuck for one in told.members)

    def test_it_counts_where_the_others_do_not_agree(self):
        told = Told(3)
        for second in range(100):
            told.all([-900 + second / 100, second / 100, 900.0], float(second))
            told.tick(float(second))
        assert not told.members[2].stuck

    def test_it_counts_where_only_one_other_is_there(self):
        told = self.told(3, 1, move=0.5)
        told.members[0].source.is_active = False
        found = told.panel.look(99.0)
        assert (found.estimate.status, found.left_out) == (DISPUTED, [])

    def test_one_other_does_not_learn_to_agree_with_it(self):
        told = self.told(3, 1, move=0.5)
        told.members[0].source.is_active = False
        _, other, stuck = told.members
        known = other.pair_with(stuck).square
        for second in range(100, 200):
            told.say(1, second / 2, float(second))
            told.say(2, stuck.value, float(second))
            assert told.tick(float(second)).status is DISPUTED
        assert other.pair_with(stuck).square == known

    def test_other_rules_count_every_source(self):
        told = self.told(5, 1, move=0.5, rule=RULES["median"])
        assert told.members[4].stuck
        assert told.panel.look(99.0).left_out == []


def test_a_source_with_far_larger_errors_is_left_out_and_its_interval_is_no_worse():
    """Of three, the other two are not believed to be better than they know of each other."""
    told, dice = Told(3), random.Random(9)
    held = out = 0
    for second in range(3000):
        told.all([dice.gauss(0.0, deviation) for deviation in (1.0, 1.0, 10.0)], float(second))
        found = told.panel.tick(second + 0.5)
        if second >= 1000:
            assert found.left_out == [told.members[2]]
            out += found.estimate.status is DEGRADED
            held += abs(found.estimate.middle) <= found.estimate.half_width
    assert held >= 1900
    assert out >= 1990


def test_with_no_limit_nobody_is_left_out_and_with_none_at_all_all_that_differ_are():
    told = Told(3, limit=inf)
    for now in (0.0, 1.0, 2.0):
        told.all([0.0, 1.0, 9e9], now)
        assert told.tick(now).status is DISPUTED
    told = Told(3, limit=0.0)
    told.all([0.0, 0.0, 0.0], 0.0)
    assert told.tick(0.0).status is OK
    told.all([0.0, 1.0, 2.0], 1.0)
    assert told.tick(1.0).status is DISPUTED


@pytest.mark.parametrize(("count", "within"), [(3, 3.4), (5, 2.8), (8, 1.7)])
def test_a_true_move_of_twenty_percent_is_followed_when_a_majority_has_quoted(count, within):
    """As soon as they have, which takes as long as their cadence. Here each has a second at
    most; the limit of 5 % does not hold the price back, nor does it when half have moved."""
    told, dice = Told(count, limit=488.0), random.Random(6)
    for second in range(300):
        told.all([dice.gauss(0.0, 1.0) for _ in range(count)], float(second))
        told.tick(second + 0.5)
    statuses = []
    for place in range(count):
        now = 300.0 + (place + 1) / count
        told.say(place, 2000.0 + dice.gauss(0.0, 1.0), now)
        found = told.tick(now)
        statuses.append(found.status)
        moved = place + 1
        if moved >= count // 2 + 1:
            assert abs(found.middle - 2000.0) < 20
            assert now - 300.0 <= within
        elif 2 * moved == count:
            assert found.status is DISPUTED
            assert found.middle + found.half_width >= 2000.0
            assert found.middle - found.half_width <= 0.0
    assert statuses[-1] in {OK, DEGRADED}
    for extra in range(1, 30):
        told.all([2000.0 + dice.gauss(0.0, 1.0) for _ in range(count)], 301.0 + extra)
        found = told.tick(301.0 + extra)
    assert found.status is OK


@pytest.mark.parametrize(
    ("noisy", "status", "is_left_out"), [(1.0, DEGRADED, False), (-90.0, DISPUTED, True)]
)
def test_who_is_noisy_is_asked_where_without_it_there_is_no_majority(
    learned, noisy, status, is_left_out
):
    learned.all([0.0, 0.5, 60.0, 60.5, noisy], 300.5)
    learned.members[4].noisy = True
    found = learned.panel.look(300.5)
    assert found.estimate.status is status
    assert (learned.members[4] in found.left_out) is is_left_out
    assert is_left_out or abs(found.estimate.middle) < 2
