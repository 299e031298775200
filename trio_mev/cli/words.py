"""Single lines to standard output and standard error, either of which may be closed or full."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress


class OutputFailed(Exception):
    """Standard output takes no more; the reader has not gone away by itself."""


def say(line: str) -> None:
    """Write a line on standard output; a reader that has gone away is no matter.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        let_go()


def complain(*lines: str) -> None:
    """Write lines on standard error, if it can be."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write("".join(line + "\n" for line in lines))
            sys.stderr.flush()


def plain(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def check_output(error: OSError | None) -> None:
    """Let a reader go away quietly.

    Raises:
        OutputFailed: it is not that.
    """
    if error is not None and error.errno != errno.EPIPE:
        raise OutputFailed(f"standard output: {error.strerror or error}") from error


def let_go() -> None:
    """The interpreter flushes standard output once more at its end; let that go nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
