"""What a stream needs to know of a feed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ..model.event import DataEvent
from .outstanding import Outstanding
from .status import FeedStatus

Emit = Callable[[Sequence[DataEvent]], None]
"""Takes events that came together, in their order; synchronous, never waits."""


class Feed(Protocol):
    """A supervised source of events."""

    @property
    def statuses(self) -> Sequence[FeedStatus]:
        """One for each source that it stands for; written by the feed alone."""
        ...

    async def run(self, emit: Emit, outstanding: Outstanding) -> None:
        """Feed the stream until cancelled, or until there is nothing more to come.

        Args:
            emit: takes the events; those of one read at once, since it costs less so.
            outstanding: what the stream has not finished; a tape waits for it.
        """
        ...
