"""Small pools of concentrated liquidity for the tests."""

from __future__ import annotations

import random

from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.chain.pools.ticks import sqrt_at, tick_at


def empty(tick: int = 0, spacing: int = 60, fee: int = 3000, root: int | None = None) -> TickedPool:
    """A pool that was just initialised."""
    root = sqrt_at(tick) if root is None else root
    return TickedPool(root, tick_at(root), 0, fee, tick_map(spacing, {}, complete=True))


def crowded(
    rng: random.Random,
    positions: int = 8,
    spacing: int = 60,
    fee: int = 3000,
    magnitude: tuple[float, float] = (6, 20),
    width: int = 40,
) -> TickedPool:
    """A pool with positions of random ranges and sizes, some of them without the price."""
    pool = empty(rng.randrange(-5000, 5000), spacing, fee)
    for _ in range(positions):
        low = pool.tick // spacing + rng.randrange(-width, width // 2)
        ends = low * spacing, (low + rng.randrange(1, width)) * spacing
        pool = pool.with_liquidity(*ends, int(10 ** rng.uniform(*magnitude)))
    return pool
