"""Recordings of four exchanges, shifted to one clock and replayed together, beside their files."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from trio_mev.cli.app import main

NAMES = ("COINBASE.ws.28", "BINANCE.ws.1", "KRAKEN.ws.48", "KRAKEN.ws.49", "OKX.ws.1")


def said(path: Path) -> list[Any]:
    """What a recorded socket received."""
    messages = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        stamp, found, body = line.partition(": ")
        if found and stamp.replace(".", "").isdigit():
            messages.append(json.loads(body))
    return messages


def in_files(folder: Path) -> Counter[str]:
    """Quotes and trades by what each exchange calls them."""
    counts: Counter[str] = Counter()
    for name in NAMES:
        for m in said(folder / f"{name}.0.gz"):
            if name.startswith("COINBASE"):
                counts["quote"] += m["type"] == "ticker"
                counts["trade"] += m["type"] == "match"
            elif name.startswith("BINANCE"):
                counts["quote"] += m.get("stream", "").endswith("@bookTicker")
                counts["trade"] += m.get("stream", "").endswith("@aggTrade")
            elif name.startswith("KRAKEN") and isinstance(m, list):
                counts["quote"] += m[2] == "ticker"
                counts["trade"] += len(m[1]) if m[2] == "trade" else 0
            elif name.startswith("OKX") and "data" in m:
                channel = m["arg"]["channel"]
                counts["quote"] += len(m["data"]) if channel == "tickers" else 0
                counts["trade"] += len(m["data"]) if channel == "trades" else 0
    return counts


@pytest.fixture
def tapes(corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> list[str]:
    made = []
    for name in NAMES:
        made.append(str(tmp_path / f"{name}.tape"))
        source = str(corpus / "venues" / f"{name}.0.gz")
        assert main(["import", "cryptofeed", source, "--out", made[-1]]) == 0
    capfd.readouterr()
    return made


def replayed(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], list[Any]]:
    """The summary, and the feeds of the quotes in their order."""
    assert main(["replay", *words, "--json", "--events", "quote"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    return lines[-1], [line["source"] for line in lines if line["kind"] == "quote"]


@pytest.mark.no_cover
def test_four_exchanges_at_once_tell_what_is_in_their_files(
    tapes: list[str], corpus: Path, capfd: pytest.CaptureFixture[str]
):
    expected = in_files(corpus / "venues")
    assert expected == {"quote": 107 + 84 + 18 + 28, "trade": 97 + 2 + 10 + 74}
    together, feeds = replayed(capfd, *tapes, "--align")
    sockets, _ = replayed(capfd, *tapes, "--align", "--loopback")
    for summary in (together, sockets):
        assert {kind: summary["events"][kind] for kind in expected} == expected
        assert summary["refused"] == {}
        assert summary["lost"] == {}
    assert together["digest"] == sockets["digest"]
    assert len(set(feeds[:100])) > 2  # at one time, and not one after the other
