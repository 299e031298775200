"""The commands and their arguments."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import attrs
import cyclopts
import trio
from cyclopts import App, Parameter

from ..config import Config, load
from ..errors import ConfigError, DataStreamError
from ..flow.supervise import leaves
from ..sinks.report.model import About
from ..version import __version__
from .demo import TITLE, default_config, demo, how_to_go_live
from .importing import FORMATS, import_tape
from .inspecting import Wanted, node_url, run_inspect
from .live import EVENT_KINDS, watch
from .logs import log_to
from .querying import run_query
from .recording import Taping, chosen, record_alone, watch_and_record
from .replaying import Replay, read_speed, run_replay
from .reporting import Reporting, check_report
from .shows import Options
from .sought import BlockRange, read_sources
from .sources import sources
from .storing import open_store
from .view import console
from .words import OutputFailed, complain, let_go, say
from .workers import MOST_WORKERS

Seconds = Annotated[float | None, Parameter("--for", help="Stop after so many seconds.")]
Json = Annotated[bool, Parameter("--json", negative=(), help="Lines of JSON, even in a terminal.")]
Events = Annotated[
    str, Parameter("--events", help=f"Add events to the findings: {', '.join(EVENT_KINDS)}.")
]
StorePath = Annotated[
    Path | None,
    Parameter("--store", help="A folder to store all of it in, as Parquet, a file for each day."),
]
ConfigPath = Annotated[Path, Parameter("--config", help="A configuration file (TOML).")]
RotateSize = Annotated[
    str | None, Parameter(help="Begin the next tape after so many bytes, such as 256M.")
]
RotateEvery = Annotated[
    str | None, Parameter(help="Begin the next tape after so long, such as 1h; 30 is seconds.")
]
Keep = Annotated[int | None, Parameter(help="Tapes that are kept; the oldest are deleted.")]
ReportPath = Annotated[
    Path | None, Parameter("--report", help="Tell what happened on a page (HTML) at the end.")
]

app = App(
    name="trio_mev",
    help="Watch MEV as it happens. Without a command: a demo that needs no network.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` answers with a code
)


def _options(
    seconds: float | None, json: bool, events: str, title: str, footer: Sequence[str]
) -> Options:
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--for {seconds:g}: it must be over 0")
    kinds = [kind for kind in events.split(",") if kind]
    unknown = [kind for kind in kinds if kind not in EVENT_KINDS]
    if unknown:
        raise ConfigError(f"--events {','.join(unknown)}: known are {', '.join(EVENT_KINDS)}")
    chosen = frozenset(EVENT_KINDS[kind] for kind in kinds)
    return Options(seconds, json, chosen, title, footer)


def _stored_in(loaded: Config, folder: Path | None) -> Config:
    """A configuration whose stream is stored in this folder, where one is named."""
    if folder is None:
        return loaded
    settings = loaded.settings
    return Config(attrs.evolve(settings, store=attrs.evolve(settings.store, folder=str(folder))))


def _with_feeds(path: Path) -> Config:
    loaded = load(path)
    if not loaded.settings.feeds:
        raise ConfigError(f"{path}: feeds: there is none; add a [[feeds]] table")
    return loaded


@app.default
def run_demo(*, for_: Seconds = None, json: Json = False, events: Events = "") -> int:
    """Run the demo: servers on this machine that play a recording of real contracts on a private
    chain, with simulated quotes, and a stream that watches them."""
    options = _options(for_, json, events, TITLE, how_to_go_live())
    code: int = trio.run(demo, options)
    return code


@app.command
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
    loaded = _stored_in(_with_feeds(config), store)
    options = _options(for_, json, events, f"trio_mev: {config}", ["Ctrl-C ends"])
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


@app.command
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
    loaded = _with_feeds(config)
    options = _options(for_, False, "", f"trio_mev records {config}", ["Ctrl-C ends"])
    taping = Taping(out, chosen(loaded.settings.record, rotate_size, rotate_every, keep))
    code: int = trio.run(record_alone, loaded, taping, options)
    return code


@app.command
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
        One or more tapes; several are merged by their times.
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
    loaded = _stored_in(default_config(tapes) if config is None else load(config), store)
    check_report(report)
    what = Replay(tapes, read_speed(speed), loopback, align, from_, to, loaded, report)
    return run_replay(what, _options(None, json, events, "", ()))


@app.command(name="import")
def import_(
    form: Annotated[str, Parameter(help=f"One of {', '.join(FORMATS)}.")],
    sources: Annotated[list[Path], Parameter(help="Recordings.", negative=())],
    /,
    *,
    out: Path,
) -> int:
    """Turn other programs' recordings into a tape.

    Parameters
    ----------
    out
        The tape's file; it must not exist.
    """
    done = import_tape(form, sources, out)
    left = "".join(f", {count} {problem}" for problem, count in done.problems.items())
    complain(f"{out}: {done.records} records{left}")
    return 0


@app.command
def inspect(
    sources: Annotated[list[str], Parameter(negative=(), allow_leading_hyphen=True)],
    /,
    *,
    rpc: Annotated[str | None, Parameter("--rpc")] = None,
    swaps: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
    out: Path | None = None,
    workers: int = 1,
    prices: Path | None = None,
) -> int:
    """Find what landed in blocks: swaps, arbitrage, sandwiches, liquidations, liquidity just in
    time.

    Parameters
    ----------
    sources
        Files (.json, .json.gz) of traces, receipts, or blocks with logs; or blocks of a node:
        17000000, A:B (B is not in it), -100: (the last ones), 15M:+1000, latest.
    rpc
        URL of the node (ws, wss, http, https); without it that of ETH_RPC_URL.
    swaps
        Show swaps, too.
    out
        A folder to store all of it in, as Parquet; a run that was stopped goes on from there.
    workers
        Processes that share the work.
    prices
        A file of what exchanges paid, as `--events price --json` writes it: for what findings are
        worth in USD, and for pools against exchanges.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigError(f"--workers {workers}: it must be 1 to {MOST_WORKERS}")
    found = read_sources(sources)
    url = node_url(rpc, os.environ) if any(isinstance(s, BlockRange) for s in found) else None
    return run_inspect(Wanted(found, url, swaps, json, out, workers, prices))


