"""mempool-dumpster's files: Parquet and CSV, packed or not; what cannot be read says why."""

from __future__ import annotations

import gzip
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.dumpster import START, csv_of, rows_of, write_parquet
from tests.support.signed import recorded
from trio_mev.errors import ConfigError
from trio_mev.feeds import dumpster
from trio_mev.feeds.dumpster import read_rows


@pytest.fixture(scope="module")
def rows(corpus) -> list[dict]:
    return rows_of(recorded(corpus)[:20])


def read(path: Path, problems: Counter[str] | None = None) -> list[dict]:
    return list(read_rows(path, Counter() if problems is None else problems))


def test_parquet_has_every_column_that_is_needed_and_times_in_milliseconds(rows, tmp_path):
    found = read(write_parquet(tmp_path / "day.parquet", rows))
    assert [one["timestamp"] for one in found] == [START + 40 * n for n in range(20)]
    assert [one["rawTx"] for one in found] == [one["rawTx"] for one in rows]
    assert found[3] == {name: rows[3][name] for name in found[3]}
    assert "sources" not in found[3]


def test_finer_and_plain_times_are_read_as_milliseconds(rows, tmp_path):
    for place, column in enumerate(
        (
            pa.array([START * 1000 + 999], pa.timestamp("us")),
            pa.array([START * 10**6 + 1], pa.timestamp("ns", "UTC")),
            pa.array([START], pa.int64()),
        )
    ):
        path = write_parquet(tmp_path / f"{place}.parquet", rows[:1])
        table = pq.read_table(path)
        pq.write_table(table.set_column(0, "timestamp", column), path)
        assert read(path)[0]["timestamp"] == START


def test_csv_is_read_as_it_is_zipped_and_gzipped(rows, tmp_path):
    text = csv_of(rows)
    plain, packed, zipped = (tmp_path / name for name in ("a.csv", "a.csv.gz", "a.csv.zip"))
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", text)
    found = read(plain)
    assert found == read(packed) == read(zipped)
    assert len(found) == 20
    assert found[3]["txType"] == str(rows[3]["txType"])
    assert {n: v for n, v in found[3].items() if n != "txType"} == {
        n: str(rows[3][n]) for n in found[3] if n != "txType"
    }


def test_lines_that_are_no_rows_are_counted_and_the_others_go_on(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(dumpster, "LONGEST_LINE", 1000)
    head, *lines = csv_of(rows[:3]).splitlines()
    path = tmp_path / "a.csv"
    wrong = ["1,2", "", 'a"b,"c"d', "x" * 3000, "y" * 2500]
    path.write_text("\n".join([head, lines[0], *wrong, lines[1], "", lines[2]]))
    problems: Counter[str] = Counter()
    assert [one["hash"] for one in read(path, problems)] == [one["hash"] for one in rows[:3]]
    assert problems == {"bad_line": 4, "line_too_long": 2}


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


def two_members(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "")
        archive.writestr("b", "")
    return path


def test_what_cannot_be_read_says_why_and_which_file(rows, tmp_path):
    def file(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    packed = gzip.compress(csv_of(rows).encode())
    sourcelog = b"timestamp_ms,hash,source\n1,0x1,local\n"
    cases = {
        file("cut.gz", packed[:-40]): "damaged or cut",
        cut(write_parquet(tmp_path / "cut.parquet", rows)): "damaged",
        file("damaged.zip", b"PK\x03\x04 and nothing"): "damaged or cut",
        two_members(tmp_path / "two.zip"): "there are 2 files in it",
        file("latin.csv", b"timestamp_ms,hash\xe4\n"): "not UTF-8",
        file("empty.csv", b""): "it is empty",
        file("log.csv", sourcelog): "it has no column from, to, value, nonce, gas",
        tmp_path / "absent.csv": "No such file",
        tmp_path: "Is a directory",
    }
    for path, why in cases.items():
        with pytest.raises(ConfigError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert why in str(caught.value)


def test_parquet_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(ConfigError, match="it has no column timestamp"):
        read(path)


def test_without_pyarrow_csv_is_read_and_of_parquet_it_says_what_to_install(
    rows, tmp_path, monkeypatch
):
    path = write_parquet(tmp_path / "a.parquet", rows)
    beside = tmp_path / "a.csv"
    beside.write_text(csv_of(rows))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"install trio-mev\[store\]; CSV needs none"):
        read(path)
    assert len(read(beside)) == 20
