"""Which pools there are: those of the tokens that are watched, at the factories that are known,
and those that the chain's logs tell of later.

What a pool is read by is a plan (`loading`). Nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations
from math import gcd
from typing import Literal, TypeAlias

from ...model.chain import Log
from ...model.intents import ETHER, WETH
from ...model.noun import Noun
from .changes import POOL_MANAGER, V3_INITIALIZE
from .loading import (
    NOT_A_PAIR,
    Answers,
    Call,
    Plan,
    PoolKey,
    find_pairs,
    find_pools,
    load_pair,
    load_v3,
    load_v4,
)
from .pool import Unusable
from .product import Fee
from .words import address, argument, sint, topic_address, uint

PAIR_CREATED = "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9"
POOL_CREATED = "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118"
V4_INITIALIZE = "0xdd466e674ea557f56295e2d0218a125ea4b4f0f6f3307b95f85e6110838d6438"
TOPICS = (PAIR_CREATED, POOL_CREATED, V3_INITIALIZE, V4_INITIALIZE)
"""The first topics of logs that tell of new pools."""
V4_TIERS = ((100, 1), (500, 10), (3000, 60), (10_000, 200))
"""Fees and tick spacings of V4's pools that are looked for: those that its own interface offers
(docs.uniswap.org). Others are learned when they are initialised."""
NO_HOOKS = "0x" + "0" * 40

MakePlan: TypeAlias = Callable[[], Plan]
"""Begins reading a pool."""
Search: TypeAlias = Generator[list[Call], Answers, dict[str, MakePlan]]


class Factory(Noun, frozen=True):
    """Whose pools are watched."""

    address: str
    kind: Literal["v2", "v3"]
    fees: tuple[int, ...]
    """Millionths: the tiers of V3; of V2 one, that of every pair."""


class V4(Noun, frozen=True):
    """Where V4's pools are, and how they are read."""

    view: str
    """A StateView's address."""
    manager: str = POOL_MANAGER


def pair_fee(fee: int) -> Fee:
    """What a pair keeps, in the smallest terms that say the same as its contract's."""
    parts = gcd(fee, 10**6)
    return Fee((10**6 - fee) // parts, 10**6 // parts)


class Learner:
    """Says which pools to read.

    Args:
        tokens: pools of these with each other are wanted; with WETH also V4's of ether.
        factories: whose pools.
        v4: where V4's are; None watches none of them.
    """

    def __init__(
        self, tokens: Sequence[str], factories: Iterable[Factory] = (), v4: V4 | None = None
    ) -> None:
        self._tokens = tuple(dict.fromkeys(tokens))
        ether = (ETHER,) if WETH in self._tokens else ()
        self._v4_tokens = (*ether, *sorted(self._tokens))
        """In the order that V4 has them in: by their numbers."""
        self._wanted = frozenset(self._v4_tokens)
        self.factories = {one.address: one for one in factories}
        self.v4 = v4

    def search(self) -> Search:
        """Find what the factories have: a plan as those of `loading`, whose result is a plan to
        read each pool by, by the pool's address."""
        found: dict[str, MakePlan] = {}
        for factory in self.factories.values():
            if factory.kind == "v2":
                pools = yield from find_pairs(factory.address, self._tokens)
            else:
                pools = yield from find_pools(factory.address, self._tokens, factory.fees)
            for pool in pools:
                found[pool] = self._of_factory(factory, pool)
        return found

    def _of_factory(self, factory: Factory, pool: str) -> MakePlan:
        if factory.kind == "v2":
            return partial(load_pair, pool, pair_fee(factory.fees[0]))
        return partial(load_v3, pool)

    def named(self, pool: str) -> MakePlan:
        """A plan to read a pool by of which only the address is known."""
        return partial(_load_either, pool)

    def v4_keys(self) -> list[PoolKey]:
        """Keys that V4's pools of these tokens may have; a pool's id is its key's hash."""
        if self.v4 is None:
            return []
        twos = combinations(self._v4_tokens, 2)
        return [PoolKey(*two, *tier, NO_HOOKS) for two in twos for tier in V4_TIERS]

    def of_key(self, pool: str, key: PoolKey) -> MakePlan:
        """A plan to read a pool of V4 by."""
        assert self.v4 is not None
        return partial(load_v4, self.v4.view, pool, key)

    def told(self, log: Log) -> tuple[str, MakePlan] | None:
        """The pool that a log tells of, if it is new and of two tokens that are watched."""
        read = _TELLS.get(log.topics[0]) if log.topics else None
        return None if read is None else read(self, log)

    def _pair_created(self, log: Log) -> tuple[str, MakePlan] | None:
        factory = self.factories.get(log.address)
        if len(log.topics) != 3 or len(log.data) < 64 or factory is None or factory.kind != "v2":
            return None
        pool = address(log.data)
        return (pool, self._of_factory(factory, pool)) if self._wants(log.topics[1:]) else None

    def _pool_created(self, log: Log) -> tuple[str, MakePlan] | None:
        factory = self.factories.get(log.address)
        if len(log.topics) != 4 or len(log.data) < 64 or factory is None or factory.kind != "v3":
            return None
        pool = address(log.data, 1)
        return (pool, self._of_factory(factory, pool)) if self._wants(log.topics[1:3]) else None

    def _v4_initialised(self, log: Log) -> tuple[str, MakePlan] | None:
        emitted = self.v4 is not None and log.address == self.v4.manager
        if len(log.topics) != 4 or len(log.data) < 160 or not emitted:
            return None
        if not self._wants(log.topics[2:]):
            return None
        first, second = map(topic_address, log.topics[2:])
        fee, spacing, hooks = uint(log.data), sint(log.data, 1), address(log.data, 2)
        key = PoolKey(first, second, fee, spacing, hooks)
        return log.topics[1], self.of_key(log.topics[1], key)

    def _wants(self, topics: Iterable[str]) -> bool:
        return all(topic_address(topic) in self._wanted for topic in topics)


_TELLS: Mapping[str, Callable[[Learner, Log], tuple[str, MakePlan] | None]] = {
    PAIR_CREATED: Learner._pair_created,
    POOL_CREATED: Learner._pool_created,
    V4_INITIALIZE: Learner._v4_initialised,
}


def encoded(key: PoolKey) -> bytes:
    """What a pool's id is the Keccak hash of (PoolIdLibrary.toId)."""
    words = key.currency0, key.currency1, key.fee, key.tick_spacing, key.hooks
    return b"".join([argument(word) for word in words])


def _load_either(pool: str) -> Plan:
    """Read a pair, or a pool of V3 if it is none."""
    found = yield from load_pair(pool)
    if isinstance(found, Unusable) and found.reason == NOT_A_PAIR:
        found = yield from load_v3(pool)
    return found
