"""What is in an effect: figures to set limits by, and to compare."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.devnet.addresses import WETH
from tests.devnet.orders import Order
from tests.devnet.uniswap import units
from trio_mev.chain.effects import Effect, SwapOutcome, Verdict
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.model.intents import ETHER

SPARE = 30_000_000
"""Dollars that a trader can spend in one transaction."""


def shown(outcome: SwapOutcome) -> tuple[Any, ...]:
    """For people who look into a difference."""
    fills = [msgspec.structs.replace(fill, before=None, after=None) for fill in outcome.fills]
    return (msgspec.structs.replace(outcome, fills=()), fills)


def figure_of(order: Order, effect: Effect) -> int | None:
    """What the limit of an order is about."""
    if effect.verdict is not Verdict.SUCCEEDS:
        return None
    if order.exact_out:
        return effect.swaps[0].amount_in
    last = effect.swaps[-1]
    if "joint" in order.kind:
        return sum(one.amount_out or 0 for one in effect.swaps)
    return None if last.amount_out is None else order.left(last.amount_out)


def too_dear(effect: Effect) -> bool:
    """Whether it takes more than traders can spare."""
    for one in effect.swaps:
        for fill in one.fills[:1]:
            token = WETH if fill.token_in == ETHER else fill.token_in
            if fill.amount_in > units(token, SPARE):
                return True
    return False


def leaves_something(effect: Effect) -> bool:
    """Whether the router may be left with tokens that it was given."""
    return any(fill.partial for one in effect.swaps for fill in one.fills)


def fills_of(swaps: tuple[SwapOutcome, ...]) -> list[tuple[str, int, int]]:
    return [
        (fill.pool, fill.amount_in, fill.amount_out)
        for one in swaps
        if not one.undone
        for fill in one.fills
    ]


def same(ours: PoolState, nodes: PoolState) -> bool:
    """Whether two states are the same, as far as both of them know the ticks."""
    if not (isinstance(ours, TickedPool) and isinstance(nodes, TickedPool)):
        return ours == nodes
    words = {word for word in ours.ticks.words if nodes.ticks.knows(word)}
    known = tick_map(ours.ticks.spacing, {}, words)
    return msgspec.structs.replace(ours, ticks=known) == msgspec.structs.replace(
        nodes, ticks=known
    ) and all(ours.ticks.words[word] == nodes.ticks.words.get(word, 0) for word in words)
