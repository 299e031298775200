"""``inspect`` of a real node's blocks: by WebSocket and by HTTP, by whatever the node tells."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trio

from tests.devnet.deploy import devnet
from tests.devnet.node import Node, Options, anvil
from tests.devnet.played import made
from tests.devnet.rpc import Json, open_rpc
from tests.devnet.scenario import open_scenario
from trio_mev.cli.inspecting import offered
from trio_mev.cli.work import perform
from trio_mev.errors import MalformedFrame, RpcFailed, SubscriptionRejected
from trio_mev.feeds import asking
from trio_mev.feeds.blocks import NodeBlocks
from trio_mev.flow.rpc import Rpc
from trio_mev.inspect.answers import Offer
from trio_mev.wire.findings import finding_line

ROOT = Path(__file__).parents[2]
BLOCKS = 30
MANY = 300
"""Blocks that take seconds, so that a node dies long before the last one."""
KINDS = {"arbitrage", "sandwich", "liquidation", "jit"}


async def inspect(*arguments: object, environment: dict[str, str] | None = None) -> Any:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "trio_mev", "inspect", *map(str, arguments)]
    with trio.fail_after(60):
        return await trio.run_process(
            command, cwd=ROOT, capture_stdout=True, capture_stderr=True, check=False,
            env=environment,
        )  # fmt: skip


def lines_of(done: subprocess.CompletedProcess[bytes]) -> list[Json]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def outline(line: Json) -> tuple[str, int, tuple[str, ...], tuple[tuple[str, int], ...]]:
    """What does not depend on how a block was read."""
    gross = tuple(sorted((token, int(amount)) for token, amount in line["gross"].items()))
    return line["kind"], line["block"], tuple(line["transactions"]), gross


def outlines(lines: Sequence[Json]) -> list[Any]:
    found = [line for line in lines if line["kind"] in KINDS and not line["reverted"]]
    return sorted(map(outline, found))


def planted(truth: Json) -> list[Any]:
    """What landed, as the truth has it."""
    return sorted(
        (
            record["kind"],
            record["block"],
            tuple(record["transactions"]),
            tuple(sorted(made(record).items())),
        )
        for record in truth["planted"]
        if record["kind"] in KINDS and record["status"] == "landed" and not record["reverted"]
    )


class Without:
    """A node as one that does not have some methods; the rest is asked of the real one."""

    def __init__(self, rpc: Rpc, *methods: str) -> None:
        self._rpc = rpc
        self._methods = methods

    @property
    def peer(self) -> object | None:
        return self._rpc.peer

    async def call(self, method: str, params: Any = (), kind: Any = Any, within: Any = None) -> Any:
        if method in self._methods:
            raise RpcFailed(-32601, f"the method {method} does not exist")
        return await self._rpc.call(method, params, kind, within)

    async def batch(self, calls: Any, within: Any = None) -> list[Any]:
        return await self._rpc.batch(calls, within)


async def test_a_scenario_is_found_whichever_way_the_node_tells_it(tmp_path: Path):
    async with devnet() as node, open_rpc(node.ws_url) as rpc:
        scenario = await open_scenario(rpc, 1)
        await scenario.play(BLOCKS)
        truth = await scenario.truth()
        first, last = truth["blocks"][0]["number"], truth["blocks"][-1]["number"]
        expected = planted(truth)
        assert {one[0] for one in expected} >= {"arbitrage", "sandwich"}
        blocks = f"{first}:+{last + 1 - first}"
        for url in (node.ws_url, node.http_url):
            out = tmp_path / url.partition(":")[0]
            done = await inspect(blocks, "--rpc", url, "--out", out, "--workers", 2)
            lines = lines_of(done)
            assert done.returncode == 0, done.stderr
            assert done.stderr.decode() == (
                "trio_mev: the node: traces with receipts, by trace_block\n"
            )
            assert outlines(lines) == expected
            assert lines[-1]["books"]["processed"] == last + 1 - first
            count = duckdb.sql(f"from '{out}/block/*.parquet' select count(*), any_value(chain_id)")
            assert count.fetchall() == [(last + 1 - first, 1)]
        again = await inspect("-5:", "--out", out, environment={"ETH_RPC_URL": node.ws_url})
        assert lines_of(again)[-1]["books"]["filtered"] == 5 - (await head_of(node) - last)
        for lost in range(len(Offer)):
            await by_offer(node, lost, first, last, expected)


async def head_of(node: Node) -> int:
    async with asking.open_rpc(node.http_url) as rpc:
        return await NodeBlocks(rpc).head()


async def by_offer(node: Node, lost: int, first: int, last: int, expected: list[Any]) -> None:
    """Without the best methods the next one is found, and tells the same."""
    names = [offer.value for offer in Offer]
    async with asking.open_rpc(node.ws_url) as rpc:
        blocks = NodeBlocks(Without(rpc, *names[:lost]), random.Random(1))
        assert await blocks.find_offer(last) is list(Offer)[lost]
        assert [offer.value for offer in blocks.refused] == names[:lost]
        assert all(f"no {name}: -32601" in offered(blocks) for name in names[:lost])
        found: list[Json] = []
        for number in range(first, last + 1):
            result = perform(await blocks.fetch(number))
            assert isinstance(result, list), result
            found += [finding_line(one) for seen in result for one in seen.found.opportunities]
    assert outlines(found) == expected


async def test_traces_without_receipts_are_said(node: Node):
    async with asking.open_rpc(node.ws_url) as rpc:
        await rpc.call("evm_mine")
        blocks = NodeBlocks(Without(rpc, "eth_getBlockReceipts"), random.Random(1))
        assert await blocks.find_offer(1) is Offer.TRACE_BLOCK
        assert (await blocks.fetch(1)).receipts is None
        words = "traces, by trace_block; no eth_getBlockReceipts: -32601"
        assert offered(blocks).startswith(words)


async def test_a_node_that_tells_nothing_says_why(node: Node):
    async with asking.open_rpc(node.ws_url) as rpc:
        blocks = NodeBlocks(Without(rpc, *(offer.value for offer in Offer)), random.Random(1))
        with pytest.raises(SubscriptionRejected, match=r"trace_block: -32601.*eth_getLogs: -32601"):
            await blocks.find_offer(0)


async def test_a_block_that_is_not_there_is_that_blocks_fault(node: Node):
    async with asking.open_rpc(node.http_url) as rpc:
        blocks = NodeBlocks(rpc, random.Random(1))
        await blocks.find_offer(0)
        with pytest.raises((MalformedFrame, RpcFailed)):
            await blocks.fetch(99)


async def test_beyond_the_newest_block_is_a_clear_line(node: Node):
    done = await inspect("5:9", "--rpc", node.ws_url)
    assert done.returncode == 2
    assert done.stderr.decode() == "trio_mev: 5:9: the newest block is 0\n"


async def test_another_chains_blocks_do_not_go_into_the_same_folder(tmp_path: Path):
    async with (
        anvil(Options(mining=False)) as one,
        anvil(Options(mining=False, chain_id=10)) as two,
    ):
        assert (await inspect("0", "--rpc", one.ws_url, "--out", tmp_path)).returncode == 0
        done = await inspect("0", "--rpc", two.http_url, "--out", tmp_path)
    assert done.returncode == 2
    assert b"it holds blocks of ethereum, and these are of network_10" in done.stderr


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_node_that_nobody_reaches_is_a_clear_line(dead: int, scheme: str):
    done = await inspect("-5:", "--rpc", f"{scheme}://127.0.0.1:{dead}/v3/secret-key")
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()[-1:]
    assert line.startswith(f"trio_mev: the node: 127.0.0.1:{dead}: ")
    assert b"secret" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.fixture
async def dead(nursery: trio.Nursery) -> int:
    """A port where nobody listens."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    return port


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_node_that_dies_ends_the_run_which_goes_on_with_another(
    tmp_path: Path, scheme: str
):
    arguments = [sys.executable, "-m", "trio_mev", "inspect", f"0:{MANY}", "--out", str(tmp_path)]
    options = Options(mining=False, timestamp=1_700_000_000)
    async with anvil(options) as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("anvil_mine", hex(MANY))
        url = node.ws_url if scheme == "ws" else node.http_url
        async with trio.open_nursery() as nursery:
            process = await nursery.start(
                partial(
                    trio.run_process,
                    [*arguments, "--rpc", url],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    check=False,
                    cwd=ROOT,
                )
            )
            with trio.fail_after(90):
                err = await process.stderr.receive_some()  # what the node offers: it has begun
                await node.kill()
                out = b"".join([chunk async for chunk in process.stdout])
                err += b"".join([chunk async for chunk in process.stderr])
                code = await process.wait()
    assert code == 1, err
    assert b"Traceback" not in err
    books = json.loads(out.splitlines()[-1])["books"]
    assert books["lost"] == MANY - books["processed"] - books["failed"] > 0
    async with anvil(options) as node, open_rpc(node.ws_url) as rpc:
        await rpc.call("anvil_mine", hex(MANY))
        again = await inspect(f"0:{MANY}", "--rpc", node.http_url, "--out", tmp_path)
    assert again.returncode == 0, again.stderr
    assert lines_of(again)[-1]["books"] == {
        **dict.fromkeys(("lost", "failed", "queued"), 0),
        "received": MANY,
        "filtered": books["processed"],
        "processed": MANY - books["processed"],
    }
    stored = duckdb.sql(f"from '{tmp_path}/block/*.parquet' select count(distinct block_number)")
    assert stored.fetchall() == [(MANY,)]
