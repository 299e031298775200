"""``inspect`` on files: what it prints, what it leaves out and says, how it ends."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import jsonschema_rs
import pytest

from tests.support.terminal import shown_in_terminal
from trio_mev.cli.app import main
from trio_mev.cli.work import load_prices
from trio_mev.loopback.demo import TAPE

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "howto" / "inspect.md"
COMMAND = [sys.executable, "-m", "trio_mev", "inspect"]
BACK = "0xfb6562bc2ebde7ca21528e88bd9f5506949754e0880e79778007bc95819adb10"


@pytest.fixture(scope="module")
def block(corpus: Path) -> Path:
    """A block with its logs, and one sandwich in it."""
    return corpus / "mainnet" / "logs" / "17173049.json.gz"


@pytest.fixture(scope="module")
def traces(corpus: Path) -> list[Path]:
    """Thirteen blocks of traces, in order."""
    return sorted((corpus / "mainnet" / "traces").glob("*.json.gz"))


@pytest.fixture(scope="module")
def schemas(corpus: Path) -> list[jsonschema_rs.Draft202012Validator]:
    """Our own schema, and the contract's where it lies beside the recorded data."""
    paths = [ROOT / "docs" / "reference" / "schema.json"]
    contract = corpus.parent / "reference" / "schema.json"
    paths += [contract] if contract.exists() else []
    return [jsonschema_rs.Draft202012Validator(json.loads(p.read_text())) for p in paths]


def inspected(capfd, *arguments: object, code: int = 0) -> tuple[list[dict[str, Any]], list[str]]:
    """The lines of both outputs."""
    assert main(["inspect", *map(str, arguments)]) == code
    out, err = capfd.readouterr()
    return [json.loads(line) for line in out.splitlines()], err.splitlines()


def balanced(summary: dict[str, Any]) -> dict[str, int]:
    books: dict[str, int] = summary["books"]
    parts = ("processed", "filtered", "lost", "failed", "queued")
    assert books["received"] == sum(books[part] for part in parts)
    return books


def test_findings_and_then_a_summary_of_the_contract(capfd, schemas, block):
    lines, err = inspected(capfd, block, "--json")
    for schema in schemas:
        for line in lines:
            schema.validate(line)
    sandwich, summary = lines
    assert (sandwich["kind"], sandwich["block"], sandwich["status"]) == (
        "sandwich",
        17173049,
        "landed",
    )
    assert sandwich["transactions"][-1] == BACK
    assert sandwich["gas_wei"] == "235358622653415661"
    assert summary["findings"] == {"sandwich": 1}
    assert summary["events"] == {"block": 1, "transaction": 116, "swap": 32}
    assert balanced(summary)["processed"] == 1
    assert summary["totals"]["sandwich"]["gross"] == sandwich["gross"]
    assert err == []


def test_swaps_are_added_where_they_are_asked_for(capfd, schemas, block):
    lines, _ = inspected(capfd, block, "--swaps")
    for schema in schemas:
        for line in lines:
            schema.validate(line)
    kinds = [line["kind"] for line in lines]
    assert kinds == ["swap"] * 32 + ["sandwich", "summary"]
    assert len({line["id"] for line in lines[:-1]}) == 33
    assert lines[-1]["findings"] == {"sandwich": 1}


def test_blocks_come_in_the_order_of_the_sources(capfd, block, traces):
    sources = [traces[3], block, traces[0], block]
    lines, _ = inspected(capfd, *sources, "--swaps", "--workers", 2)
    order = list(dict.fromkeys(line["block"] for line in lines[:-1]))
    wanted = [int(path.name.partition(".")[0]) for path in sources[:3]]
    assert order == [number for number in wanted if number in order]
    assert 17173049 in order
    assert lines[-1]["books"]["received"] == 3  # each once


def test_workers_find_the_same(capfd, block, traces):
    alone, _ = inspected(capfd, block, *traces, "--swaps")
    several, _ = inspected(capfd, block, *traces, "--swaps", "--workers", 3)
    for lines in (alone, several):
        lines[-1].pop("seconds")
    assert alone == several


