"""Two connections of one feed at once."""

from __future__ import annotations

from decimal import Decimal

import attrs
import msgspec
import pytest

from trio_mev.model.chain import Life, PendingLife
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote
from trio_mev.wire import overlap as module
from trio_mev.wire.overlap import AT_ONCE, LATE, Overlap, Succession


@attrs.frozen
class Tick:
    number: int


def events(*numbers: int) -> list[DataEvent]:
    return [DataEvent(DataType.TRADE, EventPriority.NORMAL, Tick(n), "b", 0.0) for n in numbers]


def numbers(found: list[DataEvent]) -> list[int]:
    return [event.data.number for event in found]


def test_alone_everything_passes():
    overlap = Overlap()
    assert numbers(overlap.admit(events(1, 1), 0.0)) == [1, 1]


def test_together_each_thing_passes_once():
    overlap = Overlap()
    overlap.open()
    assert numbers(overlap.admit(events(1, 2), 1.0)) == [1, 2]
    assert numbers(overlap.admit(events(2, 3), 2.0)) == [3]
    assert overlap.repeated == 1
    overlap.settle(10.0)
    assert numbers(overlap.admit(events(3), 9.9)) == []
    assert numbers(overlap.admit(events(3), 10.0)) == [3]
    assert numbers(overlap.admit(events(3), 10.0)) == [3]


def test_what_a_node_may_tell_again_is_its_sessions_affair():
    overlap = Overlap()
    overlap.open()
    life = PendingLife("t", Life.ANNOUNCED)
    twice = [DataEvent(DataType.MEMPOOL, EventPriority.LOW, life, "n", 0.0)] * 2
    assert len(overlap.admit(twice, 1.0)) == 2


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    overlap = Overlap()
    overlap.open()
    overlap.admit(events(1, 2, 3), 1.0)
    assert numbers(overlap.admit(events(1, 3), 1.0)) == [1]


def quotes(bids: str, sequence: int | None = None) -> list[DataEvent]:
    """A digit is a quote of that bid."""
    venue, instrument = Venue("b"), Instrument("ETH", "USD")
    return [
        DataEvent(
            DataType.QUOTE,
            EventPriority.NORMAL,
            Quote(venue, instrument, Decimal(bid), Decimal(10), sequence=sequence),
            "b",
            0.0,
        )
        for bid in bids
    ]


def bids(found: list[DataEvent]) -> str:
    return "".join(str(event.data.bid) for event in found)


def test_what_is_the_same_at_another_time_is_no_repetition():
    """A 24-hour ticker bears no number: its price may be what it was two seconds ago."""
    overlap = Overlap()
    overlap.open()
    course = [at_time(quote, at) for at, quote in enumerate(quotes("121"))]
    assert bids(overlap.admit([*course, course[1]], 1.0)) == "121"
    assert overlap.repeated == 1


def at_time(event: DataEvent, at: int) -> DataEvent:
    return msgspec.structs.replace(event, occurred_at=at)


def test_what_was_known_before_is_no_news():
    overlap = Overlap()
    overlap.open([*quotes("1", sequence=7), *quotes("2")])
    assert overlap.admit(quotes("1", sequence=7), 0.0) == []
    overlap.settle(10.0)
    assert overlap.admit(quotes("2"), 0.0) == []
    assert len(overlap.admit(quotes("1", sequence=8), 0.0)) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("121", "", ""),  # a state that comes back is told each time
        ("121", "121", ""),
        ("121", "21", ""),
        ("121", "213", "3"),
        ("12", "21", "1"),  # the old one did not live to see the last
        ("123", "1234", "4"),
        ("1212", "2121", "121"),  # it may be the later 2: told twice rather than left out
        ("", "1221", "1221"),
        ("12", "345", "345"),
        ("12", "34512", "34512"),  # ahead of the old one: these are new
    ],
)
def test_states_without_number_or_time_are_compared_in_their_order(old, new, told):
    overlap = Overlap()
    overlap.open()
    assert bids(overlap.admit(quotes(old), 1.0)) == old
    overlap.settle(10.0)
    assert bids([e for q in quotes(new) for e in overlap.admit([q], 2.0)]) == told


def test_memory_of_states_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_STATES", 2)
    overlap = Overlap()
    overlap.open()
    overlap.admit(quotes("123"), 1.0)
    overlap.settle(10.0)
    assert bids(overlap.admit(quotes("3"), 2.0)) == ""
    assert bids(overlap.admit(quotes("12"), 2.0)) == "12"


def test_off_a_tape_a_life_that_takes_over_at_once_repeats_nothing():
    lives = Succession()
    lives.begin(0.0)
    assert numbers(lives.admit(events(1, 2), 1.0)) == [1, 2]
    lives.end(5.0)
    lives.begin(5.0 + AT_ONCE)
    assert numbers(lives.admit(events(1, 2, 3), 6.0)) == [3]
    lives.end(7.0)
    lives.begin(7.0)
    assert numbers(lives.admit(events(3, 4), 7.0)) == [4]
    assert numbers(lives.admit(events(3), 7.0 + LATE)) == [3]


def test_off_a_tape_a_life_behind_a_loss_tells_what_it_tells():
    lives = Succession()
    lives.begin(0.0)
    lives.admit(events(1), 1.0)
    lives.end(5.0)
    lives.begin(10.0)
    assert numbers(lives.admit(events(1), 10.0)) == [1]
