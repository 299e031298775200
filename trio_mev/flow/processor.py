"""The plug-in interface: an event in, findings out."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from ..errors import ConfigError
from ..model.event import DataEvent, DataType
from ..model.health import HealthIssue
from ..model.opportunity import Score
from ..model.settings import LaneSettings
from .rpc import Rpc


class DataProcessor(abc.ABC):
    """Consumes some types of events and emits events of later stages.

    A subclass says what it consumes, and what it emits where that is not ``FINDING``. An
    instance has its own lanes and deadlines and is the only one to write its own state; the
    machinery counts and times it. It comes from a factory without arguments (the class itself,
    where it needs none), which makes it anew after repeated failures.
    """

    consumes: ClassVar[frozenset[DataType]]
    emits: ClassVar[frozenset[DataType]] = frozenset({DataType.FINDING})
    lanes: ClassVar[LaneSettings | None] = None
    """Bounds and policies of its lanes, where they are not the stream's."""
    budget: float | None = None
    """Seconds for which one event may occupy it, where they are not the stream's."""
    rpc: Rpc | None = None
    """Calls to a node, set by the stream where one of its feeds is a node, or a tape that has
    calls; None elsewhere."""

    @abc.abstractmethod
    async def process_event(self, event: DataEvent) -> Iterable[DataEvent] | None:
        """What follows from the event, made by ``event.finding(...)``; or nothing.

        May await, within the budget; nothing awaits in the middle of a change of
        state, since a deadline may cancel it there. Those that never wait share one task.
        """

    async def attend(self) -> None:
        """What the processor does besides its events, for as long as the stream has feeds.

        Such as reading from a node what no event tells. It is cancelled when the feeds have
        ended, and when the instance is replaced; it changes state between awaits only, as
        ``process_event`` does, and what it finds goes out with a later event. A failure of it
        is one of the processor.
        """

    def health(self, now: float) -> Iterable[HealthIssue]:
        """What is wrong by the processor's own lights, right now; asked every now and then.

        Args:
            now: seconds of the stream's clock.
        """
        return ()

    def scores(self) -> tuple[Score, ...]:
        """How predictions have fared, where the processor keeps score."""
        return ()

    def admits(self, event: DataEvent) -> bool:
        """Whether the event is of interest; one that is not counts as filtered."""
        return True


Factory = Callable[[], DataProcessor]
Handler = Callable[[DataEvent], Any]


def check_stages(processor: DataProcessor) -> None:
    """Refuse a processor that could feed itself, alone or through others.

    Raises:
        ConfigError: it consumes nothing, or emits a stage that is not later than what it
            consumes.
    """
    name = type(processor).__name__
    consumes: frozenset[DataType] = getattr(processor, "consumes", frozenset())
    if not consumes:
        raise ConfigError(f"{name} consumes nothing: set its consumes to some DataTypes")
    latest = max(t.stage for t in consumes)
    for kind in processor.emits:
        if kind.stage <= latest:
            raise ConfigError(
                f"{name} consumes the stage {latest.name} and emits {kind.value}, which is of "
                f"stage {kind.stage.name}: emit only later stages"
            )
