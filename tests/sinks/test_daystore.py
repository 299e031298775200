"""What a stream is stored as: every number exact, every day its files, each whole at any time."""

from __future__ import annotations

import datetime
import resource
import sys
from pathlib import Path

import attrs
import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from tests.sinks.stored import (
    DETAILS,
    EPOCH,
    LARGEST,
    NOON,
    A,
    B,
    block,
    life,
    name_of,
    of_each_kind,
    opened,
    pending,
    query,
    quote,
    spread,
    stored,
)
from trio_mev.errors import ConfigError
from trio_mev.model.chain import Life
from trio_mev.model.settings import STORED, StoreSettings
from trio_mev.sinks import inclusions
from trio_mev.sinks.daystore import DayStore
from trio_mev.sinks.told_columns import STREAM_DATASETS
from trio_mev.sinks.told_rows import KINDS

UTC = datetime.UTC
DAY = 86_400


def names(folder: Path, dataset: str = "quote") -> list[str]:
    return sorted(path.name for path in (folder / dataset).iterdir())


def test_each_dataset_that_can_be_wanted_is_known():
    assert list(STREAM_DATASETS) == list(STORED) == list(KINDS)


def test_events_of_every_kind_are_rows_of_their_datasets(tmp_path):
    store = stored(tmp_path, *of_each_kind())
    assert store.written == {
        "finding": 7,
        "ledger": 2,
        "alert": 1,
        "price": 1,
        "quote": 1,
        "transaction": 1,
        "sourcelog": 2,
        "block_summary": 1,
    }
    assert not store.lost
    for name, columns in STREAM_DATASETS.items():
        assert duckdb.sql(f"from '{tmp_path}/{name}/*.parquet'").columns == list(columns)
        assert names(tmp_path, name) == ["2025-11-26_0001.parquet"]


def test_findings_have_the_columns_of_their_kind(tmp_path):
    stored(tmp_path, *of_each_kind())
    shared = "kind, chain_id, block_number, usd, gross[1].amount_string, gas_wei_string"
    assert set(query(tmp_path, "finding", shared)) == {
        (kind.value, 1, 20_000_000, "12.34", str(-(2**255)), str(2**70)) for kind in DETAILS
    }
    assert query(
        tmp_path, "finding", "len(path), path[2].amount_out_string where path is not null"
    ) == [(2, str(LARGEST))]
    assert query(
        tmp_path, "finding", "len(frontrun), len(victim_swaps) where frontrun is not null"
    ) == [(1, 2)]
    exposed = (
        "len(victim_swaps), attacker_profit_string, attacker_profit_binary, "
        "limit_that_prevents_string"
    )
    assert query(tmp_path, "finding", f"{exposed} where loss_string is not null") == [
        (2, str(LARGEST), b"\xff" * 32, None)
    ]
    debts = "protocol, collateral_amount_string, collateral_amount_f64 where protocol is not null"
    assert query(tmp_path, "finding", debts) == [("aave_v3", str(LARGEST), float(LARGEST))]
    assert query(tmp_path, "finding", "tick_lower, liquidity_string where owner is not null") == [
        (-60, str(2**128))
    ]
    prices = "venue_price_string, size_f64, detail->>'size' where size_string is not null"
    assert query(tmp_path, "finding", prices) == [("3000.5", 0.25, "0.25")]
    assert query(tmp_path, "finding", "detail->>'pool' where kind = 'swap'")[0][0].startswith(
        "0xcc"
    )


def test_verdicts_are_the_ledger(tmp_path):
    stored(tmp_path, *of_each_kind())
    columns = (
        "kind, verdict, taken_by, lead_seconds, their_gross[1].amount_string, gross[2].token, cause"
    )
    assert query(tmp_path, "ledger", f"{columns} order by verdict nulls last") == [
        ("arbitrage", "taken", name_of(2), 1.5, str(LARGEST), B, name_of(9)),
        ("arbitrage", None, None, None, None, B, name_of(9)),
    ]


