"""Processes that share the work: one that dies costs what it was at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from trio_mev.cli.work import Seen, Unusable
from trio_mev.cli.workers import DIED, open_workers

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def block(corpus: Path) -> Path:
    return corpus / "mainnet" / "logs" / "17173049.json.gz"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file that nobody can read to its end: whoever opens it waits."""
    path = tmp_path / "5.json"
    os.mkfifo(path)
    return path


def children(parent: int) -> list[int]:
    """Processes that a process has started, by whichever thread."""
    lists = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for found in lists for child in found.read_text().split()]


async def opened(pipe: Path) -> int:
    """Open the writing end, as soon as somebody reads."""
    with trio.fail_after(30):
        return await trio.to_thread.run_sync(os.open, pipe, os.O_WRONLY, abandon_on_cancel=True)


linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it looks into /proc")


@pytest.mark.parametrize("count", [1, 3])
async def test_many_pieces_are_done_by_a_few(block: Path, count: int):
    found = {}

    async def one(number: int) -> None:
        found[number] = await perform(block)

    async with open_workers(count) as perform, trio.open_nursery() as nursery:
        for number in range(12):
            nursery.start_soon(one, number)
    (first,) = found[0]
    assert isinstance(first, Seen)
    assert all(result == found[0] for result in found.values())
    assert len(found) == 12


@linux
async def test_a_worker_that_dies_costs_its_piece_and_is_replaced(block: Path, pipe: Path):
    async with open_workers(2) as perform:
        results = []

        async def at_the_pipe() -> None:
            results.append(await perform(pipe))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(at_the_pipe)
            end = await opened(pipe)
            assert isinstance(await perform(block), list)
            # The idle one dies unseen, and costs nothing.
            for worker in list(perform.__self__.started):
                worker.process.kill()
                await worker.process.wait()
        os.close(end)
        assert results == [Unusable(DIED, "its worker process was killed by signal 9")]
        for _ in range(3):
            assert isinstance(await perform(block), list)


@linux
@pytest.mark.parametrize("count", [1, 2])
async def test_who_is_cancelled_waits_for_no_piece(pipe: Path, count: int):
    with trio.fail_after(30):
        async with open_workers(count) as perform, trio.open_nursery() as nursery:
            nursery.start_soon(perform, pipe)
            end = await opened(pipe)
            nursery.cancel_scope.cancel()
        os.close(end)


async def test_workers_end_with_the_block_and_leave_nothing_behind(block: Path):
    before = trio.lowlevel.current_statistics().tasks_living
    async with open_workers(2) as perform:
        await perform(block)
        workers = perform.__self__.started
        assert len(workers) == 1  # the second one is not needed
    assert [worker.process.returncode for worker in workers] == [0]
    assert trio.lowlevel.current_statistics().tasks_living == before


def started(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "trio_mev", "inspect", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@linux
async def test_the_command_says_which_piece_it_was_and_goes_on(block: Path, pipe: Path):
    process = started(block, pipe, "--workers", 2)
    end = await opened(pipe)
    first = process.stdout.readline()
    for child in children(process.pid):
        os.kill(child, signal.SIGKILL)
    os.close(end)
    rest, err = await trio.to_thread.run_sync(process.communicate)
    assert err == f"trio_mev: {pipe}: its worker process was killed by signal 9\n"
    assert process.returncode == 1
    sandwich, summary = (json.loads(line) for line in (first, rest))
    assert sandwich["kind"] == "sandwich"
    assert summary["books"]["failed"] == 1
    assert summary["refused"] == {DIED: 1}


@linux
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_signal_does_not_wait_for_a_piece_that_never_ends(
    block: Path, pipe: Path, workers: int
):
    process = started(block, pipe, "--workers", workers)
    end = await opened(pipe)
    process.send_signal(signal.SIGTERM)
    with trio.fail_after(20):
        out, err = await trio.to_thread.run_sync(process.communicate, abandon_on_cancel=True)
    os.close(end)
    assert (process.returncode, err) == (143, "")
    assert json.loads(out.splitlines()[-1])["books"]["lost"] >= 1
