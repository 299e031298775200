"""``scripts/chaos``: seeded runs of the Ethereum feed through a relay that does its worst."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from typing import Any

import trio

from tests.devnet.chaos import STEPS, Outcome, run
from tests.devnet.load import Load, load
from tests.devnet.node import NoNode


def say(text: str) -> None:
    """A line for whoever started it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser("scripts/chaos", description=__doc__, allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=200, help="how many (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the next has one more")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"acts in each ({STEPS})")
    parser.add_argument("--json", action="store_true", help="one object in place of text")
    parser.add_argument(
        "--load", type=float, metavar="SECONDS", help="no chaos: many transactions for so long"
    )
    parser.add_argument("--rate", type=int, default=300, help="transactions a second (300)")
    asked = parser.parse_args(words)
    if asked.runs < 1 or asked.steps < 1 or asked.rate < 1:
        parser.error("--runs, --steps and --rate are 1 or more")
    return asked


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """All runs together."""
    counts: Counter[str] = sum((outcome.counts for outcome in outcomes), Counter())
    faults: Counter[str] = sum((outcome.faults for outcome in outcomes), Counter())
    seconds = [outcome.seconds for outcome in outcomes]
    return {
        "runs": len(outcomes),
        "wrong": {outcome.seed: outcome.wrong for outcome in outcomes if outcome.wrong},
        "seconds": {
            "all": round(sum(seconds), 1),
            "median": round(statistics.median(seconds), 2),
            "longest": round(max(seconds), 2),
        },
        "faults": dict(sorted(faults.items())),
        "counts": dict(sorted(counts.items())),
    }


async def chaos(asked: argparse.Namespace) -> bool:
    """All the runs; whether the stream was right in each."""
    outcomes: list[Outcome] = []
    for seed in range(asked.seed, asked.seed + asked.runs):
        outcomes.append(await run(seed, asked.steps))
        if outcomes[-1].wrong and not asked.json:
            say(f"seed {seed} is wrong:" + "".join(f"\n    {why}" for why in outcomes[-1].wrong))
    told = summary(outcomes)
    if asked.json:
        say(json.dumps(told))
    else:
        say(f"{told['runs']} runs, {len(told['wrong'])} wrong; seconds: {told['seconds']}")
        for what in ("faults", "counts"):
            say(f"{what}: " + ", ".join(f"{number} {name}" for name, number in told[what].items()))
    return not told["wrong"]


def show(told: Load, as_json: bool) -> None:
    """What a load came to."""
    figures = told.figures()
    if as_json:
        say(json.dumps(figures))
    else:
        for name, value in figures.items():
            say(f"{name:<28}{value}")


async def main(asked: argparse.Namespace) -> int:
    """Do it; the exit code."""
    if asked.load is None:
        return 0 if await chaos(asked) else 1
    told = await load(asked.rate, asked.load)
    show(told, asked.json)
    return 0 if told.accounted else 1


if __name__ == "__main__":
    try:
        code = trio.run(main, arguments())
    except* NoNode as group:
        sys.stderr.write(f"{group.exceptions[0]}\n")
        code = 2
    sys.exit(code)
