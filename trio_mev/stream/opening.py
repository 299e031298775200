"""A stream for as long as a block lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import NoReturn

import trio

from ..flow.decided import Decisions
from ..flow.feed import Feed
from ..flow.processor import Factory
from ..flow.supervise import leaves
from ..model.settings import StreamConfig
from .running import RealtimeDataStream


def _raise_as_it_was(error: BaseException) -> NoReturn:
    """Raise an error out of a group without a trace of the group in its context."""
    context, suppressed = error.__context__, error.__suppress_context__
    try:
        raise error
    finally:
        error.__context__, error.__suppress_context__ = context, suppressed


@asynccontextmanager
async def open_stream(
    feeds: Iterable[Feed] = (),
    processors: Iterable[Factory] = (),
    config: StreamConfig | None = None,
    prepare: Callable[[RealtimeDataStream], None] | None = None,
    decisions: Decisions | None = None,
) -> AsyncIterator[RealtimeDataStream]:
    """Run a stream for as long as the block lasts.

    Leaving the block cancels the feeds, lets the lanes run empty within ``drain_timeout``, and
    counts what is left. Where feeds end by themselves, as tapes do, the stream drains by itself
    and ``findings`` and other subscriptions end. Cancelling the scope around it ends it now.

    Args:
        feeds: sources; without any, events come from ``emit_event``.
        processors: factories of processors, called without arguments.
        config: budgets, bounds, filters.
        prepare: is called with the stream before the first event, to subscribe in time.
        decisions: what its consumers shall lose, since they did when tapes were recorded that are
            played to the feeds; a feed that is a tape brings its own.

    Raises:
        ConfigError: before anything runs, where feeds, processors or filters cannot be used.
        RestartLimitReached: a required feed could not be regained.
        ProcessorFailed, ProcessingTimeoutError: a processor failed, in strict mode.
    """
    stream = RealtimeDataStream(feeds, processors, config or StreamConfig(), decisions)
    if prepare is not None:
        prepare(stream)
    stream.check()
    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(stream.conduct)
            try:
                yield stream
            except BaseException as error:
                raised = error
                raise
            stream.leave()
    except BaseExceptionGroup as group:
        errors = list(leaves(group))
        if raised is not None and errors == list(leaves(raised)):
            _raise_as_it_was(raised)
        if len(errors) > 1 or isinstance(errors[0], trio.Cancelled):
            raise
        # One error is what one task raised; a group around it would only be in the way.
        _raise_as_it_was(errors[0])
    finally:
        stream.router.settle()
