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
from ..feeds.tapes import Tape
from ..flow.clock import replay_clock
from ..loopback.servers import open_loopback
from ..model.settings import Settings
from ..stream import RealtimeDataStream
from ..wire.timeline import first_wall
from .demo import conductor
from .live import watch
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
    options = attrs.evolve(options, progress=partial(_share, feed.tapes))
    stream = config.settings.stream
    epoch = feed.wall - round(trio.current_time() * 1e9)
    with open_store(config, feed.wall) as store:
        return await watch([feed], config.processors(), stream, options, epoch=epoch, store=store)


async def _over_sockets(replay: Replay, options: Options) -> int:
    tapes = [Tape(path) for path in replay.paths]
    config = replay.config
    part = {"start": replay.start, "end": replay.end}
    async with open_loopback(tapes, align=replay.align, **part) as servers:
        feeds = played_by(servers.wall, servers.settings(in_step=True))
        begin = conductor(servers)

        async def conduct(stream: RealtimeDataStream) -> None:
            servers.outstanding = stream.outstanding
            await begin(stream)

        options = attrs.evolve(options, progress=partial(_share, tapes))
        stream = config.settings.stream
        wall = first_wall(tapes) + round(replay.start * 1e9)
        epoch = wall - round(trio.current_time() * 1e9)
        with open_store(config, wall) as store:
            return await watch(feeds, config.processors(), stream, options, conduct, epoch, store)


def _share(tapes: Sequence[Tape]) -> float:
    size = sum(tape.size for tape in tapes)
    return sum(tape.read for tape in tapes) / size if size else 0.0
