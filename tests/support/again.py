"""A tape played once more, directly or through real sockets, to a stream of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import trio

from tests.support.books import assert_balanced
from trio_mev.cli.demo import conductor, count_calls
from trio_mev.config import played_by
from trio_mev.feeds.replay import ReplayFeed
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.processor import Factory
from trio_mev.loopback.servers import open_loopback
from trio_mev.model.settings import StreamConfig
from trio_mev.stream import RealtimeDataStream, open_stream

Prepare = Callable[[RealtimeDataStream], None]


async def played_directly(
    path: Path,
    processors: Iterable[Factory],
    config: StreamConfig | None = None,
    prepare: Prepare | None = None,
) -> RealtimeDataStream:
    """The stream, when it has ended and its books balance."""
    async with open_stream([ReplayFeed([path])], processors, config, prepare) as stream:
        await stream.ended.wait()
    assert_balanced(stream)
    return stream


async def played_over_sockets(
    path: Path,
    processors: Iterable[Factory],
    config: StreamConfig | None = None,
    prepare: Prepare | None = None,
) -> RealtimeDataStream:
    """As ``played_directly``; the servers go in step with the stream."""
    async with open_loopback([Tape(path)]) as servers:
        feeds = played_by(servers.wall, servers.settings(in_step=True), servers.called)
        begin = conductor(servers)

        async def conduct(stream: RealtimeDataStream) -> None:
            servers.outstanding = stream.outstanding
            count_calls(servers, stream)
            await begin(stream)

        async with (
            open_stream(feeds, processors, config, prepare, servers.decisions) as stream,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(conduct, stream)
            await stream.ended.wait()
            nursery.cancel_scope.cancel()
    assert_balanced(stream)
    return stream
