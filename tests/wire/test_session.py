"""What every session does: decode, count, hand out, remember."""

from __future__ import annotations

import msgspec
import pytest

from trio_mev.errors import MalformedFrame, SubscriptionRejected
from trio_mev.model.event import DataType, EventPriority
from trio_mev.wire.session import PENDING, Session, decode

NUMBER = msgspec.json.Decoder(int)
ANYTHING = msgspec.json.Decoder()


class Echo(Session):
    """Asks for everything; every frame of digits is an event for each digit."""

    def opening(self) -> list[str]:
        self.subscriptions["all"] = PENDING
        self._outbox.append("subscribe")
        return self.outgoing()

    def decode_frame(self, frame: bytes):
        number = str(decode(NUMBER, frame))
        return [
            self.event(DataType.FINDING, EventPriority.LOW, int(digit), 7, "all")
            for digit in number
        ]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "not_json"),
        (b"12,", "not_json"),
        (b"NaN", "not_json"),
        (b'"a"', "wrong_shape"),
        (b"1e999", "wrong_shape"),
        (b"\xff", "not_utf8"),
    ],
)
def test_a_frame_that_cannot_be_decoded_has_its_reason(frame, reason):
    with pytest.raises(MalformedFrame) as caught:
        decode(NUMBER, frame)
    assert caught.value.reason == reason


def test_deep_nesting_is_refused_and_not_an_error_of_recursion():
    with pytest.raises(MalformedFrame) as caught:
        decode(ANYTHING, b"[" * 100_000 + b"]" * 100_000)
    assert caught.value.reason == "too_deep"


def test_text_that_is_not_utf8_has_its_reason_wherever_it_is():
    with pytest.raises(MalformedFrame) as caught:
        decode(ANYTHING, b'{"a": ["\xc3("]}')
    assert caught.value.reason == "not_utf8"


def test_every_event_knows_its_frame_and_its_place_in_it():
    session = Echo("feed")
    session.receive(b"99", 1.0, 3)
    first, second = session.receive(b"42", 2.5, 4)
    assert (first.data, first.sequence, first.ordinal) == (4, 4, 0)
    assert (second.data, second.sequence, second.ordinal) == (2, 4, 1)
    assert (first.received_at, first.occurred_at, first.source) == (2.5, 7, "feed")
    assert first.size == 130
    assert first.metadata == {"connection_id": "feed", "subscription_id": "all"}


def test_what_cannot_be_decoded_is_counted_and_the_next_frame_is_read():
    session = Echo("feed")
    assert session.receive(b"?", 1.0, 1) == []
    assert session.receive(b"[]", 1.0, 2) == []
    assert [e.data for e in session.receive(b"5", 1.0, 3)] == [5]
    assert session.refused == {"not_json": 1, "wrong_shape": 1}


def test_a_frame_to_be_sent_is_handed_out_once():
    session = Echo("feed")
    assert session.opening() == ["subscribe"]
    assert session.outgoing() == []


def test_a_session_is_confirmed_when_no_subscription_is_pending():
    session = Echo("feed")
    assert session.confirmed
    session.opening()
    assert not session.confirmed
    session.confirm("all", "0x7")
    assert session.confirmed
    assert session.subscriptions == {"all": "0x7"}
    (event,) = session.receive(b"1", 0.0, 1)
    assert event.metadata["subscription_id"] == "0x7"


def test_what_arrives_confirms_the_subscription_that_it_comes_from():
    session = Echo("feed")
    session.opening()
    session.receive(b"1", 0.0, 1)
    assert session.confirmed


def test_a_session_that_waits_for_nothing_has_nothing_due():
    session = Echo("feed")
    session.sent(b"anything")
    assert (session.next_due(), session.expire(1e9), session.finish()) == (None, [], [])
    assert (session.refused, session.ignored) == ({}, {})


class Refused(Echo):
    def decode_frame(self, frame: bytes):
        if frame == b"no":
            raise SubscriptionRejected("no")
        return super().decode_frame(frame)


def test_frames_that_came_together_are_read_in_order_each_with_its_own_number():
    session = Echo("feed")
    events = []
    session.receive_batch([b"12", b"x", b"3", b"45"], 2.0, 7, events)
    assert [(e.data, e.sequence, e.ordinal, e.size) for e in events] == [
        (1, 7, 0, 130), (2, 7, 1, 130), (3, 9, 0, 129), (4, 10, 0, 130), (5, 10, 1, 130),
    ]  # fmt: skip
    assert {e.received_at for e in events} == {2.0}
    assert session.refused == {"not_json": 1}


def test_what_comes_before_a_refusal_counts_and_what_is_behind_it_is_counted():
    session = Refused("feed")
    events = []
    with pytest.raises(SubscriptionRejected):
        session.receive_batch([b"12", b"no", b"3", b"4"], 0.0, 1, events)
    assert [event.data for event in events] == [1, 2]
    assert session.refused == {"life_ended": 2}
    with pytest.raises(SubscriptionRejected):
        session.receive_batch([b"no"], 0.0, 1, events)
    assert session.refused == {"life_ended": 2}
