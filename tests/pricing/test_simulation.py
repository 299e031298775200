"""A sample of ``scripts/simulate-prices``: the whole of it takes half an hour."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.uncounted import uncounted

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def simulate():
    """Runs the simulation with arguments; its exit code and its rows by name."""

    def run(*arguments: str) -> tuple[int, dict]:
        done = subprocess.run(
            [sys.executable, "-m", "simulations", "--json", *arguments],
            env=uncounted(PYTHONPATH=str(SCRIPTS)),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, {row.get("name", str(place)): row for place, row in enumerate(rows)}

    return run


def test_ours_is_nearer_to_the_truth_than_rules_that_are_handed_the_errors(simulate):
    code, rows = simulate("--seconds", "1500", "--rows", "n5-two", "n3-one")
    assert code == 0
    row = rows["n5-two"]
    assert row["ours"]["rmse"] <= 0.85 * min(row["median"]["rmse"], row["pyth"]["rmse"])
    assert row["ours"]["p99"] <= min(row["median"]["p99"], row["pyth"]["p99"])
    assert 0.93 <= row["ours"]["coverage"] <= 0.97
    assert rows["n3-one"]["disputed_standing"] == 1.0
    assert rows["n3-one"]["ours"]["coverage"] >= 0.95


def test_the_same_seed_makes_the_same_figures_and_another_one_others(simulate):
    arguments = "--seconds", "1000", "--rows", "n3-clean"
    first, second = simulate(*arguments), simulate(*arguments)
    assert first == second
    other = simulate(*arguments, "--seed", "2")
    assert other[1] != first[1]
    assert (first[0], other[0]) == (1, 0), "of a hundred seconds the coverage is a matter of luck"


@pytest.mark.parametrize(
    "arguments", [("--rows", "n9-clean"), ("--processes", "0"), ("--seconds", "5")]
)
def test_unusable_arguments_are_exit_code_2(simulate, arguments):
    assert simulate(*arguments) == (2, {})