def test_prices_and_quotes_are_exact_and_say_their_times(tmp_path):
    stored(tmp_path, *of_each_kind(), quote(7, 2.5, occurred_at=EPOCH + 1_999_999))
    second = datetime.datetime(2025, 11, 26, 12, 0, 1, tzinfo=UTC)
    columns = (
        "time, instrument, price_string, confidence_f64, sources, via, on_chain, spread_string"
    )
    assert query(tmp_path, "price", columns) == [
        (
            second,
            "ETH/USD",
            "3000.123456789012345678",
            1.5,
            ["binance", "kraken"],
            ["ETH/USDT", "USDT/USD"],
            ["pool"],
            None,
        )
    ]
    without = "off_chain_price_string, off_chain_confidence_f64, off_chain_status"
    assert query(tmp_path, "price", without) == [("2999", None, "degraded")]
    columns = "time, occurred_at, venue, bid_string, ask_size_f64, sequence"
    assert query(tmp_path, "quote", f"{columns} order by time") == [
        (second, None, "kraken", "3000.10", None, 0),
        (
            second + datetime.timedelta(seconds=1.5),
            second.replace(second=0, microsecond=1999),
            "kraken",
            "3007.10",
            None,
            7,
        ),
    ]
    assert query(tmp_path, "alert", "type, cause, detail->>'net_ratio'") == [
        ("spread", "kraken#1.0", "0.01")
    ]
    summed = "block_number, base_fee_string, next_base_fee_f64, interval"
    assert query(tmp_path, "block_summary", summed) == [(20_000_000, "7", None, 12)]


def test_pending_transactions_are_in_mempool_dumpsters_columns(tmp_path):
    old = {"type": 0, "max_fee": None, "max_priority_fee": None, "chain_id": None, "to": None}
    stored(tmp_path, pending(1), pending(2, input=b"\x01", **old))
    columns = (
        'hash, chainId, txType, "from", "to", value, nonce, gas, gasPrice, gasTipCap, gasFeeCap, '
        "dataSize, data4Bytes, sources, rawTx"
    )
    assert query(tmp_path, "transaction", f"{columns} order by hash") == [
        (
            *(name_of(1), "1", 2, A, B, str(LARGEST), str(2**64 - 1), "21000", "9", "1", "9"),
            *(5, "0x01020304", ["node"], None),
        ),
        (
            *(name_of(2), None, 0, A, "", str(LARGEST), str(2**64 - 1), "21000", "9", "9", "9"),
            *(1, "", ["node"], None),
        ),
    ]
    assert query(tmp_path, "sourcelog", "hash, source, location order by hash") == [
        (name_of(1), "node", None),
        (name_of(2), "node", None),
    ]


INCLUDED = (
    "hash, includedAtBlockHeight, epoch(includedBlockTimestamp)::int, inclusionDelayMs "
    "order by hash"
)


def test_blocks_are_filled_in_when_they_come_and_taken_back(tmp_path):
    store = opened(tmp_path)
    events = [pending(1), pending(2, 2.0), pending(3)]
    included = [block(7, NOON + 12), life(2, Life.INCLUDED, name_of(7), 7)]
    store.take([*events, *included], EPOCH)
    assert store.flush()
    two = (name_of(2), 7, NOON + 12, 10_000)
    none = (None, None, None)
    assert query(tmp_path, "transaction", INCLUDED) == [
        (name_of(1), *none),
        two,
        (name_of(3), *none),
    ]
    # Later ones are filled into what is there; the block of one nobody has seen.
    store.take(
        [
            life(1, Life.INCLUDED, name_of(7), 7),
            life(3, Life.INCLUDED, name_of(8), 8),
            life(4, Life.INCLUDED, name_of(8), 2**70),
        ],
        EPOCH,
    )
    assert store.flush()
    one = (name_of(1), 7, NOON + 12, 11_000)
    assert query(tmp_path, "transaction", INCLUDED) == [one, two, (name_of(3), 8, None, None)]
    store.take([life(2, Life.RETURNED, name_of(7), 7), life(9, Life.RETURNED)], EPOCH)
    assert store.flush()
    assert query(tmp_path, "transaction", INCLUDED)[1] == (name_of(2), *none)
    store.close()


