"""What a session tells of what it cannot use."""

from __future__ import annotations

from trio_mev.model.event import DataEvent, DataType


def faults(events: list[DataEvent]) -> list[str]:
    """The reasons of events that are all faults."""
    assert all(event.event_type is DataType.FAULT for event in events)
    return [event.data.reason for event in events]


def believed(events: list[DataEvent]) -> list[DataEvent]:
    """The events that are no faults."""
    return [event for event in events if event.event_type is not DataType.FAULT]
