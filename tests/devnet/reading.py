"""Pools read from a node by the plans of the package."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from tests.devnet.abi import account, hexed, raw
from tests.devnet.artifacts import init_code
from tests.devnet.rpc import Rpc
from trio_mev.chain.pools.loading import Answers, Call, Loaded, Plan
from trio_mev.chain.pools.ticked import TickedPool

T = TypeVar("T")
ASKER = account("asker")


async def carry_out(rpc: Rpc, plan: Generator[list[Call], Answers, T], block: Any = "latest") -> T:
    """Make a plan's calls at a block; what the plan returns."""
    answers: Answers = []
    try:
        calls = next(plan)
        while True:
            answers = await at_once(rpc, calls, block)
            calls = plan.send(answers)
    except StopIteration as done:
        return done.value


async def at_once(rpc: Rpc, calls: list[Call], block: Any) -> Answers:
    """Several calls, by a contract of ours that the node takes to be there for as long."""
    rows = [_word(int(one.to, 16)) + _word(len(one.data)) + _filled(one.data) for one in calls]
    asked = {"to": ASKER, "data": hexed(b"".join(rows)), "gas": hex(2**40)}
    # What the creation of a contract answers is its code.
    code = await rpc.call("eth_call", {"data": hexed(init_code("Batch"))}, "latest")
    there = {ASKER: {"code": code}}
    told, at = raw(await rpc.call("eth_call", asked, block, there)), 0
    answers: Answers = []
    for _ in calls:
        good, size = (int.from_bytes(told[at + n : at + n + 32]) for n in (0, 32))
        answers.append(told[at + 64 : at + 64 + size] if good else None)
        at += 64 + -(-size // 32) * 32
    assert at == len(told)
    return answers


def _word(value: int) -> bytes:
    return value.to_bytes(32)


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % 32)


async def load(rpc: Rpc, plan: Plan, block: Any = "latest") -> Loaded:
    """A pool that can be loaded."""
    loaded = await carry_out(rpc, plan, block)
    assert isinstance(loaded, Loaded), loaded
    return loaded


async def load_ticked(rpc: Rpc, plan: Plan) -> TickedPool:
    """What a pool of concentrated liquidity holds."""
    state = (await load(rpc, plan)).state
    assert isinstance(state, TickedPool)
    return state
