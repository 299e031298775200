"""What a replay takes: an hour of the demo's scenario, made anew, or the tape that ships."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import trio

from trio_mev import ReplayFeed, StreamConfig, open_stream, replay_clock
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
    """Microseconds of processor time an event, and seconds of real time an hour."""
    config = demo_config() if predicts else Config(Settings())
    sent, last = Counter[str](), 0
    first = Tape(Path(tape)).first
    for record in Tape(Path(tape)).records():
        sent[record.feed] += record.direction is Direction.IN
        last = record.mono

    async def main() -> Any:
        feeds = [ReplayFeed([tape])]
        async with open_stream(feeds, config.processors(), StreamConfig()) as stream:
            await stream.ended.wait()
        return stream.get_stats()

    wall, cpu = time.perf_counter(), time.process_time()
    stats = trio.run(main, clock=replay_clock(None))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    played = {feed.name: feed.frames for feed in stats.feeds}
    if played != dict(sent):
        raise RuntimeError(f"the tape has {dict(sent)} frames, and {played} were played")
    hours = (last - (first.mono if first else 0)) / 3600e9
    return {
        "cost": cpu / stats.total_events * 1e6,
        "hour": wall / hours,
        "minutes": round(hours * 60),
        "events": stats.total_events,
        "found": [stats.digest],
    }