def test_blocks_are_filled_into_the_file_before_too(tmp_path):
    store = opened(tmp_path, file_rows=1)
    for number in range(3):
        store.take([pending(number)], EPOCH)
        assert store.flush()
    lives = [life(number, Life.INCLUDED, name_of(7), 7) for number in range(3)]
    store.take([block(7, NOON + 12), *lives], EPOCH)
    assert store.flush()
    assert [row[1] for row in query(tmp_path, "transaction", INCLUDED)] == [None, 7, 7]
    store.close()


def test_what_waits_for_its_row_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(inclusions, "BLOCKS", 1)
    monkeypatch.setattr(inclusions, "MOST", 1)
    lives = [life(number, Life.INCLUDED, name_of(number), number) for number in (1, 2)]
    blocks = [block(number, NOON) for number in (1, 2)]
    stored(tmp_path, pending(1), pending(2), life(1, Life.DROPPED), *lives, *reversed(blocks))
    assert [row[1:3] for row in query(tmp_path, "transaction", INCLUDED)] == [
        (None, None),
        (2, None),
    ]


def test_a_file_grows_until_it_is_full_and_a_day_begins_another(tmp_path):
    store = opened(tmp_path, file_rows=5)
    for number in range(8):
        store.take([quote(number)], EPOCH)
        assert store.flush()
    store.take([quote(8, 0.5 * DAY - 0.001), quote(9, 0.5 * DAY)], EPOCH)
    assert store.flush()
    store.close()
    assert names(tmp_path) == [
        "2025-11-26_0001.parquet",
        "2025-11-26_0002.parquet",
        "2025-11-27_0001.parquet",
    ]
    counts = [pq.read_metadata(tmp_path / "quote" / name).num_rows for name in names(tmp_path)]
    assert counts == [5, 4, 1]
    assert query(tmp_path, "quote", "sequence order by 1") == [(n,) for n in range(10)]


def test_a_file_is_full_by_its_bytes_too(tmp_path):
    store = opened(tmp_path, file_bytes=1)
    for number in range(3):
        store.take([quote(number)], EPOCH)
        assert store.flush()
    store.close()
    assert len(names(tmp_path)) == 3


def test_a_run_goes_on_in_the_file_of_the_one_before(tmp_path):
    stored(tmp_path, quote(1))
    stored(tmp_path, quote(2, 2.0))
    assert names(tmp_path) == ["2025-11-26_0001.parquet"]
    assert query(tmp_path, "quote", "sequence") == [(1,), (2,)]


def test_a_file_that_cannot_be_read_or_is_of_another_version_is_left_as_it_is(tmp_path):
    stored(tmp_path, quote(1))
    path = tmp_path / "quote" / "2025-11-26_0001.parquet"
    pq.write_table(pq.read_table(path).drop_columns("last_f64"), path)
    stored(tmp_path, quote(2, 2.0))
    second = tmp_path / "quote" / "2025-11-26_0002.parquet"
    whole = second.read_bytes()
    second.write_bytes(whole[:100] + b"\0" * 200 + whole[300:])
    stored(tmp_path, quote(3, 3.0))
    third = tmp_path / "quote" / "2025-11-26_0003.parquet"
    third.write_bytes(whole[:100])
    stored(tmp_path, quote(4, 4.0), life(1, Life.INCLUDED, name_of(1), 1))
    assert third.read_bytes() == whole[:100]
    second.unlink()
    third.unlink()
    assert sorted(query(tmp_path, "quote", "sequence")) == [(1,), (4,)]


def test_only_what_is_wanted_is_stored(tmp_path):
    store = stored(
        tmp_path, *of_each_kind(), life(1, Life.INCLUDED, name_of(7), 7), datasets=("price",)
    )
    assert store.written == {"price": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "price", "store.json"]


def test_a_row_that_no_column_can_hold_is_left_out_and_counted(tmp_path):
    events = [quote(n) for n in range(5)]
    events[3:3] = [quote(9, occurred_at=2**70 * 1000)]
    store = stored(tmp_path, *events, pending(1), pending(2, hash="\ud800"))
    assert store.lost == {"unfit": 2}
    ill = spread()
    ill = msgspec.structs.replace(ill, data=attrs.evolve(ill.data, buy_venue="\ud800"))
    assert stored(tmp_path, ill).lost == {"unfit": 1}
    store.close()  # it does no harm
    stored(tmp_path, quote(6, occurred_at=2**70 * 1000))
    assert query(tmp_path, "quote", "sequence") == [(n,) for n in range(5)]
    assert query(tmp_path, "transaction", "hash") == [(name_of(1),)]
    stored(tmp_path / "other", quote(2**64), quote(-1))
    assert query(tmp_path / "other", "quote", "sequence") == [(None,), (None,)]


