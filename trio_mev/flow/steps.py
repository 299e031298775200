"""What a processor does besides its events, step by step: each from one wait to the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar
from types import coroutine
from typing import Any

import trio

from .rpc import asking

besides: ContextVar[bool] = ContextVar("besides", default=False)
"""Whether a task does what a processor does besides its events."""


@coroutine
def stepwise(
    work: Coroutine[Any, Any, None], turn: Callable[[], Awaitable[None]]
) -> Generator[Any, Any, None]:
    """Run a coroutine that has a turn before each of its steps but the first.

    Args:
        work: the coroutine.
        turn: is awaited before each.
    """
    resume: Callable[[Any], Any] = work.send
    value: Any = None
    while True:
        try:
            pause = resume(value)
        except StopIteration:
            return
        try:
            value, resume = (yield pause), work.send
        except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
            value, resume = error, work.throw
            continue
        if asking.get() is None and not _is_cancelled(value):
            # Where it is cancelled meanwhile it goes on first, with what it has waited for: at its
            # next wait it is cancelled, too.
            with suppress(trio.Cancelled):
                yield from turn().__await__()


def _is_cancelled(outcome: Any) -> bool:
    """Whether what Trio hands to a task that goes on is a cancellation."""
    return isinstance(getattr(outcome, "error", None), trio.Cancelled)
