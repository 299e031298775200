"""The command: what it prints, what it validates against, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from trio_mev.cli.app import main
from trio_mev.feeds.tapes import Tape
from trio_mev.loopback.demo import TAPE

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "trio_mev"]


@pytest.fixture(scope="session")
def schemas(request) -> list[jsonschema_rs.Draft202012Validator]:
    """Our own schema, and the contract's where it lies beside the recorded data."""
    paths = [ROOT / "docs" / "reference" / "schema.json"]
    data = Path(os.environ.get("TRIO_MEV_CORPUS", ROOT.parent / "shared" / "corpus"))
    contract = data.parent / "reference" / "schema.json"
    if contract.exists():
        paths.append(contract)
    return [jsonschema_rs.Draft202012Validator(json.loads(p.read_text())) for p in paths]


def check_lines(text: str, schemas) -> list[dict]:
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        for schema in schemas:
            schema.validate(line)
    summary = lines[-1]
    assert summary["kind"] == "summary"
    books = summary["books"]
    parts = ("processed", "filtered", "lost", "failed", "queued")
    assert books["received"] == sum(books[part] for part in parts) > 0
    assert books["queued"] == 0
    assert [line["kind"] for line in lines].count("summary") == 1
    return lines


def start(*arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **options,
    )


def test_the_demo_writes_valid_lines_into_a_pipe(schemas):
    demo = start("--for", "8", "--events", "quote,trade,transaction,log,block,price")
    out, err = demo.communicate(timeout=60)
    assert demo.returncode == 0, err
    lines = check_lines(out, schemas)
    kinds = {line["kind"] for line in lines}
    assert {"quote", "trade", "transaction", "price", "alert", "summary"} <= kinds
    assert lines[-1]["findings"]["alert"] == sum(line["kind"] == "alert" for line in lines)
    assert lines[-1]["refused"] == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_after_a_drain_with_its_own_code(schemas, number):
    demo = start("--json", "--events", "quote")
    first = demo.stdout.readline()
    demo.send_signal(number)
    out, err = demo.communicate(timeout=20)
    assert demo.returncode == 128 + number, err
    check_lines(first + out, schemas)


def test_a_reader_that_goes_away_ends_the_run_quietly():
    demo = start("--json", "--events", "quote")
    demo.stdout.readline()
    demo.stdout.close()
    _, err = demo.communicate(timeout=20)
    assert "Traceback" not in err
    assert demo.returncode == 0


def replayed(capfd, *arguments: str) -> str:
    code = main(["replay", *arguments, "--json"])
    out, err = capfd.readouterr()
    assert code == 0, err
    return out


def test_replays_are_valid_and_equal_whatever_the_speed_and_the_way(capfd, schemas, short_tape):
    every = "quote,trade,transaction,log,block,price"
    direct = check_lines(replayed(capfd, str(short_tape), "--events", every), schemas)
    again = check_lines(replayed(capfd, str(short_tape), "--speed", "60"), schemas)
    sockets = check_lines(replayed(capfd, str(short_tape), "--loopback"), schemas)
    assert direct[-1]["digest"] == again[-1]["digest"] == sockets[-1]["digest"]
    assert direct[-1]["events"] == again[-1]["events"] == sockets[-1]["events"]
    assert direct[-1]["findings"]["alert"] > 8
    assert int(direct[-1]["digest"], 16) != 0
    for kind, count in direct[-1]["events"].items():
        if kind in every.split(","):
            assert count == sum(line["kind"] == kind for line in direct)


def test_a_part_of_a_tape(capfd, schemas, short_tape):
    whole = check_lines(replayed(capfd, str(short_tape), "--events", "quote"), schemas)
    early = check_lines(
        replayed(capfd, str(short_tape), "--to", "15", "--events", "quote"), schemas
    )
    late = check_lines(
        replayed(capfd, str(short_tape), "--from", "15", "--events", "quote"), schemas
    )
    quotes = [[q for q in lines if q["kind"] == "quote"] for lines in (early, late, whole)]
    assert quotes[0] + quotes[1] == quotes[2]
    assert quotes[0]
    assert quotes[1]


def test_a_part_of_a_tape_over_sockets(capfd, schemas, short_tape):
    part = [str(short_tape), "--from", "50", "--to", "80"]
    direct = check_lines(replayed(capfd, *part), schemas)
    sockets = check_lines(replayed(capfd, *part, "--loopback"), schemas)
    assert direct[-1]["events"]["quote"] == sockets[-1]["events"]["quote"] > 0
    # A visitor that comes late has not seen what was pending before; so its events have other
    # numbers, and what was found is the same.
    found = [[{**line, "cause": ""} for line in lines[:-1]] for lines in (direct, sockets)]
    assert found[0] == found[1]
    assert len(found[0]) > 2


def test_two_tapes_of_one_feed_lose_nothing_over_sockets(capfd, schemas, tmp_path):
    tapes = []
    for number, symbol in enumerate(("ETHUSDT", "BTCUSDT")):
        url = f"wss://stream.binance.com:9443/stream?streams={symbol.lower()}@bookTicker"
        data = {"u": 5, "s": symbol, "b": "1", "B": "1", "a": "2", "A": "1"}
        frame = json.dumps({"stream": f"{symbol.lower()}@bookTicker", "data": data})
        source = tmp_path / f"{symbol}.txt"
        source.write_text(f"{url} <-> {100 + number}.0\n{100 + number}.5: {frame}\n")
        tapes.append(str(tmp_path / f"{symbol}.tape"))
        assert main(["import", "cryptofeed", str(source), "--out", tapes[-1]]) == 0
    capfd.readouterr()
    for way in ([], ["--loopback"]):
        lines = check_lines(replayed(capfd, *tapes, *way), schemas)
        assert lines[-1]["events"]["quote"] == 2


