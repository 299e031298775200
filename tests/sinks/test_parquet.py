"""What is stored: every number exact, every block once, no file by halves; DuckDB reads it."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from tests.inspect.blocks import ANN, BEN, BOT, COINS, EVE, A, B, P, Q, act, block, hash_of, swapped
from trio_mev.errors import ConfigError
from trio_mev.inspect import Inspection, Known, inspect_block
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import (
    CexDex,
    Detail,
    Grounds,
    JustInTime,
    Kind,
    Liquidation,
    Liquidity,
    Opportunity,
    Status,
)
from trio_mev.sinks.columns import DATASETS
from trio_mev.sinks.parquet import SPAN, Store, network_of

KNOWN = Known(tokens_of=COINS.get)
EEEE = "0x" + "ee" * 20
ROOT = Path(__file__).parents[2]


def inspected(number: int, *acts: dict) -> Inspection:
    return attrs.evolve(inspect_block(block(*acts), KNOWN), block=number)


def arbitrage(gain: int = 50) -> dict:
    """From one pool to the other and back, with more of the first token."""
    logs = swapped(P, 1000, 2000), swapped(Q, 2000, 1000 + gain, down=False)
    return act(EVE, BOT, *logs, gas_used=100_000, gas_price=7)


def sandwich() -> tuple[dict, dict, dict]:
    return (
        act(EVE, BOT, swapped(P, 1000, 2000)),
        act(ANN, BEN, swapped(P, 500, 900, who=ANN)),
        act(EVE, BOT, swapped(P, 2000, 1100, down=False)),
    )


def stored(folder: Path, *found: Inspection, chain_id: int | None = 1) -> Store:
    store = Store(folder, chain_id)
    for one in found:
        store.add(one, 3, "trace_block", by_number=True)
        store.note(one.block)
    store.flush()
    store.close()
    return store


def query(folder: Path, kind: str, what: str) -> list[tuple]:
    return duckdb.sql(f"from '{folder}/{kind}/*.parquet' select {what}").fetchall()


def test_each_kind_is_a_dataset_that_duckdb_reads(tmp_path: Path):
    stored(tmp_path, inspected(5, arbitrage()), inspected(6, *sandwich()), inspected(7))
    assert query(tmp_path, "arbitrage", "block_number, chain_id, len(path), reverted") == [
        (5, 1, 2, False)
    ]
    assert query(tmp_path, "sandwich", "block_number, transactions, victims") == [
        (6, [hash_of(0), hash_of(2)], [hash_of(1)])
    ]
    assert query(tmp_path, "block", "block_number, swaps, findings order by 1") == [
        (5, 2, 1),
        (6, 3, 1),
        (7, 0, 0),
    ]
    swaps = "block_number, sum(amount_in_string::hugeint) group by 1 order by 1"
    assert query(tmp_path, "swap", swaps) == [(5, 3000), (6, 3500)]
    gains = "unnest(gross).token, unnest(gross).amount_string"
    assert query(tmp_path, "arbitrage", gains) == [(A, "50")]


def test_kinds_that_did_not_occur_can_be_asked_for_too(tmp_path: Path):
    stored(tmp_path, inspected(5))
    for name, columns in DATASETS.items():
        assert duckdb.sql(f"select * from '{tmp_path}/{name}/*.parquet'").columns == list(columns)
    assert query(tmp_path, "jit", "count(*)") == [(0,)]


LARGEST = 2**256 - 1


def landed(kind: Kind, detail: Detail, **more: Any) -> Opportunity:
    return Opportunity(
        kind,
        f"{kind.value}:x",
        "inspect",
        Status.LANDED,
        Grounds.HEURISTIC,
        detail,
        transactions=(hash_of(0),),
        **more,
    )


def test_numbers_of_256_bits_are_there_to_the_last_one(tmp_path: Path):
    liquidation = Liquidation("aave_v2", ANN, A, LARGEST, ETHER, 10**18 + 1, None)
    mint = Liquidity(P, EVE, -60, 60, 2**128 + 1, 7, 8, hash_of(0), 1)
    jit = JustInTime(mint, (), attrs.evolve(mint, amount0=9, amount1=10))
    one = attrs.evolve(
        inspected(5),
        opportunities=(
            landed(Kind.LIQUIDATION, liquidation, gross={A: -(2**255), ETHER: 3}, reverted=True),
            landed(Kind.JIT, jit, gas_wei=2**64),
        ),
    )
    stored(tmp_path, one)
    columns = "debt_amount_binary, debt_amount_string, debt_amount_f64, collateral_token"
    ((raw, text, near, token),) = query(tmp_path, "liquidation", columns)
    assert int.from_bytes(raw, "big") == int(text) == LARGEST
    assert (near, token) == (float(LARGEST), EEEE)
    ((gross, reverted),) = query(tmp_path, "liquidation", "gross, reverted")
    lost, won = gross
    assert reverted
    assert int.from_bytes(lost["amount_binary"], "big", signed=True) == -(2**255)
    assert (won["token"], won["amount_string"]) == (EEEE, "3")
    ticks = "tick_lower, tick_upper, liquidity_string, mint_amount0_string, burn_amount1_string"
    assert query(tmp_path, "jit", ticks) == [(-60, 60, str(2**128 + 1), "7", "10")]
    assert query(tmp_path, "jit", "gas_wei_string, gross, net") == [(str(2**64), None, None)]
    ((detail,),) = query(tmp_path, "jit", "detail")
    assert msgspec.json.decode(detail)["mint"]["owner"] == EVE
    # Of what is reverted nothing counts.
    assert query(tmp_path, "block", "findings, reverted") == [(1, 1)]


def test_pools_against_exchanges_are_a_dataset(tmp_path: Path):
    detail = CexDex(Decimal("2000.5"), Decimal("1974"), Decimal("0.5"), Decimal("-1.25"))
    one = landed(Kind.CEX_DEX, detail, usd=Decimal("5.99"), gross={A: 3})
    stored(tmp_path, attrs.evolve(inspected(5), opportunities=(one,)))
    columns = "venue_price, pool_price, interval, size, usd, id"
    assert query(tmp_path, "cex_dex", columns) == [
        ("2000.5", "1974", "0.5", "-1.25", "5.99", "cex_dex:x")
    ]


def test_a_file_has_the_blocks_of_a_range_that_its_name_says(tmp_path: Path):
    store = stored(tmp_path, *(inspected(n, arbitrage()) for n in (999, 1000, 1999, 17_000_000)))
    names = sorted(path.name for path in (tmp_path / "arbitrage").iterdir())
    assert names == [
        "ethereum__arbitrage__00000000_to_00000999.parquet",
        "ethereum__arbitrage__00001000_to_00001999.parquet",
        "ethereum__arbitrage__17000000_to_17000999.parquet",
    ]
    numbers = pq.read_table(store.path_of("arbitrage", SPAN))["block_number"].to_pylist()
    assert numbers == [1000, 1999]


def test_a_block_that_is_stored_again_replaces_its_rows(tmp_path: Path):
    stored(tmp_path, inspected(5, arbitrage(50)), inspected(7, arbitrage(60)))
    stored(tmp_path, inspected(6, arbitrage(70)), inspected(5, arbitrage(80)))
    gains = "block_number, gross[1].amount_string"
    assert query(tmp_path, "arbitrage", gains) == [(5, "80"), (6, "70"), (7, "60")]
    stored(tmp_path, inspected(5))
    assert query(tmp_path, "arbitrage", "block_number") == [(6,), (7,)]


def test_what_is_done_is_known_after_it_is_stored_and_no_sooner(tmp_path: Path):
    source = tmp_path / "5.json"
    source.write_text("{}")
    store = Store(tmp_path / "out", 1)
    store.add(inspected(5), 0, "5.json", by_number=False)
    store.note(source)
    for number in (8, 9, 10, 20):
        store.note(number)
    assert not store.done.has(8)
    store.flush()
    store.close()
    again = Store(tmp_path / "out", 1)
    assert again.done.has(source)
    assert [n for n in range(30) if again.done.has(n)] == [8, 9, 10, 20]
    written = msgspec.json.decode((tmp_path / "out" / "checkpoint.json").read_bytes())
    assert written["blocks"] == [[8, 10], [20, 20]]
    again.close()
    source.write_text("{} changed")
    third = Store(tmp_path / "out", 1)
    assert not third.done.has(source)
    assert not third.done.has(tmp_path / "absent.json")
    third.close()


def test_it_says_when_there_is_enough_to_write(tmp_path: Path):
    store = Store(tmp_path, 1, every=3)
    assert [store.note(n) for n in range(3)] == [False, False, True]
    store.flush()
    assert store.note(3) is False
    store.close()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch):
    stored(tmp_path, inspected(5, arbitrage(50)))
    store = Store(tmp_path, 1)
    store.add(inspected(6, arbitrage(60)), 3, "", by_number=True)
    store.note(6)
    full = OSError(28, "No space left on device")

    def fail(table, path, **_):
        path.write_bytes(b"PAR1 and then nothing")
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", fail)
        with pytest.raises(OSError, match="No space left"):
            store.flush()
    assert query(tmp_path, "arbitrage", "block_number") == [(5,)]
    assert not list(tmp_path.rglob("*.tmp"))
    # It can be tried again, and nothing was called done.
    assert msgspec.json.decode((tmp_path / "checkpoint.json").read_bytes())["blocks"] == [[5, 5]]
    store.flush()
    store.close()
    assert query(tmp_path, "arbitrage", "block_number") == [(5,), (6,)]


KILLED = """
import os, sys
from pathlib import Path
import pyarrow.parquet as pq
from trio_mev.inspect import Inspection
from trio_mev.sinks.parquet import Store

