"""Which pools there are: at the factories, and by the chain's logs."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.chain.test_loading import Node, pair_answers, pool_answers, word
from tests.chain.ticked_pools import crowded
from trio_mev.chain.pools.learning import (
    NO_HOOKS,
    PAIR_CREATED,
    POOL_CREATED,
    TOPICS,
    V4,
    V4_INITIALIZE,
    Factory,
    Learner,
    encoded,
    pair_fee,
)
from trio_mev.chain.pools.loading import PoolKey
from trio_mev.chain.pools.pool import Protocol, Unusable
from trio_mev.chain.pools.product import THIRTY, Fee
from trio_mev.model.chain import Log
from trio_mev.model.intents import ETHER, WETH

PAIRS, POOLS, MANAGER, VIEW, TOKEN, OTHER, POOL = (f"0x{n:040x}" for n in range(0xA0, 0xA7))
ID = "0x" + "cd" * 32


def topic(value: str | int) -> str:
    return "0x" + word(value).hex()


def log(address: str, *topics: str, data: bytes) -> Log:
    return Log("", 0, 0, "", 0, address, topics, data)


@pytest.fixture
def learner() -> Learner:
    factories = [Factory(PAIRS, "v2", (2500,)), Factory(POOLS, "v3", (500, 3000))]
    return Learner([TOKEN, WETH, TOKEN], factories, V4(VIEW, MANAGER))


def pair_created(one: str = TOKEN, other: str = WETH, address: str = PAIRS) -> Log:
    data = encode(("address", "uint256"), (POOL, 7))
    return log(address, PAIR_CREATED, topic(one), topic(other), data=data)


def pool_created(one: str = TOKEN, other: str = WETH, address: str = POOLS) -> Log:
    data = encode(("int24", "address"), (10, POOL))
    return log(address, POOL_CREATED, topic(one), topic(other), topic(500), data=data)


def initialised(one: str = ETHER, other: str = TOKEN, address: str = MANAGER) -> Log:
    types = "uint24", "int24", "address", "uint160", "int24"
    data = encode(types, (3000, 60, NO_HOOKS, 2**96, 0))
    return log(address, V4_INITIALIZE, ID, topic(one), topic(other), data=data)


def test_topics_are_the_hashes_of_the_signatures():
    signatures = (
        "PairCreated(address,address,address,uint256)",
        "PoolCreated(address,address,uint24,int24,address)",
        "Initialize(uint160,int24)",
        "Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)",
    )
    assert tuple("0x" + keccak(one.encode()).hex() for one in signatures) == TOPICS


def test_the_factories_are_searched_for_every_two_tokens(learner: Learner):
    def pool_of(data: bytes) -> bytes:
        return word(OTHER if data[-2:] == (500).to_bytes(2) else 0)

    node = Node(**pair_answers(get_pair=word(POOL), get_pool=pool_of))
    found = node.carry_out(learner.search())
    assert set(found) == {POOL, OTHER}
    assert node.batches == [1, 2]
    loaded = node.carry_out(found[POOL]())
    assert loaded.state.fee == Fee(399, 400)


def test_a_fee_is_what_the_contracts_write_in_the_smallest_terms():
    assert pair_fee(3000) == THIRTY
    assert pair_fee(2500) == Fee(399, 400)


def test_of_an_address_alone_it_is_found_out_what_it_is(learner: Learner):
    pair = Node(**pair_answers()).carry_out(learner.named(POOL)())
    assert pair.pool.protocol is Protocol.UNISWAP_V2
    import random

    pool = Node(**pool_answers(crowded(random.Random(1)))).carry_out(learner.named(POOL)())
    assert pool.pool.protocol is Protocol.UNISWAP_V3
    neither = Node().carry_out(learner.named(POOL)())
    assert neither == Unusable(POOL, "it does not answer as a pool")
    broken = Node(**pair_answers(decimals=None)).carry_out(learner.named(POOL)())
    assert broken == Unusable(POOL, "a token does not tell its decimals")


def test_v4_has_pools_of_ether_too_in_the_order_of_the_tokens_numbers(learner: Learner):
    keys = learner.v4_keys()
    assert len(keys) == 3 * 4
    assert keys[0] == PoolKey(ETHER, TOKEN, 100, 1, NO_HOOKS)
    assert all(int(key.currency0, 16) < int(key.currency1, 16) for key in keys)
    assert len({encoded(key) for key in keys}) == len(keys)
    assert Learner([TOKEN, OTHER], v4=V4(VIEW)).v4_keys()[0].currency0 == TOKEN
    assert Learner([TOKEN, OTHER]).v4_keys() == []


def test_an_id_is_the_hash_of_the_encoded_key():
    key = PoolKey(ETHER, TOKEN, 3000, 60, OTHER)
    types = "address", "address", "uint24", "int24", "address"
    values = key.currency0, key.currency1, key.fee, key.tick_spacing, key.hooks
    assert encoded(key) == encode(types, values)


def test_logs_tell_of_new_pools(learner: Learner):
    for one in (pair_created(), pool_created()):
        told = learner.told(one)
        assert told is not None
        assert told[0] == POOL
    told = learner.told(initialised())
    assert told is not None
    assert told[0] == ID
    assert Node().carry_out(told[1]()) == Unusable(ID, "the view does not answer")


@pytest.mark.parametrize(
    "one",
    [
        pair_created(OTHER),
        pair_created(address=POOLS),
        pair_created(address=OTHER),
        pool_created(OTHER),
        pool_created(address=PAIRS),
        pool_created(address=OTHER),
        initialised(OTHER),
        initialised(address=POOLS),
        log(PAIRS, PAIR_CREATED, topic(TOKEN), topic(WETH), data=b""),
        log(PAIRS, PAIR_CREATED, topic(TOKEN), data=bytes(64)),
        log(POOLS, POOL_CREATED, topic(TOKEN), topic(WETH), data=bytes(64)),
        log(POOLS, POOL_CREATED, topic(TOKEN), topic(WETH), topic(1), data=bytes(63)),
        log(MANAGER, V4_INITIALIZE, ID, topic(ETHER), data=bytes(160)),
        log(MANAGER, V4_INITIALIZE, ID, topic(ETHER), topic(TOKEN), data=bytes(159)),
        log(PAIRS, "0x" + "11" * 32, data=b""),
        log(PAIRS, data=b""),
    ],
)
def test_logs_of_others_and_logs_that_cannot_be_tell_of_none(learner: Learner, one: Log):
    assert learner.told(one) is None


def test_without_v4_its_logs_tell_of_none():
    assert Learner([TOKEN, WETH]).told(initialised()) is None
