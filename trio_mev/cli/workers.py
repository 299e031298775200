"""Who does the work: processes beside this one, or a thread of it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import attrs
import trio

from ..inspect import Prices
from .work import Result, Unusable, Work, perform
from .worker import SIZE, framed

PATIENCE = 2.0
"""Seconds for a process to end by itself."""
GRACE = 0.1
"""Seconds for one that has closed its pipes to be gone."""
LONGEST = 600.0
"""Seconds for one piece of work; the largest blocks take one."""
MOST_WORKERS = 64
READ = 2**16

Perform = Callable[[Work], Awaitable[Result]]
DIED = "worker_died"
"""Why a piece of work has no result where its process ended under it."""


@attrs.define(eq=False)
class _Worker:
    """A process that does one piece of work at a time."""

    process: trio.Process
    _rest: bytearray = attrs.Factory(bytearray)
    _busy: bool = False

    async def ask(self, work: Work) -> Result | None:
        """The result; None where the process is over, or takes far too long."""
        stdin = self.process.stdin
        assert stdin is not None
        self._busy = True
        result: Result | None = None
        with suppress(trio.TooSlowError, trio.BrokenResourceError, EOFError):
            with trio.fail_after(LONGEST):
                await stdin.send_all(framed(work))
                size = int.from_bytes(await self._read(SIZE), "big")
                result = pickle.loads(await self._read(size))  # noqa: S301
        self._busy = result is None
        return result

    async def _read(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            EOFError: there are no more.
        """
        stdout = self.process.stdout
        assert stdout is not None
        while len(self._rest) < size:
            chunk = await stdout.receive_some(max(READ, size - len(self._rest)))
            if not chunk:
                raise EOFError
            self._rest += chunk
        found = bytes(self._rest[:size])
        del self._rest[:size]
        return found

    async def end(self) -> int:
        """End it, at once where it works still; its exit code."""
        process = self.process
        with trio.CancelScope(shield=True):
            if self._busy:
                # One that has died has closed its pipes before its end is noticed.
                with trio.move_on_after(GRACE):
                    await process.wait()
                process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    await trio.aclose_forcefully(stream)
            with trio.move_on_after(PATIENCE):
                await process.wait()
            process.kill()
            await process.wait()
        assert process.returncode is not None
        return process.returncode


async def _start(prices: Path | None) -> _Worker:
    command = [
        sys.executable,
        "-m",
        "trio_mev.cli.worker",
        *([] if prices is None else [str(prices)]),
    ]
    return _Worker(
        await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )


@attrs.define(eq=False)
class Workers:
    """Processes that share the work; one that dies costs what it was at, and is replaced.

    Args:
        prices: a file of them, which each process reads for itself.
        turn: how many there may be.
    """

    _prices: Path | None = None
    started: set[_Worker] = attrs.Factory(set)
    _idle: list[_Worker] = attrs.Factory(list)
    _turn: trio.CapacityLimiter = attrs.field(kw_only=True)

    async def perform(self, work: Work) -> Result:
        """Do a piece of work in whichever process is free first."""
        async with self._turn:
            worker = await self._free()
            result = await worker.ask(work)
            if result is not None:
                self._idle.append(worker)
                return result
            self.started.discard(worker)
            return Unusable(DIED, f"its worker process {_ended(await worker.end())}")

    async def _free(self) -> _Worker:
        """One that waits for work and is alive, or another."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                return worker
        worker = await _start(self._prices)
        self.started.add(worker)
        return worker


def _ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


@asynccontextmanager
async def open_workers(
    count: int, path: Path | None = None, prices: Prices | None = None
) -> AsyncIterator[Perform]:
    """What does a piece of work: in a thread where one is to do all, else in so many processes,
    which end with the block.

    Args:
        count: how many.
        path: where prices are read.
        prices: what was read there.
    """
    if count == 1:
        turn = trio.CapacityLimiter(1)  # more threads would only share one core

        async def in_thread(work: Work) -> Result:
            """Cancelled, it leaves the thread to itself; a run that is stopped ends with it."""
            return await trio.to_thread.run_sync(
                perform, work, prices, abandon_on_cancel=True, limiter=turn
            )

        yield in_thread
        return
    workers = Workers(path, turn=trio.CapacityLimiter(count))
    try:
        yield workers.perform
    finally:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for worker in workers.started:
                    nursery.start_soon(worker.end)
