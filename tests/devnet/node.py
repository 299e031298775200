"""A real Ethereum node in a process of its own: anvil, for as long as a block lasts."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import trio

MODULES = Path(__file__).parents[1] / "node_modules"
START_WITHIN = 20.0
"""Seconds; it takes a tenth of one where nothing else runs."""
_LISTENS = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_CPU = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class NoNode(Exception):
    """There is no node to run on this machine, or it did not start."""


def program() -> Path:
    """The node's program.

    Raises:
        NoNode: it is not installed, and what to do about it.
    """
    cpu = _CPU.get(platform.machine().lower(), platform.machine())
    system = platform.system().lower()
    path = MODULES / "@foundry-rs" / f"anvil-{system}-{cpu}" / "bin" / "anvil"
    if not path.exists():
        raise NoNode("anvil is not installed: run scripts/test, which needs npm")
    return path


@attrs.frozen(eq=False)
class Node:
    """A running node."""

    port: int
    process: trio.Process
    said: deque[str]
    """The last lines that it printed."""

    @property
    def ws_url(self) -> str:
        """Where its WebSocket is."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http_url(self) -> str:
        """Where it answers HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Suspend it: its sockets stay open, and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)
        # It goes on until its kernel looks at the signal, which is soon.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def cont(self) -> None:
        """Let a suspended node go on."""
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once, as a crash would; returns when the process is gone."""
        self.process.kill()
        await self.process.wait()


@attrs.frozen
class Options:
    """How a node is started; None leaves anvil's default."""

    chain_id: int = 1
    mining: bool = True
    """Whether each transaction makes a block; otherwise only ``evm_mine`` does."""
    block_time: float | None = None
    """Seconds between blocks, where time makes them."""
    state: Path | None = None
    """A state to begin with."""
    timestamp: int | None = None
    """The first block's time in seconds; with it a run's hashes can be repeated."""
    base_fee: int | None = None
    port: int = 0
    """0 is any free one."""

    def arguments(self) -> list[str]:
        """The command line, without the program."""
        # Accounts are impersonated, so no key is ever needed.
        words = ["--port", str(self.port), "--chain-id", str(self.chain_id), "--accounts", "0"]
        words += ["--auto-impersonate", "--disable-code-size-limit", "--color", "never"]
        if not self.mining:
            words.append("--no-mining")
        for name, value in (
            ("--block-time", self.block_time),
            ("--load-state", self.state),
            ("--timestamp", self.timestamp),
            ("--block-base-fee-per-gas", self.base_fee),
        ):
            if value is not None:
                words += [name, str(value)]
        return words


async def _read(process: trio.Process, said: deque[str], listening: trio.Event) -> None:
    """Read what it prints until its end, since a full pipe would stop it."""
    assert process.stdout is not None
    rest = ""
    async for chunk in process.stdout:
        *lines, rest = (rest + _COLOUR.sub("", chunk.decode(errors="replace"))).split("\n")
        said.extend(lines)
        if any(_LISTENS.search(line) for line in lines):
            listening.set()
    said.append(rest)
    listening.set()


async def _launch(nursery: trio.Nursery, options: Options) -> Node:
    process: trio.Process = await nursery.start(
        partial(
            trio.run_process,
            [str(program()), *options.arguments()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            deliver_cancel=_kill,
            env={**os.environ, "RUST_BACKTRACE": "0"},
        )
    )
    said: deque[str] = deque(maxlen=40)
    listening = trio.Event()
    nursery.start_soon(_read, process, said, listening)
    with trio.move_on_after(START_WITHIN):
        await listening.wait()
    ports = [int(found[1]) for line in said if (found := _LISTENS.search(line))]
    if not ports:
        raise NoNode("\n".join(["anvil did not start", *said]))
    return Node(ports[-1], process, said)


async def _kill(process: trio.Process) -> None:
    """A suspended process hears nothing gentler."""
    process.kill()


@asynccontextmanager
async def anvil(options: Options | None = None) -> AsyncIterator[Node]:
    """A node that listens; it is killed and reaped when the block is left, however that is.

    Raises:
        NoNode: it is not installed, or does not start; in a group, as all that a nursery raises.
    """
    program()
    async with trio.open_nursery() as nursery:
        yield await _launch(nursery, options or Options())
        nursery.cancel_scope.cancel()
