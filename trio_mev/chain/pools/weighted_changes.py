"""What the logs of Balancer's vault, and of a weighted pool itself, say became of the pool.

A swap's log has both amounts; it is carried out once more, as an exact input or output, and where
neither is what the log says the pool is not what it was taken for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from ...model.chain import Log
from ..abi import BadData, arguments_of
from .swap import PoolState
from .weighted import WeightedPool
from .words import sint, topic_address, uint

VAULT = "0xba12222222228d8ba445958a75a0704d566bf2c8"
"""Where every pool's balances are on Ethereum's main network, chain id 1."""

SWAP = "0x2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b"
BALANCES = "0xe5ce249087ce04f05a957192435400fd97868dba0e6a4b4c049abf8af80dae78"
MANAGED = "0x6edcaf6241105b4c94c2efdbf3a6b12458eb3d07be3a0e81d24b13c44045fe7a"
SWAP_FEE = "0xa9ba3ffe0b6c366b81232caab38605a0699ad5398d6cce76f91ee809e322dafc"
"""By the pool itself, as the next; the others are the vault's."""
PAUSED = "0x9e3a5e37224532dea67b89face185703738a228a6e8a23dee546960180d3be64"
_CHANGES = arguments_of("(address[],int256[],uint256[])")


def _weighted(state: PoolState) -> WeightedPool:
    if not isinstance(state, WeightedPool):
        raise ValueError("no weighted pool")
    return state


def _place(pool: WeightedPool, topic: str) -> int:
    token = topic_address(topic)
    if token not in pool.tokens:
        raise ValueError("the pool has no such token")
    return pool.tokens.index(token)


def _swap(state: PoolState, log: Log) -> PoolState:
    pool = _weighted(state)
    places = _place(pool, log.topics[2]), _place(pool, log.topics[3])
    paid, got = uint(log.data), uint(log.data, 1)
    if not paid and not got:
        return pool
    for amount, exact_out in ((paid, False), (got, True)):
        swap = pool.swap(*places, amount, exact_out)
        if swap.stop is None and (swap.amount_in, swap.amount_out) == (paid, got):
            return swap.after
    raise ValueError("a swap gave something else than it should have")


def _balances(state: PoolState, log: Log) -> PoolState:
    pool = _weighted(state)
    try:
        tokens, deltas, fees = _CHANGES.read(log.data)
    except BadData as problem:
        raise ValueError(str(problem)) from None
    if tokens != pool.tokens or not len(tokens) == len(deltas) == len(fees):
        raise ValueError("the tokens are not the pool's")
    changes = zip(pool.balances, deltas, fees, strict=True)
    return pool.holding(tuple(held + delta - fee for held, delta, fee in changes))


def _managed(state: PoolState, log: Log) -> PoolState:
    pool = _weighted(state)
    balances = list(pool.balances)
    balances[_place(pool, log.topics[3])] += sint(log.data) + sint(log.data, 1)
    return pool.holding(tuple(balances))


def _swap_fee(state: PoolState, log: Log) -> PoolState:
    return msgspec.structs.replace(_weighted(state), fee=uint(log.data))


def _paused(state: PoolState, log: Log) -> PoolState:
    if uint(log.data):
        raise ValueError("it is paused")
    return _weighted(state)


Rule: TypeAlias = "tuple[Callable[[PoolState, Log], PoolState], int, int]"
RULES: Mapping[str, Rule] = {
    # What to do, how many topics a log has, and how many words at least.
    SWAP: (_swap, 4, 2),
    BALANCES: (_balances, 3, 6),
    MANAGED: (_managed, 4, 2),
    SWAP_FEE: (_swap_fee, 1, 1),
    PAUSED: (_paused, 1, 1),
}
