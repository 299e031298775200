"""``sources`` against real nodes, one that is not there, and one on another chain."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.devnet.node import Options, anvil

ROOT = Path(__file__).parents[2]
NUMBERS = r"\d+ ms +\d+ ms +\d+ ms (?:block|log|transaction|mempool)"


async def sources(config: Path) -> subprocess.CompletedProcess[bytes]:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "trio_mev", "sources", "--config", str(config)]
    with trio.fail_after(120):
        return await trio.run_process(
            command, cwd=ROOT, capture_stdout=True, capture_stderr=True, check=False
        )


@pytest.fixture
async def dead(nursery: trio.Nursery) -> int:
    """A port where nobody listens."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    return port


def rows(out: str, name: str) -> list[str]:
    """The lines of the output about one source."""
    return [line for line in out.splitlines() if line.startswith(name)]


async def test_each_node_says_what_it_is_and_a_dead_port_says_nothing(tmp_path: Path, dead: int):
    async with (
        anvil(Options(mining=True, block_time=1.0)) as one,
        anvil(Options(mining=True, block_time=1.0, chain_id=10)) as other,
    ):
        config = tmp_path / "nodes.toml"
        config.write_text(f"""
            [[feeds]]
            name = "one"
            kind = "ethereum"
            chain_id = 1
            endpoint = "{one.ws_url}"
            logs = [{{}}]
            [[feeds]]
            name = "other"
            kind = "ethereum"
            endpoint = "{other.ws_url}"
            [[feeds]]
            name = "dead"
            kind = "ethereum"
            endpoint = "ws://127.0.0.1:{dead}"
        """)
        done = await sources(config)
        out = done.stdout.decode()
    assert done.returncode == 1, done.stderr
    table, words = rows(out, "one")
    assert re.search(rf" ready +{NUMBERS}$", table.rstrip())
    assert re.search(r"chain 1, head \d+, client anvil/v[\d.]+ in \d+ ms; ", unfolded(out, "one"))
    assert "subscribed to newHeads, newPendingTransactions, logs:0" in unfolded(out, "one")
    table, words = rows(out, "other")
    assert re.search(rf" ready +{NUMBERS}$", table.rstrip())
    assert re.search(r"chain 10, head \d+, client anvil/", words)
    table, words = rows(out, "dead")
    assert re.search(r" waiting +— +— +—$", table.rstrip())
    assert "127.0.0.1" in words
    assert "refused" in unfolded(out, "dead")


def unfolded(out: str, name: str) -> str:
    """What is said of a source, its lines joined."""
    lines = out.splitlines()
    first = max(n for n, line in enumerate(lines) if line.startswith(name))
    said = [lines[first].removeprefix(name).strip()]
    for line in lines[first + 1 :]:
        if not line.startswith(" "):
            break
        said.append(line.strip())
    return " ".join(said)


async def test_nodes_of_one_feed_are_asked_each_and_the_one_on_another_chain_is_refused(
    tmp_path: Path,
):
    async with (
        anvil(Options(mining=True, block_time=1.0)) as one,
        anvil(Options(mining=True, block_time=1.0, chain_id=10)) as other,
    ):
        config = tmp_path / "nodes.toml"
        config.write_text(f"""
            [[feeds]]
            name = "main"
            kind = "ethereum"
            chain_id = 1
            nodes = [
                {{ alias = "mine", endpoint = "{one.ws_url}" }},
                {{ alias = "again", endpoint = "{one.ws_url}" }},
                {{ alias = "stray", endpoint = "{other.ws_url}" }},
            ]
        """)
        done = await sources(config)
        out = done.stdout.decode()
    assert done.returncode == 1, done.stderr
    for alias in ("mine", "again"):
        assert " ready " in rows(out, alias)[0]
        assert "chain 1, head " in unfolded(out, alias)
    assert " refused " in rows(out, "stray")[0]
    assert "the node is on chain 10, and 1 is configured" in unfolded(out, "stray")
