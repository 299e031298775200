"""What consumers lost, on a tape and off it."""

from __future__ import annotations

import msgspec
import pytest

from trio_mev.errors import MalformedFrame
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.wire.decisions import Decided, encode_decision, event_key


def event(sequence: int, cause: str | None = None) -> DataEvent:
    metadata = {} if cause is None else {"cause": cause}
    return DataEvent(
        DataType.QUOTE,
        EventPriority.NORMAL,
        None,
        "feed",
        0.0,
        sequence=sequence,
        metadata=metadata,
    )


def test_an_event_is_known_by_its_place_and_by_its_cause():
    assert event_key(event(3)) == "quote:feed#3.0"
    assert event_key(event(3, "other#1.0")) == "quote:feed#3.0<other#1.0"
    other = msgspec.structs.replace(event(3), event_type=DataType.TRADE)
    assert event_key(other) == "trade:feed#3.0"


def test_what_was_decided_is_taken_once():
    decided = Decided()
    frame = encode_decision("A", "normal", "shed", [event_key(event(1)), event_key(event(2))])
    decided.read_ahead(frame)
    assert decided.concerns("A")
    assert not decided.concerns("B")
    assert decided.take("B", event_key(event(1))) is None
    assert decided.take("A", event_key(event(3))) is None
    assert decided.take("A", event_key(event(1))) == ("normal", "shed")
    assert decided.take("A", event_key(event(1))) is None
    assert decided.over(frame) == 1  # one did not come up
    assert decided.over(frame) == 0
    assert not decided.concerns("A")
    assert Decided().over(frame) == 0


@pytest.mark.parametrize("frame", [b"", b"{}", b'{"consumer":1}', b"[]"])
def test_a_record_that_is_no_decision_is_refused(frame: bytes):
    decided = Decided()
    with pytest.raises(MalformedFrame):
        decided.read_ahead(frame)
    with pytest.raises(MalformedFrame):
        decided.over(frame)
