"""What trio_mev costs, beside other ways to do the same work.

Exit code 0 where every "must" holds, 1 where one does not, 2 where the arguments are unusable.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import attrs
from rich.console import Console
from rich.table import Table

from .benches import BENCHES, NOTES, QUICK, Size
from .budgets import Row

PACKAGES = "trio", "websockets", "msgspec", "uvloop", "picows"


def machine() -> str:
    """What the figures were measured on."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} missing")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.system()} {platform.machine()}, {python}, {', '.join(found)}"


def number(value: float | None) -> str:
    """Three digits that matter."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: list[Row]) -> Table:
    """The rows for people."""
    result = Table(title="Costs: less is better")
    for heading in ("bench", "measure", "unit"):
        result.add_column(heading)
    for heading in ("ours", "peer"):
        result.add_column(heading, justify="right")
    result.add_column("of")
    for heading in ("ratio", "must", "aim"):
        result.add_column(heading, justify="right")
    result.add_column("holds")
    for row in rows:
        bounds = [
            f"≤ {number(bound)}" if bound is not None else "" for bound in (row.must, row.aim)
        ]
        verdict = "" if row.must is None else "[green]yes[/]" if row.holds else "[red]NO[/]"
        result.add_row(
            row.bench,
            row.measure,
            row.unit,
            number(row.ours),
            number(row.peer),
            row.peer_name or "",
            number(row.ratio),
            *bounds,
            verdict,
        )
    return result


def main() -> int:
    parser = argparse.ArgumentParser("scripts/bench", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a row, nothing else")
    parser.add_argument("--quick", action="store_true", help="too little to tell anything by")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHES:
            parser.error(f"no bench is named {name}; there are {', '.join(BENCHES)}")
    log = Console(stderr=True)
    rows: list[Row] = []
    for name, bench in BENCHES.items():
        if not arguments.names or name in arguments.names:
            log.print(f"{name} ...")
            rows += bench(QUICK if arguments.quick else Size())
    if arguments.json:
        for row in rows:
            sys.stdout.write(json.dumps(attrs.asdict(row)) + "\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else 160)
        console.print(table(rows))
        for name in {row.bench for row in rows} & NOTES.keys():
            console.print(NOTES[name])
        console.print(machine(), soft_wrap=True)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
