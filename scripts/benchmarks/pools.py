"""What pools cost: quotes, and a block that changes some of many pools with all cycles through
them sized, beside a plain bisection over the same cycles."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from typing import Any

from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.changes import SYNC, V3_SWAP
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.stable import THREE, StablePool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import tick_map
from trio_mev.chain.pools.ticks import Q96, tick_at
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.routes.exact import through
from trio_mev.chain.routes.finder import RouteFinder
from trio_mev.chain.routes.hop import Hop, hop_of
from trio_mev.model.chain import Block, Log

HUBS = 4
SHARE_TICKED = 0.4
"""Of the pools."""
APART = 0.002
"""How far a pool's price is from the fair one, as a standard deviation."""
MOVED = 0.01
"""How far a change moves it."""
WORD = 2**256
NOBODY = "0x" + "0" * 64
"""As a topic."""
SHARE = 4
"""Every fourth of the cycles is bisected, and what that takes is multiplied: all take a minute."""


def ticked(rng: random.Random, root: int, liquidity: int, fee: int = 3000) -> TickedPool:
    """A pool at a price, with positions about it."""
    pool = TickedPool(root, tick_at(root), 0, fee, tick_map(60, {}, complete=True))
    here = pool.tick // 60
    pool = pool.with_liquidity(-887220, 887220, max(liquidity // 4, 1))
    for _ in range(8):
        low, high = here - rng.randrange(1, 60), here + rng.randrange(1, 60)
        pool = pool.with_liquidity(low * 60, high * 60, max(liquidity // 4, 1))
    return pool


def asked_pool(kind: str, rng: random.Random) -> tuple[PoolState, float, float]:
    """A pool of a kind, and the powers of ten between which what is swapped in it is."""
    one = 10**18
    if kind == "v2":
        return ProductPool(10**21, 2 * 10**12), 14.0, 19.0
    if kind == "weighted":
        weights = one // 5, 4 * one // 5
        return WeightedPool((10**21, 10**21), weights, (1, 1), 3 * 10**15), 14.0, 19.0
    if kind == "stable":
        held = (10**24, 10**12, 10**12), (one, 10**30, 10**30)
        return StablePool(*held, 2000, 10**6, 5 * 10**9, THREE), 3.0, 12.0
    most = {"v3 in one range": 15.0, "v3 over ticks": 20.0}[kind]
    return ticked(rng, Q96, 10**21), most - (0.7 if kind == "v3 over ticks" else 5), most


def quotes(kind: str, count: int) -> dict[str, Any]:
    """Microseconds of processor time a quote of random swaps, and ticks crossed in each."""
    rng = random.Random(1)
    pool, least, most = asked_pool(kind, rng)
    # A stable pool has no exact output.
    both = kind != "stable"
    asked = [
        (rng.randrange(2), int(10 ** rng.uniform(least, most)), both and rng.random() < 0.5)
        for _ in range(count)
    ]
    start, crossed = time.process_time(), 0
    for side, amount, out in asked:
        crossed += pool.swap(side, 1 - side, amount, out).crossed
    return {"cost": (time.process_time() - start) / count * 1e6, "crossed": crossed / count}


class Market:
    """Pools of many tokens at fair prices, but for a little.

    Args:
        count: how many pools.
        seed: the same one gives the same market.
        first: address of the first token, which most are traded for.
    """

    def __init__(self, count: int, seed: int = 1, first: str = f"0x{0:040x}") -> None:
        self.random = random.Random(seed)
        names = [first, *(f"0x{n:040x}" for n in range(1, count * 2 // 5))]
        self.decimals = {name: self.random.choice((18, 18, 18, 6, 8)) for name in names}
        self.tokens = list(self.decimals)
        self.worth = {token: 10 ** self.random.uniform(-1, 3.5) for token in self.tokens}
        self.pools = [self._pool(number) for number in range(count)]
        self.states = {pool.id: self._state(pool, 0.0) for pool in self.pools}

    def _pool(self, number: int) -> Pool:
        """Most pairs have one of a few tokens that everything is traded for."""
        rng = self.random
        one = self.tokens[min(int(rng.expovariate(1)), HUBS - 1)]
        if rng.random() < 0.1:
            one = rng.choice(self.tokens[HUBS:])
        other = rng.choice([token for token in self.tokens[HUBS:] if token != one])
        if number < HUBS * HUBS:
            one, other = rng.sample(self.tokens[:HUBS], 2)
        tokens = (one, other) if one < other else (other, one)
        protocol = Protocol.UNISWAP_V3 if rng.random() < SHARE_TICKED else Protocol.UNISWAP_V2
        decimals = self.decimals[tokens[0]], self.decimals[tokens[1]]
        return Pool(f"0x{number + 2**80:040x}", protocol, tokens, decimals)

    def _state(self, pool: Pool, moved: float) -> PoolState:
        rng, (one, other) = self.random, pool.tokens
        dollars = 10 ** rng.uniform(4.5, 7)
        off = math.exp(rng.gauss(0, APART) + moved)
        held = int(dollars / self.worth[one] * 10 ** pool.decimals[0])
        given = int(dollars / self.worth[other] * 10 ** pool.decimals[1] * off)
        if pool.protocol is Protocol.UNISWAP_V2:
            return ProductPool(held, given)
        root = math.isqrt((given << 192) // held)
        return ticked(rng, root, math.isqrt(held * given))

    def block(self, count: int) -> Block:
        """A block in which so many pools have moved."""
        logs = tuple(self._log(pool) for pool in self.random.sample(self.pools, count))
        return Block(2, "0x2", "0x1", 0, 0, 0, complete=True, logs=logs)

    def _log(self, pool: Pool) -> Log:
        state, rng = self.states[pool.id], self.random
        factor = math.exp(rng.gauss(0, MOVED) / 2)
        if isinstance(state, ProductPool):
            words, topics = (int(state.reserve0 / factor), int(state.reserve1 * factor)), [SYNC]
        else:
            assert isinstance(state, TickedPool)
            root = int(state.root * factor)
            swap = state.swap_to(root < state.root, 2**200, limit=root).after
            assert isinstance(swap, TickedPool)
            words, topics = (0, 0, root, swap.liquidity, swap.tick), [V3_SWAP, NOBODY, NOBODY]
        data = b"".join((word % WORD).to_bytes(32) for word in words)
        return Log("0x2", 2, 0, "0x", 0, pool.id, tuple(topics), data)


def block(who: str, pools: int, touched: int) -> dict[str, Any]:
    """Milliseconds of processor time for one block: the update, and the sizing of all cycles
    through the pools that it changed."""
    market = Market(pools)
    book, finder = PoolBook(), RouteFinder(market.tokens[:HUBS])
    book.begin(1, "0x1")
    for pool in market.pools:
        book.load(pool, market.states[pool.id], "0x1")
        finder.learn(pool, market.states[pool.id])
    come = market.block(touched)
    start = time.process_time()
    changed = book.advance(come)
    for pool_id in changed:
        finder.update(pool_id, book[pool_id].state)
    updated = time.process_time()
    ours = who == "ours"
    pay = len(finder.look(changed).found) if ours else _bisected(finder, book, changed)
    share = 1 if ours else SHARE
    return {
        "update": (updated - start) * 1e3,
        "sizing": (time.process_time() - updated) * 1e3 * share,
        "found": [len(changed), len(finder.book.through(changed))],
        "pay": pay * share,
        "left_out": finder.book.left_out,
    }


def _bisected(finder: RouteFinder, book: PoolBook, changed: set[str]) -> int:
    pay = 0
    for number in sorted(finder.book.through(changed))[::SHARE]:
        hops = []
        for edge in (finder.book.edges[one] for one in finder.book.cycles[number]):
            hop = hop_of(book[edge.pool].state, edge.token_in, edge.token_out)
            assert hop is not None, "every pool here has a curve"
            hops.append(hop)
        pay += bisect(hops) > 0
    return pay


def bisect(hops: Sequence[Hop]) -> int:
    """The profit of the input at which a little more stops to pay, by exact quotes alone."""
    low, high = 0, 2**100
    while high - low > 1:
        middle = (low + high) // 2
        more = middle + max(middle >> 20, 1)
        if through(hops, more)[-1] - more > through(hops, middle)[-1] - middle:
            low = middle
        else:
            high = middle
    return max(through(hops, at)[-1] - at for at in (low, high))
