"""Recorded blocks of traces: from their bytes to what is found, and by several processes."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import trio

from trio_mev.cli.tally import Tally
from trio_mev.cli.work import Result, Unusable
from trio_mev.cli.workers import Perform, open_workers
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


def blocks(rounds: int, repeats: int) -> dict[str, Any]:
    """Milliseconds a block, by the clock, of many files by one worker and by two that are there.

    They take turns, each a moment, and of each the least disturbed turn counts: what else the
    machine does can only add to it, and to two more than to one.
    """
    found: dict[str, Any] = trio.run(_blocks, rounds, repeats)
    return found


async def _blocks(rounds: int, repeats: int) -> dict[str, Any]:
    many = recordings() * repeats
    costs: dict[int, list[float]] = {1: [], 2: []}
    found = set[int]()
    async with open_workers(1) as one, open_workers(2) as two:
        # Each process is there before the clock runs: the largest file keeps one busy meanwhile.
        largest = max(many, key=lambda path: path.stat().st_size)
        await _turn(two, [largest] * 4)
        for _ in range(rounds):
            for count, perform in ((1, one), (2, two)):
                start = time.perf_counter()
                found.add(await _turn(perform, many))
                costs[count].append(time.perf_counter() - start)
    least = {str(count): min(each) / len(many) * 1e3 for count, each in costs.items()}
    return {"costs": least, "found": sorted(found)}


async def _turn(perform: Perform, paths: list[Path]) -> int:
    """How much was found."""
    tally = Tally()

    async def deliver(path: Path, result: Result) -> None:
        if isinstance(result, Unusable):
            raise RuntimeError(f"{path}: {result}")
        for seen in result:
            tally.take(seen)

    await in_order(paths, perform, deliver, AHEAD)
    return tally.swaps + sum(sums.count for sums in tally.kinds.values())
