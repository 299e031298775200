"""What a consumer's lanes have lost since it was last told."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..model.event import DataEvent, DataType, EventPriority, Lost


@attrs.define
class _Loss:
    count: int
    first: DataEvent
    last: DataEvent


@attrs.define(eq=False)
class Losses:
    """The news of losses, one for each lane; true where there is any."""

    _by_lane: dict[str, _Loss] = attrs.Factory(dict)

    def __bool__(self) -> bool:
        return bool(self._by_lane)

    def note(self, lane: str, events: Sequence[DataEvent]) -> None:
        """A lane has lost these."""
        loss = self._by_lane.get(lane)
        if loss is None:
            self._by_lane[lane] = _Loss(len(events), events[0], events[-1])
        else:
            loss.count += len(events)
            loss.last = events[-1]

    def tell(self) -> DataEvent:
        """The oldest news as an event; it is told once."""
        lane = next(iter(self._by_lane))
        loss = self._by_lane.pop(lane)
        return DataEvent(
            DataType.LOST,
            EventPriority.HIGH,
            Lost(lane, loss.count, loss.first.name, loss.last.name),
            "lanes",
            loss.last.received_at,
            sequence=loss.last.sequence,
        )

    def clear(self) -> None:
        """There is nobody to be told."""
        self._by_lane.clear()