write, times = pq.write_table, 0

def killed(table, path, **more):
    global times
    times += 1
    if times == 4:
        Path(path).write_bytes(b"PAR1 and a half")
        os.kill(os.getpid(), 9)
    write(table, path, **more)

store = Store(Path(sys.argv[1]), 1)
store.add(Inspection(6, "", (), (), {}, False), 0, "", by_number=True)
store.note(6)
pq.write_table = killed
store.flush()
"""


def test_a_run_that_is_killed_while_it_writes_leaves_no_half_of_a_file(tmp_path: Path):
    stored(tmp_path, inspected(5, arbitrage()))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, timeout=60)
    assert done.returncode == -9
    assert len(list(tmp_path.rglob("*.tmp"))) == 1
    for name in DATASETS:
        query(tmp_path, name, "count(*)")
    store = Store(tmp_path, 1)
    assert not list(tmp_path.rglob("*.tmp"))
    assert not store.done.has(6)
    store.add(inspected(6), 0, "", by_number=True)
    store.note(6)
    store.flush()
    store.close()
    assert query(tmp_path, "block", "block_number order by 1") == [(5,), (6,)]


def test_one_folder_holds_one_chain(tmp_path: Path):
    stored(tmp_path, inspected(5), chain_id=10)
    assert query(tmp_path, "block", "chain_id") == [(10,)]
    with pytest.raises(ConfigError, match="it holds blocks of network_10, and these are of ether"):
        Store(tmp_path, 1)
    # Files do not say which chain they are of, and may be added to any.
    store = Store(tmp_path)
    store.add(inspected(6), 0, "6.json", by_number=False)
    store.note(6)
    store.flush()
    store.close()
    assert query(tmp_path, "block", "chain_id order by block_number") == [(10,), (None,)]
    assert [network_of(n) for n in (1, 8453, None)] == ["ethereum", "network_8453", "unknown"]


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path):
    first = Store(tmp_path, 1)
    with pytest.raises(ConfigError, match="another run writes into it"):
        Store(tmp_path, 1)
    first.close()
    first.close()
    Store(tmp_path, 1).close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read"),
        ('{"version": 2, "network": "", "blocks": [], "files": {}}', "it is of version 2"),
    ],
)
def test_a_checkpoint_that_cannot_be_understood_is_refused(tmp_path: Path, text: str, why: str):
    (tmp_path / "checkpoint.json").write_text(text)
    with pytest.raises(ConfigError, match=why):
        Store(tmp_path, 1)
    (tmp_path / "checkpoint.json").unlink()
    Store(tmp_path, 1).close()  # the lock was let go


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ConfigError, match=r"install trio-mev\[store\]"):
        Store(tmp_path, 1)


def test_rows_have_the_tokens_of_the_pools(tmp_path: Path):
    stored(tmp_path, inspected(5, arbitrage()))
    assert query(tmp_path, "swap", "token_in, token_out, pool, log_index order by log_index") == [
        (A, B, P, 0),
        (B, A, Q, 1),
    ]
