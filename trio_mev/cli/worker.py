"""A process that inspects: ``python -m trio_mev.cli.worker [PRICES]``, started by the command
alone.

Work comes by standard input and results leave by standard output, each pickled behind its length.
Both ends are this program's own. It ends with its input.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

SIZE = 8
"""Bytes of a length."""


def framed(thing: Any) -> bytes:
    """A thing behind its length."""
    raw = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
    return len(raw).to_bytes(SIZE, "big") + raw


def _receive(source: BinaryIO) -> Any:
    size = source.read(SIZE)
    if len(size) < SIZE:
        return None
    return pickle.loads(source.read(int.from_bytes(size, "big")))  # noqa: S301


def main() -> None:
    """Work until there is no more."""
    # Ctrl-C reaches every process of the terminal; who started this one says when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints is no result
    from .work import load_prices, perform

    prices = load_prices(Path(sys.argv[1])) if sys.argv[1:] else None
    with suppress(BrokenPipeError):  # nobody waits for it any more
        while (work := _receive(sys.stdin.buffer)) is not None:
            target.write(framed(perform(work, prices)))
            target.flush()


if __name__ == "__main__":
    main()
