"""The report of a replay: what it says is what was seen, the same every time; bad names early."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.reports import Read, read
from tests.support.uncounted import uncounted
from trio_mev.cli.app import main
from trio_mev.cli.replaying import Replay
from trio_mev.loopback.demo import TAPE

POOLS = '[pools]\ntokens = ["WETH", "USDC", "USDT", "DAI", "WBTC"]\n'
OF_THIS_RUN = re.compile(r'<section id="processors">.*?</section>', re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Read, list[dict]]:
    """The demo's page, as text and read, and its lines."""
    folder = tmp_path_factory.mktemp("report")
    return replayed(folder, seed="1")


def replayed(folder: Path, *arguments: str, seed: str = "0") -> tuple[str, Read, list[dict]]:
    (folder / "pools.toml").write_text(POOLS)
    page = folder / "out.html"
    command = [sys.executable, "-m", "trio_mev", "replay", str(TAPE), "--json"]
    options = ["--config", str(folder / "pools.toml"), "--report", str(page), *arguments]
    environment = uncounted(PYTHONHASHSEED=seed)
    ran = subprocess.run(
        [*command, *options], capture_output=True, text=True, env=environment, check=True
    )
    assert f"{page}: " in ran.stderr
    assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []
    text = page.read_text(encoding="utf-8")
    return text, read(text), [json.loads(line) for line in ran.stdout.splitlines()]


def rows(section: str, text: str) -> list[list[str]]:
    """The cells of a section's tables."""
    part = text.partition(f'<section id="{section}">')[2].partition("</section>")[0]
    found = re.findall(r"<tr>(<td.*?)</tr>", part, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in found]


def test_it_says_what_the_summary_says(made):
    text, seen, lines = made
    summary = lines[-1]
    assert summary["digest"] in seen.texts["played"]
    events = {row[0]: row[1] for row in rows("played", text) if len(row) == 2}
    for name in ("quote", "trade", "block", "reorg", "log"):
        assert events[name] == f"{summary['events'][name]:,}"
    feeds = {row[0]: row for row in rows("feeds", text) if len(row) == 9}
    assert len(feeds) == 6
    assert feeds["bitfinex:demo"][-1] == "1 crossed_book"
    assert sum(row[1] == "reorg" for row in rows("feeds", text)) == 2


def test_it_counts_each_opportunity_once(made):
    text, _, lines = made
    kinds = ("arbitrage", "sandwich", "liquidation", "jit")
    last = {line["id"]: line for line in lines if line["kind"] in kinds}
    counted = {row[0]: int(row[4]) for row in rows("findings", text) if row[0] in kinds}
    assert counted == {kind: sum(line["kind"] == kind for line in last.values()) for kind in kinds}


def test_each_price_has_every_venue_that_quotes_it(made):
    _, seen, _ = made
    lines = {
        figure["layout"]["yaxis"]["title"]["text"]: {one["name"] for one in figure["data"]}
        for name, figure in seen.data.items()
        if name == "price-1-data"
    }
    venues = {"binance", "bybit", "coinbase", "kraken"}
    assert lines == {"USDT": {*venues, "price", "95 % interval"}}


def test_it_says_what_was_played(made):
    _, seen, _ = made
    assert "Replay of demo.tape" in seen.texts["header"]
    assert "none of it happened on the main network" in seen.texts["header"]
    assert str(TAPE.parent) not in "".join(seen.texts.values())


def test_the_same_tape_gives_the_same_page(made, tmp_path):
    """All but what is measured in the run, whatever the order of sets."""
    again, _, _ = replayed(tmp_path, seed="2")
    assert OF_THIS_RUN.sub("", again) == OF_THIS_RUN.sub("", made[0])


def test_over_sockets_the_same_is_found_and_the_page_says_how_it_was_played(made, tmp_path):
    part = ["--to", "60"]
    direct = replayed(tmp_path, *part)
    sockets = replayed(tmp_path, *part, "--loopback")
    assert direct[2][-1]["digest"] == sockets[2][-1]["digest"]
    for text, _, lines in (direct, sockets):
        options = dict(row for row in rows("played", text) if len(row) == 2)
        assert options["to"] == "60 s"
        assert lines[-1]["digest"] in options["digest of the findings"]
    assert "over sockets" in dict(row for row in rows("played", sockets[0]) if len(row) == 2)


def test_options_that_are_not_the_defaults_are_told():
    what = Replay([TAPE], 10.0, True, True, 5.0, 9.5)
    assert what.given == {
        "speed": "10 ×", "over sockets": "yes", "aligned": "yes", "from": "5 s", "to": "9.5 s",
    }  # fmt: skip
    assert Replay([TAPE]).given == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out.tape", "its name must end in .html"),
        ("nowhere/out.html", "there is no such folder"),
        ("folder.html", "it is a folder"),
    ],
)
@pytest.mark.parametrize("command", ["replay", "run"])
def test_a_name_that_cannot_be_is_refused_before_anything_runs(
    capfd, tmp_path, command, name, said
):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "feeds.toml").write_text(
        '[[feeds]]\nname = "b"\nkind = "binance"\ninstruments = ["ETH/USDT"]\n'
    )
    what = [str(TAPE)] if command == "replay" else ["--config", str(tmp_path / "feeds.toml")]
    assert main([command, *what, "--report", str(tmp_path / name), "--json"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err


def test_lanes_that_make_tapes_wait_are_no_hindrance(capfd, tmp_path):
    (tmp_path / "block.toml").write_text(
        '[stream.lanes]\nhigh_overflow = "block"\nnormal_overflow = "block"\n'
    )
    page = tmp_path / "out.html"
    options = ["--config", str(tmp_path / "block.toml"), "--to", "20", "--report", str(page)]
    assert main(["replay", str(TAPE), "--json", *options]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["books"]["lost"] == 0
    assert "is not complete" not in page.read_text(encoding="utf-8")


def test_without_its_libraries_nothing_runs(capfd, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["replay", str(TAPE), "--report", str(tmp_path / "out.html")]) == 2
    out, err = capfd.readouterr()
    assert (out, "install trio-mev[ui]" in err) == ("", True)


def test_a_page_that_cannot_be_written_is_refused_before_anything_runs(capfd, tmp_path):
    page = tmp_path / f"{'a' * 247}.html"  # the file aside has a name that is longer
    assert main(["replay", str(TAPE), "--report", str(page)]) == 2
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"trio_mev: --report {page}: File name too long\n")


def test_a_disk_that_is_full_in_the_end_is_said_and_the_old_page_stays(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("the one from before")
    command = [sys.executable, "-m", "trio_mev", "replay", str(TAPE), "--to", "5", "--json"]
    ran = subprocess.run(
        [*command, "--report", str(page)],
        capture_output=True,
        text=True,
        check=False,
        env=uncounted(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert ran.returncode == 1
    assert json.loads(ran.stdout.splitlines()[-1])["kind"] == "summary"
    assert ran.stderr.splitlines()[-1] == f"trio_mev: {page}: File too large"
    assert page.read_text() == "the one from before"
    assert list(tmp_path.iterdir()) == [page]