def test_two_tapes_at_once(capfd, schemas, corpus, tmp_path):
    tapes = []
    for name in ("COINBASE.ws.28.0.gz", "BINANCE.ws.1.0.gz"):
        tapes.append(str(tmp_path / f"{name}.tape"))
        source = str(corpus / "venues" / name)
        assert main(["import", "cryptofeed", source, "--out", tapes[-1]]) == 0
    capfd.readouterr()
    apart = check_lines(replayed(capfd, *tapes), schemas)
    together = check_lines(replayed(capfd, *tapes, "--align"), schemas)
    assert apart[-1]["events"]["quote"] == together[-1]["events"]["quote"] == 107 + 84
    assert apart[-1]["events"]["trade"] == together[-1]["events"]["trade"] == 97 + 2


def test_a_cut_tape_yields_what_is_whole_and_says_so(capfd, schemas, tmp_path):
    cut = tmp_path / "cut.tape"
    cut.write_bytes(TAPE.read_bytes()[: TAPE.stat().st_size // 2])
    lines = check_lines(replayed(capfd, str(cut)), schemas)
    assert lines[-1]["refused"] == {"tape_cut": 1, "crossed_book": 1}
    assert lines[-1]["events"]["quote"] > 0


UNUSABLE = {
    "nothing to replay": ["replay"],
    "no such command": ["bogus"],
    "no such option": ["--bogus"],
    "not a number": ["--for", "soon"],
    "not positive": ["--for", "0"],
    "no such event": ["--events", "quote,rumour"],
    "no such tape": ["replay", "absent.tape"],
    "not a tape": ["replay", __file__],
    "a folder": ["replay", str(ROOT)],
    "speed": ["replay", str(TAPE), "--speed", "fast"],
    "speed of zero": ["replay", str(TAPE), "--speed", "0"],
    "empty range": ["replay", str(TAPE), "--from", "9", "--to", "8"],
    "no such configuration": ["run", "--config", "absent.toml"],
    "no such format": ["import", "pcap", "x", "--out", "y.tape"],
    "no such source": ["import", "blocks", "absent.json", "--out", "y.tape"],
}


@pytest.mark.parametrize("arguments", UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_one_clear_line_and_code_2(capfd, arguments):
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    problems = [line for line in err.splitlines() if line.startswith("trio_mev: ")]
    assert len(problems) == 1
    assert "Traceback" not in err


def test_a_bad_configuration_is_a_line_a_problem(capfd, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(
        '[stream]\nbudgt = 1\n[[feeds]]\nkind = "binance"\nname = "b"\ninstruments = ["ETHUSDT"]\n'
    )
    assert main(["check-config", str(path)]) == 2
    problems = capfd.readouterr().err.splitlines()
    assert len(problems) == 2
    assert "stream: unknown key budgt; did you mean budget?" in problems[0]
    assert "feeds[0].instruments[0]: 'ETHUSDT' is not BASE/QUOTE" in problems[1]
    assert main(["run", "--config", str(path)]) == 2


def test_the_examples_are_sound(capfd, monkeypatch):
    monkeypatch.setenv("ETH_RPC_URL", "wss://node.test/v3/0123456789abcdef")
    for name in ("public.toml", "own-node.toml"):
        assert main(["check-config", str(ROOT / "trio_mev" / "cli" / name)]) == 0
    assert "no problem" in capfd.readouterr().out


def test_a_configuration_without_feeds_cannot_run(capfd, tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("")
    for command in (["run"], ["record", "--out", str(tmp_path / "t.tape")], ["sources"]):
        assert main([*command, "--config", str(path)]) == 2
        assert "there is none; add a [[feeds]] table" in capfd.readouterr().err
    assert not (tmp_path / "t.tape").exists()


def test_help_and_version(capfd):
    assert main(["--help"]) == 0
    assert "check-config" in capfd.readouterr().out
    assert main(["--version"]) == 0
    assert capfd.readouterr().out.strip() == "0.1.0"


def test_a_required_source_that_cannot_be_regained_is_code_1(capfd, schemas, tmp_path):
    path = tmp_path / "dead.toml"
    path.write_text(
        '[[feeds]]\nkind = "binance"\nname = "b"\ninstruments = ["ETH/USDT"]\nrequired = true\n'
        'endpoint = "ws://127.0.0.1:1"\n[feeds.connection]\nrestarts = 1\nfirst_delay = 0.01\n'
    )
    page, store = tmp_path / "run.html", tmp_path / "store"
    options = ["--json", "--report", str(page), "--store", str(store)]
    assert main(["run", "--config", str(path), *options]) == 1
    out, err = capfd.readouterr()
    assert "RestartLimitReached: feed b: 1 restarts in a row failed" in err
    # What there was until then is told all the same.
    (summary,) = map(json.loads, out.splitlines())
    for schema in schemas:
        schema.validate(summary)
    assert summary["kind"] == "summary"
    assert f"{store}: 0 rows" in err
    assert summary["digest"] in page.read_text(encoding="utf-8")


def test_a_replay_takes_settings_from_a_configuration(capfd, schemas, short_tape, tmp_path):
    path = tmp_path / "alerts.toml"
    path.write_text(
        '[[prices.alerts]]\nid = "low"\ninstrument = "ETH/USDT"\ntype = "below"\nprice = "9999"\n'
    )
    out = replayed(capfd, str(short_tape), "--config", str(path))
    lines = check_lines(out, schemas)
    alerts = [line for line in lines if line.get("type") == "price_below"]
    assert [alert["alert_id"] for alert in alerts] == ["low"]
    first = Tape(short_tape).first
    assert first is not None
    assert all(0 < line["seen_at"] - first.wall < 100 * 10**9 for line in lines[:-1])