BAD = {
    "cut": (lambda raw: gzip.compress(raw)[:-2000], "damaged: its compressed data is damaged"),
    "half": (lambda raw: raw[: len(raw) // 2], "not_json: Input data was truncated"),
    "empty": (lambda _: b"", "unknown_shape"),
    "other": (lambda _: b'{"hello": "world"}', "unknown_shape: neither traces, nor receipts"),
    "missing": (lambda raw: raw.replace(b'"trace_address"', b'"trace"', 1), "wrong_shape"),
    "deep": (
        lambda raw: b'{"more":' + b"[" * 5000 + b"]" * 5000 + b"," + raw.lstrip(b"{ "),
        "too_deep",
    ),
    "not utf8": (lambda raw: raw.replace(b'"call"', b'"\xff\xfe"', 1), "not_utf8"),
}


@pytest.mark.parametrize(("spoil", "why"), BAD.values(), ids=BAD)
def test_a_bad_file_costs_one_line_and_the_others_go_on(capfd, block, traces, tmp_path, spoil, why):
    bad = tmp_path / "bad.json"
    bad.write_bytes(spoil(gzip.decompress(traces[-3].read_bytes())))
    lines, err = inspected(capfd, block, bad, traces[0], code=2)
    assert [line for line in err if not line.startswith(f"trio_mev: {bad}: ")] == []
    assert len(err) == 1
    assert why in err[0]
    books = balanced(lines[-1])
    assert (books["processed"], books["failed"]) == (2, 1)
    assert sum(lines[-1]["refused"].values()) == 1
    assert lines[0]["kind"] == "sandwich"


def test_a_block_that_two_files_have_is_said_to_count_again(capfd, block, tmp_path):
    again = tmp_path / "again.json"
    again.write_bytes(gzip.decompress(block.read_bytes()))
    lines, (said,) = inspected(capfd, block, again, "--json")
    assert said.startswith("trio_mev: files: 1 times a block was in more than one")
    assert lines[-1]["findings"] == {"sandwich": 2}


def test_absent_files_and_folders_are_bad_files(capfd, block, tmp_path):
    lines, err = inspected(capfd, tmp_path / "absent.json", tmp_path, block, code=2)
    assert [line.rpartition(": ")[2] for line in err] == [
        "No such file or directory",
        "Is a directory",
    ]
    assert lines[-1]["refused"] == {"unreadable": 2}


def test_unknown_fields_and_traces_out_of_order_change_nothing(capfd, traces, tmp_path):
    path = traces[2]
    found = json.loads(gzip.decompress(path.read_bytes()))
    found["traces"] = [dict(reversed(one.items())) for one in reversed(found["traces"])]
    for one in found["traces"]:
        one["surprise"] = {"deep": [{"er": None}]}
    other = tmp_path / path.name.removesuffix(".gz")
    other.write_text(json.dumps({"version": 99, **dict(reversed(found.items()))}))
    plain, _ = inspected(capfd, path, "--swaps")
    shuffled, _ = inspected(capfd, other, "--swaps")
    plain[-1].pop("seconds"), shuffled[-1].pop("seconds")
    assert plain == shuffled


def test_twenty_thousand_traces_are_a_complete_answer(capfd, traces, tmp_path):
    """Those of a recorded block, as often again as it takes, each time by other transactions."""
    found = json.loads(gzip.decompress(traces[-3].read_bytes()))
    several = {name: list(found[name]) for name in ("traces", "receipts")}
    copies = 20_000 // len(found["traces"]) + 1
    for copy in range(1, copies):
        place = copy * len(found["receipts"])
        for name, rows in several.items():
            for row in found[name]:
                hash_ = row["transaction_hash"]
                if hash_ is None:  # a block's reward
                    continue
                key = "transaction_position" if name == "traces" else "transaction_index"
                more = {"transaction_hash": f"0x{copy:04x}{hash_[6:]}", key: row[key] + place}
                rows.append(row | more)
    large = tmp_path / "large.json"
    large.write_text(json.dumps(found | several))
    once, _ = inspected(capfd, traces[-3])
    many, err = inspected(capfd, large)
    assert len(several["traces"]) >= 20_000
    assert err == []
    assert many[-1]["events"]["transaction"] == copies * once[-1]["events"]["transaction"]
    assert many[-1]["events"]["swap"] == copies * once[-1]["events"]["swap"] > 0


def nested(depth: int) -> str:
    """One frame within another, so deep."""
    frame = {"from": "0x" + "0a" * 20, "to": "0x" + "0b" * 20, "type": "CALL", "input": "0x"}
    frame |= {"gas": "0x0", "gasUsed": "0x0", "value": "0x1"}
    text = json.dumps(frame)[:-1]
    opened = (text + ',"calls":[') * depth
    return f'[{{"txHash":"0x{1:064x}","result":{opened}{text}}}{"]}" * depth}}}]'


def test_a_thousand_calls_within_calls_are_a_complete_answer(capfd, tmp_path):
    deep = tmp_path / "17.json"
    deep.write_text(nested(1000))
    lines, err = inspected(capfd, deep)
    assert err == []
    assert lines[-1]["events"] == {"block": 1, "transaction": 1, "swap": 0}


def price(instrument: str, price: str, second: int) -> str:
    line = {"kind": "price", "instrument": instrument, "price": price, "confidence": "0.0001"}
    return json.dumps({**line, "seen_at": second * 10**9})


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """Of the ten seconds before a recorded block."""
    path = tmp_path / "prices.jsonl"
    lines = price("ETH/USDT", "1870.5", 1683029990), price("USDT/USD", "1.0001", 1683029999)
    path.write_text("\n".join(lines))
    return path


def test_with_prices_findings_are_worth_something(capfd, schemas, block, traces, prices):
    lines, _ = inspected(capfd, block, traces[0], "--prices", prices)
    for schema in schemas:
        for line in lines:
            schema.validate(line)
    # 0.235382152194162688 ether less 0.235358622653415661 of gas, at 1870.5 * 1.0001.
    assert lines[0]["usd"] == "0.044016"
    totals = lines[-1]["totals"]
    assert (totals["sandwich"]["usd"], totals["sandwich"]["without_usd"]) == ("0.044016", 0)
    rest = [sums for kind, sums in totals.items() if kind != "sandwich"]
    assert all(sums["usd"] is None for sums in rest)
    others = sum(sums["count"] + sums["reverted"] for sums in rest)
    assert lines[-1]["left_out"].get("without_price", 0) == others


def test_workers_have_the_same_prices(capfd, block, traces, prices):
    alone, _ = inspected(capfd, block, traces[0], "--prices", prices)
    several, _ = inspected(capfd, block, traces[0], "--prices", prices, "--workers", 2)
    assert alone[:-1] == several[:-1]
    assert alone[-1]["digest"] == several[-1]["digest"]


def test_without_prices_nothing_is_said_to_be_worth_anything(capfd, block):
    lines, _ = inspected(capfd, block)
    assert (lines[0]["usd"], lines[-1]["totals"]["sandwich"]["usd"]) == (None, None)
    assert lines[-1]["totals"]["sandwich"]["without_usd"] == 1
    assert "without_price" not in lines[-1]["left_out"]


@pytest.mark.no_cover
def test_what_a_run_says_of_its_prices_is_such_a_file(capfd, tmp_path):
    assert main(["replay", str(TAPE), "--json", "--events", "price"]) == 0
    path = tmp_path / "prices.json.gz"
    path.write_bytes(gzip.compress(capfd.readouterr().out.encode()))
    prices = load_prices(path)
    assert len(prices) > 100
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    last = [line for line in lines if line["kind"] == "price" and line["status"] == "ok"][-1]
    base, quote = last["instrument"].split("/")
    rate = prices.at(-(-last["seen_at"] // 10**9)).rate(base, quote)
    assert rate is not None
    assert str(rate.price) == (last["off_chain"] or last)["price"]


def test_candles_become_such_a_file_as_the_docs_say(tmp_path, monkeypatch):
    query = re.search(r"```sql\n(copy .*?)```", HOWTO.read_text(), re.DOTALL)
    assert query is not None
    monkeypatch.chdir(tmp_path)
    candle = "1627430400000,2230.1,2240.5,2220.25,2235.75,100,1627430459999,1,1,1,1,0\n"
    (tmp_path / "ETHUSDT-1m-2021-07-28.csv").write_text(candle)
    duckdb.sql(query[1])
    rate = load_prices(tmp_path / "prices.json").at(1627430460).rate("ETH", "USDT")
    assert rate is not None
    assert [str(one) for one in (rate.price, rate.low, rate.high)] == [
        "2235.75",
        "2215.50000000",
        "2256.00000000",
    ]


BAD_PRICES = {
    "absent": (None, "No such file or directory"),
    "empty": (b"", "it holds no prices"),
    "of something else": (b'{"kind":"quote"}', "it holds no prices"),
    "no json": (price("ETH/USDT", "1", 1).encode() + b"\n{", "line 2: "),
    "cut": (
        gzip.compress(f"{price('ETH/USDT', '1', 1)}\n".encode() * 99)[:-20],
        "its compressed data is damaged or cut",
    ),
    "one endless line": (b" " * 2**20, "a line of 1048576 bytes or more"),
}


@pytest.mark.parametrize(("raw", "why"), BAD_PRICES.values(), ids=BAD_PRICES)
def test_bad_prices_are_one_clear_line_before_anything_is_done(capfd, block, tmp_path, raw, why):
    path = tmp_path / "prices"
    if raw is not None:
        path.write_bytes(raw)
    lines, err = inspected(capfd, block, "--prices", path, "--out", tmp_path / "store", code=2)
    assert lines == []
    (line,) = err
    assert line.startswith(f"trio_mev: {path}: ")
    assert why in line
    assert not (tmp_path / "store").exists()


UNUSABLE = {
    "nothing": ["inspect"],
    "no source": ["inspect", "nonsense"],
    "a bad number": ["inspect", "1.5", "--rpc", "ws://127.0.0.1:1"],
    "no node": ["inspect", "15M:+10"],
    "no block": ["inspect", "5:3", "--rpc", "ws://127.0.0.1:1"],
    "none of blocks": ["inspect", "15M:+0", "--rpc", "ws://127.0.0.1:1"],
    "no such scheme": ["inspect", "1", "--rpc", "ftp://node.test"],
    "no host": ["inspect", "1", "--rpc", "https://"],
    "no workers": ["inspect", "x.json", "--workers", "0"],
    "too many workers": ["inspect", "x.json", "--workers", "65"],
    "no such option": ["inspect", "x.json", "--bogus"],
}


@pytest.mark.parametrize("arguments", UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_one_clear_line_and_code_2(capfd, monkeypatch, arguments):
    for name in ("ETH_RPC_URL", "WEB3_WS_PROVIDER_URI"):
        monkeypatch.delenv(name, raising=False)
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert len([line for line in err.splitlines() if line.startswith("trio_mev: ")]) == 1
    assert "Traceback" not in err


def test_a_url_of_the_environment_is_checked_without_being_shown(capfd, monkeypatch):
    monkeypatch.setenv("ETH_RPC_URL", "htps://node.test/v3/0123456789abcdef")
    assert main(["inspect", "-100:"]) == 2
    err = capfd.readouterr().err
    assert "ETH_RPC_URL" in err
    assert "0123456789" not in err


def test_what_was_done_is_not_done_again(capfd, block, traces, tmp_path):
    out = tmp_path / "store"
    first, _ = inspected(capfd, block, traces[0], "--out", out)
    again, _ = inspected(capfd, block, *traces[:3], "--out", out)
    assert first[-1]["books"]["processed"] == 2
    assert balanced(again[-1]) | {"filtered": 2, "processed": 2} == again[-1]["books"]
    numbers = duckdb.sql(f"from '{out}/block/*.parquet' select block_number order by 1")
    wanted = sorted(int(path.name.partition(".")[0]) for path in (block, *traces[:3]))
    assert [number for (number,) in numbers.fetchall()] == wanted
    swaps = duckdb.sql(f"from '{out}/swap/*.parquet' select count(*) where block_number=17173049")
    assert swaps.fetchall() == [(32,)]


def test_a_bad_file_is_tried_again_by_the_next_run(capfd, block, tmp_path):
    bad = tmp_path / "17173049.json"
    bad.write_bytes(b"{")
    inspected(capfd, bad, "--out", tmp_path / "store", code=2)
    bad.write_bytes(gzip.decompress(block.read_bytes()))
    lines, _ = inspected(capfd, bad, "--out", tmp_path / "store")
    assert lines[-1]["findings"] == {"sandwich": 1}


def many(folder: Path, path: Path, count: int) -> list[str]:
    """The same file by many names."""
    folder.mkdir()
    names = [folder / f"{number}.json.gz" for number in range(count)]
    for name in names:
        name.symlink_to(path)
    return [str(name) for name in names]


def test_a_folder_that_cannot_be_one_is_an_argument_that_cannot_be_used(capfd, block, tmp_path):
    (tmp_path / "file").write_text("")
    lines, (said,) = inspected(capfd, block, "--out", tmp_path / "file", code=2)
    assert (lines, said) == ([], f"trio_mev: --out {tmp_path / 'file'}: Not a directory")


def told_of_one_block(err: str) -> bool:
    """Whether nothing is said but that the files have the same block."""
    return all("a block was in more than one" in line for line in err.splitlines())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_ends_it_and_the_next_run_goes_on(
    capfd, corpus, block, tmp_path, number: signal.Signals, workers: str
):
    sources = many(tmp_path / "many", block, 3000)
    options = ["--out", str(tmp_path / "store"), "--workers", workers]
    # The first line says that it is under way.
    process = subprocess.Popen(
        [*COMMAND, *sources, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number, err
    assert told_of_one_block(err)
    books = balanced(json.loads(out.splitlines()[-1]))
    assert 0 < books["processed"] < 3000
    assert books["lost"] == 3000 - books["processed"]
    rest = sources[: books["processed"] + 5]
    lines, _ = inspected(capfd, *rest, *options)
    assert lines[-1]["books"]["filtered"] == books["processed"]
    assert lines[-1]["books"]["processed"] == 5


def test_a_reader_that_goes_away_ends_it_quietly(corpus, block, tmp_path):
    sources = many(tmp_path / "many", block, 3000)
    process = subprocess.Popen(
        [*COMMAND, *sources], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    process.stdout.readline()
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert told_of_one_block(err)


def in_terminal(*arguments: str, seconds: float = 60, **environment: str) -> tuple[int, str]:
    """The command in a terminal of 120 columns."""
    env = {"COLUMNS": "120", "TERM": "xterm"} | environment
    return shown_in_terminal([*COMMAND, *arguments], ROOT, seconds, **env)


def test_in_a_terminal_there_are_a_bar_and_a_table(corpus, block, traces, tmp_path):
    code, shown = in_terminal(str(block), str(traces[0]), "absent.json", NO_COLOR="1")
    assert code == 2
    assert re.search(r"inspecting .*\d+/3", shown)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"17173049 +sandwich +1 +\+0\.2354 WETH +\+0\.2354 WETH, -0\.2354 ETH", text)
    assert re.search(r"^sandwich +1 ", text, re.MULTILINE)
    assert re.search(r"^swap +\d+", text, re.MULTILINE)
    assert "trio_mev: absent.json: unreadable: No such file or directory" in text
    assert "2 blocks, 343 transactions in" in text
    assert '{"kind"' not in text
    assert "USD" not in text


def test_in_a_terminal_there_is_a_column_of_what_it_is_worth(block, prices):
    _, shown = in_terminal(str(block), "--prices", str(prices), NO_COLOR="1")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"^total +count .* USD\r?$", text, re.MULTILINE)
    assert re.search(r"^sandwich +1 .* 0\.04\r?$", text, re.MULTILINE)


def test_json_in_a_terminal_is_lines_alone(corpus, block):
    code, shown = in_terminal(str(block), "--json")
    assert code == 0
    assert [json.loads(line)["kind"] for line in shown.split()] == ["sandwich", "summary"]
