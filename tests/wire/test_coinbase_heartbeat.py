"""Coinbase's heartbeats name the last trade: what did not come is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.event import DataEvent, DataType
from trio_mev.model.identity import Instrument
from trio_mev.model.market import MarketFault
from trio_mev.wire.coinbase import CoinbaseAdapter

ETH = Instrument("ETH", "USD")
TIME = "2023-03-04T03:37:20.799258Z"


def adapter(*channels: str) -> CoinbaseAdapter:
    session = CoinbaseAdapter("cb", [ETH], channels or ("matches", "heartbeat"))
    session.opening()
    return session


def heartbeat(trade: int, sequence: int = 90, product: str = "ETH-USD") -> bytes:
    return json.dumps({
        "type": "heartbeat", "sequence": sequence, "last_trade_id": trade, "product_id": product,
        "time": TIME,
    }).encode()  # fmt: skip


def match(trade: int, kind: str = "match", product: str = "ETH-USD") -> bytes:
    return json.dumps({
        "type": kind, "trade_id": trade, "side": "sell", "size": "1", "price": "2000",
        "product_id": product, "sequence": trade, "time": TIME,
    }).encode()  # fmt: skip


def receive(session: CoinbaseAdapter, *frames: bytes) -> list[DataEvent]:
    return [event for frame in frames for event in session.receive(frame, 1.0, 1)]


def faults(events: list[DataEvent]) -> list[tuple[str, int]]:
    return [(e.data.reason, e.data.count) for e in events if e.event_type is DataType.FAULT]


def test_a_trade_that_has_not_come_by_the_next_heartbeat_is_missing():
    session = adapter()
    assert faults(receive(session, match(20), heartbeat(23))) == []
    (event,) = receive(session, heartbeat(23))
    assert event.data == MarketFault("coinbase", ETH, "missed", 3)
    assert session.ignored["missed"] == 3
    assert faults(receive(session, heartbeat(23), match(24))) == []  # each is told once


def test_a_trade_that_comes_behind_the_heartbeat_that_names_it_is_not_missing():
    session = adapter()
    events = receive(session, match(20), heartbeat(21), match(21), heartbeat(21), match(22))
    assert faults(events) == []
    assert [e.data.trade_id for e in events] == [20, 21, 22]


def test_what_a_match_has_told_already_the_heartbeat_does_not_tell_again():
    session = adapter()
    events = receive(session, match(20), heartbeat(24), match(25), heartbeat(25), heartbeat(25))
    assert faults(events) == [("missed", 4)]


def test_the_first_trade_is_counted_from_the_last_before_the_subscription():
    session = adapter()
    events = receive(session, match(20, "last_match"), heartbeat(22), heartbeat(22))
    assert faults(events) == [("missed", 2)]
    assert faults(receive(adapter(), match(20, "last_match"), match(22))) == [("missed", 1)]


def test_a_last_match_behind_a_match_changes_nothing():
    session = adapter()
    receive(session, match(25), match(20, "last_match"))
    assert faults(receive(session, match(26))) == []
    assert not session.refused


def test_without_a_trade_before_there_is_nothing_to_count_from():
    session = adapter()
    assert faults(receive(session, heartbeat(22), heartbeat(22), heartbeat(22))) == []
    assert faults(receive(session, match(24))) == [("missed", 1)]  # of what was named since


def test_no_trade_named_says_nothing():
    session = adapter()
    assert faults(receive(session, match(20), heartbeat(0), heartbeat(0), match(21))) == []


def test_who_wants_no_matches_misses_none():
    session = adapter("ticker", "heartbeat")
    assert receive(session, heartbeat(20), heartbeat(30), heartbeat(40)) == []
    assert not session.refused


def test_a_sequence_may_stay_and_rise_and_not_fall():
    session = adapter()
    assert receive(session, heartbeat(1, 90), heartbeat(1, 90), heartbeat(1, 95)) == []
    assert faults(receive(session, heartbeat(1, 94))) == [("time_backwards", 1)]
    assert session.refused == {"time_backwards": 1}


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_trade_of_an_impossible_number_is_refused(number):
    session = adapter()
    assert faults(receive(session, heartbeat(number))) == [("bad_number", 1)]
    assert faults(receive(session, heartbeat(1, number))) == [("bad_number", 1)]


def test_a_product_that_is_not_ours_is_no_fault():
    session = adapter()
    foreign = heartbeat(5, product="X-Y"), match(5, "last_match", product="X-Y")
    assert receive(session, *foreign) == []
    assert not session.refused
    assert session.ignored == {"heartbeat": 1, "last_match": 1}


@given(st.lists(st.tuples(st.sampled_from("mhl"), st.integers(0, 12)), max_size=30))
def test_no_trade_is_both_delivered_and_missing(course):
    """Whatever comes in whatever order: told and missing together are never more than there are
    numbers."""
    session = adapter()
    make = {"m": match, "h": heartbeat, "l": lambda n: match(n, "last_match")}
    delivered: set[int] = set()
    missing = 0
    for kind, number in course:
        for event in session.receive(make[kind](number), 1.0, 1):
            if event.event_type is DataType.TRADE:
                delivered.add(event.data.trade_id)
            elif event.data.reason == "missed":
                missing += event.data.count
    if not session.ignored["new_count"]:
        assert len(delivered) + missing <= 13
