"""What gas a run through pools takes, before anybody has run it.

Measured on a devnet with the real contracts: a searcher's own contract that swaps at pools
directly takes 142,000 to 187,000 gas for two pairs, 150,000 to 214,000 for a pair and a pool of
V3, 210,000 to 238,000 for three pools, and 89,000 to 133,000 for one. The sums below lie within
each of these ranges.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..pools.pool import Protocol

START = 30_000
"""A transaction, its call data, and the contract's own doing."""
PAIR = 65_000
RANGES = 80_000
OTHER = 120_000
"""A pool of another kind."""
CROSSING = 25_000
"""Of an initialised tick."""
_OF = {
    Protocol.UNISWAP_V2: PAIR,
    Protocol.UNISWAP_V3: RANGES,
    Protocol.UNISWAP_V4: RANGES,
}


def gas_of(pools: Iterable[Protocol], crossed: int = 0) -> int:
    """Of one transaction that swaps once at each of these pools.

    Args:
        pools: their protocols.
        crossed: initialised ticks that prices go over, in all.
    """
    return START + sum(_OF.get(one, OTHER) for one in pools) + CROSSING * crossed
