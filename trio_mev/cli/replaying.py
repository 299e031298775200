"""``replay``: a tape through the stream, directly or over loopback sockets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import attrs
import trio

from ..config import Config, played_by
from ..errors import ConfigError
from ..feeds.replay import ReplayFeed
from ..feeds.tapes import AnyTape, count_problems, open_tapes
from ..flow.clock import replay_clock
from ..loopback.servers import open_loopback
from ..model.settings import Settings
from ..stream import RealtimeDataStream
from ..wire.timeline import first_wall
from .demo import conductor, count_calls
from .live import watch
from .reporting import Played, Reporting, about_tapes
from .shows import Options
from .storing import open_store

FASTEST = 1000.0
"""Times as fast, beyond which pauses are too short for an operating system to keep."""


@attrs.frozen
class Replay:
    """What is to be replayed and how."""

    paths: Sequence[Path]
    speed: float | None = None
    """None is as fast as it goes."""
    loopback: bool = False
    align: bool = False
    start: float = 0.0
    end: float = math.inf
    config: Config = Config(Settings())
    report: Path | None = None
    """Where what happened is told on a page."""

    @property
    def given(self) -> dict[str, str]:
        """What was asked for besides the tapes, in words."""
        asked = {
            "speed": None if self.speed is None else f"{self.speed:g} ×",
            "over sockets": "yes" if self.loopback else None,
            "aligned": "yes" if self.align else None,
            "from": f"{self.start:g} s" if self.start else None,
            "to": None if math.isinf(self.end) else f"{self.end:g} s",
        }
        return {name: value for name, value in asked.items() if value is not None}

    def reporting(self, tapes: Sequence[Played]) -> Reporting | None:
        """The report, where one is wanted."""
        if self.report is None:
            return None
        pools = self.config.settings.pools
        return Reporting(self.report, about_tapes(tapes, self.given), pools)


def read_speed(text: str) -> float | None:
    """``max`` or a number over 0, up to 1000.

    Raises:
        ConfigError: it is neither.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < math.inf:
        raise ConfigError(f"--speed {text}: it is max or a number over 0")
    if speed > FASTEST:
        raise ConfigError(f"--speed {text}: over {FASTEST:g} the clock decides; use max")
    return speed


def run_replay(replay: Replay, options: Options) -> int:
    """Replay in the tape's own time; the exit code."""
    names = ", ".join(str(path) for path in replay.paths)
    options = attrs.evolve(options, title=f"trio_mev replay of {names}")
    run = _over_sockets if replay.loopback else _directly
    code: int = trio.run(run, replay, options, clock=replay_clock(replay.speed))
    return code


async def _directly(replay: Replay, options: Options) -> int:
    feed = ReplayFeed(replay.paths, replay.align, replay.start, replay.end)
    config = replay.config
    report = replay.reporting(feed.tapes)
    options = attrs.evolve(options, progress=lambda: feed.progress, report=report)
    stream = config.settings.stream
    epoch = feed.wall - round(trio.current_time() * 1e9)
    with open_store(config, feed.wall) as store:
        options = attrs.evolve(options, store=store)
        return await watch([feed], config.processors(), stream, options, epoch=epoch)


async def _over_sockets(replay: Replay, options: Options) -> int:
    tapes = open_tapes(replay.paths)
    config = replay.config
    part = {"start": replay.start, "end": replay.end}
    async with open_loopback(tapes, align=replay.align, **part) as servers:
        feeds = played_by(servers.wall, servers.settings(in_step=True), servers.called)
        begin = conductor(servers)

        async def conduct(stream: RealtimeDataStream) -> None:
            servers.outstanding = stream.outstanding
            count_calls(servers, stream)
            await begin(stream)
            # When nothing comes any more: it is no reason to connect anew.
            count_problems(tapes, {status.name: status for status in stream.manager.statuses})

        report = replay.reporting(tapes)
        options = attrs.evolve(options, progress=partial(_share, tapes), report=report)
        stream = config.settings.stream
        wall = first_wall(tapes) + round(replay.start * 1e9)
        epoch = wall - round(trio.current_time() * 1e9)
        processors, decisions = config.processors(), servers.decisions
        with open_store(config, wall) as store:
            options = attrs.evolve(options, store=store)
            return await watch(
                feeds, processors, stream, options, conduct, epoch, decisions=decisions
            )


def _share(tapes: Sequence[AnyTape]) -> float:
    size = sum(tape.size for tape in tapes)
    return sum(tape.read for tape in tapes) / size if size else 0.0