class full_disk:  # noqa: N801 - it is used as a function
    """No file of over some bytes can be written."""

    def __init__(self, most: int = 100) -> None:
        self._most = most

    def __enter__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._most, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


def test_while_the_disk_takes_nothing_rows_wait_and_are_written_later(tmp_path):
    store = opened(tmp_path)
    store.take([quote(1)], EPOCH)
    assert store.flush()
    store.take([quote(2), block(7, NOON), pending(1), life(1, Life.INCLUDED, name_of(7), 7)], EPOCH)
    with full_disk():
        assert not store.flush()
        assert "File too large" in str(store.error)
        assert query(tmp_path, "quote", "sequence") == [(1,)]
        assert not list(tmp_path.rglob("*.tmp"))
    assert store.waiting == 2
    assert store.flush()
    assert store.error is None
    assert query(tmp_path, "quote", "sequence") == [(1,), (2,)]
    assert query(tmp_path, "transaction", "includedAtBlockHeight") == [(7,)]
    assert store.waiting == store.lost.total() == 0
    store.close()


def test_a_dataset_that_cannot_be_written_leaves_the_others_alone(tmp_path):
    store = opened(tmp_path)
    (tmp_path / "quote" / ".2025-11-26_0001.parquet.tmp").mkdir()
    store.take([quote(1), pending(1)], EPOCH)
    assert not store.flush()
    assert store.written == {"transaction": 1, "sourcelog": 1}
    assert store.waiting == 1
    (tmp_path / "quote" / ".2025-11-26_0001.parquet.tmp").rmdir()
    assert store.flush()
    assert query(tmp_path, "quote", "sequence") == [(1,)]
    assert query(tmp_path, "transaction", "hash") == [(name_of(1),)]
    store.close()


def test_of_what_waits_too_much_the_oldest_is_lost_and_counted(tmp_path):
    store = opened(tmp_path, waiting_bytes=6000)
    for number in range(100):
        store.take([quote(number), pending(number)], EPOCH)
    assert store.waiting < 200
    assert store.lost == {"disk": 200 - store.waiting}
    left = store.waiting
    assert store.flush()
    assert store.written["quote"] + store.written["transaction"] == left
    assert query(tmp_path, "quote", "max(sequence)") == [(99,)]
    store.take([quote(1), pending(1)], EPOCH)
    store.abandon()
    assert store.lost == {"disk": 202 - left}
    store.close()


def test_one_run_at_a_time_writes_into_a_folder(tmp_path):
    store = opened(tmp_path)
    with pytest.raises(ConfigError, match="another run writes into it"):
        opened(tmp_path)
    store.close()
    opened(tmp_path).close()


def test_what_a_killed_run_left_aside_is_removed(tmp_path):
    stored(tmp_path, quote(1))
    left = [tmp_path / ".store.json.tmp", tmp_path / "quote" / ".2025-11-26_0001.parquet.tmp"]
    for path in left:
        path.write_bytes(b"half")
    stored(tmp_path, quote(2, 2.0))
    assert not any(path.exists() for path in left)


def test_a_folder_that_is_none_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="File exists"):
        DayStore(tmp_path / "file")


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"install trio-mev\[store\]"):
        DayStore(tmp_path)


# What times a folder holds.


def test_a_replay_of_a_time_that_is_held_is_refused_and_changes_nothing(tmp_path):
    stored(tmp_path, quote(1), quote(2, 100.0), live=False)
    before = (tmp_path / "store.json").read_bytes()
    for at in (NOON, NOON + 50, NOON + 100):
        store = DayStore(tmp_path)
        with pytest.raises(ConfigError, match=r"it holds 2025-11-26 12:00:00\+00:00 to .* already"):
            store.begin(at * 10**6, False)
        store.close()
    assert (tmp_path / "store.json").read_bytes() == before
    stored(tmp_path, quote(3, 200.0), live=False, at=NOON + 101)
    assert query(tmp_path, "quote", "sequence") == [(1,), (2,), (3,)]


