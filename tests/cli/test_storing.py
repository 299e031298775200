"""``replay --store`` and ``query``: the same rows each time, once; what cannot be is one line."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.sinks.test_daystore import full_disk
from tests.support.terminal import shown_in_terminal
from tests.support.uncounted import uncounted
from trio_mev.cli.app import main
from trio_mev.loopback.demo import TAPE
from trio_mev.model.settings import STORED
from trio_mev.sinks.daystore import DayStore
from trio_mev.sinks.told_columns import STREAM_DATASETS

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "trio_mev"]


def replayed(capfd, *arguments: object) -> tuple[dict, str]:
    """The summary and standard error."""
    assert main(["replay", str(TAPE), "--json", *map(str, arguments)]) == 0
    out, err = capfd.readouterr()
    return json.loads(out.splitlines()[-1]), err


def asked(capfd, folder: Path, sql: str, *more: str) -> list[dict]:
    assert main(["query", sql, "--data", str(folder), *more]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """The demo's first hundred seconds."""
    folder = tmp_path_factory.mktemp("kept") / "data"
    assert main(["replay", str(TAPE), "--json", "--to", "100", "--store", str(folder)]) == 0
    return folder


def tables(folder: Path) -> dict[str, list[dict]]:
    return {name: pq.read_table(folder / name).to_pylist() for name in STORED}


@pytest.mark.no_cover
def test_a_replay_writes_the_same_rows_whatever_else_it_does(capfd, kept, tmp_path):
    part = ["--to", "100"]
    plain, _ = replayed(capfd, *part)
    stored, err = replayed(capfd, *part, "--store", tmp_path / "again")
    assert stored["digest"] == plain["digest"]
    assert stored["lost"] == {}
    assert tables(tmp_path / "again") == tables(kept)
    rows = {name: len(found) for name, found in tables(kept).items()}
    counted = ", ".join(f"{name} {rows[name]}" for name in STORED)
    assert f"{tmp_path / 'again'}: {sum(rows.values())} rows: {counted}" in err
    assert rows["quote"] == stored["events"]["quote"] > 1000
    assert rows["price"] == stored["events"]["price"] > 1000
    assert rows["alert"] == stored["findings"]["alert"]


