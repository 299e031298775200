"""Which pools there are: at the factories, and by the chain's logs."""

from __future__ import annotations

import random

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.chain.test_loading import Node, pair_answers, pool_answers, word
from tests.chain.ticked_pools import crowded
from trio_mev.chain.pools.learning import (
    NO_HOOKS,
    PAIR_CREATED,
    POOL_CREATED,
    POOL_MANAGER_OF,
    TOPICS,
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
    found = Learner([TOKEN, WETH, TOKEN], factories, VIEW)
    found.manager = MANAGER
    return found


def pair_created(one: str = TOKEN, other: str = WETH, address: str = PAIRS) -> Log:
    data = encode(("address", "uint256"), (POOL, 7))
    return log(address, PAIR_CREATED, topic(one), topic(other), data=data)


def pool_created(one: str = TOKEN, other: str = WETH, address: str = POOLS) -> Log:
    data = encode(("int24", "address"), (10, POOL))
    return log(address, POOL_CREATED, topic(one), topic(other), topic(500), data=data)


def initialised(
    one: str = ETHER, other: str = TOKEN, address: str = MANAGER, hooks: str = NO_HOOKS
) -> Log:
    types = "uint24", "int24", "address", "uint160", "int24"
    data = encode(types, (3000, 60, hooks, 2**96, 0))
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
    made = {"factory": word(PAIRS), "get_pair": word(POOL)}
    pair = Node(**pair_answers(**made)).carry_out(learner.named(POOL)())
    assert pair.pool.protocol is Protocol.UNISWAP_V2
    assert pair.state.fee == Fee(399, 400)  # that of its factory
    pool = Node(**pool_answers(crowded(random.Random(1)))).carry_out(learner.named(POOL)())
    assert pool.pool.protocol is Protocol.UNISWAP_V3
    none_of_them = Node().carry_out(learner.named(POOL)())
    assert none_of_them == Unusable(POOL, "it does not answer as a pool of a kind that is known")
    broken = Node(**pair_answers(decimals=None)).carry_out(learner.named(POOL)())
    assert broken == Unusable(POOL, "a token does not tell its decimals")


@pytest.mark.parametrize("made", [{}, {"factory": word(OTHER), "get_pair": word(POOL)}])
def test_a_pair_whose_fee_nobody_knows_is_not_used(learner: Learner, made):
    found = Node(**pair_answers(**made)).carry_out(learner.named(POOL)())
    assert found == Unusable(POOL, "its factory is not one of those whose fee is known")


def test_a_named_pool_of_concentrated_liquidity_says_what_is_wrong_with_it(learner: Learner):
    pool = crowded(random.Random(1))
    found = Node(**pool_answers(pool, tick_bitmap=None)).carry_out(learner.named(POOL)())
    assert found == Unusable(POOL, "it does not tell its bitmap")


def test_the_view_says_whose_pools_it_reads():
    learner, node = Learner([TOKEN, WETH], view=VIEW), Node()
    assert node.carry_out(learner.find_manager()) is None
    node.answers[POOL_MANAGER_OF] = word(MANAGER)
    assert node.carry_out(learner.find_manager()) == MANAGER
    assert Node().carry_out(Learner([TOKEN, WETH]).find_manager()) is None
    assert keccak(b"poolManager()")[:4].hex() == POOL_MANAGER_OF


def test_only_pools_of_v4_that_are_initialised_are_there(learner: Learner):
    there = "0x" + "ab" * 32
    node = Node(view_slot0=lambda data: word(5 if data.hex() == "ab" * 32 else 0) + word(0) * 3)
    assert node.carry_out(learner.existing([ID, there])) == (there,)
    assert Node().carry_out(learner.existing([ID])) == ()


def test_v4_has_pools_of_ether_too_in_the_order_of_the_tokens_numbers(learner: Learner):
    keys = learner.v4_keys()
    assert len(keys) == 3 * 4
    assert keys[0] == PoolKey(ETHER, TOKEN, 100, 1, NO_HOOKS)
    assert all(int(key.currency0, 16) < int(key.currency1, 16) for key in keys)
    assert len({encoded(key) for key in keys}) == len(keys)
    without_ether = Learner([TOKEN, OTHER], view=VIEW)
    assert without_ether.v4_keys() == []  # before the view has said whose pools it reads
    without_ether.manager = MANAGER
    assert without_ether.v4_keys()[0].currency0 == TOKEN


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
    hooked = learner.told(initialised(hooks=OTHER))
    assert isinstance(hooked, Unusable)
    assert "hooks" in hooked.reason


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
