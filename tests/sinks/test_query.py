"""SQL over what is stored: exact answers, and no way out of the folder."""

from __future__ import annotations

import os
import sys
import threading

import duckdb
import pytest

from tests.sinks import test_parquet
from tests.sinks.stored import EPOCH, LARGEST, NOON, of_each_kind, opened, quote, stored
from trio_mev.errors import ConfigError
from trio_mev.sinks import query as asking
from trio_mev.sinks.query import ask


@pytest.fixture
def folder(tmp_path):
    """Of a stream and of blocks that were inspected, both."""
    place = tmp_path / "it's [data]"
    stored(place, *of_each_kind(), quote(7, 2.5))
    test_parquet.stored(place, test_parquet.inspected(5, test_parquet.arbitrage()))
    return place


def answer(folder, sql: str) -> list[list]:
    return list(ask(folder, sql).rows())


def test_each_dataset_is_a_view_by_its_name(folder):
    names = [row[0] for row in answer(folder, "show tables")]
    assert names == [
        *("alert", "arbitrage", "block", "block_summary", "cex_dex", "finding", "jit", "ledger"),
        *("liquidation", "price", "quote", "sandwich", "sourcelog", "swap", "transaction"),
    ]
    for name in names:
        (row,) = answer(folder, f"select count(*) from {name}")
        assert row[0] == len(answer(folder, f"from {name}"))
    assert answer(folder, "select count(*) from swap, transaction") == [[2]]


def test_what_is_exact_and_may_be_long_is_text(folder):
    sql = """select attacker_profit_string, attacker_profit_binary, attacker_profit_f64
             from finding where loss_string is not null"""
    assert answer(folder, sql) == [[str(LARGEST), "0x" + "ff" * 32, float(LARGEST)]]
    assert answer(folder, "select sum(sequence), count(*), 1.50::decimal(9, 2) from quote") == [
        ["7", 2, "1.50"]
    ]
    longest = "select sum(attacker_profit_string::bignum), 2::bignum from finding"
    assert answer(folder, longest) == [[str(LARGEST), "2"]]
    ((several, struct),) = answer(folder, "select [170141183460469231731::hugeint, 3], {'a': 1.5}")
    assert several == ["170141183460469231731", 3]
    assert struct == {"a": "1.5"}
    assert answer(folder, "select map {'x': 1}, interval 1 day, null, 'a', true, 0.5::double") == [
        [{"x": 1}, "1 day, 0:00:00", None, "a", True, 0.5]
    ]
    assert answer(folder, "select [1.5], {'a': [null, true]}, null::hugeint") == [
        [["1.5"], {"a": [None, True]}, None]
    ]


def test_times_are_in_utc_and_as_iso_8601_has_them(folder):
    assert answer(folder, "select time, time::date from quote order by 1") == [
        ["2025-11-26T12:00:01+00:00", "2025-11-26"],
        ["2025-11-26T12:00:02.500000+00:00", "2025-11-26"],
    ]
    assert answer(folder, f"select epoch(min(time)) = {NOON + 1} from quote") == [[True]]


