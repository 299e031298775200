"""Two connections of one feed at once."""

from __future__ import annotations

from decimal import Decimal

import attrs
import msgspec

from trio_mev.model.chain import Life, PendingLife
from trio_mev.model.event import DataEvent, DataType, EventPriority
from trio_mev.model.identity import Instrument, Venue
from trio_mev.model.market import Quote
from trio_mev.wire import overlap as module
from trio_mev.wire.overlap import Overlap


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
    overlap.open(10.0)
    assert numbers(overlap.admit(events(1, 2), 1.0)) == [1, 2]
    assert numbers(overlap.admit(events(2, 3), 2.0)) == [3]
    assert overlap.repeated == 1
    assert numbers(overlap.admit(events(3), 10.0)) == [3]


def test_what_a_node_may_tell_again_is_its_sessions_affair():
    overlap = Overlap()
    overlap.open(10.0)
    life = PendingLife("t", Life.ANNOUNCED)
    twice = [DataEvent(DataType.MEMPOOL, EventPriority.LOW, life, "n", 0.0)] * 2
    assert len(overlap.admit(twice, 1.0)) == 2


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    overlap = Overlap()
    overlap.open(10.0)
    overlap.admit(events(1, 2, 3), 1.0)
    assert numbers(overlap.admit(events(1, 3), 1.0)) == [1]


def test_what_is_the_same_at_another_time_is_no_repetition():
    """A 24-hour ticker bears no number: its price may be what it was two seconds ago."""
    overlap = Overlap()
    overlap.open(10.0)
    course = [
        DataEvent(DataType.QUOTE, EventPriority.NORMAL, Tick(bid), "b", 0.0, occurred_at=at)
        for at, bid in enumerate((10, 20, 10))
    ]
    assert numbers(overlap.admit([*course, course[1]], 1.0)) == [10, 20, 10]
    assert overlap.repeated == 1


def test_quotes_with_neither_a_time_nor_a_number_all_pass():
    overlap = Overlap()
    overlap.open(10.0)
    quote = Quote(Venue("v"), Instrument("ETH", "USD"), Decimal(1), Decimal(2))
    bare = DataEvent(DataType.QUOTE, EventPriority.NORMAL, quote, "b", 0.0)
    assert overlap.admit([bare, bare], 1.0) == [bare, bare]
    numbered = msgspec.structs.replace(bare, data=msgspec.structs.replace(quote, sequence=1))
    assert overlap.admit([numbered, numbered], 2.0) == [numbered]
