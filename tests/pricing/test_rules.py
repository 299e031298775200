"""The rules by name: Pyth's on its own vectors, Chainlink's, the median."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.market import PriceStatus
from trio_mev.model.settings import PriceSettings
from trio_mev.pricing.consensus import Vector
from trio_mev.pricing.rules import RULES, PythPrice, chainlink, pyth

OK, DEGRADED, DISPUTED = PriceStatus.OK, PriceStatus.DEGRADED, PriceStatus.DISPUTED
SLOTS = 25
"""After which a publisher is too old, which is decided before the rule."""


@pytest.mark.parametrize("number", range(1, 40))
def test_pyths_vectors(corpus, number):
    case = json.loads((corpus / "pyth" / f"{number}.json").read_text())
    expected = json.loads((corpus / "pyth" / f"{number}.result").read_text())
    quotes = [
        (quote["price"], quote["conf"])
        for quote in case["quotes"]
        if quote["status"] == 1 and quote.get("slot_diff", 0) >= -SLOTS
    ]
    found = pyth(quotes)
    status = "trading" if found.trading else "unknown"
    assert found == PythPrice(expected["price"], expected["conf"], status == "trading")
    assert status == expected["status"]


def test_where_pyth_fails_the_old_price_stays_and_is_not_trading():
    before = pyth([(100, 2), (102, 2)])
    assert before.trading
    kept = PythPrice(before.price, before.confidence, trading=False)
    assert pyth([], previous=before) == kept
    assert pyth([(200, 0), (200, -1)], previous=before) == kept
    assert pyth([(200, 1)], min_publishers=2, previous=before) == kept


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(1, 10**12)), min_size=1))
def test_pyths_price_is_among_the_votes_and_never_without_a_confidence(quotes):
    found = pyth(quotes)
    assert found.confidence > 0
    assert min(p - c for p, c in quotes) <= found.price <= max(p + c for p, c in quotes)


def test_chainlinks_answer_is_the_middle_one_and_of_two_the_upper():
    assert chainlink([3.0, 1.0, 2.0], 0, -10, 10) == 2.0
    assert chainlink([4.0, 1.0, 2.0, 3.0], 0, -10, 10) == 3.0


def test_chainlink_has_no_answer_from_as_few_as_may_be_faulty_or_out_of_its_bounds():
    assert chainlink([1.0, 2.0], 2, -10, 10) is None
    assert chainlink([1.0, 2.0, 3.0], 2, -10, 10) == 2.0
    assert chainlink([11.0], 0, -10, 10) is None
    assert chainlink([-11.0], 0, -10, 10) is None
    assert chainlink([10.0], 0, -10, 10) == 10.0


def seen(*values: float) -> Vector:
    count = len(values)
    return Vector(values, [1.0] * count, [1.0] * count, [False] * count)


def test_every_rule_of_the_settings_is_there():
    for rule in RULES:
        assert PriceSettings(rule=rule).rule == rule
    assert set(RULES) == {"calibrated", "pyth", "chainlink", "median"}


@pytest.mark.parametrize(
    ("rule", "middle"), [("pyth", 11.0), ("chainlink", 12.0), ("median", 11.0)]
)
def test_a_borrowed_rule_counts_every_source_and_names_those_that_deviate(rule, middle):
    found = RULES[rule](seen(9, 10, 12, 40), 1.0, 20.0)
    assert found.middle == pytest.approx(middle, abs=1e-6)
    assert (found.status, found.kept, found.whole) == (DEGRADED, (True, True, True, False), True)
    assert found.half_width > 0


@pytest.mark.parametrize("rule", ["pyth", "chainlink", "median"])
@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((0,), DEGRADED),
        ((0, 5), DEGRADED),
        ((0, 11), DISPUTED),
        ((0, 5, 10), OK),
        ((0, 5, 16), DISPUTED),
        ((0, 1, 2, 3), OK),
        ((0, 0, 30, 30), DISPUTED),
        ((0, 0, 0, 0, 30), DEGRADED),
    ],
)
def test_a_borrowed_rule_is_never_ok_with_one_source_or_two(rule, values, status):
    found = RULES[rule](seen(*values), 1.0, 10.0)
    assert found.status is status
    assert found.half_width > 0


@pytest.mark.parametrize("rule", ["calibrated", "pyth", "chainlink", "median"])
def test_one_source_alone_has_its_own_error(rule):
    assert RULES[rule](seen(7), 1.0, 10.0).half_width == pytest.approx(1.96)


def test_a_borrowed_rule_may_have_no_price():
    assert RULES["chainlink"](seen(7e5), 1.0, 10.0) is None
    no_error = Vector([7.0], [0.0], [1.0], [False])
    assert RULES["pyth"](no_error, 1.0, 10.0) is None
