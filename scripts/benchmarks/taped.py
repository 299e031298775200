"""A live run with every standard processor, with and without a tape.

Both are measured in one process, in pairs of windows whose order is drawn: what else the machine
does, and what the processors do now and then, meets both alike. A window is as much as is written
at once where 5,000 frames a second come. It is over when all of it is done and, with a tape, on the
disk.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import trio

from trio_mev import open_stream
from trio_mev.config import standard_processors
from trio_mev.feeds.record import Recorder, open_recorder, tape_header
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.status import FeedState
from trio_mev.model.settings import Settings

from .ours import LIMIT, ROOMY, TYPES, client
from .tally import sender

WARM = 4
"""Windows that do not count."""


class Windows:
    """Counts frames, and says when a window is full."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.count = 0
        self.full = trio.Event()
        self.acknowledge: Callable[[], object] = lambda: None

    def handle(self, _: Any) -> None:
        self.count += 1
        if self.count % self.size == 0:
            self.full.set()


async def measure(
    feed: Any, recorder: Recorder, kind: str, windows: Windows, taped: list[bool]
) -> list[float]:
    """Processor seconds of each window."""
    spent: list[float] = []
    async with open_stream([feed], standard_processors(Settings()), ROOMY) as stream:
        stream.add_event_handler(TYPES[kind], windows.handle)
        await feed.status.wait_for(FeedState.READY)
        for with_tape in taped:
            feed._life._tap = recorder.tap if with_tape else None
            stream.record_losses(feed._life._tap)
            start = time.process_time()
            windows.acknowledge()
            await windows.full.wait()
            windows.full = trio.Event()
            await stream.outstanding.wait_idle()
            await recorder.flush()
            spent.append(time.process_time() - start)
        books = stream.get_stats().books
        if books.failed or books.lost:
            raise RuntimeError(f"not everything was processed: {books}")
    return spent


def run(kind: str, size: int, many: int) -> dict[str, Any]:
    """Microseconds of processor time a frame, of all threads: without a tape, and more with one
    than in the window beside it.

    Args:
        kind: of the frames.
        size: frames in a window.
        many: pairs of windows, an even number, beside the warm-up.
    """
    pairs = [(False, True), (True, False)] * (many // 2)
    random.Random(1).shuffle(pairs)
    taped = [True] * WARM + [one for pair in pairs for one in pair]
    windows = Windows(size)
    spent: list[float] = []

    async def main(path: Path, port: int) -> None:
        feed = client(kind, port)
        with trio.fail_after(LIMIT):
            async with open_recorder(path, tape_header([feed.settings])) as recorder:
                spent.extend(await measure(feed, recorder, kind, windows, taped))

    orders = {"mode": "flood", "kind": kind, "count": size * len(taped), "window": size}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.tape"
        with sender({**orders, "ahead": 0}, windows) as port:
            trio.run(main, path, port)
        recorded = sum(1 for record in Tape(path).records() if len(record.frame) > 100)
    if recorded != size * sum(taped):
        raise RuntimeError(f"not everything is on the tape: {recorded}")
    costs = [seconds / size * 1e6 for seconds in spent[WARM:]]
    pairs_of = list(zip(pairs, costs[::2], costs[1::2], strict=True))
    # Work that grows with what is pending makes each second window dearer than the first.
    later = median(second - first for pair, first, second in pairs_of if pair[1])
    sooner = median(first - second for pair, first, second in pairs_of if pair[0])
    without = median(costs[at] for at, one in enumerate(taped[WARM:]) if not one)
    return {"without": without, "more": (later + sooner) / 2}
