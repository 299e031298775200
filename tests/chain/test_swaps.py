"""Swaps of pools from the logs of one transaction."""

from __future__ import annotations

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.chain.contracts.balancer import VAULTS
from trio_mev.chain.contracts.uniswap_v4 import POOL_MANAGERS
from trio_mev.chain.logs import known_events
from trio_mev.chain.swaps import swaps_of
from trio_mev.model.chain import Log
from trio_mev.model.intents import PoolKind
from trio_mev.model.simulation import PoolSwap

TOPICS = {event.signature: topic for topic, event in known_events()}
POOL, TRADER, ONE, TWO, OTHER = ("0x" + pair * 20 for pair in ("aa", "bb", "01", "02", "03"))
(VAULT,), (MANAGER, *_) = VAULTS, POOL_MANAGERS
POOL_ID = "0x" + "dd" * 32
TRANSFER = "Transfer(address*,address*,uint256)"
V2 = "Swap(address*,uint256,uint256,uint256,uint256,address*)"
V3 = "Swap(address*,address*,int256,int256,uint160,uint128,int24)"
PANCAKE = "Swap(address*,address*,int256,int256,uint160,uint128,int24,uint128,uint128)"
V4 = "Swap(bytes32*,address*,int128,int128,uint160,uint128,int24,uint24)"
BALANCER = "Swap(bytes32*,address*,address*,uint256,uint256)"
BALANCER_V1 = "LOG_SWAP(address*,address*,address*,uint256,uint256)"
CURVE = "TokenExchange(address*,int128,uint256,int128,uint256)"
UNDERLYING = "TokenExchangeUnderlying(address*,int128,uint256,int128,uint256)"


def word(value: str) -> str:
    return f"0x{value[2:]:0>64}"


def log(address: str, signature: str, topics: list[str], *values: int) -> Log:
    types = signature[signature.index("(") + 1 : -1].split(",")
    data = encode([name for name in types if not name.endswith("*")], values)
    every = (TOPICS[signature], *map(word, topics))
    return Log("", 0, 0, POOL_ID, 0, address, every, data)


def moved(token: str, source: str, target: str, amount: int) -> Log:
    return log(token, TRANSFER, [source, target], amount)


PAID, GOT = moved(ONE, TRADER, POOL, 100), moved(TWO, POOL, TRADER, 7)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (log(POOL, V2, [TRADER, TRADER], 100, 0, 0, 7), PoolKind.V2),
        (log(POOL, V2, [TRADER, TRADER], 0, 100, 7, 0), PoolKind.V2),
        (log(POOL, V2, [TRADER, TRADER], 101, 0, 1, 7), PoolKind.V2),
        (log(POOL, V3, [TRADER, TRADER], 100, -7, 1, 1, 1), PoolKind.V3),
        (log(POOL, V3, [TRADER, TRADER], -7, 100, 1, 1, 1), PoolKind.V3),
        (log(POOL, PANCAKE, [TRADER, TRADER], 100, -7, 1, 1, 1, 0, 0), PoolKind.V3),
        (log(POOL, CURVE, [TRADER], 0, 100, 1, 7), PoolKind.CURVE),
        (log(POOL, UNDERLYING, [TRADER], 0, 100, 1, 7), PoolKind.CURVE_UNDERLYING),
        (log(POOL, BALANCER_V1, [TRADER, ONE, TWO], 100, 7), PoolKind.BALANCER),
    ],
)
def test_a_pools_event_is_a_swap_of_the_tokens_that_moved(event, kind):
    assert swaps_of([PAID, event, GOT]) == (PoolSwap(kind, POOL, ONE, TWO, 100, 7),)


def test_a_vault_says_pool_and_tokens_itself():
    event = log(VAULT, BALANCER, [POOL_ID, ONE, TWO], 100, 7)
    assert swaps_of([event]) == (PoolSwap(PoolKind.BALANCER, POOL_ID, ONE, TWO, 100, 7),)


def test_the_manager_of_v4_sees_amounts_as_the_caller_does():
    event = log(MANAGER, V4, [POOL_ID, TRADER], -100, 7, 1, 1, 1, 3000)
    logs = [event, moved(TWO, MANAGER, TRADER, 7), moved(ONE, TRADER, MANAGER, 100)]
    assert swaps_of(logs) == (PoolSwap(PoolKind.V4, POOL_ID, ONE, TWO, 100, 7),)
    # Ether moves without a transfer.
    assert swaps_of([event]) == (PoolSwap(PoolKind.V4, POOL_ID, None, None, 100, 7),)


@pytest.mark.parametrize(
    "event",
    [
        log(OTHER, BALANCER, [POOL_ID, ONE, TWO], 100, 7),
        log(OTHER, V4, [POOL_ID, TRADER], -100, 7, 1, 1, 1, 3000),
    ],
)
def test_a_vaults_event_of_somebody_else_is_none(event):
    assert swaps_of([event]) == ()


@pytest.mark.parametrize(
    "event",
    [
        log(POOL, V2, [TRADER, TRADER], 101, 0, 100, 0),
        log(POOL, V2, [TRADER, TRADER], 5, 5, 0, 0),
        log(POOL, V3, [TRADER, TRADER], 1, 0, 1, 1, 1),
        log(POOL, V3, [TRADER, TRADER], -1, -1, 1, 1, 1),
        PAID,
        Log("", 0, 0, POOL_ID, 0, POOL, (POOL_ID,), b""),
        Log("", 0, 0, POOL_ID, 0, POOL, (), b""),
    ],
)
def test_where_nothing_is_exchanged_there_is_no_swap(event):
    assert swaps_of([event]) == ()


def test_a_token_that_the_transfers_do_not_show_is_not_named():
    event = log(POOL, V2, [TRADER, TRADER], 100, 0, 0, 7)
    taxed = moved(ONE, TRADER, POOL, 99)
    assert swaps_of([taxed, GOT, event]) == (PoolSwap(PoolKind.V2, POOL, None, TWO, 100, 7),)
    also = moved(OTHER, TRADER, POOL, 100)
    assert swaps_of([PAID, also, event]) == (PoolSwap(PoolKind.V2, POOL, None, None, 100, 7),)
    again = swaps_of([PAID, PAID, GOT, event])
    assert again == (PoolSwap(PoolKind.V2, POOL, ONE, TWO, 100, 7),)


def test_swaps_come_in_the_order_of_their_events():
    logs = [log(POOL, V2, [TRADER, TRADER], n, 0, 0, 1) for n in (3, 1, 2)]
    assert [swap.amount_in for swap in swaps_of(logs)] == [3, 1, 2]


ANY_LOG = st.builds(
    lambda topic, topics, data, address: Log("", 0, 0, POOL_ID, 0, address, (topic, *topics), data),
    st.sampled_from(sorted(TOPICS.values())),
    st.lists(st.sampled_from([word(ONE), POOL_ID, "0x" + "ff" * 32]), max_size=3),
    st.integers(0, 9).flatmap(lambda n: st.binary(min_size=32 * n, max_size=32 * n)),
    st.sampled_from([POOL, VAULT, MANAGER]),
)


@given(st.lists(ANY_LOG, max_size=8))
def test_whatever_is_logged_nothing_fails(logs):
    for swap in swaps_of(logs):
        assert swap.amount_in >= 0
        assert swap.amount_out >= 0
