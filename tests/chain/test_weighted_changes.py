"""Logs of weighted pools, and what they make of them; real ones are followed in tests/devnet."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.changes import changed, pool_of
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.weighted import LARGEST, WeightedPool
from trio_mev.chain.pools.weighted_changes import (
    BALANCES,
    MANAGED,
    PAUSED,
    RULES,
    SWAP,
    SWAP_FEE,
    VAULT,
)
from trio_mev.model.chain import Block, Log

ADDRESS = "0x" + "cd" * 20
ID = ADDRESS + "00" * 12
TOKENS = tuple(f"0x{n:040x}" for n in (10, 11))
SIGNATURES = {
    SWAP: "Swap(bytes32,address,address,uint256,uint256)",
    BALANCES: "PoolBalanceChanged(bytes32,address,address[],int256[],uint256[])",
    MANAGED: "PoolBalanceManaged(bytes32,address,address,int256,int256)",
    SWAP_FEE: "SwapFeePercentageChanged(uint256)",
    PAUSED: "PausedStateChanged(bool)",
}


def pool() -> WeightedPool:
    held = (10**24, 10**24), (ONE // 5, 4 * ONE // 5), (1, 1)
    return WeightedPool(*held, 3 * 10**15, tokens=TOKENS)


def topic(token: str) -> str:
    return "0x" + "00" * 12 + token[2:]


def log(topics: tuple[str, ...], types: tuple[str, ...], *values) -> Log:
    address = ADDRESS if len(topics) == 1 else VAULT
    return Log("0xb", 1, 0, "0xt", 0, address, topics, encode(types, values))


def swapped(paid: int, got: int, tokens=TOKENS) -> Log:
    topics = SWAP, ID, *map(topic, tokens)
    return log(topics, ("uint256", "uint256"), paid, got)


def moved(tokens, deltas, fees) -> Log:
    types = "address[]", "int256[]", "uint256[]"
    return log((BALANCES, ID, topic(ADDRESS)), types, tokens, deltas, fees)


def test_topics_are_the_hashes_of_the_signatures():
    assert set(SIGNATURES) == set(RULES)
    for one, signature in SIGNATURES.items():
        assert one == "0x" + keccak(signature.encode()).hex()


def test_the_vaults_logs_are_of_the_pool_that_they_name():
    assert pool_of(swapped(1, 1)) == ID
    fee = log((SWAP_FEE,), ("uint256",), 5)
    assert pool_of(fee) == ADDRESS
    book = PoolBook()
    book.begin(1, "1")
    book.load(Pool(ID, Protocol.BALANCER_WEIGHTED, TOKENS, (18, 18)), pool(), "1")
    assert book.advance(Block(2, "2", "1", 0, 0, 0, complete=True, logs=(fee,))) == {ID}
    assert book[ID].state.fee == 5


@pytest.mark.parametrize("exact_out", [False, True])
def test_a_swap_is_carried_out_once_more(exact_out):
    swap = pool().swap(0, 1, 10**21, exact_out)
    assert changed(pool(), swapped(swap.amount_in, swap.amount_out)) == swap.after


def test_a_swap_of_nothing_changes_nothing():
    assert changed(pool(), swapped(0, 0)) == pool()


def test_liquidity_and_the_protocols_fees_change_the_balances():
    after = changed(pool(), moved(TOKENS, (50, -7), (1, 2)))
    assert isinstance(after, WeightedPool)
    assert after.balances == (10**24 + 49, 10**24 - 9)
    assert after.tokens == TOKENS


def test_what_is_lent_out_stays_in_the_balance_and_what_it_earns_is_added():
    topics = MANAGED, ID, topic(ADDRESS), topic(TOKENS[1])
    after = changed(pool(), log(topics, ("int256", "int256"), -50, 57))
    assert isinstance(after, WeightedPool)
    assert after.balances == (10**24, 10**24 + 7)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (swapped(10**21, 5), "something else"),
        (swapped(10**24, 10**24), "something else"),
        (swapped(5, 5, (ADDRESS, TOKENS[0])), "no such token"),
        (moved(TOKENS[:1], (5, 5), (0, 0)), "not the pool's"),
        (moved(TOKENS, (5,), (0, 0)), "not the pool's"),
        (moved(TOKENS, (-(10**25), 5), (0, 0)), "no such balances"),
        (moved(TOKENS, (LARGEST, 5), (0, 0)), "no such balances"),
        (log((BALANCES, ID, ID), ("uint256",) * 6, *[2**255] * 6), "outside of the data"),
    ],
)
def test_a_log_that_cannot_be_casts_doubt_on_the_pool(one, reason):
    with pytest.raises(ValueError, match=reason):
        changed(pool(), one)


@pytest.mark.parametrize(
    "one", [swapped(1, 1), moved(TOKENS, (1, 1), (0, 0)), log((SWAP_FEE,), ("uint256",), 5)]
)
def test_other_pools_have_no_such_logs(one):
    with pytest.raises(ValueError, match="no weighted pool"):
        changed(empty(0), one)


def test_a_pool_that_is_paused_is_not_used():
    with pytest.raises(ValueError, match="paused"):
        changed(pool(), log((PAUSED,), ("bool",), True))
    assert changed(pool(), log((PAUSED,), ("bool",), False)) == pool()


def test_balances_are_no_more_than_the_vault_holds():
    full = pool().holding((LARGEST - 5, 10**24))
    assert full.swap(0, 1, 6).stop is not None
    assert full.swap(0, 1, 5).stop is None
