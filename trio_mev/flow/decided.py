"""Lanes that lose what they lost when a tape was recorded."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from ..model.event import DataEvent
from ..model.settings import LaneSettings
from .journal import Made
from .lane import Run
from .lanes import Lanes
from .outstanding import Outstanding
from .rpc import Question
from .turns import Script, Turns

TIMED_OUT = "timed_out"
"""Why an event failed that ran over its deadline."""


class Decisions(Protocol):
    """What consumers lost when a tape was recorded."""

    def concerns(self, consumer: str) -> bool:
        """Whether anything is decided about a consumer now."""
        ...

    def take(self, consumer: str, event: str) -> tuple[str, str] | None:
        """By which lane and why a consumer lost the event of this name; None where it did not."""
        ...

    def script(self, consumer: str) -> Script | None:
        """In which order a consumer took what came to it; None where no tape says that."""
        ...


class DecidedLanes(Lanes):
    """Lanes of a consumer in a replay.

    Args:
        settings: as for ``Lanes``, like the next two.
        outstanding: where what is queued is counted.
        announce: whether the consumer wants to be told of losses.
        consumer: under whose name its losses were recorded.
        decisions: those of the tapes.
        names: of what processors have made.
    """

    def __init__(
        self,
        settings: LaneSettings,
        outstanding: Outstanding,
        announce: bool,
        consumer: str,
        decisions: Decisions,
        names: Made,
    ) -> None:
        super().__init__(settings, outstanding, announce)
        self._consumer = consumer
        self._decisions = decisions
        self._names = names
        self._late: set[str] = set()
        self._turns: Turns | None = None

    def put(self, event: DataEvent) -> None:
        """As ``Lanes.put``, for what was not lost."""
        lost = None
        if self._decisions.concerns(self._consumer):
            lost = self._decisions.take(self._consumer, self._names.name(event))
        if lost is not None and lost[1] != TIMED_OUT:
            self._lose_again(event, *lost)
            return
        if lost is not None:
            self._late.add(self._names.name(event))
        turns = self._in_turn()
        if turns is None:
            super().put(event)
        else:
            turns.offer(self._names.name(event), partial(self._admit, event))

    def _in_turn(self) -> Turns | None:
        if self._turns is None:
            script = self._decisions.script(self._consumer)
            if script is not None:
                self._turns = Turns(script, self._outstanding)
        return self._turns

    def _admit(self, event: DataEvent) -> None:
        """It is its turn."""
        super().put(event)
        self._look()

    def _look(self) -> None:
        if self._turns is not None and not self.queued:
            self._turns.finished()

    def close(self) -> None:
        """As ``Lanes.close``; what waits for its turn need not wait any longer."""
        if self._turns is not None:
            self._turns.release()
        super().close()

    def begins(self) -> None:
        """The consumer begins with the event in hand."""
        if self._turns is not None:
            self._turns.begun()

    def made(self, event: DataEvent) -> None:
        """As ``Lanes.made``."""
        if self._turns is not None and self._derived:
            self._names.note(event)

    def enter(self) -> None:
        """As ``Lanes.enter``; and the next one has its turn."""
        super().enter()
        self._look()

    def finish(self) -> DataEvent:
        """As ``Lanes.finish``; and the next one has its turn."""
        event = super().finish()
        self._look()
        return event

    @property
    def in_turn(self) -> bool:
        """Whether the tape says what is taken after what."""
        return self._in_turn() is not None

    async def answered(self, question: Question, besides: bool) -> None:
        """As ``Lanes.answered``, when it is its turn."""
        if besides and (turns := self._in_turn()) is not None:
            await turns.turn(question.name)

    async def step(self) -> None:
        """As ``Lanes.step``, when it is its turn."""
        self.steps += 1
        if (turns := self._in_turn()) is not None:
            await turns.turn(f"step:{self.steps}")

    def put_run(self, run: Run) -> None:
        """As ``Lanes.put_run``, for what was not lost."""
        if self._in_turn() is not None or self._decisions.concerns(self._consumer):
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
        if not self._late or (name := self._names.name(event)) not in self._late:
            return False
        self._late.discard(name)
        return True
