"""Lanes that lose what they lost when a tape was recorded."""

from __future__ import annotations

from typing import Protocol

from ..model.event import DataEvent
from ..model.settings import LaneSettings
from .lane import Run
from .lanes import Lanes
from .outstanding import Outstanding

TIMED_OUT = "timed_out"
"""Why an event failed that ran over its deadline."""


class Decisions(Protocol):
    """What consumers lost when a tape was recorded."""

    def concerns(self, consumer: str) -> bool:
        """Whether anything is decided about a consumer now."""
        ...

    def take(self, consumer: str, event: DataEvent) -> tuple[str, str] | None:
        """By which lane and why a consumer lost this event; None where it did not."""
        ...


class DecidedLanes(Lanes):
    """Lanes of a consumer in a replay.

    Args:
        settings: as for ``Lanes``, like the next two.
        outstanding: where what is queued is counted.
        announce: whether the consumer wants to be told of losses.
        consumer: under whose name its losses were recorded.
        decisions: those of the tapes.
    """

    def __init__(
        self,
        settings: LaneSettings,
        outstanding: Outstanding,
        announce: bool,
        consumer: str,
        decisions: Decisions,
    ) -> None:
        super().__init__(settings, outstanding, announce)
        self._consumer = consumer
        self._decisions = decisions
        self._late: set[tuple[str, str]] = set()

    def put(self, event: DataEvent) -> None:
        """As ``Lanes.put``, for what was not lost."""
        lost = self._decisions.take(self._consumer, event)
        if lost is not None and lost[1] != TIMED_OUT:
            self._lose_again(event, *lost)
            return
        if lost is not None:
            self._late.add(_name(event))
        super().put(event)

    def put_run(self, run: Run) -> None:
        """As ``Lanes.put_run``, for what was not lost."""
        if self._decisions.concerns(self._consumer):
            self._put_each(run)
        else:
            super().put_run(run)

    def _lose_again(self, event: DataEvent, lane: str, reason: str) -> None:
        if self.hand:
            self.interrupt()
        self.books.received += 1
        known = {one.name: one for one in self._in_order}
        self._lose(known.get(lane, self._normal), reason, (event,))
        if reason == "desynchronised":
            self.desynchronised = True

    def was_late(self, event: DataEvent) -> bool:
        """Whether an event ran over its deadline; asked once of each."""
        if not self._late or (name := _name(event)) not in self._late:
            return False
        self._late.discard(name)
        return True


def _name(event: DataEvent) -> tuple[str, str]:
    return event.name, str(event.metadata.get("cause"))
