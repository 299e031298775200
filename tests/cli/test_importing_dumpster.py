"""A day of mempool-dumpster's is imported and replayed; what was stored of a stream, too."""

from __future__ import annotations

import json

import pytest

from tests.support.dumpster import START, csv_of, rows_of, write_parquet
from tests.support.signed import recorded
from trio_mev.cli.app import main
from trio_mev.feeds.tapes import Tape


@pytest.fixture(scope="module")
def rows(corpus) -> list[dict]:
    return rows_of(recorded(corpus))


def imported(capfd, tmp_path, source) -> list[dict]:
    """The lines of the replay of what was imported."""
    tape = tmp_path / f"{source.name}.tape"
    assert main(["import", "mempool-dumpster", str(source), "--out", str(tape)]) == 0
    assert capfd.readouterr().err == f"trio_mev: {tape}: 643 records\n"[len("trio_mev: ") :]
    assert Tape(tape).first.wall == START * 10**6
    assert main(["replay", str(tape), "--json", "--events", "transaction"]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_its_parquet_replays_with_every_call_whole(capfd, tmp_path, rows, corpus):
    lines = imported(capfd, tmp_path, write_parquet(tmp_path / "day.parquet", rows))
    told = {line["hash"]: line for line in lines if line["kind"] == "transaction"}
    bodies = recorded(corpus)
    assert len(told) == len(bodies) == 640
    for body in bodies:
        line = told[body["hash"]]
        assert (line["from"], line["to"], line["input"]) == (
            body["from"],
            body["to"],
            body["input"],
        )
        assert line["nonce"] == int(body["nonce"], 16)
        assert line["value"] == str(int(body["value"], 16))
    assert lines[-1]["refused"] == {}
    assert lines[-1]["events"]["transaction"] == 640
    assert any(line["kind"] == "alert" and line.get("swaps") for line in lines)


def test_its_csv_replays_with_four_bytes_of_each_call(capfd, tmp_path, rows):
    source = tmp_path / "day.csv"
    source.write_text(csv_of(rows))
    lines = imported(capfd, tmp_path, source)
    told = [line for line in lines if line["kind"] == "transaction"]
    assert len(told) == 640
    assert {len(line["input"]) for line in told} == {2, 10}
    assert lines[-1]["refused"] == {}
    assert not any(line.get("swaps") for line in lines)


def test_a_file_that_is_none_of_its_own_is_one_line_and_leaves_no_tape(capfd, tmp_path):
    source, out = tmp_path / "log.csv", tmp_path / "out.tape"
    source.write_text("timestamp_ms,hash,source\n")
    assert main(["import", "mempool-dumpster", str(source), "--out", str(out)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"trio_mev: {source}: it has no column from")
    assert not out.exists()


def test_rows_that_cannot_be_used_are_counted(capfd, tmp_path, rows):
    wrong = [{**rows[0], "hash": rows[1]["hash"]}, {**rows[2], "from": "0x1"}, rows[3]]
    source = write_parquet(tmp_path / "day.parquet", wrong)
    tape = tmp_path / "out.tape"
    assert main(["import", "mempool-dumpster", str(source), "--out", str(tape)]) == 0
    said = capfd.readouterr().err
    assert said == f"{tape}: 4 records, 1 hash_mismatch, 1 bad_address\n"
