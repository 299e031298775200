"""Lines of JSON on a text stream, written in a thread: a reader that is slow holds up nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

import attrs

from ..flow.subscription import Subscription
from ..wire.lines import encode, line_of
from .output import Output

BATCH = 256


@attrs.define(eq=False)
class JsonLines:
    """Writes the events of a subscription until it ends, or until nobody reads any more."""

    out: TextIO | None
    """None is a stream that nobody reads."""
    epoch: int | None = None
    """The wall clock's nanoseconds where the stream's clock is zero."""
    written: int = 0
    _output: Output = attrs.field(
        init=False, default=attrs.Factory(lambda self: Output(self.out), takes_self=True)
    )

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._output.closed

    @property
    def error(self) -> OSError | None:
        """Why not; EPIPE where the reader has gone away."""
        return self._output.error

    async def run(self, events: Subscription) -> None:
        """Write each event that has a line."""
        while not self.closed and (batch := await events.take(BATCH)):
            lines = [line for event in batch if (line := line_of(event, self.epoch)) is not None]
            await self.write(lines)

    async def write(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write some lines; cancelled, it leaves that to itself, before what is written next."""
        if text := "".join(encode(line) + "\n" for line in lines):
            await self._output.write(text)
            self._count(text)

    async def write_last(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write some lines unless it takes too long."""
        text = "".join(encode(line) + "\n" for line in lines)
        await self._output.write_within(text)
        self._count(text)

    def _count(self, text: str) -> None:
        if not self.closed:
            self.written += text.count("\n")
