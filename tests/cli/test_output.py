"""Readers that stop, go away or were never there; signals at every moment."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest
import trio
import trio.testing

from trio_mev.cli.app import main
from trio_mev.loopback.demo import TAPE
from trio_mev.sinks.console import JsonLines
from trio_mev.sinks.output import MOST, Output

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "trio_mev"]
EVERY = "quote,trade,transaction,log,block,price"


def run(*arguments: str, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, **options)


def fill(pipe: int) -> None:
    """Write until it takes no more, by a description of our own: the child's still blocks."""
    ours = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(ours, b"x")
    os.close(ours)


def writer(descriptor: int, closefd: bool) -> TextIO:
    return open(descriptor, "w", closefd=closefd)


@pytest.fixture
def full_pipe():
    """A pipe's end that nobody reads and that takes no more."""
    ours, theirs = os.pipe()
    fill(theirs)
    yield theirs
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def stalled(tmp_path):
    """Starts a replay whose reader stops reading after the first lines."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    processes = []

    def start(drain: float) -> subprocess.Popen[bytes]:
        config = tmp_path / "short.toml"
        config.write_text(f"[stream]\ndrain_timeout = {drain}\n")
        process = run(
            *("replay", str(TAPE), "--json", "--events", EVERY, "--config", str(config)),
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        assert select.select([ours], [], [], 20)[0]
        fill(theirs)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_reader_that_stops_reading_does_not_make_a_run_unstoppable(stalled, number):
    process = stalled(0.2)
    process.send_signal(number)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 128 + number
    assert b"Traceback" not in err


def test_a_second_interrupt_ends_the_drain_without_a_traceback(stalled):
    process = stalled(1000)
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 130
    assert b"Traceback" not in err


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM])
def test_a_terminal_that_nobody_reads_does_not_make_a_run_unstoppable(number):
    ours, theirs = pty.openpty()
    sizes = {"COLUMNS": "200", "LINES": "100", "TERM": "xterm-256color"}
    process = run(
        *(("--for", "2") if number is None else ()),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **sizes},
        start_new_session=True,
    )
    try:
        assert select.select([ours], [], [], 20)[0]
        if number is not None:
            process.send_signal(number)
        assert process.wait(15) == (0 if number is None else 128 + number)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_a_terminal_that_goes_away_ends_the_run():
    """It has no end of its own: nobody is left to see it. That is told where it can be."""
    ours, theirs = pty.openpty()
    process = run(
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "100", "LINES": "30", "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        assert select.select([ours], [], [], 20)[0]
        os.close(ours)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    (line,) = err.splitlines()
    assert line == b"trio_mev: standard output: Input/output error"


def test_a_full_standard_output_is_one_clear_line_and_code_1():
    with open("/dev/full", "w") as full:
        for arguments in (["--json", "--for", "5", "--events", EVERY], ["--help"]):
            process = run(*arguments, stdout=full, stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=30)
            assert process.returncode == 1
            assert b"Traceback" not in err
            lines = [line for line in err.splitlines() if line.startswith(b"trio_mev: ")]
            (line,) = lines
            assert line.endswith(b"No space left on device")


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        (">&-", ["--json", "--for", "5"], 0),
        (">&-", ["--for", "5"], 0),
        (">&-", ["check-config", "trio_mev/cli/public.toml"], 0),
        ("2>&-", ["--json", "--for", "2"], 0),
        ("2>&-", ["check-config", "absent.toml"], 2),
    ],
)
def test_a_stream_that_is_closed_is_no_failure(closed, arguments, code):
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *arguments]
    done = subprocess.run(shell, capture_output=True, cwd=ROOT, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stdout + done.stderr


def test_a_log_that_nobody_reads_holds_up_nothing(full_pipe):
    process = run("--json", "--for", "2", stdout=subprocess.PIPE, stderr=full_pipe)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b'"kind":"summary"' in out.splitlines()[-1]


def test_an_interrupt_while_the_sources_are_asked_is_130(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = tmp_path / "silent.toml"
        path.write_text(
            '[[feeds]]\nkind = "binance"\nname = "b"\ninstruments = ["ETH/USDT"]\n'
            f'endpoint = "ws://127.0.0.1:{silent.getsockname()[1]}"\n'
        )
        process = run("sources", "--config", str(path), stderr=subprocess.PIPE)
        silent.settimeout(20)
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=15)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_replay_faster_than_the_clock_can_tell_is_refused(capfd):
    assert main(["replay", str(TAPE), "--speed", "1001"]) == 2
    assert "use max" in capfd.readouterr().err


async def test_what_has_no_descriptor_is_written_to_as_it_is():
    text = io.StringIO()
    lines = JsonLines(text)
    await lines.write([{"kind": "a"}])
    await lines.write_last([{"kind": "b"}])
    assert text.getvalue() == '{"kind":"a"}\n{"kind":"b"}\n'
    assert (lines.written, lines.closed) == (2, False)
    text.close()
    await lines.write([{"kind": "c"}])
    assert lines.closed
    assert lines.written == 2


async def test_a_descriptor_that_takes_a_part_at_a_time_gets_the_whole():
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    text = "0123456789" * 100_000
    read: list[bytes] = []

    def read_all() -> None:
        while piece := os.read(ours, 65536):
            read.append(piece)

    reader = threading.Thread(target=read_all)
    with writer(theirs, closefd=True) as stream:
        output = Output(stream)
        reader.start()
        await output.write(text)
    reader.join(20)
    os.close(ours)
    assert b"".join(read).decode() == text


async def test_the_last_words_are_given_up_in_real_time_and_the_next_do_not_wait(full_pipe):
    with writer(full_pipe, closefd=False) as stream:
        output = Output(stream)
        with trio.move_on_after(0.1) as scope:
            await output.write("x" * 100_000)
        assert scope.cancelled_caught
        await output.write_within("y", 0.1)
        with trio.fail_after(5):
            await output.write_within("z", 1000)
    assert not output.closed


@pytest.fixture
async def held_up():
    """An output whose first text waits for a reader, and where that can read."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    fill(theirs)
    with writer(theirs, closefd=True) as stream:
        async with trio.open_nursery() as nursery:
            output = Output(stream, trio.CapacityLimiter(1))
            nursery.start_soon(output.write, "first ")
            await trio.testing.wait_all_tasks_blocked()
            yield output, ours, stream
    os.close(ours)


