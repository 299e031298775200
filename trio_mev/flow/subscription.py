"""Subscriptions: events by type, for the code that embeds the stream."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from ..model.event import DataEvent
from .lanes import Lanes
from .outstanding import Outstanding


@attrs.define(eq=False)
class Subscription:
    """Events by type, for the code that embeds the stream: ``async for event in subscription``.

    Bounded like every consumer; ends when the stream has ended. Leaving its ``async with``
    counts what was not taken as lost. A tape waits for it from the first event that is taken:
    one that nobody reads holds up nothing, and sheds what is old.
    """

    lanes: Lanes
    """Whose books say what was taken and what was lost."""
    outstanding: Outstanding
    """The stream's."""
    on_close: Callable[[Subscription], None] | None = None

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> DataEvent:
        for event in await self.take(1):
            return event
        raise StopAsyncIteration

    async def take(self, limit: int) -> list[DataEvent]:
        """At least one event and at most ``limit``, once there is one; none at the end.

        Raises:
            ValueError: the limit is below one.
        """
        if limit < 1:
            raise ValueError(f"a limit of {limit}; at least one event is taken")
        await trio.lowlevel.checkpoint()
        self.lanes.attach(self.outstanding)
        while not (events := self.lanes.take(limit)):
            if self.lanes.closed:
                return []
            await self.lanes.wait()
        return events

    def lose(self, reason: str, count: int) -> None:
        """Of what was taken, so many came to nothing: they are lost, and not processed."""
        self.lanes.books.processed -= count
        self.lanes.books.lose("taken", reason, count)

    def close(self) -> None:
        """Take no more; what waits is counted as lost."""
        self.lanes.abandon("unsubscribed")
        if self.on_close is not None:
            self.on_close(self)
            self.on_close = None

    async def __aenter__(self) -> Subscription:
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await trio.lowlevel.cancel_shielded_checkpoint()