def test_a_replay_that_comes_to_a_time_that_is_held_is_stored_up_to_there(tmp_path):
    stored(tmp_path, quote(1, 100.0), live=True, at=NOON + 100)
    store = opened(tmp_path, live=False, at=NOON)
    store.take([quote(2), quote(3, 99.9), quote(1, 100.0), quote(1, 101.0)], EPOCH)
    assert store.flush()
    store.close()
    assert store.lost == {"stored_before": 2}
    assert sorted(query(tmp_path, "quote", "sequence")) == [(1,), (2,), (3,)]
    store = DayStore(tmp_path)
    with pytest.raises(ConfigError, match="already"):
        store.begin(NOON * 10**6, False)
    store.close()


def test_a_live_run_is_of_now_and_never_refused(tmp_path):
    stored(tmp_path, quote(1, 100.0))
    stored(tmp_path, quote(2, 50.0))
    assert query(tmp_path, "quote", "sequence") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("text", "why"), [("{", "cannot be read"), ('{"version": 2, "spans": []}', "of version 2")]
)
def test_times_that_cannot_be_understood_are_refused(tmp_path, text, why):
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(ConfigError, match=why):
        DayStore(tmp_path)
    (tmp_path / "store.json").unlink()
    DayStore(tmp_path).close()  # the lock was let go


def test_times_that_cannot_be_noted_keep_rows_waiting(tmp_path):
    store = opened(tmp_path)
    store.take([quote(1)], EPOCH)
    (tmp_path / ".store.json.tmp").mkdir()
    assert not store.flush()
    assert store.waiting == 1
    (tmp_path / ".store.json.tmp").rmdir()
    assert store.flush()
    spans = msgspec.json.decode((tmp_path / "store.json").read_bytes())["spans"]
    assert spans == [[NOON * 10**6, (NOON + 1) * 10**6]]
    store.close()


# What is kept.


def days_of(folder: Path, count: int, **settings) -> None:
    store = opened(folder, **settings)
    for day in range(count):
        store.take([quote(day, day * DAY)], EPOCH)
        assert store.flush()
    store.close()


def test_old_days_are_removed_when_a_file_is_begun(tmp_path):
    days_of(tmp_path, 5, keep_days=2)
    assert query(tmp_path, "quote", "sequence order by 1") == [(3,), (4,)]
    # A dataset's newest file stays, so that it can be asked.
    assert names(tmp_path, "price") == ["2025-11-26_0001.parquet"]


def test_what_is_too_large_together_loses_its_oldest_files(tmp_path):
    days_of(tmp_path / "all", 5)
    sizes = [p.stat().st_size for p in sorted((tmp_path / "all" / "quote").iterdir())]
    others = sum(p.stat().st_size for p in (tmp_path / "all").rglob("*.parquet")) - sum(sizes)
    days_of(tmp_path / "some", 5, keep_bytes=others + sum(sizes[-2:]))
    assert query(tmp_path / "some", "quote", "sequence order by 1") == [(3,), (4,)]


def test_what_was_removed_may_be_replayed_again(tmp_path):
    days_of(tmp_path, 5, datasets=("quote",), keep_days=2)
    written = msgspec.json.decode((tmp_path / "store.json").read_bytes())
    midnight = (NOON + 2.5 * DAY) * 1e6
    assert written["spans"] == [[NOON * 10**6, (NOON + 4 * DAY) * 10**6]]
    stored(tmp_path, quote(9, 5 * DAY), datasets=("quote",), keep_days=2, at=NOON + 5 * DAY)
    written = msgspec.json.decode((tmp_path / "store.json").read_bytes())
    assert written["spans"][0] == [midnight + DAY * 1e6, (NOON + 4 * DAY) * 10**6]
    store = opened(tmp_path, live=False, at=NOON, datasets=("quote",))
    store.close()


def test_settings_say_what_datasets_there_are():
    with pytest.raises(ValueError, match="'trade'; known are finding, ledger"):
        StoreSettings(datasets=("price", "trade"))
    with pytest.raises(ValueError, match="none"):
        StoreSettings(datasets=())
