"""One run of a stream: what is shown meanwhile, and how it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import trio

from ..errors import SubscriptionRejected
from ..flow.feed import Feed
from ..flow.processor import Factory
from ..flow.status import FeedState
from ..model.event import DataType
from ..model.settings import StreamConfig
from ..sinks.storing import LANES, StreamStore
from ..stream import RealtimeDataStream, open_stream
from .shows import Lines, Options, Screen, Show
from .signals import stop_on_signals
from .words import check_output

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


async def watch(
    feeds: Iterable[Feed],
    processors: Sequence[Factory],
    config: StreamConfig,
    options: Options,
    beside: Beside | None = None,
    epoch: int | None = None,
    store: StreamStore | None = None,
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
        store: where it is stored.

    Raises:
        OutputFailed: standard output takes no more.
        SubscriptionRejected: every feed is refused.
    """
    if epoch is None:
        epoch = time.time_ns() - round(trio.current_time() * 1e9)
    as_lines = options.json or sys.stdout is None or not sys.stdout.isatty()
    show: Show = Lines(options, epoch) if as_lines else Screen(options)
    started = time.perf_counter()

    def prepare(stream: RealtimeDataStream) -> None:
        show.prepare(stream)
        if store is not None:
            store.epoch = epoch
            stream.add_sink(store.run, *store.kinds, lanes=LANES)

    async with open_stream(feeds, processors, config, prepare) as stream:
        async with stop_on_signals(options.seconds) as stop:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(show.refresh, stream)
                if beside is not None:
                    nursery.start_soon(beside, stream)
                await stream.ended.wait()
                nursery.cancel_scope.cancel()
        show.hurry()
    stats = stream.get_stats()
    await show.end(stats, time.perf_counter() - started)
    check_output(show.error)
    if stats.feeds and all(feed.state is FeedState.REFUSED for feed in stats.feeds):
        raise SubscriptionRejected("every feed is refused: there is nothing to watch")
    return stop.exit_code
