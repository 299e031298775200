"""How far the aggregated price is from a true one, beside the median and Pyth's rule.

Pyth's rule is handed the true error of every source; ours learns them. RMSE, p99 and half-widths
are in basis points. Exit code 0 where every row reaches what is asked of it, 1 where one does
not, 2 where the arguments are unusable.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from functools import partial

import attrs
from rich.console import Console
from rich.table import Table

from trio_mev.pricing.panel import SAMPLE

from .contest import Result
from .jumps import Followed, jumps
from .products import Coverage, products
from .rows import ROWS, Row, demands
from .scores import Score

JUMPS, DRAWS = 400, 20_000
EXTRAS = ("jumps", "joins")
WIDTH = 140
"""Columns, where it is not a terminal that says how many it has."""


def shown(score: Score) -> str:
    """RMSE, p99, coverage and median half-width."""
    text = f"{score.rmse:.2f}/{score.p99:.1f}"
    if score.coverage is None or score.half_width is None:
        return text
    return f"{text}/{score.coverage:.3f} ±{score.half_width:.2f}"


def table(results: list[Result]) -> Table:
    """The rows for people."""
    drawn = Table(title="RMSE / p99 / coverage ± median half-width")
    for heading in (
        "row",
        "episodes",
        "median",
        "Pyth, true errors",
        "ours",
        "ok",
        "disputed",
        "holds",
    ):
        drawn.add_column(heading, no_wrap=heading != "holds")
    for result in results:
        asked = demands(result)
        failed = [str(one) for one in asked if not one.met]
        verdict = "[red]NO:[/] " + "; ".join(failed) if failed else "[green]yes[/]"
        drawn.add_row(
            result.name,
            str(result.episodes) if result.fault != "clean" else f"{result.seconds:.0f} s",
            shown(result.median),
            shown(result.pyth),
            shown(result.ours),
            f"{result.ok:.1%}",
            f"{result.disputed:.1%}",
            verdict if asked else "",
        )
    return drawn


def extras(names: list[str], seed: int) -> tuple[list[Followed], list[Coverage]]:
    """Jumps and joined prices, where they are asked for."""
    followed = [jumps(count, JUMPS, seed) for count in (3, 5, 8)] if "jumps" in names else []
    covered = products(DRAWS, seed) if "joins" in names else []
    return followed, covered


def extra_tables(followed: list[Followed], covered: list[Coverage]) -> list[Table]:
    """The same for people."""
    drawn = []
    if followed:
        times = Table("sources", "jumps", "median", "p90", "p99", "worst")
        times.title = "Seconds until a jump of 20 % is followed to 20 bp"
        for one in followed:
            figures = (one.median, one.p90, one.p99, one.worst)
            times.add_row(str(one.sources), str(one.jumps), *(f"{f:.1f}" for f in figures))
        drawn.append(times)
    if covered:
        shares = Table("correlation", "second leg over first", "sum", "quadrature")
        shares.title = "Coverage of joined intervals"
        for row in covered:
            values = (row.correlation, row.ratio, row.sum, row.quadrature)
            shares.add_row(*(f"{value:.3g}" for value in values))
        drawn.append(shares)
    return drawn


def run(row: Row, seed: int, seconds: float | None, sample: float) -> Result:
    """A row's result, in a process of its own."""
    return row.run(seed, seconds, sample)


def tell(result: Result | Followed | Coverage) -> None:
    """A line of JSON."""
    sys.stdout.write(json.dumps(attrs.asdict(result)) + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/simulate-prices", description=__doc__)
    names = [*ROWS, *EXTRAS]
    parser.add_argument("--rows", nargs="+", metavar="NAME", default=names, choices=names)
    parser.add_argument("--seconds", type=float, help="of every row, in place of its own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--sample",
        type=float,
        default=SAMPLE,
        help="seconds between two quotes of a source that are learned from; 0 learns from all",
    )
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object a row, nothing else")
    given = parser.parse_args()
    if given.processes < 1 or (given.seconds is not None and given.seconds < 1000):
        parser.error("at least one process, and at least 1000 seconds")
    return given


def main() -> int:
    given = arguments()
    rows = [ROWS[name] for name in given.rows if name in ROWS]
    work = partial(run, seed=given.seed, seconds=given.seconds, sample=given.sample)
    results: list[Result] = []
    with multiprocessing.Pool(given.processes) as pool:
        for result in pool.imap(work, rows):
            results.append(result)
            if given.json:
                tell(result)
    followed, covered = extras(given.rows, given.seed)
    if given.json:
        for one in followed:
            tell(one)
        for row in covered:
            tell(row)
    else:
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        for drawn in ([table(results)] if results else []) + extra_tables(followed, covered):
            console.print(drawn)
    met = all(demand.met for result in results for demand in demands(result))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
