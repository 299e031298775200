"""Events: their stages, priorities, ages and descendants."""

from __future__ import annotations

import pytest

from trio_mev.model.event import FINDINGS, DataEvent, DataType, EventPriority, Stage


def test_every_type_of_event_has_its_stage():
    stages = {kind.value: kind.stage for kind in DataType}
    assert stages == {
        "block": Stage.RAW,
        "transaction": Stage.RAW,
        "log": Stage.RAW,
        "mempool": Stage.RAW,
        "quote": Stage.RAW,
        "trade": Stage.RAW,
        "fault": Stage.RAW,
        "gap": Stage.RAW,
        "reorg": Stage.RAW,
        "lost": Stage.RAW,
        "health": Stage.STATE,
        "block_summary": Stage.STATE,
        "mempool_view": Stage.STATE,
        "pools": Stage.STATE,
        "lending": Stage.STATE,
        "price": Stage.PRICE,
        "arbitrage": Stage.FINDING,
        "liquidation": Stage.FINDING,
        "alert": Stage.FINDING,
        "finding": Stage.FINDING,
        "landed": Stage.PRICE,
        "effect": Stage.STATE,
        "verdict": Stage.VERDICT,
        "mempool_snapshot": Stage.SUMMARY,
    }


def test_findings_are_the_types_of_findings_and_of_verdicts():
    names = {kind.value for kind in FINDINGS}
    assert names == {"arbitrage", "liquidation", "alert", "finding", "verdict"}


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        (1, EventPriority.HIGH),
        (2, EventPriority.NORMAL),
        (3, EventPriority.LOW),
        ("high", EventPriority.HIGH),
        ("Low", EventPriority.LOW),
        (4, EventPriority.NORMAL),
        ("urgent", EventPriority.NORMAL),
        (None, EventPriority.NORMAL),
        ([], EventPriority.NORMAL),
    ],
)
def test_an_unknown_priority_is_normal(value, priority):
    assert EventPriority.of(value) is priority


def test_age_is_counted_from_the_arrival():
    event = DataEvent(DataType.QUOTE, EventPriority.NORMAL, {}, "binance", received_at=10.0)
    assert event.age(10.25) == 0.25
    assert event.age_ms(10.25) == 250.0


def test_an_event_never_changes():
    event = DataEvent(DataType.QUOTE, EventPriority.NORMAL, {}, "binance", 10.0)
    with pytest.raises(AttributeError):
        event.priority = EventPriority.HIGH
    with pytest.raises(TypeError):
        event.metadata["cause"] = "me"


def test_a_finding_keeps_the_times_of_its_cause_and_names_it():
    cause = DataEvent(
        DataType.QUOTE, EventPriority.LOW, {}, "binance", 10.0, 5, sequence=7, ordinal=2
    )
    found = cause.finding("data")
    assert found == DataEvent(
        DataType.FINDING,
        EventPriority.HIGH,
        "data",
        "",
        10.0,
        5,
        sequence=7,
        ordinal=0,
        metadata={"cause": "binance#7.2"},
    )
    alert = cause.finding("data", DataType.ALERT, EventPriority.NORMAL)
    assert (alert.event_type, alert.priority) == (DataType.ALERT, EventPriority.NORMAL)
