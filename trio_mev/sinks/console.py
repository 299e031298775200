"""Lines of JSON on a text stream, written in a thread: a reader that is slow holds up nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

import attrs
import trio

from ..flow.subscription import Subscription
from ..wire.lines import encode, line_of

BATCH = 256


@attrs.define(eq=False)
class JsonLines:
    """Writes the events of a subscription until it ends, or until nobody reads any more."""

    out: TextIO
    epoch: int | None = None
    """The wall clock's nanoseconds where the stream's clock is zero."""
    written: int = 0
    closed: bool = False
    """Whether the reader has gone away."""

    async def run(self, events: Subscription) -> None:
        """Write each event that has a line."""
        while batch := await events.take(BATCH):
            lines = [line for event in batch if (line := line_of(event, self.epoch)) is not None]
            await self.write(lines)
            if self.closed:
                return

    async def write(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write some lines, and flush."""
        text = "".join(encode(line) + "\n" for line in lines)
        if text and not self.closed:
            self.closed = not await trio.to_thread.run_sync(self._put, text)
            self.written += text.count("\n")

    def _put(self, text: str) -> bool:
        try:
            self.out.write(text)
            self.out.flush()
        except BrokenPipeError:
            return False
        return True
