"""A recording that is killed at any moment leaves a tape of which all that is whole is read."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from tests.support.peer import PeerConnection
from trio_mev.errors import ConfigError
from trio_mev.feeds.tapes import Tape, open_tapes
from trio_mev.wire.tape import Direction

MOMENTS = 50
LIMIT = 300.0
"""Seconds for all of it, on the slowest machine."""
STARTER = """
import json, os, sys
from trio_mev.cli.app import main

for line in sys.stdin:  # a process a line, without the time that it takes to import
    pid = os.fork()
    if pid == 0:
        os._exit(main(json.loads(line)))
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("over", flush=True)
"""


def quote(number: int) -> bytes:
    data = {"u": number, "s": "ETHUSDT", "b": "1", "B": "1", "a": "2", "A": str(number * 7919)}
    return json.dumps({"stream": "ethusdt@bookTicker", "data": data}).encode()


class Flood:
    """An exchange that sends numbered quotes without end."""

    def __init__(self, enough: int) -> None:
        self.sent = 0
        self.enough = enough
        self.asked = trio.Event()
        self.reached = trio.Event()
        """So many have been sent."""

    async def serve(self, stream: trio.SocketStream) -> None:
        peer = PeerConnection(stream)
        try:
            await peer.accept()
            request = json.loads(await peer.receive() or "null")
            await peer.send(json.dumps({"result": None, "id": request["id"]}))
            self.asked.set()
            while True:
                await peer.send(*map(quote, range(self.sent, self.sent + 20)))
                self.sent += 20
                if self.sent > self.enough:
                    self.reached.set()
                await trio.sleep(0.005)  # the exchange's pace
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it was killed


def config(folder: Path, port: int, more: str = "") -> Path:
    path = folder / "flood.toml"
    path.write_text(f"""
        [[feeds]]
        name = "flood"
        kind = "binance"
        endpoint = "ws://127.0.0.1:{port}"
        instruments = ["ETH/USDT"]
        channels = ["bookTicker"]
        {more}
    """)
    return path


def check(tapes, flood: Flood) -> int:
    """What is on them is what was sent, from the first frame on, in order; their number."""
    frames = [r.frame for tape in tapes for r in tape.records() if r.direction is Direction.IN]
    numbers = [json.loads(frame)["data"]["u"] for frame in frames if b'"data"' in frame]
    assert numbers == list(range(len(numbers)))
    assert [frame for frame in frames if b'"data"' in frame] == list(map(quote, numbers))
    assert len(numbers) <= flood.sent
    return len(numbers)


@pytest.mark.parametrize("rotated", [False, True])
async def test_what_was_written_before_it_was_killed_is_read(tmp_path, rotated):
    draw = random.Random(9)
    found = 0
    more = "[record]\nrotate_size = 3000\nsync = false" if rotated else ""
    async with served() as server, started() as starter:
        path = config(tmp_path, server.port, more)
        for moment in range(MOMENTS // 2):
            flood = server.flood = Flood(draw.randrange(4000))
            out = tmp_path / f"{moment}.tape"
            pid = await starter.start("record", "--config", str(path), "--out", str(out))
            if moment % 10:  # else while it starts
                await flood.reached.wait()
            os.kill(pid, signal.SIGKILL)
            assert await starter.line() == "over"
            found += check(readable(out, flood, rotated), flood)
    assert found > 1000


def readable(out: Path, flood: Flood, rotated: bool):
    """The tapes; what is not whole of them is said."""
    try:
        tapes = open_tapes([out])
    except ConfigError:
        # It was killed before it had made a file, or its header: nothing was recorded.
        assert not flood.asked.is_set()
        return []
    (tape,) = tapes
    for _ in tape.records():
        pass
    said = dict(tape.problems)
    assert said.pop("cut", 0) + said.pop("unfinished", 0) >= 1
    assert said.keys() <= ({"unreadable_tape"} if rotated else set())
    return tapes


@attrs.define
class Server:
    port: int
    flood: Flood

    async def serve(self, stream: trio.SocketStream) -> None:
        await self.flood.serve(stream)


@asynccontextmanager
async def served() -> AsyncIterator[Server]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server = Server(listener.socket.getsockname()[1], Flood(0))
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, server.serve, [listener])
            yield server
            nursery.cancel_scope.cancel()


@attrs.define
class Starter:
    """The process that starts the others."""

    process: trio.Process
    rest: bytes = b""

    async def start(self, *arguments: str) -> int:
        assert self.process.stdin is not None
        await self.process.stdin.send_all(json.dumps(arguments).encode() + b"\n")
        return int(await self.line())

    async def line(self) -> str:
        assert self.process.stdout is not None
        while b"\n" not in self.rest:
            chunk = await self.process.stdout.receive_some()
            assert chunk
            self.rest += chunk
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()


@asynccontextmanager
async def started() -> AsyncIterator[Starter]:
    command = [sys.executable, "-c", STARTER]
    nowhere, pipe = subprocess.DEVNULL, subprocess.PIPE
    process = await trio.lowlevel.open_process(command, stdin=pipe, stdout=pipe, stderr=nowhere)
    try:
        yield Starter(process)
    finally:
        with trio.CancelScope(shield=True):
            assert process.stdin is not None
            assert process.stdout is not None
            await process.stdin.aclose()
            await process.stdout.aclose()
            process.kill()
            await process.wait()


async def test_a_signal_ends_the_tape_and_nothing_is_missing(tmp_path):
    out = tmp_path / "whole.tape"
    async with served() as server, started() as starter:
        flood = server.flood = Flood(200)
        path = config(tmp_path, server.port)
        pid = await starter.start("run", "--config", str(path), "--record", str(out), "--json")
        await flood.reached.wait()
        os.kill(pid, signal.SIGTERM)
        summary = json.loads(await starter.line())
        assert await starter.line() == "over"
    tape = Tape(out)
    records = list(tape.records())
    assert not tape.problems
    assert [records[0].direction, records[-1].direction] == [Direction.OPEN, Direction.CLOSE]
    # Two words of the connection's, two of the subscription, the quotes, and whose order is told.
    orders = sum(one.direction is Direction.TAKEN for one in records)
    quotes = summary["events"]["quote"]
    assert check([tape], flood) == quotes
    assert summary["tape"] == {
        "path": str(out),
        "records": quotes + 4 + orders,
        "bytes": out.stat().st_size,
        "files": 1,
        "deleted": 0,
        "redacted": 0,
        "lost": {},
    }
