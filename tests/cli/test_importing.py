"""import: what is wrong names its file and leaves nothing behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter

import pytest
import zstandard

from tests.support.uncounted import uncounted
from trio_mev.cli import recordings
from trio_mev.cli.app import main
from trio_mev.cli.recordings import OVERHEAD, in_order
from trio_mev.feeds.tapes import Tape
from trio_mev.wire.tape import Direction, Record, TapeReader

BLOCK = {"number": "0x1", "hash": "0x1", "timestamp": "0x64", "transactions": []}
OPEN = "wss://ws-feed.exchange.coinbase.com <-> 1.5\nwss://x <- 1.5: "


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("blocks", json.dumps({**BLOCK, "transactions": 5})),
        ("blocks", json.dumps({**BLOCK, "logs": None})),
        ("blocks", json.dumps({**BLOCK, "timestamp": "-0x1"})),
        ("blocks", json.dumps({**BLOCK, "timestamp": "0xfffffffffffffffff"})),
        ("blocks", json.dumps({**BLOCK, "miner": "\ud800"})),
        ("blocks", "[" * 3000),
        ("blocks", '{"a": 1' + "0" * 5000 + "}"),
        ("cryptofeed", OPEN + "[1]"),
        ("cryptofeed", OPEN + '{"product_ids":["eth-usd"],"channels":["ticker"]}'),
    ],
)
def test_a_wrong_shape_is_one_line_that_names_the_file(capfd, tmp_path, form, text):
    source, out = tmp_path / "source", tmp_path / "out.tape"
    source.write_text(text)
    assert main(["import", form, str(source), "--out", str(out)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"trio_mev: {source}: ")
    assert not out.exists()


@pytest.mark.parametrize("ids", ['{"newHeads": ["0x1"]}', "[" * 3000, "[]", '{"newHeads": null}'])
def test_wrong_subscriptions_are_one_line_that_names_their_file(capfd, tmp_path, ids):
    source, out, beside = (tmp_path / n for n in ("a.jsonl", "out.tape", "subscriptions.json"))
    source.write_text('{"t": 1, "frame": {}}')
    beside.write_text(ids)
    assert main(["import", "frames", str(source), "--out", str(out)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"trio_mev: {beside}: ")
    assert not out.exists()


def test_a_folder_of_frames_is_taken_and_one_without_is_one_line(capfd, tmp_path):
    folder, out = tmp_path / "recording", tmp_path / "out.tape"
    folder.mkdir()
    (folder / "subscriptions.json").write_text('{"newHeads": "0xa"}')
    assert main(["import", "frames", str(folder), "--out", str(out)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"trio_mev: {folder / 'frames.jsonl'}: ")
    assert not out.exists()
    (folder / "frames.jsonl").write_text('{"t": 1, "frame": {}}')
    assert main(["import", "frames", str(folder), "--out", str(out)]) == 0
    assert "records" in capfd.readouterr().err


def test_a_full_disk_is_one_line_and_leaves_no_file(tmp_path):
    source, out = tmp_path / "block.json", tmp_path / "out.tape"
    bodies = [{"hash": f"0x{number * 2654435761 % 2**256:064x}"} for number in range(3000)]
    source.write_text(json.dumps({**BLOCK, "transactions": bodies}))
    done = subprocess.run(
        [sys.executable, "-m", "trio_mev", "import", "blocks", str(source), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        # Coverage, too, would want to write a file.
        env=uncounted(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line == f"trio_mev: {out}: File too large"
    assert not out.exists()


def test_the_header_is_a_frame_of_its_own_so_that_a_cut_tape_keeps_it(tmp_path):
    source, out = tmp_path / "block.json", tmp_path / "out.tape"
    source.write_text(json.dumps(BLOCK))
    assert main(["import", "blocks", str(source), "--out", str(out)]) == 0
    data = out.read_bytes()
    first = zstandard.ZstdDecompressor().decompressobj()
    assert first.decompress(data).count(b"\n") == 1
    size = len(data) - len(first.unused_data)
    reader = TapeReader()
    assert reader.receive_data(data[: size + 20]) == []
    assert "ethereum:import" in reader.header.feeds


def test_blocks_are_on_the_tape_in_the_order_of_their_numbers(tmp_path):
    sources = []
    for number in (3, 1, 2):
        source = tmp_path / f"{number}.json"
        body = {**BLOCK, "number": hex(number), "timestamp": hex(100 + 12 * number)}
        source.write_text(json.dumps(body))
        sources.append(str(source))
    out = tmp_path / "out.tape"
    assert main(["import", "blocks", *sources, "--out", str(out)]) == 0
    heads = [json.loads(one.frame).get("params") for one in Tape(out).records() if one.frame]
    told = [one["result"]["number"] for one in heads if isinstance(one, dict)]
    assert told == ["0x1", "0x2", "0x3"]


def test_a_recording_with_lines_in_disorder_is_put_in_order(capfd, tmp_path):
    source, out = tmp_path / "a.jsonl", tmp_path / "out.tape"
    source.write_text("".join(f'{{"t": {t}, "frame": [{t}]}}\n' for t in (1, 3, 2, 5, 4)))
    (tmp_path / "subscriptions.json").write_text("{}")
    assert main(["import", "frames", str(source), "--out", str(out)]) == 0
    assert capfd.readouterr().err == f"{out}: 6 records\n"
    assert [one.frame for one in Tape(out).records()][1:] == [b"[%d]" % n for n in range(1, 6)]


def test_what_comes_too_late_for_its_time_gets_that_of_the_one_before_and_is_counted():
    problems: Counter[str] = Counter()
    rows = [Record(at, at, "a", Direction.IN, b"1") for at in (1, 3, 4, 2, 5)]
    found = list(in_order(rows, problems, most=OVERHEAD + 1))
    assert [(one.mono, one.wall) for one in found] == [(1, 1), (3, 3), (3, 2), (4, 4), (5, 5)]
    assert problems == {"out_of_order": 1}


def test_a_file_is_read_in_bounded_room(capfd, tmp_path, monkeypatch):
    source, out = tmp_path / "block.json", tmp_path / "out.tape"
    source.write_text(json.dumps(BLOCK))
    monkeypatch.setattr(recordings, "MOST_BYTES", 10)
    monkeypatch.setattr(recordings, "MAX_LINE", 20)
    assert main(["import", "blocks", str(source), "--out", str(out)]) == 2
    assert capfd.readouterr().err == f"trio_mev: {source}: over 10 bytes\n"
    assert main(["import", "cryptofeed", str(source), "--out", str(out)]) == 2
    assert capfd.readouterr().err == f"trio_mev: {source}: a line of over 20 bytes\n"
    assert not out.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_import_that_is_ended_by_a_signal_leaves_no_file(tmp_path, number, code):
    source, out = tmp_path / "a.jsonl", tmp_path / "out.tape"
    (tmp_path / "subscriptions.json").write_text("{}")
    os.mkfifo(source)
    command = [sys.executable, "-m", "trio_mev", "import", "frames", str(source)]
    with subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.PIPE) as running:
        try:
            with source.open("wb") as pipe:  # which is when it is opened for reading, too
                pipe.write(b'{"t": 1, "frame": {}}\n')
                pipe.flush()
                assert out.exists()
                running.send_signal(number)
                assert running.wait(30) == code
        finally:
            running.kill()
    assert not out.exists()
