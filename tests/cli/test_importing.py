"""import: what is wrong names its file and leaves nothing behind."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest
import zstandard

from trio_mev.cli.app import main
from trio_mev.wire.tape import TapeReader

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
        env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")},
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
