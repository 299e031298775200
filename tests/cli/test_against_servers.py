"""run, record and sources against real servers on this machine, and the view in a real terminal."""

from __future__ import annotations

import http.server
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import zstandard

from tests.support.reports import read
from trio_mev.cli.app import main
from trio_mev.feeds.tapes import Tape
from trio_mev.loopback.demo import TAPE
from trio_mev.loopback.servers import open_loopback

ROOT = Path(__file__).parent.parent.parent
SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00"


@pytest.fixture
def endpoints() -> Iterator[dict[str, str]]:
    """Servers that play the demo's tape in another thread; feed to URL."""
    found: dict[str, str] = {}
    ready, done = threading.Event(), trio.Event()
    token: list[trio.lowlevel.TrioToken] = []

    async def serve() -> None:
        async with open_loopback([Tape(TAPE)]) as servers:
            found.update({name: e.url for name, e in servers.endpoints.items()})
            servers.begin.set()
            token.append(trio.lowlevel.current_trio_token())
            ready.set()
            await done.wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(20)
    yield found
    trio.from_thread.run_sync(done.set, trio_token=token[0])
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def config(endpoints, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MY_TOKEN", SECRET)
    monkeypatch.setenv("ETH_RPC_URL", f"{endpoints['ethereum:demo']}/v3/{SECRET}")
    path = tmp_path / "local.toml"
    path.write_text(f"""
        [[feeds]]
        name = "node"
        kind = "ethereum"
        token = "env:MY_TOKEN"
        logs = [{{}}]  # as the tape has them
        [[feeds]]
        name = "binance"
        kind = "binance"
        endpoint = "{endpoints["binance:demo"]}"
        instruments = ["ETH/USDT"]
        [[feeds]]
        name = "coinbase"
        kind = "coinbase"
        endpoint = "{endpoints["coinbase:demo"]}"
        instruments = ["ETH/USDT", "ETH/USD"]
    """)
    return path


def test_run_watches_a_configuration(capfd, config):
    code = main(["run", "--config", str(config), "--for", "3", "--events", "quote", "--json"])
    out, err = capfd.readouterr()
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["source"] for line in lines if line["kind"] == "quote"} == {"binance", "coinbase"}
    assert lines[-1]["events"]["transaction"] > 0
    assert SECRET not in out + err


def test_a_run_is_told_on_a_page_without_a_secret(capfd, config, tmp_path):
    page = tmp_path / "run.html"
    options = ["--for", "2", "--json", "--report", str(page)]
    assert main(["run", "--config", str(config), *options]) == 0
    out, err = capfd.readouterr()
    assert f"{page}: " in err
    seen = read(page.read_text(encoding="utf-8"))
    assert "Run of local.toml" in seen.texts["header"]
    assert json.loads(out.splitlines()[-1])["digest"] in seen.texts["played"]
    names = seen.data["feed-chart-data"]["layout"]["yaxis"]["categoryarray"]
    assert sorted(names) == ["binance", "coinbase", "node"]
    assert SECRET not in page.read_text(encoding="utf-8")


def test_what_a_run_sees_is_stored_and_can_be_asked(capfd, config, tmp_path):
    folder = tmp_path / "kept"
    arguments = ["run", "--config", str(config), "--for", "3", "--json", "--store", str(folder)]
    assert main(arguments) == 0
    out, err = capfd.readouterr()
    summary = json.loads(out.splitlines()[-1])
    told = re.search(r"^(.*): (\d+) rows: (.*)$", err, re.MULTILINE)
    assert told[1] == str(folder)
    rows = dict(part.split() for part in told[3].split(", "))
    for dataset in ("quote", "price", "transaction", "block_summary"):
        assert int(rows[dataset]) == summary["events"].get(dataset, 0)
        assert main(["query", f"select count(*) as n from {dataset}", "--data", str(folder)]) == 0
        assert json.loads(capfd.readouterr().out) == {"n": int(rows[dataset])}
    assert summary["lost"] == {}
    assert min(int(rows[name]) for name in ("quote", "price", "transaction")) > 0
    assert main(["query", "from transaction", "--data", str(folder)]) == 0
    assert SECRET not in err + capfd.readouterr().out
    spans = json.loads((folder / "store.json").read_text())["spans"]
    # It is of now: a second one goes on, in the same files.
    assert main(arguments) == 0
    assert len(json.loads((folder / "store.json").read_text())["spans"]) == len(spans) + 1
    assert len(list((folder / "quote").iterdir())) == 1


