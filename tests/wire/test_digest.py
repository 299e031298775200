"""The digest: one number for a set of findings."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.opportunity import (
    Grounds,
    Kind,
    Opportunity,
    Outcome,
    Path,
    Status,
    Verdict,
)
from trio_mev.wire.digest import Digest


def finding(value: object, **fields) -> DataEvent:
    return DataEvent(
        DataType.FINDING, EventPriority.HIGH, {"value": value}, "Whales", 1.0, **fields
    )


def digest_of(*events: DataEvent) -> str:
    digest = Digest()
    for event in events:
        digest.add(event)
    assert digest.count == len(events)
    return digest.hex()


def test_the_digest_of_nothing_is_zero():
    assert digest_of() == "0" * 64


@given(st.lists(st.integers(), max_size=8), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(values, random):
    events = [finding(value) for value in values]
    shuffled = random.sample(events, len(events))
    assert digest_of(*events) == digest_of(*shuffled)


def test_a_finding_that_comes_twice_changes_it():
    assert digest_of(finding(1), finding(1)) not in (digest_of(finding(1)), digest_of())


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"value": 2}},
        {"source": "Others"},
        {"sequence": 1},
        {"ordinal": 1},
        {"occurred_at": 1},
        {"priority": EventPriority.LOW},
        {"event_type": DataType.ALERT},
        {"metadata": {"cause": "x"}},
    ],
    ids=str,
)
def test_whatever_is_said_of_a_finding_changes_it(change):
    event = finding(1)
    assert digest_of(msgspec.structs.replace(event, **change)) != digest_of(event)


@pytest.mark.parametrize("change", [{"received_at": 9.0}, {"size": 9}], ids=str)
def test_the_arrival_does_not(change):
    event = finding(1)
    assert digest_of(msgspec.structs.replace(event, **change)) == digest_of(event)


def test_integers_beyond_64_bits_count_exactly():
    assert digest_of(finding(2**200)) != digest_of(finding(2**200 + 1))


def test_what_json_does_not_know_counts_by_its_repr():
    assert digest_of(finding(1 + 2j)) == digest_of(finding(complex(1, 2)))
    assert digest_of(finding(1 + 2j)) != digest_of(finding(1 + 3j))


def test_how_long_before_its_block_something_was_predicted_does_not_matter():
    def verdict(lead: float | None, by: str = "0x1") -> DataEvent:
        outcome = Outcome(Verdict.TAKEN, by, lead=lead)
        one = Opportunity(
            Kind.ARBITRAGE,
            "a",
            "d",
            Status.LANDED,
            Grounds.ARITHMETIC,
            Path(()),
            outcome=outcome,
        )
        return DataEvent(DataType.VERDICT, EventPriority.NORMAL, one, "Ledger", 1.0)

    assert digest_of(verdict(1.0)) == digest_of(verdict(2.0)) == digest_of(verdict(None))
    assert digest_of(verdict(1.0)) != digest_of(verdict(1.0, "0x2"))
