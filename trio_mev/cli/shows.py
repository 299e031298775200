"""What a run shows: lines of JSON for programs, a live view for people."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import trio
from rich.live import Live

from ..feeds.record import Recorder, TapeStats
from ..flow.subscription import Subscription
from ..model.event import FINDINGS, DataType
from ..sinks.console import JsonLines
from ..sinks.output import Output
from ..sinks.storing import StreamStore
from ..stream import RealtimeDataStream, StreamStats
from .logs import log_to
from .reporting import Reporting
from .summary import print_summary, summary_line
from .view import WATCHED, View, console

REFRESH = 0.25


@attrs.frozen
class Options:
    """What the user asked for."""

    seconds: float | None = None
    json: bool = False
    """Lines of JSON; they come also where standard output is no terminal."""
    events: frozenset[DataType] = frozenset()
    title: str = "trio_mev"
    footer: Sequence[str] = ()
    progress: Callable[[], float] | None = None
    """The share that is done, of work whose length is known."""
    tape: Recorder | None = None
    """What is recorded meanwhile."""
    store: StreamStore | None = None
    """Where all of it is stored."""
    report: Reporting | None = None
    """The page that tells of it in the end."""


def tape_stats(options: Options) -> TapeStats | None:
    """How the recording fared, if there is one."""
    return None if options.tape is None else options.tape.stats()


class Show(Protocol):
    """One of them."""

    @property
    def error(self) -> OSError | None:
        """Why standard output took no more; EPIPE where its reader has gone away."""

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Subscribe before the first event."""

    async def refresh(self, stream: RealtimeDataStream) -> None:
        """Runs beside the stream, until cancelled."""

    def hurry(self) -> None:
        """The run ends: whoever reads slowly is waited for no longer than the lanes are."""

    async def end(self, stats: StreamStats, seconds: float) -> None:
        """The last words."""


class Lines:
    """Findings, and events that were asked for, as lines of JSON on standard output."""

    def __init__(self, options: Options, epoch: int) -> None:
        self._options = options
        self._json = JsonLines(sys.stdout, epoch)
        self._hurried = trio.Event()
        log_to()

    @property
    def error(self) -> OSError | None:
        """Why standard output took no more."""
        return self._json.error

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Subscribe before the first event."""

        async def sink(events: Subscription) -> None:
            async with trio.open_nursery() as nursery:
                limit = stream.config.drain_timeout
                nursery.start_soon(self._give_up, nursery.cancel_scope, limit)
                await self._json.run(events)
                nursery.cancel_scope.cancel()
            if self._json.closed:  # nobody reads any more
                stream.leave()

        stream.add_sink(sink, *FINDINGS, *self._options.events)

    async def _give_up(self, writing: trio.CancelScope, seconds: float) -> None:
        """In real seconds: a tape's clock stands still while something is being written."""
        await self._hurried.wait()
        await trio.to_thread.run_sync(
            threading.Event().wait,
            seconds,
            abandon_on_cancel=True,
            limiter=trio.CapacityLimiter(1),
        )
        writing.cancel()

    async def refresh(self, stream: RealtimeDataStream) -> None:
        """Nothing is drawn."""

    def hurry(self) -> None:
        """Bound the writing from now on."""
        self._hurried.set()

    async def end(self, stats: StreamStats, seconds: float) -> None:
        """The summary is the last line."""
        await self._json.write_last([summary_line(stats, seconds, tape_stats(self._options))])


class Paper(io.StringIO):
    """What the view is drawn on, before it goes to the terminal."""

    encoding = "utf-8"

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self.encoding = encoding

    def take(self) -> str:
        """What has been drawn since the last time."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


class Screen:
    """The live view in a terminal, and the summary after it."""

    def __init__(self, options: Options, view: View | None = None) -> None:
        self._view = view or View(options.title, options.footer, options.progress)
        self._options = options
        self._paper = Paper(sys.stdout.encoding)
        self._console = console(os.environ, self._paper)
        # Not of the default threads: a terminal that is not read holds up no tape's clock.
        self._output = Output(sys.stdout, trio.CapacityLimiter(1))
        log_to(self._view.note, "WARNING")

    @property
    def error(self) -> OSError | None:
        """Why the terminal took no more."""
        return self._output.error

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Subscribe before the first event."""

        async def sink(events: Subscription) -> None:
            while batch := await events.take(256):
                for event in batch:
                    self._view.take(event)

        stream.add_sink(sink, *WATCHED)

    async def refresh(self, stream: RealtimeDataStream) -> None:
        """Draw four times a second, until cancelled."""
        try:
            with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as live:
                await self._draw_on(live, stream)
        finally:
            with trio.CancelScope(shield=True):
                await self._output.write_within(self._paper.take())

    async def _draw_on(self, live: Live, stream: RealtimeDataStream) -> None:
        start = trio.current_time()

        def draw() -> None:
            now, height = trio.current_time(), self._console.height
            live.update(self._view.draw(stream.get_stats(), now, start, height))
            live.refresh()

        try:
            drawn = 0.0
            while not self._output.closed:
                # The stream's clock may be a tape's, and fast; people's is not.
                if time.monotonic() - drawn >= REFRESH:
                    drawn = time.monotonic()
                    draw()
                    await self._output.write(self._paper.take())
                await trio.sleep(REFRESH)
            stream.leave()
        finally:
            draw()

    def hurry(self) -> None:
        """Nothing waits for the terminal."""

    async def end(self, stats: StreamStats, seconds: float) -> None:
        """A few lines below the last view."""
        log_to()
        print_summary(self._console, stats, seconds, tape_stats(self._options))
        for line in self._view.footer:
            self._console.print(line, style="dim", markup=False, soft_wrap=True)
        await self._output.write_within(self._paper.take())