def test_a_recording_replays_and_holds_no_secret(capfd, config, tmp_path):
    tape = tmp_path / "live.tape"
    assert main(["record", "--config", str(config), "--out", str(tape), "--for", "4"]) == 0
    assert re.search(r"\d+ records, \d+ bytes, 0 lost", capfd.readouterr().err)
    text = tape_text(tape)
    assert b'"kind":"ethereum"' in text
    assert SECRET.encode() not in text
    assert main(["replay", str(tape), "--json"]) == 0
    summary = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert summary["events"]["quote"] > 0
    assert summary["events"]["transaction"] > 0
    assert summary["refused"] == {}
    assert main(["record", "--config", str(config), "--out", str(tape)]) == 2
    assert "it exists" in capfd.readouterr().err


def tape_text(path: Path) -> bytes:
    data, text = path.read_bytes(), b""
    while data:
        frame = zstandard.ZstdDecompressor().decompressobj()
        text += frame.decompress(data)
        data = frame.unused_data
    return text


def test_sources_says_what_each_answers_and_what_does_not(capfd, config):
    assert main(["sources", "--config", str(config)]) == 0
    out = capfd.readouterr().out
    assert len(re.findall(r"ready\s+\d+ ms\s+\d+ ms\s+\d+ ms", out)) == 3
    assert SECRET not in out
    config.write_text(
        re.sub(r'endpoint = ".*"', 'endpoint = "ws://127.0.0.1:1"', config.read_text())
    )
    assert main(["sources", "--config", str(config)]) == 1
    assert "waiting" in capfd.readouterr().out


def in_a_terminal(*arguments: str, rows: int, **environment: str) -> str:
    """What the command shows in a terminal of 110 columns."""
    ours, theirs = pty.openpty()
    sizes = {"COLUMNS": "110", "LINES": str(rows), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "trio_mev", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, **sizes, **environment},
        close_fds=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(20) == 0
    return shown.decode()


def test_the_live_view_shows_every_part():
    shown = in_a_terminal("--for", "8", rows=50)
    for words in (
        "real contracts on a private chain, simulated quotes; nothing of mainnet",
        "ethereum:demo",
        "ready",
        "ETH/USDT",
        "binance, bybit, coinbase",
        "95 % ±",
        "4/4",
        "BTC/USDT × USDT/USD",
        "TransactionAnalyzer",
        "vital",
        "findings: ",
        "go live, without a key",
        "books",
        "digest",
    ):
        assert words in shown, words
    assert "\x1b[32m" in shown
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    header = re.findall(r"processor +events.*?lost", plain)[-1].split()
    row = re.findall(r"BlockAnalyzer .*?│", plain)[-1].replace(" µs", "µs").split()
    assert len(row) == len(header) + 1  # and the panel's border


def test_without_colours_and_in_a_low_terminal():
    shown = in_a_terminal("--for", "3", rows=22, NO_COLOR="1")
    assert "ETH/USDT" in shown
    assert "findings: " in shown
    assert "TransactionAnalyzer" not in shown
    assert not re.search("\x1b\\[[0-9;]*3[1-7]m", shown)


def test_a_replay_in_a_terminal_shows_how_far_it_is(short_tape):
    shown = in_a_terminal("replay", str(short_tape), rows=50)
    assert "100%" in shown
    assert "events/s" in shown


def test_where_every_feed_is_refused_there_is_nothing_to_watch(capfd, config, endpoints):
    class Forbid(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_error(403)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Forbid)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    text = config.read_text().partition("[[feeds]]")[0] + (
        '[[feeds]]\nkind = "binance"\nname = "b"\ninstruments = ["ETH/USDT"]\n'
        f'endpoint = "ws://127.0.0.1:{server.server_port}"\n'
    )
    config.write_text(text)
    code = main(["run", "--config", str(config), "--json", "--for", "20"])
    server.shutdown()
    server.server_close()
    thread.join()
    out, err = capfd.readouterr()
    assert code == 1
    assert json.loads(out)["kind"] == "summary"
    assert "HTTP 403" in err
    assert "every feed is refused" in err
