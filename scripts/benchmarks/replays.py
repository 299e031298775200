"""What a replay takes: an hour of the demo's scenario, made anew, or the tape that ships."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import trio

from tests.devnet.made import Counting, differences, made_again, read_made, totals
from trio_mev import StreamConfig, open_stream, replay_clock
from trio_mev.cli.demo import demo_config
from trio_mev.config import Config
from trio_mev.feeds.tapes import Tape
from trio_mev.model.settings import Settings
from trio_mev.wire.tape import Direction

MAKING = 900.0
"""Seconds that the scenario of an hour may take on a real node."""


def make(minutes: int, out: Path) -> bool:
    """Whether a tape of so many minutes could be recorded: it takes a node."""
    script = Path(__file__).parents[1] / "demo-tape"
    done = subprocess.run(  # noqa: S603 - our own script
        [str(script), "--minutes", str(minutes), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
        timeout=MAKING,
        check=False,
    )
    return done.returncode == 0


def replay(tape: str, predicts: bool) -> dict[str, Any]:
    """Microseconds of processor time an event, and seconds of real time an hour.

    Raises:
        RuntimeError: not every frame was played, or other events came of them than were made.
    """
    feed = Counting([tape])
    config = demo_config() if predicts else Config(Settings())
    sent, last = Counter[str](), 0
    first = Tape(Path(tape)).first
    for record in Tape(Path(tape)).records():
        sent[record.feed] += record.direction is Direction.IN
        last = record.mono

    async def main() -> Any:
        async with open_stream([feed], config.processors(), StreamConfig()) as stream:
            await stream.ended.wait()
        return stream.get_stats()

    wall, cpu = time.perf_counter(), time.process_time()
    stats = trio.run(main, clock=replay_clock(None))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    played = Counter({feed.name: feed.frames for feed in stats.feeds})
    if played != sent:
        raise RuntimeError(f"the tape has {dict(sent)} frames, and {dict(played)} were played")
    made = read_made(Path(tape))
    if different := differences(made.feeds, feed.found):
        raise RuntimeError(f"seed {made.seed}: {'; '.join(different)}")
    hours = (last - (first.mono if first else 0)) / 3600e9
    return {
        "cost": cpu / stats.total_events * 1e6,
        "hour": wall / hours,
        "minutes": round(hours * 60),
        "events": stats.total_events,
        "found": [stats.digest],
        "counts": dict(totals(feed.found)),
    }


def count(tape: str) -> dict[str, Any]:
    """A tape's seed, and what was made for it, by kind.

    Raises:
        RuntimeError: of the same seed the exchanges make something else today.
    """
    made = read_made(Path(tape))
    again = made_again(made)
    told = {feed: made.feeds[feed] for feed in again}
    if different := differences(told, again):
        raise RuntimeError(f"seed {made.seed}, simulated again: {'; '.join(different)}")
    return {"seed": made.seed, "counts": dict(totals(made.feeds))}
