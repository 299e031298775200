"""Logs of stable pools, and what they make of them; real ones are followed in tests/devnet."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools import stable_changes
from trio_mev.chain.pools.changes import changed
from trio_mev.chain.pools.stable import FIRST, THREE, Rules, StablePool
from trio_mev.chain.pools.stable_changes import ADD, REMOVE, REMOVE_IMBALANCE, RULES
from trio_mev.model.chain import Log

WHO = "0x" + "00" * 12 + "ef" * 20
SIGNATURES = {
    stable_changes.EXCHANGE: "TokenExchange(address,int128,uint256,int128,uint256)",
    stable_changes.EXCHANGE_UNDERLYING: (
        "TokenExchangeUnderlying(address,int128,uint256,int128,uint256)"
    ),
    stable_changes.REMOVE_ONE: "RemoveLiquidityOne(address,uint256,uint256)",
    stable_changes.REMOVE_ONE_LATER: "RemoveLiquidityOne(address,uint256,uint256,uint256)",
    stable_changes.NEW_PARAMETERS: "NewParameters(uint256,uint256,uint256)",
    stable_changes.NEW_FEE: "NewFee(uint256,uint256)",
    stable_changes.APPLY_NEW_FEE: "ApplyNewFee(uint256,uint256)",
    stable_changes.RAMP_A: "RampA(uint256,uint256,uint256,uint256)",
    stable_changes.STOP_RAMP_A: "StopRampA(uint256,uint256)",
} | {
    one: f"{name}(address,uint256[{coins}],uint256[{coins}]{rest})"
    for name, topics, rest in (
        ("AddLiquidity", ADD, ",uint256,uint256"),
        ("RemoveLiquidity", REMOVE, ",uint256"),
        ("RemoveLiquidityImbalance", REMOVE_IMBALANCE, ",uint256,uint256"),
    )
    for coins, one in topics.items()
}


def pool(rules: Rules = THREE) -> StablePool:
    held = (10**24, 10**24), (10**18, 10**18)
    return StablePool(*held, 100, 4 * 10**6, 5 * 10**9, rules)


def log(topic: str, *words: int) -> Log:
    topics = (topic, WHO) if RULES[topic][1] == 2 else (topic,)
    data = encode(("int256",) * len(words), words)
    return Log("0xb", 1, 0, "0xt", 0, "0x" + "cc" * 20, topics, data)


def test_topics_are_the_hashes_of_the_signatures():
    assert set(SIGNATURES) == set(RULES)
    for topic, signature in SIGNATURES.items():
        assert topic == "0x" + keccak(signature.encode()).hex()


@pytest.mark.parametrize("rules", [FIRST, THREE])
def test_a_swap_is_carried_out_once_more(rules):
    swap = pool(rules).swap(1, 0, 10**21)
    one = log(stable_changes.EXCHANGE, 1, 10**21, 0, swap.amount_out)
    assert changed(pool(rules), one) == swap.after


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((1, 10**21, 0, 1), "something else"),
        ((1, 2**200, 0, 1), "something else"),
        ((2, 5, 0, 5), "no such coins"),
        ((0, 5, -1, 5), "no such coins"),
    ],
)
def test_a_swap_that_cannot_be_casts_doubt_on_the_pool(words, reason):
    with pytest.raises(ValueError, match=reason):
        changed(pool(), log(stable_changes.EXCHANGE, *words))


def test_only_the_first_pools_tell_of_underlying_coins():
    swap = pool(FIRST).swap(1, 0, 10**21)
    one = log(stable_changes.EXCHANGE_UNDERLYING, 1, 10**21, 0, swap.amount_out)
    assert changed(pool(FIRST), one) == swap.after
    with pytest.raises(ValueError, match="underlying"):
        changed(pool(), one)


@pytest.mark.parametrize(
    ("topic", "words", "balances"),
    [
        (ADD[2], (50, 7, 10, 21, 0, 0), (10**24 + 45, 10**24 - 3)),
        (REMOVE[2], (50, 7, 10, 21, 0), (10**24 - 50, 10**24 - 7)),
        (REMOVE_IMBALANCE[2], (50, 7, 10, 21, 0, 0), (10**24 - 55, 10**24 - 17)),
    ],
)
def test_half_of_the_fees_leaves_the_pool(topic, words, balances):
    after = changed(pool(), log(topic, *words))
    assert isinstance(after, StablePool)
    assert after.balances == balances


@pytest.mark.parametrize(
    ("topic", "words", "reason"),
    [
        (ADD[3], (1,) * 8, "another number of coins"),
        (REMOVE[2], (10**25, 0, 0, 0, 0), "more is taken"),
        (stable_changes.REMOVE_ONE, (5, 5), "which coin"),
        (stable_changes.REMOVE_ONE_LATER, (5, 5, 5), "which coin"),
        (stable_changes.RAMP_A, (1, 2, 3, 4), "changes with time"),
        (stable_changes.STOP_RAMP_A, (1, 2), "changes with time"),
        (stable_changes.NEW_FEE, (1,), "cut short"),
    ],
)
def test_what_leaves_the_state_open_says_so(topic, words, reason):
    with pytest.raises(ValueError, match=reason):
        changed(pool(), log(topic, *words))


@pytest.mark.parametrize("topic", [stable_changes.NEW_FEE, stable_changes.APPLY_NEW_FEE])
def test_fees_and_parameters_change(topic):
    after = changed(pool(), log(topic, 9, 8))
    assert isinstance(after, StablePool)
    assert (after.amplification, after.fee, after.admin_fee) == (100, 9, 8)
    after = changed(pool(), log(stable_changes.NEW_PARAMETERS, 7, 9, 8))
    assert isinstance(after, StablePool)
    assert (after.amplification, after.fee, after.admin_fee) == (7, 9, 8)


def test_other_pools_have_no_such_logs():
    for topic in (stable_changes.EXCHANGE, ADD[2], stable_changes.NEW_FEE):
        with pytest.raises(ValueError, match="no stable pool"):
            changed(empty(0), log(topic, *(1,) * 6))
