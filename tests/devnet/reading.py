"""Pools read from a node by the plans of the package."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from tests.devnet.abi import account, hexed, raw
from tests.devnet.artifacts import init_code
from tests.devnet.rpc import Hex, Rpc
from trio_mev.chain.pools.loading import Answers, Call, Loaded, Plan
from trio_mev.chain.pools.ticked import TickedPool

T = TypeVar("T")
ASKER = account("asker")
_THERE: dict[str, dict[str, Hex]] = {}
"""The contract that makes several calls, as long as it is asked; the same on every node."""


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


def together(
    plans: Sequence[Generator[list[Call], Answers, T]],
) -> Generator[list[Call], Answers, list[T]]:
    """Several plans as one, each step of all of them at once; what they return."""
    done: dict[int, T] = {}
    asked: dict[int, list[Call]] = {}

    def go(number: int, answers: Answers | None) -> None:
        try:
            plan = plans[number]
            asked[number] = next(plan) if answers is None else plan.send(answers)
        except StopIteration as end:
            asked.pop(number, None)
            done[number] = end.value

    for number in range(len(plans)):
        go(number, None)
    while asked:
        answers = yield [call for calls in asked.values() for call in calls]
        for number, calls in list(asked.items()):
            go(number, answers[: len(calls)])
            answers = answers[len(calls) :]
    return [done[number] for number in range(len(plans))]


async def at_once(rpc: Rpc, calls: list[Call], block: Any) -> Answers:
    """Several calls, by a contract of ours that the node takes to be there for as long."""
    rows = [_word(int(one.to, 16)) + _word(len(one.data)) + _filled(one.data) for one in calls]
    asked = {"to": ASKER, "data": hexed(b"".join(rows)), "gas": hex(2**40)}
    if not _THERE:
        # What the creation of a contract answers is its code, whichever node is asked.
        code = await rpc.call("eth_call", {"data": hexed(init_code("Batch"))}, "latest")
        _THERE[ASKER] = {"code": code}
    told, at = raw(await rpc.call("eth_call", asked, block, _THERE)), 0
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