def test_columns_have_their_names_and_rows_come_in_batches(folder, monkeypatch):
    monkeypatch.setattr(asking, "BATCH", 7)
    found = ask(folder, "select range as n, n * 2 as twice from range(20)")
    assert found.columns == ["n", "twice"]
    assert list(found.rows()) == [[n, 2 * n] for n in range(20)]
    assert answer(folder, "select 1 where false") == []


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "create table t (a int)",
        "insert into quote select * from quote",
        "drop view quote",
        "copy (select 1) to '{folder}/x.csv'",
        "explain analyze copy (select 1) to '{folder}/x.csv'",
        "attach '{folder}/x.db'",
        "pragma database_list",
        "set threads = 1",
        "reset lock_configuration",
        "install httpfs",
        "load '{folder}/x'",
        "call duckdb_settings()",
        "export database '{folder}/x'",
        "checkpoint",
        "vacuum",
        "begin",
    ],
)
def test_what_does_not_read_is_refused_and_leaves_nothing(folder, sql):
    before = sorted(folder.rglob("*"))
    with pytest.raises(ConfigError, match=r"^query: it must be one statement that reads"):
        ask(folder, sql.format(folder=str(folder).replace("'", "''")))
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "sql",
    [
        "from read_text('/etc/hostname')",
        "from read_csv('/etc/passwd')",
        "from '{outside}/secret.csv'",
        "from read_text('{folder}/../secret.csv')",
        "from glob('/etc/*')",
        "from sniff_csv('{outside}/secret.csv')",
        "from 'https://example.org/a.parquet'",
        "from read_parquet('s3://a/b.parquet')",
        "from duckdb_secrets()",
        "from query('copy (select 1) to ''{outside}/x''')",
        "from sqlite_scan('{outside}/secret.csv', 't')",
        "select getenv('HOME')",
        "from here",
    ],
)
def test_nothing_but_the_folder_can_be_reached(folder, sql):
    here = duckdb.sql("select 1")  # which a query could have read by its name
    assert here is not None
    outside = folder.parent
    (outside / "secret.csv").write_text("a,b\n1,2\n")
    escaped = (str(p).replace("'", "''") for p in (folder, outside))
    text = sql.format(**dict(zip(("folder", "outside"), escaped, strict=True)))
    with pytest.raises(ConfigError, match=r"^query: [A-Z]") as caught:
        answer(folder, text)
    assert "\n" not in str(caught.value)
    assert not (outside / "x").exists()


def test_what_fails_while_rows_are_read_is_an_error_too(folder, monkeypatch):
    monkeypatch.setattr(asking, "BATCH", 1)
    rows = ask(
        folder, "select case when range < 9999 then 1 else error('late') end from range(10000)"
    )
    with pytest.raises(ConfigError, match="query: Invalid Input Error: late"):
        list(rows.rows())


def test_a_folder_by_another_name_is_the_same(folder, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(folder)
    assert answer(tmp_path / "link", "select count(*) from quote") == [[2]]
    monkeypatch.chdir(folder)
    assert answer(asking.Path(), "select count(*) from quote") == [[2]]


def test_a_folder_without_datasets_says_so(tmp_path):
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ConfigError, match="there is no dataset in it; --data names another"):
            ask(place, "select 1")


def test_a_file_that_is_damaged_is_named(folder):
    (folder / "quote" / "2025-11-26_0001.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ConfigError, match=r"2025-11-26_0001\.parquet"):
        answer(folder, "from quote")


def test_files_of_before_a_column_was_added_are_read_too(folder):
    import pyarrow.parquet as pq

    path = folder / "quote" / "2025-11-26_0001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns("last_f64"), path.with_name("2025-11-25_0001.parquet"))
    assert answer(folder, "select count(*), count(last_f64) from quote") == [[4, 0]]


def test_what_cannot_be_opened_is_named(folder):
    (folder / "quote" / "2025-11-27_0001.parquet").symlink_to(folder / "gone")
    with pytest.raises(ConfigError, match=r"2025-11-27_0001\.parquet: No such file"):
        ask(folder, "select 1")


def test_nothing_stays_open(folder):
    before = sorted(os.listdir("/proc/self/fd"))
    answer(folder, "from quote")
    with pytest.raises(ConfigError):
        ask(folder, "from nothing")
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_where_what_is_open_has_no_name_files_are_read_by_theirs(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(asking, "OPEN", tmp_path / "none")
    assert answer(folder, "select count(*) from quote") == [[2]]


def test_without_duckdb_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigError, match=r"query needs DuckDB: install trio-mev\[store\]"):
        ask(folder, "select 1")


def test_what_is_being_written_can_be_asked_meanwhile(tmp_path):
    """Files are replaced under the query: it sees each whole, and no fewer rows than before."""
    store = opened(tmp_path, file_rows=50, datasets=("quote",))
    asked = threading.Event()

    def write() -> None:
        for number in range(5000):
            store.take([quote(number)], EPOCH)
            assert store.flush()
            if asked.is_set():
                break

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for _ in range(20):
            ((count, distinct),) = answer(
                tmp_path, "select count(*), count(distinct sequence) from quote"
            )
            assert count == distinct
            counts.append(count)
    finally:
        asked.set()
        writer.join(60)
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
    store.close()
