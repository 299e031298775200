"""One run of a stream: what is shown meanwhile, and how it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import attrs
import trio
from rich.live import Live

from ..errors import SubscriptionRejected
from ..flow.feed import Feed
from ..flow.processor import Factory
from ..flow.status import FeedState
from ..flow.subscription import Subscription
from ..model.event import FINDINGS, DataType
from ..model.settings import StreamConfig
from ..sinks.console import JsonLines
from ..stream import RealtimeDataStream, StreamStats, open_stream
from .logs import log_to
from .signals import stop_on_signals
from .summary import print_summary, summary_line
from .view import WATCHED, View, console

REFRESH = 0.25
EVENT_KINDS = {
    "quote": DataType.QUOTE,
    "trade": DataType.TRADE,
    "transaction": DataType.TRANSACTION,
    "log": DataType.LOG,
    "block": DataType.BLOCK,
    "price": DataType.PRICE,
}
"""What ``--events`` may add to the findings."""


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


Beside = Callable[[RealtimeDataStream], Awaitable[None]]
"""Runs beside the stream, such as what starts the demo's servers."""


class Lines:
    """Findings, and events that were asked for, as lines of JSON on standard output."""

    def __init__(self, options: Options, epoch: int) -> None:
        self._options = options
        self._json = JsonLines(sys.stdout, epoch)
        log_to()

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Subscribe before the first event."""

        async def sink(events: Subscription) -> None:
            await self._json.run(events)
            if self._json.closed:  # nobody reads any more
                stream.leave()

        stream.add_sink(sink, *FINDINGS, *self._options.events)

    async def refresh(self, stream: RealtimeDataStream) -> None:
        """Nothing is drawn."""

    async def end(self, stats: StreamStats, seconds: float) -> None:
        """The summary is the last line."""
        await self._json.write([summary_line(stats, seconds)])
        if self._json.closed:
            # The interpreter flushes standard output once more; let that go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Screen:
    """The live view in a terminal, and the summary after it."""

    def __init__(self, options: Options) -> None:
        self._view = View(options.title, options.footer, options.progress)
        self._console = console(os.environ)
        log_to(self._view.note, "WARNING")

    def prepare(self, stream: RealtimeDataStream) -> None:
        """Subscribe before the first event."""

        async def sink(events: Subscription) -> None:
            while batch := await events.take(256):
                for event in batch:
                    self._view.take(event)

        stream.add_sink(sink, *WATCHED)

    async def refresh(self, stream: RealtimeDataStream) -> None:
        """Draw four times a second, until cancelled."""
        start = trio.current_time()

        def draw() -> None:
            now, height = trio.current_time(), self._console.height
            live.update(self._view.draw(stream.get_stats(), now, start, height))
            live.refresh()

        with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as live:
            try:
                drawn = 0.0
                while True:
                    # The stream's clock may be a tape's, and fast; people's is not.
                    if time.monotonic() - drawn >= REFRESH:
                        drawn = time.monotonic()
                        draw()
                    await trio.sleep(REFRESH)
            finally:
                draw()

    async def end(self, stats: StreamStats, seconds: float) -> None:
        """A few lines below the last view."""
        log_to()
        print_summary(self._console, stats, seconds)
        for line in self._view.footer:
            self._console.print(line, style="dim", markup=False, soft_wrap=True)


async def watch(
    feeds: Iterable[Feed],
    processors: Sequence[Factory],
    config: StreamConfig,
    options: Options,
    beside: Beside | None = None,
    epoch: int | None = None,
) -> int:
    """Run a stream until it ends, a signal comes or the time is over; the exit code.

    Args:
        feeds: as for ``open_stream``, like the next two.
        processors: factories.
        config: of the stream.
        options: what is shown.
        beside: runs beside the stream.
        epoch: the wall clock's nanoseconds where the stream's clock is zero, if it is not the
            time of now.
    """
    if epoch is None:
        epoch = time.time_ns() - round(trio.current_time() * 1e9)
    as_lines = options.json or not sys.stdout.isatty()
    show = Lines(options, epoch) if as_lines else Screen(options)
    started = time.perf_counter()
    async with open_stream(feeds, processors, config, show.prepare) as stream:
        async with stop_on_signals(options.seconds) as stop:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(show.refresh, stream)
                if beside is not None:
                    nursery.start_soon(beside, stream)
                await stream.ended.wait()
                nursery.cancel_scope.cancel()
    stats = stream.get_stats()
    await show.end(stats, time.perf_counter() - started)
    if stats.feeds and all(feed.state is FeedState.REFUSED for feed in stats.feeds):
        raise SubscriptionRejected("every feed is refused: there is nothing to watch")
    return stop.exit_code
