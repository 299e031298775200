"""What a processor does besides its events, step by step: each from one wait to the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from types import coroutine
from typing import Any

besides: ContextVar[bool] = ContextVar("besides", default=False)
"""Whether a task does what a processor does besides its events."""
asking: ContextVar[bool] = ContextVar("asking", default=False)
"""Whether a task waits for a node's answer, which has a turn of its own."""


@coroutine
def stepwise(
    work: Coroutine[Any, Any, None], turn: Callable[[], Awaitable[None]]
) -> Generator[Any, Any, None]:
    """Run a coroutine that has a turn before each of its steps but the first.

    Args:
        work: the coroutine.
        turn: is awaited before each.
    """
    resume, value = work.send, None
    while True:
        try:
            pause = resume(value)
        except StopIteration:
            return
        try:
            value = yield pause
            resume = work.send
            if not asking.get():
                yield from turn().__await__()
        except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
            resume, value = work.throw, error  # type: ignore[assignment]
