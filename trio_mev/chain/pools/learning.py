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
from .changes import V3_INITIALIZE
from .loading import (
    HOOKED,
    NOT_A_PAIR,
    NOT_A_POOL,
    VIEW_SLOT0,
    Answers,
    Call,
    Loaded,
    Plan,
    PoolKey,
    ask,
    call,
    find_pairs,
    find_pools,
    load_pair,
    load_v3,
    load_v4,
    words_of,
)
from .pool import Unusable
from .product import Fee, ProductPool
from .stable_loading import NOT_STABLE, load_stable
from .weighted_loading import NOT_WEIGHTED, load_weighted
from .words import address, argument, sint, topic_address, uint

PAIR_CREATED = "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9"
POOL_CREATED = "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118"
V4_INITIALIZE = "0xdd466e674ea557f56295e2d0218a125ea4b4f0f6f3307b95f85e6110838d6438"
TOPICS = (PAIR_CREATED, POOL_CREATED, V3_INITIALIZE, V4_INITIALIZE)
"""The first topics of logs that tell of new pools."""
V4_TIERS = ((100, 1), (500, 10), (3000, 60), (10_000, 200))
"""Fees and tick spacings of V4's pools that are looked for: those that its own interface offers
(docs.uniswap.org). Others are learned when they are initialised."""
POOL_MANAGER_OF = "dc4c90d3"
"""Selector of ``poolManager()``, by which a StateView names its manager."""
NO_HOOKS = "0x" + "0" * 40

NO_POOL = "it does not answer as a pool of a kind that is known"
_NONE_OF_ITS_KIND = frozenset({NOT_A_PAIR, NOT_A_POOL, NOT_WEIGHTED})

MakePlan: TypeAlias = Callable[[], Plan]
"""Begins reading a pool."""
Told: TypeAlias = "tuple[str, MakePlan] | Unusable | None"
Search: TypeAlias = Generator[list[Call], Answers, dict[str, MakePlan]]


class Factory(Noun, frozen=True):
    """Whose pools are watched."""

    address: str
    kind: Literal["v2", "v3"]
    fees: tuple[int, ...]
    """Millionths: the tiers of V3; of V2 one, that of every pair."""


