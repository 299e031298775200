"""A process that stores a stream is killed at any moment: what is there is whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq

from tests.sinks.stored import opened, query
from tests.support.uncounted import uncounted

ROOT = Path(__file__).parents[2]
KILLS = 50
CHILD = """
import os, sys
from pathlib import Path
import pyarrow.parquet, trio
from tests.sinks.stored import EPOCH, opened, pending, quote
from trio_mev.sinks.storing import LANES, StreamStore
from trio_mev.stream import open_stream

class Told(StreamStore):
    # Says on standard output what is written, once it is.
    async def _write(self, events):
        os.write(1, b"w")
        await super()._write(events)
        os.write(1, b"%d." % self.store.written["quote"])

async def main(folder):
    store = Told(opened(folder, flush_rows=200, file_rows=300), EPOCH)
    prepare = lambda stream: stream.add_sink(store.run, *store.kinds, lanes=LANES)
    async with open_stream(prepare=prepare) as stream:
        for number in range(10**9):
            stream.emit_event(quote(number, number * 1e-3))
            stream.emit_event(pending(number, number * 1e-3))
            os.write(1, b"e")
            await trio.lowlevel.checkpoint()

# Each life is a process of its own, without the second that importing takes.
for folder in sys.argv[1:]:
    if not (life := os.fork()):
        trio.run(main, Path(folder))
    os.write(1, b"<%d>" % life)
    _, status = os.waitpid(life, 0)
    assert os.WTERMSIG(status) == 9
"""


def live_and_die(out, rng: random.Random) -> int:
    """Kill the process after some bytes that it wrote; how many quotes it had told of."""
    life, left, told, word = 0, rng.randrange(50, 8000), 0, b""
    while left or not life:
        byte = out.read(1)
        assert byte
        if byte == b"<":
            word = b""  # before it may stand what the one before it was saying when it died
        elif byte.isdigit():
            word += byte
        elif byte == b">":
            life, word = int(word), b""
        elif byte == b"." and life:
            told, word = int(word), b""
        left = max(0, left - 1)
    os.kill(life, signal.SIGKILL)
    return told


def test_whenever_it_is_killed_what_is_there_is_whole(tmp_path):
    folders = [tmp_path / str(number) for number in range(KILLS)]
    rng = random.Random(9)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, folders)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        bufsize=0,
        # A killed process has no figures of its own.
        env=uncounted(),
    ) as parent:
        told = [live_and_die(parent.stdout, rng) for _ in folders]
        parent.stdout.read()
        assert parent.wait(60) == 0
    kept = [whole(folder, count) for folder, count in zip(folders, told, strict=True)]
    assert sum(1 for quotes in kept if quotes) > KILLS // 10
    assert len({len(list(folder.rglob("*.tmp"))) for folder in folders}) > 1, "none in a write"
    for folder in folders:  # the next run goes on from there
        store = opened(folder)
        assert not list(folder.rglob("*.tmp"))
        store.close()


def whole(folder: Path, told: int) -> int:
    """Every file is whole and has all that came up to some moment, nothing twice or made up."""
    if not (folder / "store.json").exists():  # it died before its first write
        assert told == 0
    else:
        spans = msgspec.json.decode((folder / "store.json").read_bytes())["spans"]
        assert len(spans) == 1
    for path in folder.glob("*/*.parquet"):
        assert pq.read_table(path).num_rows <= 300 + 200
    quotes = _stored(folder, "quote", "sequence")
    assert quotes == list(range(len(quotes)))
    assert len(quotes) >= told, "what was written is there"
    hashes = _stored(folder, "transaction", "hash")
    assert hashes == [f"0x{number:064x}" for number in range(len(hashes))]
    # Each dataset is written by itself, and two hundred events in one go.
    assert abs(len(quotes) - len(hashes)) <= 200
    return len(quotes)


def _stored(folder: Path, name: str, column: str) -> list:
    try:
        return [row[0] for row in query(folder, name, f"{column} order by 1")]
    except duckdb.IOException:  # it died before its first write
        return []
