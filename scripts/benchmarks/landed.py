"""Recorded blocks of traces: from their bytes to what is found, and by several processes."""

from __future__ import annotations

import gzip
import itertools
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import trio

from trio_mev.cli.tally import Tally
from trio_mev.cli.work import Result, Unusable
from trio_mev.cli.workers import open_workers
from trio_mev.flow.ordered import in_order
from trio_mev.inspect import inspect_block, read_parity_file

ROOT = Path(__file__).parents[2]
AHEAD = 12
"""Blocks under way, as the command has it."""


def recordings() -> list[Path]:
    """The files, in order; none where the recorded data is not there."""
    home = Path(os.environ.get("TRIO_MEV_CORPUS", ROOT.parent / "shared" / "corpus"))
    return sorted((home / "mainnet" / "traces").glob("*.json.gz"))


class _Counted(msgspec.Struct):
    traces: list[msgspec.Raw]


def traces(passes: int) -> dict[str, Any]:
    """Microseconds of processor time a trace, from a file's unpacked bytes to its findings."""
    raws = [gzip.decompress(path.read_bytes()) for path in recordings()]
    count = sum(len(msgspec.json.decode(raw, type=_Counted).traces) for raw in raws)
    spent, found = [], []
    for number in range(passes + 1):  # the first one warms up
        start = time.process_time()
        found = [inspect_block(read_parity_file(raw)) for raw in raws]
        if number:
            spent.append(time.process_time() - start)
    spent.sort()
    return {
        "cost": spent[len(spent) // 2] / count * 1e6,
        "traces": count,
        "found": [sum(len(one.opportunities) for one in found), sum(len(o.swaps) for o in found)],
    }


def blocks(workers: int, repeats: int) -> dict[str, Any]:
    """Milliseconds a block, by the clock, of many files by so many workers that are there."""
    found: dict[str, Any] = trio.run(_blocks, workers, repeats)
    return found


async def _blocks(workers: int, repeats: int) -> dict[str, Any]:
    paths, tally = recordings(), Tally()

    async def deliver(path: Path, result: Result) -> None:
        if isinstance(result, Unusable):
            raise RuntimeError(f"{path}: {result}")
        for seen in result:
            tally.take(seen)

    async with open_workers(workers) as perform:
        # Each process is there before the clock runs: the largest file keeps one busy meanwhile.
        largest = max(paths, key=lambda path: path.stat().st_size)
        await in_order([largest] * (2 * workers), perform, deliver, 2 * workers)
        many = list(itertools.chain.from_iterable(itertools.repeat(paths, repeats)))
        start = time.perf_counter()
        await in_order(many, perform, deliver, AHEAD)
        spent = time.perf_counter() - start
    return {"cost": spent / len(many) * 1e3, "found": [tally.blocks - 2 * workers]}
