"""Logging, for the command only: the package itself stays silent when it is embedded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from loguru import logger

LINE = "{time:HH:mm:ss} {level: <7} {message}"


def log_to(sink: Callable[[str], object] | None = None, default: str = "INFO") -> None:
    """Send the package's log to standard error, or to a sink; ``TRIO_MEV_LOG`` sets the level."""
    logger.remove()
    level = os.environ.get("TRIO_MEV_LOG", default).upper()
    if level not in {"TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"}:
        level = default
    # diagnose would print the values of variables, and with them secrets.
    colour = sink is None and sys.stderr.isatty() and "NO_COLOR" not in os.environ
    target: Any = sink or sys.stderr
    logger.add(target, level=level, format=LINE, diagnose=False, colorize=colour)
    logger.enable("trio_mev")
