"""How the command ends when something fails: one line and a code, in this very process."""

from __future__ import annotations

import errno
import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from trio_mev.cli import app, looking
from trio_mev.cli.app import main
from trio_mev.cli.words import OutputFailed
from trio_mev.errors import ConfigError, StreamConnectionError

BLOCK = {"number": "0x1", "hash": "0x1", "timestamp": "0x64", "transactions": []}


def ending(monkeypatch, error: BaseException) -> int:
    """Of a run that fails so; what a signal does to a real one is seen in test_output.py."""

    def fails(*_: object) -> int:
        raise error

    monkeypatch.setattr(looking, "load", fails)
    return main(["check-config", "any.toml"])


def test_an_interrupt_is_130_alone_or_among_failures(capfd, monkeypatch):
    stopped = BaseExceptionGroup("", [OutputFailed("full"), KeyboardInterrupt()])
    for error in (KeyboardInterrupt(), stopped, BaseExceptionGroup("", [stopped])):
        assert ending(monkeypatch, error) == 130
    assert capfd.readouterr() == ("", "")


def test_an_output_that_takes_no_more_is_one_line_however_many_tasks_it_stopped(capfd, monkeypatch):
    full = OutputFailed("standard output: No space left on device")
    assert ending(monkeypatch, ExceptionGroup("", [full, ExceptionGroup("", [full])])) == 1
    assert capfd.readouterr().err == "trio_mev: standard output: No space left on device\n"


def test_settings_that_are_found_wrong_by_several_tasks_are_a_line_a_problem(capfd, monkeypatch):
    wrong = ExceptionGroup("", [ConfigError("one", "two"), ConfigError("three")])
    assert ending(monkeypatch, wrong) == 2
    assert capfd.readouterr().err.splitlines() == [
        "trio_mev: one",
        "trio_mev: two",
        "trio_mev: three",
    ]


@pytest.mark.parametrize("other", [ValueError("a bug"), StreamConnectionError("it was lost")])
def test_where_anything_else_failed_too_all_of_it_is_told(capfd, monkeypatch, other):
    group = ExceptionGroup("", [ConfigError("one"), OutputFailed("full"), other])
    assert ending(monkeypatch, group) == 1
    err = capfd.readouterr().err
    assert "Traceback" in err
    assert str(other) in err
    assert "one" in err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.tape"), "a.tape: No space left"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
        (OSError("a reason without a number"), "a reason without a number"),
        (OutputFailed("standard output: full"), "standard output: full"),
    ],
)
def test_what_the_system_refuses_is_one_line_with_its_reason(capfd, monkeypatch, error, line):
    monkeypatch.setattr(app, "let_go", lambda: None)  # else this test could say nothing any more
    assert ending(monkeypatch, error) == 1
    (told,) = capfd.readouterr().err.splitlines()
    assert told.startswith(f"trio_mev: {line}")


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_tape_that_cannot_be_finished_is_not_left_behind(capfd, tmp_path):
    """Where the disk is full, and where the last source is of no use."""
    source, out = tmp_path / "block.json", tmp_path / "out.tape"
    bodies = [{"hash": f"0x{number * 2654435761 % 2**256:064x}"} for number in range(3000)]
    source.write_text(json.dumps({**BLOCK, "transactions": bodies}))
    arguments = ["import", "blocks", str(source), "--out", str(out)]
    with no_file_larger_than(4096):
        code = main(arguments)
    assert (code, capfd.readouterr().err) == (2, f"trio_mev: {out}: File too large\n")
    assert not out.exists()
    assert main(arguments) == 0
    made = out.read_bytes()
    capfd.readouterr()
    assert main(arguments) == 2  # it is there already, and stays as it is
    assert "it exists; choose another name" in capfd.readouterr().err
    assert out.read_bytes() == made


def test_where_nobody_reads_the_command_does_its_work(monkeypatch, tmp_path):
    """Standard output may be closed from the start, or by whoever read it."""
    config = tmp_path / "good.toml"
    config.write_text("")

    class Gone:
        def __init__(self) -> None:
            self.written: list[str] = []

        def write(self, text: str) -> int:
            self.written.append(text)
            return len(text)

        def flush(self) -> None:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", None)
    assert main(["check-config", str(config)]) == 0
    gone = Gone()
    monkeypatch.setattr(sys, "stdout", gone)
    assert main(["check-config", str(config)]) == 0
    assert gone.written == [f"{config}: no problem; feeds: none\n"]
