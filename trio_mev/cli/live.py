"""One run of a stream: what is shown meanwhile, and how it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import trio

from ..errors import SubscriptionRejected
from ..flow.decided import Decisions
from ..flow.feed import Feed
from ..flow.processor import Factory
from ..flow.status import FeedState
from ..model.event import DataType
from ..model.settings import StreamConfig
from ..sinks.storing import LANES
from ..stream import RealtimeDataStream, StreamStats, open_stream
from .shows import Lines, Options, Screen, Show
from .signals import stop_on_signals
from .words import check_output, complain

EVENT_KINDS = {
    "quote": DataType.QUOTE,
    "trade": DataType.TRADE,
    "transaction": DataType.TRANSACTION,
    "log": DataType.LOG,
    "block": DataType.BLOCK,
    "price": DataType.PRICE,
    "health": DataType.HEALTH,
    "mempool": DataType.MEMPOOL_SNAPSHOT,
}
"""What ``--events`` may add to the findings."""


Beside = Callable[[RealtimeDataStream], Awaitable[None]]
"""Runs beside the stream, such as what starts the demo's servers."""


def as_lines(options: Options) -> bool:
    """Whether standard output gets lines and no view."""
    return options.json or sys.stdout is None or not sys.stdout.isatty()


async def watch(
    feeds: Iterable[Feed],
    processors: Sequence[Factory],
    config: StreamConfig,
    options: Options,
    beside: Beside | None = None,
    epoch: int | None = None,
    show: Show | None = None,
    decisions: Decisions | None = None,
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
        show: what shows it, where it is neither lines nor the view.
        decisions: as for ``open_stream``.

    Raises:
        OSError: the report cannot be written.
        OutputFailed: standard output takes no more.
        SubscriptionRejected: every feed is refused.
    """
    if epoch is None:
        epoch = time.time_ns() - round(trio.current_time() * 1e9)
    if show is None:
        show = Lines(options, epoch) if as_lines(options) else Screen(options)
    started = time.perf_counter()
    prepare = partial(_prepare, show, options, epoch)
    stream: RealtimeDataStream | None = None
    failure: Exception | None = None
    code = 1
    try:
        async with open_stream(feeds, processors, config, prepare, decisions) as stream:
            code = await _until_over(stream, show, options, beside)
    except Exception as error:
        if stream is None:
            raise
        failure = error  # it is raised when what was before it has been told
    try:
        stats = await _tell(show, options, stream, started)
    finally:
        if failure is not None:
            raise failure
    check_output(show.error)
    if stats.feeds and all(feed.state is FeedState.REFUSED for feed in stats.feeds):
        raise SubscriptionRejected("every feed is refused: there is nothing to watch")
    return code


async def _until_over(
    stream: RealtimeDataStream, show: Show, options: Options, beside: Beside | None
) -> int:
    """Let it run until it ends, a signal comes or the time is over; the exit code."""
    async with stop_on_signals(options.seconds) as stop:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show.refresh, stream)
            if beside is not None:
                nursery.start_soon(beside, stream)
            await stream.ended.wait()
            nursery.cancel_scope.cancel()
    show.hurry()
    return stop.exit_code


def _prepare(show: Show, options: Options, epoch: int, stream: RealtimeDataStream) -> None:
    """Let everybody who tells of the stream, in its course or in the end, hear of all of it."""
    show.prepare(stream)
    if options.store is not None:
        options.store.epoch = epoch
        stream.add_sink(options.store.run, *options.store.kinds, lanes=LANES)
    if options.report is not None:
        options.report.prepare(stream, epoch)
    if options.tape is not None:
        stream.add_report(options.tape.health)
        stream.record_losses(options.tape.tap)


async def _tell(
    show: Show, options: Options, stream: RealtimeDataStream, started: float
) -> StreamStats:
    """Say how it was; the final figures."""
    if options.tape is not None:
        await options.tape.finish()
    stats, seconds = stream.get_stats(), time.perf_counter() - started
    await show.end(stats, seconds)
    if options.report is not None:
        complain(await trio.to_thread.run_sync(options.report.write, stats, seconds))
    return stats
