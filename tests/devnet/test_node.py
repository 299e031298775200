"""The node starts, answers, can be suspended, and leaves no process behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio

from tests.devnet.node import Node, NoNode, Options, anvil
from tests.devnet.rpc import Rpc, RpcError, open_rpc


def alive(node: Node) -> bool:
    """Whether the process exists, dead but unreaped ones included."""
    return Path(f"/proc/{node.process.pid}").exists()


def state(node: Node) -> str:
    """The kernel's letter for what the process does: S sleeps, T is stopped."""
    stat = Path(f"/proc/{node.process.pid}/stat").read_text(encoding="ascii")
    return stat.rpartition(")")[2].split()[0]


async def test_it_answers_on_the_chain_that_was_asked_for():
    async with anvil(Options(chain_id=5)) as node, open_rpc(node.ws_url) as rpc:
        assert await rpc.number("eth_chainId") == 5
        assert await rpc.number("eth_blockNumber") == 0


async def test_blocks_are_made_when_told(rpc: Rpc):
    assert await rpc.number("eth_blockNumber") == 0
    await rpc.call("evm_mine")
    await rpc.call("evm_mine")
    assert await rpc.number("eth_blockNumber") == 2


async def test_a_batch_is_answered_in_its_order(rpc: Rpc):
    asked = [("eth_chainId", []), ("eth_blockNumber", []), ("eth_getCode", [f"0x{1:040x}", "0x0"])]
    assert await rpc.batch(asked) == ["0x1", "0x0", "0x"]
    assert await rpc.batch([]) == []


async def test_blocks_are_made_by_time():
    async with anvil(Options(block_time=1)) as node, open_rpc(node.ws_url) as rpc:
        mining = await rpc.call("anvil_getIntervalMining")
        assert mining == 1


async def test_a_refusal_keeps_its_code(rpc: Rpc):
    with pytest.raises(RpcError, match="eth_nothing") as refused:
        await rpc.call("eth_nothing")
    assert refused.value.code == -32602


async def test_a_cancelled_call_does_not_answer_the_next(node: Node, rpc: Rpc):
    node.stop()
    with trio.move_on_after(0.05) as scope:
        await rpc.call("eth_chainId")
    assert scope.cancelled_caught
    node.cont()
    assert await rpc.number("eth_blockNumber") == 0


async def test_a_suspended_node_says_nothing_and_goes_on(node: Node, rpc: Rpc):
    node.stop()
    answered = trio.Event()

    async def ask() -> None:
        assert await rpc.number("eth_blockNumber") == 0
        answered.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        suspended = os.WSTOPPED | os.WNOWAIT
        await trio.to_thread.run_sync(os.waitid, os.P_PID, node.process.pid, suspended)
        assert state(node) == "T"
        assert not answered.is_set()
        node.cont()
        await answered.wait()


@pytest.mark.parametrize("suspended", [False, True])
async def test_it_leaves_no_process(suspended: bool):
    async with anvil() as node:
        assert alive(node)
        if suspended:
            node.stop()
    assert not alive(node)
    assert node.process.returncode == -signal.SIGKILL


async def test_it_leaves_no_process_when_cancelled():
    with trio.CancelScope() as scope:
        async with anvil() as node:
            scope.cancel()
            await trio.sleep_forever()
    assert not alive(node)


async def test_it_leaves_no_process_when_the_block_raises():
    with pytest.RaisesGroup(ZeroDivisionError):
        async with anvil() as node:
            raise ZeroDivisionError
    assert not alive(node)


async def test_a_killed_node_closes_its_sockets(node: Node, rpc: Rpc):
    await node.kill()
    assert not alive(node)
    with pytest.raises(Exception, match="1006"):
        await rpc.call("eth_chainId")


async def test_a_node_that_cannot_start_says_why(tmp_path: Path):
    broken = tmp_path / "state.json"
    broken.write_text("{")
    with pytest.RaisesGroup(pytest.RaisesExc(NoNode, match="state")):
        async with anvil(Options(state=broken)):
            pytest.fail("it started")


async def test_a_missing_program_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("tests.devnet.node.MODULES", tmp_path)
    with pytest.raises(NoNode, match="scripts/test"):
        async with anvil():
            pytest.fail("it started")