def written(reader: int, stream: TextIO) -> str:
    """What has been written behind that which was in the way."""
    stream.close()
    with open(reader, closefd=False) as rest:
        return rest.read()


async def test_texts_are_written_in_the_order_of_the_calls(held_up):
    output, reader, stream = held_up
    async with trio.open_nursery() as nursery:
        for word in ("a ", "b ", "c "):
            nursery.start_soon(output.write, word)
            await trio.testing.wait_all_tasks_blocked()
        # It needs none of the threads that the others wait for.
        nursery.start_soon(output.write_within, "last", 20)
        await trio.testing.wait_all_tasks_blocked()
        os.read(reader, 4096)
    assert written(reader, stream) == "first a b c last"


async def test_who_is_cancelled_leaves_its_text_to_be_written_in_its_place(held_up):
    output, reader, stream = held_up
    async with trio.open_nursery() as nursery:
        for word in ("a ", "b "):
            with trio.CancelScope() as scope:
                scope.cancel()
                await output.write(word)
            assert scope.cancelled_caught
        nursery.start_soon(output.write_within, "last", 20)
        await trio.testing.wait_all_tasks_blocked()
        os.read(reader, 4096)
    assert written(reader, stream) == "first a b last"


async def test_what_the_cancelled_leave_behind_is_bounded(held_up):
    output, reader, stream = held_up
    for _ in range(3 * MOST):
        with trio.CancelScope() as scope:
            scope.cancel()
            await output.write(".")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(output.write, " after")
        await trio.testing.wait_all_tasks_blocked()
        os.read(reader, 4096)
    assert written(reader, stream) == "first " + "." * MOST + " after"


async def test_where_nothing_can_be_written_any_more_nothing_waits():
    ours, theirs = os.pipe()
    with writer(theirs, closefd=True) as stream:
        output = Output(stream)
        os.close(ours)
        for _ in range(3 * MOST):
            await output.write("x")
        await output.write_within("last", 20)
    assert output.closed
