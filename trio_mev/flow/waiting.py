"""Which coroutines wait, and in whose task.

A coroutine that has begun to wait belongs to the task that it waits in. One that has not can be
begun in one task and go on in another.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Coroutine, Generator
from types import FunctionType, coroutine
from typing import Any

_ELSEWHERE = object()
_PAUSES = frozenset({"SEND", "YIELD_VALUE"})
"""What every ``await``, ``async for`` and ``async with`` is compiled to, among other things."""
_TOLD = dis.opmap.keys() >= _PAUSES
"""Whether this Python has these instructions; the next one may have others."""


def cannot_wait(method: Callable[..., Any]) -> bool:
    """Whether a coroutine function has nothing in it that could wait, as its code shows.

    False where it cannot be told: for what is no coroutine function written in Python.
    """
    function = getattr(method, "__func__", method)
    if not isinstance(function, FunctionType):
        return False
    if not function.__code__.co_flags & inspect.CO_COROUTINE:  # a mark alone promises nothing
        return False
    return _TOLD and not any(step.opname in _PAUSES for step in dis.get_instructions(function))


@coroutine
def in_own_task() -> Generator[Any, Any, None]:
    """Go on in the crew's own task: awaited before what may wait, by what often does not."""
    yield _ELSEWHERE


@coroutine
def go_on(begun: Coroutine[Any, Any, Any]) -> Generator[Any, Any, None]:
    """Go on with what has been begun in another task; ``await`` refuses that."""
    yield from begun


@coroutine
def watched(work: Any, pausing: Callable[[], None]) -> Generator[Any, Any, None]:
    """Run a coroutine, saying so each time before it gives way to other tasks."""
    resume, value = work.send, None
    while True:
        try:
            pause = resume(value)
        except StopIteration:
            return
        if pause is _ELSEWHERE:  # where this runs is the place
            resume, value = work.send, None
            continue
        pausing()
        try:
            value = yield pause
            resume = work.send
        except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
            resume, value = work.throw, error
