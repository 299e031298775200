"""Logging, for the command only: the package itself stays silent when it is embedded."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import Any, TextIO

from loguru import logger

from .words import complain

LINE = "{time:HH:mm:ss} {level: <7} {message}"


def log_to(sink: Callable[[str], object] | None = None, default: str = "INFO") -> None:
    """Send the package's log to standard error, or to a sink; ``TRIO_MEV_LOG`` sets the level."""
    logger.remove()
    level = os.environ.get("TRIO_MEV_LOG", default).upper()
    if level not in {"TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"}:
        level = default
    # diagnose would print the values of variables, and with them secrets.
    target: Any = sink or _to_stderr
    logger.add(target, level=level, format=LINE, diagnose=False, colorize=False)
    logger.enable("trio_mev")


def _to_stderr(line: str) -> None:
    """A line that nobody reads is let go: the log must not hold up what it tells of."""
    if sys.stderr is not None and _ready(sys.stderr):
        complain(line.rstrip("\n"))


def _ready(stream: TextIO) -> bool:
    try:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLOUT)
        return bool(poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no descriptor, or a system without poll
        return True