@app.command
def query(
    sql: Annotated[
        str,
        Parameter(help="One statement that reads, such as SELECT.", allow_leading_hyphen=True),
    ],
    /,
    *,
    data: Path = Path(),
    json: Json = False,
    rows: int = 100,
) -> int:
    """Ask what is stored, in SQL; each dataset is a view by its name.

    Parameters
    ----------
    data
        The folder that --store or --out of inspect has written; the current one by default.
    rows
        Rows of the table in a terminal, at most.
    """
    return run_query(sql, data, json, rows)


@app.command
def check_config(file: Path, /) -> int:
    """Check a configuration and report every problem at once."""
    loaded = load(file)
    feeds = ", ".join(feed.name for feed in loaded.settings.feeds) or "none"
    say(f"{file}: no problem; feeds: {feeds}")
    return 0


@app.command(name="sources")
def sources_(*, config: ConfigPath) -> int:
    """Connect once to each feed and say what it answers and how fast."""
    loaded = _with_feeds(config)
    log_to(lambda _: None)
    code: int = trio.run(sources, loaded.feeds(), console(os.environ))
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code: 0, 1 a bug or a required source lost, 2 bad input."""
    try:
        code = app(
            list(sys.argv[1:] if argv is None else argv),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except cyclopts.UnusedCliTokensError as error:
        return _unusable(f"unknown: {' '.join(error.unused_tokens or ())}; see --help")
    except cyclopts.CycloptsError as error:
        return _unusable(str(error))
    except ConfigError as error:
        return _unusable(*error.problems)
    except KeyboardInterrupt:
        return 130
    except (OSError, OutputFailed) as error:
        let_go()
        return _unusable(_reason(error), code=1)
    except (DataStreamError, BaseExceptionGroup) as error:
        return _several(error)
    return code if isinstance(code, int) else 0


def _several(error: BaseException) -> int:
    """What came of a run whose tasks failed, or were interrupted."""
    every = list(leaves(error))
    if any(isinstance(e, KeyboardInterrupt) for e in every):
        return 130
    if all(isinstance(e, OutputFailed) for e in every):
        return _unusable(str(every[0]), code=1)
    problems = [e for e in every if isinstance(e, ConfigError)]
    if problems and len(problems) == len(every):
        return _unusable(*(line for problem in problems for line in problem.problems))
    complain("".join(traceback.format_exception(error)).rstrip("\n"))
    return 1


def _reason(error: Exception) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def _unusable(*problems: str, code: int = 2) -> int:
    complain(*(" ".join(f"trio_mev: {problem}".split()) for problem in problems))
    return code
