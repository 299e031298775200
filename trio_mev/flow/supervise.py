"""One feed's lives, one after the other: restart, give up, or let a bug through."""

from __future__ import annotations

import enum
import random
from collections.abc import Awaitable, Callable, Iterator

import trio
from loguru import logger

from ..errors import DataStreamError, RestartLimitReached, StreamConnectionError
from ..model.settings import ConnectionSettings
from .backoff import Backoff
from .status import FeedState, FeedStatus


class Fate(enum.IntEnum):
    """What a failure means; of several at once the gravest counts."""

    TRANSIENT = 0
    """Weather: a new connection may mend it."""
    FATAL = 1
    """The other side refuses; it is not tried again."""
    BUG = 2
    """Ours: it propagates."""


def fate(error: BaseException) -> Fate:
    """Decide what a failure means. Nothing else in the package decides it."""
    if isinstance(error, StreamConnectionError):
        return Fate.TRANSIENT
    return Fate.FATAL if isinstance(error, DataStreamError) else Fate.BUG


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, however deep."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def gravest(error: BaseException) -> BaseException:
    """The error of a group that decides; the first of several alike."""
    return max(leaves(error), key=fate)


async def supervise(
    life: Callable[[], Awaitable[None]],
    status: FeedStatus,
    settings: ConnectionSettings,
    rng: random.Random,
    required: bool = False,
) -> None:
    """Live one life after another until one ends well, is refused, or turns out to be a bug.

    Args:
        life: connects, and runs until the connection is lost, which it says by raising.
        status: the feed's; its ``ready_at`` tells how long a life was healthy.
        settings: delays, and how many restarts in a row are allowed.
        rng: draws the jitter.
        required: whether to raise when the restarts are spent or the server refuses.

    Raises:
        RestartLimitReached: a required feed could not be regained.
    """
    backoff = Backoff(settings.first_delay, settings.factor, settings.max_delay, rng)
    while True:
        failure = await _one_life(life, status)
        if failure is None:
            status.enter(FeedState.ENDED)
            return None
        status.failures += 1
        kind = fate(failure)
        if kind is Fate.FATAL:
            return _refused(failure, status, required)
        _settle(status, settings, backoff)
        spent = backoff.attempts >= settings.restarts
        if spent and required:
            raise RestartLimitReached(
                f"feed {status.name}: {settings.restarts} restarts in a row failed"
            ) from failure
        delay = settings.max_delay if spent else backoff.next_delay()
        status.enter(FeedState.LOST if spent else FeedState.WAITING, str(failure))
        logger.warning("feed {}: {}; again in {:.1f} s", status.name, failure, delay)
        await trio.sleep(delay)


async def _one_life(
    life: Callable[[], Awaitable[None]], status: FeedStatus
) -> BaseException | None:
    """The failure that ended the life; None where it ended well. A bug is raised."""
    status.ready_at = None
    status.attempts += 1
    status.enter(FeedState.CONNECTING, status.detail)
    try:
        await life()
    except DataStreamError as error:
        return error
    except BaseExceptionGroup as group:
        cancelled, rest = group.split(trio.Cancelled)
        if rest is None or fate(gravest(rest)) is Fate.BUG:
            raise
        if cancelled is not None:
            # Lost in the moment of its cancellation: that it is cancelled is what counts.
            raise cancelled from None
        return gravest(rest)
    return None


def _refused(failure: BaseException, status: FeedStatus, required: bool) -> None:
    status.enter(FeedState.REFUSED, str(failure))
    logger.error("feed {} is refused: {}", status.name, failure)
    if required:
        raise RestartLimitReached(f"feed {status.name} is refused: {failure}") from failure


def _settle(status: FeedStatus, settings: ConnectionSettings, backoff: Backoff) -> None:
    """Forget the restarts so far if the life that ended had been healthy for long enough."""
    ready_at = status.ready_at
    if ready_at is not None and trio.current_time() - ready_at >= settings.settle_after:
        backoff.reset()
