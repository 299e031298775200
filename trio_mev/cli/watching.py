"""The commands that watch: live, on tapes, or in the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
import trio
from cyclopts import Parameter

from ..config import load
from ..errors import ConfigError
from ..sinks.report.model import About
from ..version import __version__
from .arguments import (
    ConfigPath,
    Events,
    Json,
    Keep,
    ReportPath,
    RotateEvery,
    RotateSize,
    Seconds,
    StorePath,
    options_of,
    stored_in,
    with_feeds,
)
from .demo import TITLE, default_config, demo, how_to_go_live
from .live import watch
from .recording import Taping, chosen, record_alone, watch_and_record
from .replaying import Replay, read_speed, run_replay
from .reporting import Reporting, check_report
from .storing import open_store

LATEST = 1e9
"""Seconds into a tape, which are 31 years."""


def run_demo(*, for_: Seconds = None, json: Json = False, events: Events = "") -> int:
    """Run the demo: servers on this machine that play a recording of real contracts on a private
    chain, with simulated quotes, and a stream that watches them."""
    options = options_of(for_, json, events, TITLE, how_to_go_live())
    code: int = trio.run(demo, options)
    return code


def run(
    *,
    config: ConfigPath,
    record: Annotated[Path | None, Parameter("--record")] = None,
    rotate_size: RotateSize = None,
    rotate_every: RotateEvery = None,
    keep: Keep = None,
    for_: Seconds = None,
    json: Json = False,
    events: Events = "",
    store: StorePath = None,
    report: ReportPath = None,
) -> int:
    """Watch the feeds of a configuration.

    Parameters
    ----------
    record
        Write the raw frames to a tape meanwhile; as --out of record.
    """
    loaded = stored_in(with_feeds(config), store)
    options = options_of(for_, json, events, f"trio_mev: {config}", ["Ctrl-C ends"])
    if report is not None:
        check_report(report)
        about = About(f"Run of {config.name}", __version__)
        told = Reporting(report, about, loaded.settings.pools)
        options = attrs.evolve(options, report=told)
    taping: Taping | None = None
    if record is not None:
        taping = Taping(record, chosen(loaded.settings.record, rotate_size, rotate_every, keep))
    elif (rotate_size, rotate_every, keep) != (None, None, None):
        raise ConfigError("--rotate-size, --rotate-every and --keep are of --record")
    code: int
    with open_store(loaded) as kept:
        options = attrs.evolve(options, store=kept)
        if taping is not None:
            code = trio.run(watch_and_record, loaded, taping, options)
        else:
            stream = loaded.settings.stream
            code = trio.run(watch, loaded.feeds(), loaded.processors(), stream, options)
    return code


def record(
    *,
    config: ConfigPath,
    out: Path,
    rotate_size: RotateSize = None,
    rotate_every: RotateEvery = None,
    keep: Keep = None,
    for_: Seconds = None,
) -> int:
    """Write the raw frames of a configuration's feeds to a tape, with what its processors ask.

    Parameters
    ----------
    out
        The tape's file, which must not exist; where tapes follow each other, their folder.
    """
    loaded = with_feeds(config)
    options = options_of(for_, False, "", f"trio_mev records {config}", ["Ctrl-C ends"])
    taping = Taping(out, chosen(loaded.settings.record, rotate_size, rotate_every, keep))
    code: int = trio.run(record_alone, loaded, taping, options)
    return code


def replay(
    tapes: Annotated[list[Path], Parameter(negative=())],
    /,
    *,
    speed: str = "max",
    loopback: Annotated[bool, Parameter(negative=())] = False,
    align: Annotated[bool, Parameter(negative=())] = False,
    from_: Annotated[float, Parameter("--from")] = 0.0,
    to: float = float("inf"),
    config: Annotated[Path | None, Parameter("--config")] = None,
    json: Json = False,
    events: Events = "",
    store: StorePath = None,
    report: ReportPath = None,
) -> int:
    """Play tapes through the stream.

    Parameters
    ----------
    tapes
        One or more tapes, or folders of tapes; several are merged by their times.
    speed
        max, 1, or how many times as fast as it was, up to 1000.
    loopback
        Send the frames through WebSockets on this machine.
    align
        Let all tapes begin at once, whatever their dates.
    from_
        Seconds into the tape at which to begin.
    to
        Seconds into the tape at which to end.
    config
        Settings of the stream and its processors; the feeds are the tape's.
    """
    if not 0 <= from_ < to:
        raise ConfigError(f"--from {from_:g} --to {to:g}: the range is empty")
    if from_ > LATEST:
        raise ConfigError(f"--from {from_:g}: no tape is as long; {LATEST:g} s at most")
    loaded = stored_in(default_config(tapes) if config is None else load(config), store)
    check_report(report)
    what = Replay(tapes, read_speed(speed), loopback, align, from_, to, loaded, report)
    return run_replay(what, options_of(None, json, events, "", ()))
