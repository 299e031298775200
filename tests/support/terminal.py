"""A command in a terminal."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Sequence


def shown_in_terminal(
    command: Sequence[str], folder: os.PathLike[str], seconds: float, **environment: str
) -> tuple[int, str]:
    """The exit code of a Python command, and all that its terminal showed."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execve(sys.executable, command, os.environ | environment)
    shown, limit = b"", time.monotonic() + seconds
    while select.select([terminal], [], [], max(0, limit - time.monotonic()))[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        shown += chunk
        if not chunk:
            break
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()
