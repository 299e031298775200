"""The benches run, at a size that tells nothing, and their rows are what the contract says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.devnet.demo_tape import write
from tests.devnet.made import Made, write_made
from tests.devnet.venues import Exchanges
from tests.support.uncounted import uncounted

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"
KEYS = ["bench", "measure", "unit", "ours", "peer", "peer_name", "ratio", "must", "aim", "holds"]
ROWS = {
    "flood": 6,
    "engine": 1,
    "paced": 12,
    "lanes": 5,
    "idle": 1,
    "prices": 16,
    "decode": 10,
    "pools": 7,
    "predict": 3,
    "record": 4,
    "inspect": 2,
    "store": 3,
    "replay": 12,
}
PEERS = {"flood", "paced"}


def bench(*arguments: str, scripts: Path = SCRIPTS) -> subprocess.CompletedProcess[str]:
    return run("benchmarks", *arguments, scripts=scripts)


def run(module: str, *arguments: str, scripts: Path = SCRIPTS) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(scripts), str(SCRIPTS.parent)))
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=uncounted(PYTHONPATH=paths),
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_shaped_as_the_contract_says(name: str, request: pytest.FixtureRequest):
    if name in PEERS and not (find_spec("uvloop") and find_spec("picows")):
        pytest.skip("its peers come with the extra named bench")
    if name == "inspect":
        request.getfixturevalue("corpus")
    done = bench(name, "--quick", "--json")
    assert done.returncode in {0, 1}, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == ROWS[name]
    for row in rows:
        assert list(row) == KEYS
        assert row["bench"] == name
        assert row["ours"] > 0
        assert (row["peer"] is None) == (row["ratio"] is None)
        left_out = ", left out: " in (row["peer_name"] or "")
        assert (row["peer"] is None) == (row["peer_name"] is None or left_out)
        assert row["must"] is None or row["aim"] is not None
    # The code says what the rows say; how fast it was is nobody's business here.
    assert done.returncode == (0 if all(row["holds"] for row in rows) else 1)


def test_each_must_bounds_the_ratio_or_else_ours():
    done = bench("lanes", "--quick", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    bounded = [row for row in rows if row["must"] is not None]
    assert len(bounded) == 3
    for row in bounded:
        value = row["ours"] if row["peer"] is None else row["ratio"]
        assert row["holds"] == (value <= row["must"])


def test_the_table_names_the_machine():
    done = bench("idle", "--quick")
    assert done.returncode in {0, 1}, done.stderr
    assert "quiet connections" in done.stdout
    assert "cores" in done.stdout
    assert "trio " in done.stdout


def test_a_peer_that_is_not_there_is_left_out_with_a_reason(tmp_path: Path):
    shutil.copytree(SCRIPTS / "benchmarks", tmp_path / "scripts" / "benchmarks")
    home = tmp_path / ".venv" / "peers"
    home.mkdir(parents=True)
    (home / "cryptofeed.log").write_text("building\nERROR: no compiler\n")
    done = bench("prices", "--quick", "--json", scripts=tmp_path / "scripts")
    assert done.returncode in {0, 1}, done.stderr
    named = {json.loads(line)["peer_name"] for line in done.stdout.splitlines()}
    assert named == {
        None,
        "ccxt, left out: scripts/bench has not installed it",
        "cryptofeed, left out: ERROR: no compiler",
    }


@pytest.mark.parametrize("missing", [0, 1])
def test_a_replay_that_brings_one_quote_less_than_was_made_is_refused(tmp_path: Path, missing: int):
    course = [(1_767_225_600 * 10**9, {"ETH": 3000.0, "BTC": 90_000.0})]
    exchanges = Exchanges(1, 10, course)
    records = list(exchanges.records())
    tape = tmp_path / "short.tape"
    quotes = [each for each in records if each.frame.startswith(b'{"stream":"ethusdt@bookTicker"')]
    write(tape, [each for each in records if each not in quotes[:missing]])
    write_made(Made(1, 10, course, exchanges.made), tape)
    orders = json.dumps({"tape": str(tape), "predicts": False})
    done = run("benchmarks.child", "replay", orders)
    made = exchanges.made["binance:demo"]["quote"]
    if missing:
        assert done.returncode == 1
        assert (
            f"seed 1: binance:demo: quote made {made} times, found {made - 1} times" in done.stderr
        )
    else:
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["counts"]["quote"] > made > 10


def test_an_unknown_bench_is_refused():
    done = bench("nothing")
    assert done.returncode == 2
    assert "no bench is named nothing" in done.stderr
