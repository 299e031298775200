"""One tape, one digest: whatever the speed, the way, the machine's load and the order of sets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.uncounted import uncounted
from trio_mev.loopback.demo import TAPE

ROOT = Path(__file__).parents[2]
PART = ("--to", "40")
"""The first three blocks: pools and positions are read from the node, and predicted of."""


def replay(*words: str, seed: int = 0) -> dict[str, Any]:
    """The summary of a replay by a program of its own."""
    command = [sys.executable, "-m", "trio_mev", "replay", str(TAPE), *PART, *words, "--json"]
    environment = uncounted(PYTHONHASHSEED=str(seed))
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


@contextmanager
def busy() -> Iterator[None]:
    """While another program keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


def test_whatever_is_different_the_digest_is_the_same():
    first = replay()
    with busy():
        others = {
            "again": replay(seed=1),
            "ten times as fast": replay("--speed", "10", seed=2),
            "over sockets": replay("--loopback", seed=3),
        }
    assert {name: one["digest"] for name, one in others.items()} == dict.fromkeys(
        others, first["digest"]
    )
    for one in others.values():
        assert one["findings"] == first["findings"]
        assert one["events"] == first["events"]
        assert one["ledger"] == first["ledger"]
    assert first["findings"]["arbitrage"] > 5
    assert first["findings"]["sandwich"] > 0
    assert first["refused"] == {}
