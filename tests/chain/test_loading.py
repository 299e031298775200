"""Plans: what is asked of a node, and what is made of answers that are not as they should be.

Whole plans run against real contracts in tests/devnet.
"""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.chain.ticked_pools import crowded
from trio_mev.chain.pools import loading
from trio_mev.chain.pools.loading import (
    MOST_CALLS,
    MOST_WORDS,
    Loaded,
    PoolKey,
    TickReader,
    call,
    find_pairs,
    find_pools,
    load_decimals,
    load_pair,
    load_v3,
    load_v4,
)
from trio_mev.chain.pools.pool import Protocol, Unusable
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.ticks import MAX_ROOT, MIN_ROOT, sqrt_at
from trio_mev.chain.pools.words import argument, topic_address

ONE, OTHER, POOL, FACTORY = (f"0x{n:040x}" for n in (0xA, 0xB, 0xC, 0xF))
ETHER = f"0x{0:040x}"
ID = "0x" + "cd" * 32


def word(value: int | str) -> bytes:
    return argument(value)


class Node:
    """Answers by method; what is not there fails."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {getattr(loading, name.upper()): answer for name, answer in answers.items()}
        self.batches: list[int] = []

    def carry_out(self, plan: Any) -> Any:
        try:
            calls = next(plan)
            while True:
                self.batches.append(len(calls))
                calls = plan.send([self.answer(one) for one in calls])
        except StopIteration as done:
            return done.value

    def answer(self, one: loading.Call) -> bytes | None:
        answer = self.answers.get(one.data[:4].hex())
        return answer(one.data[4:]) if callable(answer) else answer


def pair_answers(**changed: Any) -> dict[str, Any]:
    reserves = word(500) + word(700) + word(1)
    usual = {
        "token0": word(ONE),
        "token1": word(OTHER),
        "get_reserves": reserves,
        "decimals": word(6),
        "factory": word(FACTORY),
        "get_pair": word(POOL),
    }
    return usual | changed


def pool_answers(pool: TickedPool, **changed: Any) -> dict[str, Any]:
    def last(data: bytes) -> int:
        return int.from_bytes(data[-32:], signed=True)

    def tick(data: bytes) -> bytes:
        one = pool.ticks.ticks[last(data)]
        return word(one.gross) + word(one.net)

    usual = {
        "token0": word(ONE),
        "token1": word(OTHER),
        "decimals": word(18),
        "fee": word(pool.fee),
        "tick_spacing": word(pool.ticks.spacing),
        "slot0": word(pool.root) + word(pool.tick) + word(0) * 5,
        "liquidity": word(pool.liquidity),
        "factory": word(FACTORY),
        "get_pool": word(POOL),
        "tick_bitmap": lambda data: word(pool.ticks.words.get(last(data), 0)),
        "ticks": tick,
    }
    return usual | changed


@pytest.fixture
def pool(rng) -> TickedPool:
    return crowded(rng, positions=20, width=3000)


@pytest.fixture
def rng():
    import random

    return random.Random(7)


def test_selectors_are_the_hashes_of_the_signatures():
    signatures = {
        "DECIMALS": "decimals()",
        "TOKEN0": "token0()",
        "TOKEN1": "token1()",
        "GET_RESERVES": "getReserves()",
        "FEE": "fee()",
        "TICK_SPACING": "tickSpacing()",
        "LIQUIDITY": "liquidity()",
        "SLOT0": "slot0()",
        "TICK_BITMAP": "tickBitmap(int16)",
        "TICKS": "ticks(int24)",
        "GET_PAIR": "getPair(address,address)",
        "GET_POOL": "getPool(address,address,uint24)",
        "FACTORY": "factory()",
        "VIEW_SLOT0": "getSlot0(bytes32)",
        "VIEW_LIQUIDITY": "getLiquidity(bytes32)",
        "VIEW_BITMAP": "getTickBitmap(bytes32,int16)",
        "VIEW_TICK": "getTickLiquidity(bytes32,int24)",
    }
    for name, signature in signatures.items():
        assert getattr(loading, name) == keccak(signature.encode())[:4].hex()


def test_arguments_are_words():
    assert call(ONE, "12345678", -1, OTHER).data.hex() == "12345678" + "f" * 64 + OTHER[2:].zfill(
        64
    )
    assert topic_address("0x" + ONE[2:].zfill(64)) == ONE


def test_a_pair_is_read_in_three_batches():
    node = Node(**pair_answers())
    loaded = node.carry_out(load_pair(POOL))
    assert loaded.pool.tokens == (ONE, OTHER)
    assert loaded.pool.decimals == (6, 6)
    assert loaded.pool.protocol is Protocol.UNISWAP_V2
    assert loaded.state == ProductPool(500, 700)
    assert loaded.pool.factory == FACTORY
    assert node.batches == [4, 2, 1]


@pytest.mark.parametrize(
    "changed", [{"factory": None}, {"factory": b"x"}, {"get_pair": None}, {"get_pair": word(ONE)}]
)
def test_a_factory_that_does_not_know_the_pair_is_not_believed(changed):
    assert Node(**pair_answers(**changed)).carry_out(load_pair(POOL)).pool.factory is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"token0": None}, "does not answer as a pair"),
        ({"get_reserves": word(5)}, "does not answer as a pair"),
        ({"token1": b""}, "does not answer as a pair"),
        ({"decimals": None}, "decimals"),
        ({"decimals": word(78)}, "decimals"),
    ],
)
def test_what_is_no_pair_says_why(changed, reason):
    found = Node(**pair_answers(**changed)).carry_out(load_pair(POOL))
    assert isinstance(found, Unusable)
    assert reason in found.reason


def test_a_tick_that_was_crossed_downwards_is_one_below_its_price(pool: TickedPool):
    for tick in (304, 305):
        answers = pool_answers(pool, slot0=word(sqrt_at(305)) + word(tick) + word(0) * 5)
        found = Node(**answers).carry_out(load_v3(POOL))
        assert isinstance(found, Loaded)
        assert found.state.tick == tick


def test_ether_is_not_asked_for_its_decimals():
    node = Node(decimals=word(6))
    assert node.carry_out(load_decimals([ETHER, ONE])) == (18, 6)
    assert node.batches == [1]


def test_a_pool_is_read_with_all_of_its_ticks(pool: TickedPool):
    node = Node(**pool_answers(pool))
    loaded = node.carry_out(load_v3(POOL))
    assert isinstance(loaded, Loaded)
    assert isinstance(loaded.state, TickedPool)
    assert loaded.state.ticks.ticks == pool.ticks.ticks
    assert loaded.state.ticks.complete
    assert max(node.batches) <= MOST_CALLS
    named = loaded.pool
    assert (named.factory, named.fee, named.tick_spacing) == (FACTORY, pool.fee, pool.ticks.spacing)
    assert loaded.state.swap(0, 1, 10**9).amount_out == pool.swap(0, 1, 10**9).amount_out


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"fee": None}, "does not answer as a pool"),
        ({"slot0": word(1)}, "does not answer as a pool"),
        ({"decimals": b"x"}, "decimals"),
        ({"slot0": word(0) * 7}, "not initialised"),
        ({"tick_spacing": word(0)}, "no tick spacing"),
        ({"tick_spacing": word(2**15)}, "no tick spacing"),
        ({"slot0": word(sqrt_at(306) + 1) + word(305) + word(0) * 5}, "not of each other"),
        ({"slot0": word(sqrt_at(305) + 1) + word(304) + word(0) * 5}, "not of each other"),
        ({"slot0": word(sqrt_at(305) + 1) + word(306) + word(0) * 5}, "not of each other"),
        ({"slot0": word(MIN_ROOT - 1) + word(-887273) + word(0) * 5}, "not of each other"),
        ({"slot0": word(MAX_ROOT) + word(887272) + word(0) * 5}, "not of each other"),
        ({"liquidity": word(2**128)}, "not of each other"),
        ({"fee": word(10**6 + 1)}, "not of each other"),
        ({"tick_bitmap": None}, "bitmap"),
        ({"tick_bitmap": word(2**256 - 1), "tick_spacing": word(10)}, "more than"),
        ({"ticks": word(1)}, "ticks"),
    ],
)
def test_what_is_no_pool_says_why(pool: TickedPool, changed, reason):
    found = Node(**pool_answers(pool, **changed)).carry_out(load_v3(POOL))
    assert isinstance(found, Unusable)
    assert reason in found.reason


@pytest.mark.parametrize(("word5", "shares"), [(4 | 6 << 4, 4 | 6 << 4), (3200 | 3200 << 16, 0)])
def test_the_protocols_share_is_kept_where_it_is_uniswaps(pool: TickedPool, word5, shares):
    """A fork counts it in more bits, and in another way."""
    slot0 = word(pool.root) + word(pool.tick) + word(0) * 3 + word(word5) + word(1)
    loaded = Node(**pool_answers(pool, slot0=slot0)).carry_out(load_v3(POOL))
    assert loaded.state == pool.sharing(shares)


@pytest.mark.parametrize("tick", [-887_272, -3, 0, 887_272])
def test_of_a_narrow_spacing_only_the_words_about_the_price_are_read(tick):
    words, complete = TickReader(POOL, 1, "", "").words(tick)
    assert not complete
    assert len(words) == MOST_WORDS
    assert tick >> 8 in words


def test_the_words_that_were_read_are_known_even_if_they_are_empty(rng):
    pool = crowded(rng, spacing=1)
    loaded = Node(**pool_answers(pool)).carry_out(load_v3(POOL))
    known = loaded.state.ticks
    assert not known.complete
    assert len(known.words) == MOST_WORDS
    assert known.ticks == pool.ticks.ticks


KEY = PoolKey(ETHER, OTHER, 3000, 60, ETHER)


def v4_answers(pool: TickedPool, **changed: Any) -> dict[str, Any]:
    usual = pool_answers(pool)
    slot0 = word(pool.root) + word(pool.tick) + word(4096) + word(3000)
    found = {
        "view_slot0": slot0,
        "view_liquidity": usual["liquidity"],
        "view_bitmap": usual["tick_bitmap"],
        "view_tick": usual["ticks"],
        "decimals": word(6),
    }
    return found | changed


def test_a_pool_of_v4_is_read_through_the_view(pool: TickedPool):
    loaded = Node(**v4_answers(pool)).carry_out(load_v4(POOL, ID, KEY))
    assert loaded.pool.id == ID
    assert loaded.pool.decimals == (18, 6)
    assert loaded.state.protocol_fees == 4096
    assert loaded.state.ticks.ticks == pool.ticks.ticks


@pytest.mark.parametrize(
    ("key", "changed", "reason"),
    [
        (PoolKey(ETHER, OTHER, 3000, 60, ONE), {}, "hooks"),
        (KEY, {"view_slot0": None}, "view"),
        (KEY, {"decimals": None}, "decimals"),
    ],
)
def test_a_pool_of_v4_that_cannot_be_used_says_why(pool: TickedPool, key, changed, reason):
    found = Node(**v4_answers(pool, **changed)).carry_out(load_v4(POOL, ID, key))
    assert isinstance(found, Unusable)
    assert reason in found.reason


def test_a_factory_is_asked_for_every_two_tokens_and_fee():
    node = Node(get_pool=lambda data: word(POOL if data[-1] == 100 else 0))
    found = node.carry_out(find_pools(POOL, [ONE, OTHER, ETHER], [100, 101]))
    assert found == (POOL,) * 3
    assert node.batches == [6]
    pairs = Node(get_pair=word(POOL)).carry_out(find_pairs(POOL, [ONE, OTHER]))
    assert pairs == (POOL,)
