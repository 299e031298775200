"""How long a part takes that is called and waits for nothing."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def timed(run: Callable[[list[T]], object], come: list[T], warm: int, each: int) -> float:
    """Microseconds of processor time a quote, without those of the first ``warm`` reads.

    Args:
        run: what is timed.
        come: the reads.
        warm: how many of them are the warm-up.
        each: quotes in one.
    """
    run(come[:warm])
    # The messages that are held ready are none of what is measured, nor is looking for garbage
    # among them.
    gc.collect()
    gc.freeze()
    start = time.process_time()
    run(come[warm:])
    return (time.process_time() - start) / ((len(come) - warm) * each) * 1e6


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waits")