@pytest.mark.no_cover
def test_findings_and_verdicts_are_stored_as_they_are_told(capfd, tmp_path):
    config, folder = tmp_path / "pools.toml", tmp_path / "data"
    config.write_text(
        '[pools]\ntokens = ["WETH", "USDC", "WBTC"]\n[liquidations]\nenabled = true\n'
    )
    arguments = ["--config", str(config), "--store", str(folder)]
    assert main(["replay", str(TAPE), "--json", *arguments]) == 0
    *lines, summary = map(json.loads, capfd.readouterr().out.splitlines())
    for kind in ("arbitrage", "sandwich", "liquidation", "jit"):
        told = [line for line in lines if line["kind"] == kind]
        rows = [
            row
            for name in ("finding", "ledger")
            for row in asked(capfd, folder, f"from {name} where kind = '{kind}'")
        ]
        assert len(rows) == len(told) == summary["findings"][kind] > 0
        assert {(row["id"], row["status"], row.get("verdict")) for row in rows} == {
            (line["id"], line["status"], (line["outcome"] or {}).get("verdict")) for line in told
        }
        details = {row["id"]: json.loads(row["detail"]) for row in rows}
        assert all(details[line["id"]] == line["detail"] for line in told)
        seen = {line["id"]: line["seen_at"] // 1000 for line in told}
        for row in asked(
            capfd, folder, f"select id, epoch_us(time) as t from ledger where kind = '{kind}'"
        ):
            assert row["t"] == seen[row["id"]]
    assert {row["verdict"] for row in asked(capfd, folder, "from ledger")} == {"unseen"}
    (row,) = asked(capfd, folder, "from finding where kind = 'liquidation'")
    detail = json.loads(row["detail"])
    assert row["debt_amount_string"] == detail["debt_amount"]
    assert int(row["collateral_amount_binary"], 16) == int(detail["collateral_amount"])
    assert row["user"] == detail["user"]


def test_the_days_are_the_tapes(kept):
    for name in STORED:
        assert [path.name for path in (kept / name).iterdir()] == ["2026-01-01_0001.parquet"]


def test_a_second_replay_into_the_folder_is_one_line_and_changes_nothing(capfd, kept):
    before = {path: path.read_bytes() for path in kept.rglob("*.parquet")}
    for more in ([], ["--from", "50"], ["--to", "10"], ["--loopback", "--to", "20"]):
        assert main(["replay", str(TAPE), *more, "--store", str(kept)]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith(f"trio_mev: {kept}: it holds 2026-01-01 01:20:12+00:00 to ")
        assert line.endswith("choose another folder")
    assert before == {path: path.read_bytes() for path in kept.rglob("*.parquet")}


def test_a_replay_goes_on_where_another_one_ended(capfd, kept, tmp_path):
    folder = tmp_path / "halves"
    replayed(capfd, "--to", "50", "--store", folder)
    (held,) = json.loads((folder / "store.json").read_text())["spans"]
    replayed(capfd, "--from", "50", "--to", "100", "--store", folder)
    spans = json.loads((folder / "store.json").read_text())["spans"]
    assert spans[0] == held
    assert len(spans) == 2
    assert held[1] < spans[1][0]
    assert len(tables(folder)["quote"]) == len(tables(kept)["quote"])


@pytest.mark.no_cover
def test_over_sockets_the_same_is_stored(capfd, kept, tmp_path):
    summary, _ = replayed(capfd, "--loopback", "--to", "100", "--store", tmp_path / "sockets")
    rows = tables(tmp_path / "sockets")
    assert len(rows["quote"]) == summary["events"]["quote"]
    assert [row["hash"] for row in rows["transaction"]] == [
        row["hash"] for row in tables(kept)["transaction"]
    ]


def test_a_configuration_says_where_and_what(capfd, tmp_path):
    config = tmp_path / "some.toml"
    folder = tmp_path / "folder"
    config.write_text(f'[store]\nfolder = "{folder}"\ndatasets = ["price"]\n')
    replayed(capfd, "--config", config, "--to", "20")
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "price", "store.json"]
    replayed(capfd, "--config", config, "--to", "20", "--store", tmp_path / "other")
    assert (tmp_path / "other" / "price").is_dir()
    config.write_text('[store]\ndatasets = ["prices"]\nkeep_days = 0\nfolders = "x"\n')
    assert main(["check-config", str(config)]) == 2
    problems = capfd.readouterr().err
    assert "store.datasets: 'prices'; known are finding" in problems.replace(
        "datasets: datasets", "datasets"
    )
    assert "store.keep_days: " in problems
    assert "folders" in problems


def test_a_folder_that_cannot_be_written_to_is_one_line(capfd, tmp_path):
    (tmp_path / "file").write_text("")
    assert main(["replay", str(TAPE), "--store", str(tmp_path / "file")]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line == f"trio_mev: {tmp_path / 'file'}: File exists"
    store = DayStore(tmp_path / "taken")
    assert main(["replay", str(TAPE), "--store", str(tmp_path / "taken")]) == 2
    assert "another run writes into it" in capfd.readouterr().err
    store.close()


def limited(size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where no file can be larger than that."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=uncounted(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_a_full_disk_costs_rows_and_not_the_run(capfd, tmp_path):
    folder = tmp_path / "data"
    done = limited(40_000, "replay", str(TAPE), "--json", "--store", str(folder))
    assert done.returncode == 0
    summary = json.loads(done.stdout.splitlines()[-1])
    lost = summary["lost"]["taken:disk"]
    assert 0 < lost < summary["books"]["received"]
    assert asked(capfd, folder, "select count(*) as n from alert") == [
        {"n": summary["findings"]["alert"]}
    ]
    assert (
        sum(summary["books"][k] for k in ("processed", "filtered", "lost"))
        == (summary["books"]["received"])
    )
    assert f"ERROR   {folder}: of {lost} events nothing is stored" in done.stderr
    assert "File too large" in done.stderr
    assert not list(folder.rglob("*.tmp"))


def test_a_disk_that_is_full_from_the_start_is_one_line(tmp_path):
    done = limited(100, "replay", str(TAPE), "--store", str(tmp_path / "data"))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"trio_mev: {tmp_path / 'data'}")
    assert line.endswith("File too large")
    with full_disk():
        assert main(["replay", str(TAPE), "--store", str(tmp_path / "data")]) == 2


# What is stored, in other programs.


PANDAS = {
    "string": "str",
    "double": "float64",
    "uint64": {"uint64", "float64"},
    "uint32": {"uint32", "float64"},
    "int32": {"int32", "float64"},
    "int64": {"int64", "float64"},
    "bool": {"bool", "object"},
    "time": "datetime64[us, UTC]",
    "time in ms": "datetime64[ms, UTC]",
    "bytes": "object",
    "32 bytes": "object",
}
"""By our type; what is nullable and absent makes a float of an integer."""


@pytest.mark.parametrize("name", STORED)
def test_pandas_opens_each_dataset_with_its_types(kept, name):
    frame = pd.read_parquet(kept / name)
    assert list(frame.columns) == list(STREAM_DATASETS[name])
    for column, kind in STREAM_DATASETS[name].items():
        expected = PANDAS.get(kind.value, "object")
        found = str(frame[column].dtype)
        assert found in expected if isinstance(expected, set) else found == expected, column


def test_pandas_and_duckdb_see_the_same(capfd, kept):
    frame = pd.read_parquet(kept / "price")
    (row,) = asked(
        capfd, kept, "select count(*) as n, max(price_f64) as top, max(time) as t from price"
    )
    assert row["n"] == len(frame)
    assert row["top"] == frame["price_f64"].max()
    assert pd.Timestamp(row["t"]) == frame["time"].max()
    pending = pd.read_parquet(kept / "transaction").dropna(subset=["includedAtBlockHeight"])
    delays = pending["includedBlockTimestamp"] - pending["timestamp"]
    assert len(pending) > 10
    assert (delays.dt.total_seconds() * 1000 == pending["inclusionDelayMs"]).all()


def test_what_is_stored_can_be_imported_as_mempool_dumpsters(capfd, kept, tmp_path):
    (source,) = (kept / "transaction").iterdir()
    tape = tmp_path / "back.tape"
    assert main(["import", "mempool-dumpster", str(source), "--out", str(tape)]) == 0
    summary_only = ["replay", str(tape), "--json"]
    capfd.readouterr()
    assert main(summary_only) == 0
    summary = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert summary["events"]["transaction"] == pq.read_metadata(source).num_rows
    assert summary["refused"] == {}


# The command.


def test_query_prints_lines_of_json(capfd, kept):
    rows = asked(capfd, kept, "select instrument, count(*) as n from price group by all order by 1")
    assert [row["instrument"] for row in rows] == ["BTC/USDT", "ETH/USD", "ETH/USDT", "USDT/USD"][
        : len(rows)
    ] or rows
    assert all(set(row) == {"instrument", "n"} for row in rows)
    (total,) = asked(capfd, kept, "select sum(value::hugeint) as wei from transaction", "--json")
    assert int(total["wei"]) > 2**64
    assert asked(capfd, kept, "-- what there is\nshow tables")[0] == {"name": "alert"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["selec 1"], "trio_mev: query: Parser Error"),
        (["from nothing"], "trio_mev: query: Catalog Error: Table with name nothing"),
        (["drop view quote"], "trio_mev: query: it must be one statement that reads"),
        (["select 1", "--rows", "0"], "trio_mev: --rows 0: it must be 1 to 10000"),
    ],
)
def test_a_query_that_cannot_be_is_one_line(capfd, kept, arguments, why):
    assert main(["query", *arguments, "--data", str(kept)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith(why)


def test_a_folder_without_datasets_is_one_line(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["query", "select 1"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line == "trio_mev: .: there is no dataset in it; --data names another folder"


def in_terminal(*arguments: str, seconds: float = 60) -> tuple[int, str]:
    """The exit code and all that a terminal showed."""
    env = {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1"}
    code, shown = shown_in_terminal([*COMMAND, "query", *arguments], ROOT, seconds, **env)
    return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_in_a_terminal_there_is_a_table_of_so_many_rows(kept):
    sql = "select range as n, null as nothing, 'a' || chr(27) || '[31m' as colour from range(250)"
    code, shown = in_terminal(sql, "--data", str(kept))
    assert code == 0
    assert re.search(r"^ ?n +nothing +colour *\r?$", shown, re.MULTILINE)
    assert re.search(r"^ ?99 +— +a\ufffd\[31m", shown, re.MULTILINE)
    assert not re.search(r"^ ?100 ", shown, re.MULTILINE)
    assert "the first 100 rows; there are more: --rows N shows more of them, --json all" in shown
    code, shown = in_terminal(sql, "--data", str(kept), "--rows", "250")
    assert "250 rows" in shown
    assert re.search(r"^ ?249 ", shown, re.MULTILINE)
    code, shown = in_terminal(
        "select 'x' || repeat('y', 500) as long, [1] as list", "--data", str(kept)
    )
    assert "…" in shown
    assert "1 rows" not in shown
    assert "1 row" in shown
    code, shown = in_terminal("select 1 as n", "--data", str(kept), "--json")
    assert json.loads(shown) == {"n": 1}


def test_a_reader_that_goes_away_is_no_matter(kept):
    sql = "select * from range(1000000)"
    command = [*COMMAND, "query", sql, "--data", str(kept)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b'{"range":0}\n'
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
