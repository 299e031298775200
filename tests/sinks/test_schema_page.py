"""The page about what is stored: every column, with its type, and queries that run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from tests.sinks import stored as stream
from tests.sinks.test_parquet import arbitrage, inspected, sandwich, stored
from trio_mev.sinks.columns import DATASETS, Type
from trio_mev.sinks.told_columns import STREAM_DATASETS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "schema.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `(\w+)` \| (.+?) \|", section(heading), re.MULTILINE)


def columns(dataset: Mapping[str, Type]) -> list[tuple[str, str]]:
    """As the page has them: a number once."""
    found = []
    for name, kind in dataset.items():
        if name.endswith("_binary"):
            found.append((name.removesuffix("_binary"), "number"))
        elif (name.removesuffix("_string"), "number") not in found and not name.endswith("_f64"):
            found.append((name, kind.value))
    return found


@pytest.mark.parametrize("name", DATASETS)
def test_the_page_names_every_column_with_its_type(name: str):
    shared = [] if name in {"block", "swap"} else rows("Every finding")
    assert [*shared, *rows(f"`{name}`")] == columns(DATASETS[name])


def stream_columns(dataset: Mapping[str, Type]) -> list[tuple[str, str]]:
    """As the page has them: a number or a decimal once."""
    found: list[tuple[str, str]] = []
    for name, kind in dataset.items():
        stem = name.rpartition("_")[0]
        if name.endswith("_binary"):
            found.append((stem, "number"))
        elif name.endswith("_string") and (stem, "number") not in found:
            found.append((stem, "decimal"))
        elif not name.endswith(("_string", "_f64")):
            found.append((name, kind.value))
    return found


@pytest.mark.parametrize("name", STREAM_DATASETS)
def test_the_page_names_every_column_of_a_stream_with_its_type(name: str):
    shared = rows("Every prediction and finding") if name in {"finding", "ledger"} else []
    assert [*shared, *rows(f"`{name}`")] == stream_columns(STREAM_DATASETS[name])


def test_the_page_lists_every_dataset():
    for name in (*STREAM_DATASETS, *DATASETS):
        assert f"[`{name}`](#{name})" in PAGE


def test_the_files_of_a_stream_have_the_names_of_the_page(tmp_path: Path):
    stream.stored(tmp_path, *stream.of_each_kind())
    for name in STREAM_DATASETS:
        assert [path.name for path in (tmp_path / name).iterdir()] == ["2025-11-26_0001.parquet"]
        assert f"DIR/{name}/" in PAGE or name in {"sourcelog", "block_summary"}
    assert "DIR/quote/2026-11-26_0001.parquet" in PAGE


def queries() -> list[str]:
    pages = [DOCS / "howto" / name for name in ("inspect.md", "store-and-query.md")]
    howto = "".join(page.read_text(encoding="utf-8") for page in pages)
    blocks = re.findall(r"```sql\n(.*?)```", PAGE + howto, re.DOTALL)
    found = [one for block in blocks for one in re.split(r";|\n\n", block) if one.strip()]
    # What makes a history of prices of an exchange's file is tried with the command.
    return [one for one in found if "read_csv" not in one]


@pytest.mark.parametrize("query", queries())
def test_the_queries_run(query: str, tmp_path: Path):
    stored(tmp_path, inspected(5, arbitrage()), inspected(6, *sandwich()))
    stream.stored(tmp_path, *stream.of_each_kind())
    text = query.replace("DIR/", f"{tmp_path}/").replace("'mev/", f"'{tmp_path}/")
    assert str(tmp_path) in text
    assert duckdb.sql(text).fetchall() is not None


def test_the_names_of_files_are_those_of_the_page(tmp_path: Path):
    store = stored(tmp_path, inspected(15_000_500))
    for name in DATASETS:
        assert store.path_of(name, 15_000_000).exists()
    for name in ("block", "swap", "arbitrage"):
        shown = f"{name}/ethereum__{name}__15000000_to_15000999.parquet"
        assert shown in PAGE or name == "arbitrage"
        assert str(store.path_of(name, 15_000_000)).endswith(shown)