def pair_fee(fee: int) -> Fee:
    """What a pair keeps, in the smallest terms that say the same as its contract's."""
    parts = gcd(fee, 10**6)
    return Fee((10**6 - fee) // parts, 10**6 // parts)


class Learner:
    """Says which pools to read.

    Args:
        tokens: pools of these with each other are wanted; with WETH also V4's of ether.
        factories: whose pools.
        view: address of a StateView, by which V4's are read; None watches none of them.
    """

    def __init__(
        self, tokens: Sequence[str], factories: Iterable[Factory] = (), view: str | None = None
    ) -> None:
        self._tokens = tuple(dict.fromkeys(tokens))
        ether = (ETHER,) if WETH in self._tokens else ()
        self._v4_tokens = (*ether, *sorted(self._tokens))
        """In the order that V4 has them in: by their numbers."""
        self._wanted = frozenset(self._v4_tokens)
        self.factories = {one.address: one for one in factories}
        self.view = view
        self.manager: str | None = None
        """V4's PoolManager, once the view has said which."""

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
        return partial(self._load_any, pool)

    def _load_any(self, pool: str) -> Plan:
        """Read a pair, or a pool of another kind if it is none."""
        found = yield from load_pair(pool)
        if isinstance(found, Loaded):
            return self._with_fee(found)
        for load in (load_v3, load_weighted, load_stable):
            if found.reason not in _NONE_OF_ITS_KIND:
                return found
            other = yield from load(pool)
            if isinstance(other, Loaded):
                return other
            found = other
        return Unusable(pool, NO_POOL) if found.reason == NOT_STABLE else found

    def _with_fee(self, pair: Loaded) -> Loaded | Unusable:
        """A pair does not tell its fee, only who made it."""
        maker = self.factories.get(pair.pool.factory or "")
        if maker is None or maker.kind != "v2":
            return Unusable(pair.pool.id, "its factory is not one of those whose fee is known")
        state = pair.state
        assert isinstance(state, ProductPool)
        state = ProductPool(state.reserve0, state.reserve1, pair_fee(maker.fees[0]))
        return Loaded(pair.pool, state)

    def v4_keys(self) -> list[PoolKey]:
        """Keys that V4's pools of these tokens may have; a pool's id is its key's hash."""
        if self.manager is None:
            return []
        twos = combinations(self._v4_tokens, 2)
        return [PoolKey(*two, *tier, NO_HOOKS) for two in twos for tier in V4_TIERS]

    def of_key(self, pool: str, key: PoolKey) -> MakePlan:
        """A plan to read a pool of V4 by."""
        assert self.view is not None
        return partial(load_v4, self.view, pool, key)

    def find_manager(self) -> Generator[list[Call], Answers, str | None]:
        """Ask the view whose pools it reads: a plan as those of `loading`."""
        answers = yield from ask([] if self.view is None else [call(self.view, POOL_MANAGER_OF)])
        found = words_of(answers, [1] * len(answers))
        return address(found[0]) if found else None

    def existing(self, pools: Sequence[str]) -> Generator[list[Call], Answers, tuple[str, ...]]:
        """Of V4's pools with these ids, those that are initialised: a plan."""
        assert self.view is not None
        answers = yield from ask([call(self.view, VIEW_SLOT0, pool) for pool in pools])
        there = zip(pools, answers, strict=True)
        return tuple(pool for pool, one in there if one and len(one) >= 32 and uint(one))

    def told(self, log: Log) -> Told:
        """The pool that a log tells of, if it is of two tokens that are watched, and how it is
        read; or why it cannot be used."""
        read = _TELLS.get(log.topics[0]) if log.topics else None
        return None if read is None else read(self, log)

    def _pair_created(self, log: Log) -> Told:
        factory = self.factories.get(log.address)
        if len(log.topics) != 3 or len(log.data) < 64 or factory is None or factory.kind != "v2":
            return None
        pool = address(log.data)
        return (pool, self._of_factory(factory, pool)) if self._wants(log.topics[1:]) else None

    def _pool_created(self, log: Log) -> Told:
        factory = self.factories.get(log.address)
        if len(log.topics) != 4 or len(log.data) < 64 or factory is None or factory.kind != "v3":
            return None
        pool = address(log.data, 1)
        return (pool, self._of_factory(factory, pool)) if self._wants(log.topics[1:3]) else None

    def _v4_initialised(self, log: Log) -> Told:
        emitted = self.view is not None and log.address == self.manager
        if len(log.topics) != 4 or len(log.data) < 160 or not emitted:
            return None
        if not self._wants(log.topics[2:]):
            return None
        first, second = map(topic_address, log.topics[2:])
        fee, spacing, hooks = uint(log.data), sint(log.data, 1), address(log.data, 2)
        if int(hooks, 16):
            return Unusable(log.topics[1], HOOKED)
        key = PoolKey(first, second, fee, spacing, hooks)
        return log.topics[1], self.of_key(log.topics[1], key)

    def _wants(self, topics: Iterable[str]) -> bool:
        return all(topic_address(topic) in self._wanted for topic in topics)


_TELLS: Mapping[str, Callable[[Learner, Log], Told]] = {
    PAIR_CREATED: Learner._pair_created,
    POOL_CREATED: Learner._pool_created,
    V4_INITIALIZE: Learner._v4_initialised,
}


def encoded(key: PoolKey) -> bytes:
    """What a pool's id is the Keccak hash of (PoolIdLibrary.toId)."""
    words = key.currency0, key.currency1, key.fee, key.tick_spacing, key.hooks
    return b"".join([argument(word) for word in words])
