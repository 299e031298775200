"""The commands that look: at blocks, files, what is stored, configurations, sources."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import trio
from cyclopts import Parameter

from ..config import load
from ..errors import ConfigError
from .arguments import ConfigPath, Json, with_feeds
from .importing import FORMATS, import_tape
from .inspecting import Wanted, node_url, run_inspect
from .logs import log_to
from .querying import run_query
from .signals import cleaned_up_on_signals
from .sought import BlockRange, read_sources
from .sources import sources
from .view import console
from .words import complain, say
from .workers import MOST_WORKERS


def import_recordings(
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
    with cleaned_up_on_signals():
        done = import_tape(form, sources, out)
    left = "".join(f", {count} {problem}" for problem, count in done.problems.items())
    complain(f"{out}: {done.records} records{left}")
    return 0


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
    check: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Ask what is stored, in SQL; each dataset is a view by its name.

    Parameters
    ----------
    data
        The folder that --store or --out of inspect has written; the current one by default.
    rows
        Rows of the table in a terminal, at most.
    check
        See first whether all files are what was written; those that are damaged are named.
    """
    return run_query(sql, data, json, rows, check)


def check_config(file: Path, /) -> int:
    """Check a configuration and report every problem at once."""
    loaded = load(file)
    feeds = ", ".join(feed.name for feed in loaded.settings.feeds) or "none"
    say(f"{file}: no problem; feeds: {feeds}")
    return 0


def try_sources(*, config: ConfigPath) -> int:
    """Connect once to each feed and say what it answers and how fast."""
    loaded = with_feeds(config)
    log_to(lambda _: None)
    code: int = trio.run(sources, loaded.feeds(), console(os.environ))
    return code
