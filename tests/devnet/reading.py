"""Pools read from a node by the plans of the package."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from tests.devnet.abi import hexed, raw
from tests.devnet.rpc import Rpc
from trio_mev.chain.pools.loading import Answers, Call, Loaded, Plan
from trio_mev.chain.pools.ticked import TickedPool

T = TypeVar("T")


async def carry_out(rpc: Rpc, plan: Generator[list[Call], Answers, T], block: Any = "latest") -> T:
    """Make a plan's calls at a block; what the plan returns."""
    answers: Answers = []
    try:
        calls = next(plan)
        while True:
            asked = [("eth_call", [{"to": c.to, "data": hexed(c.data)}, block]) for c in calls]
            told = await rpc.batch(asked, refusals=True)
            answers = [None if one is None else raw(one) for one in told]
            calls = plan.send(answers)
    except StopIteration as done:
        return done.value


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
