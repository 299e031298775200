"""Logs of pools, and what they make of them."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools import changes, stable_changes, weighted_changes
from trio_mev.chain.pools.changes import POOL_MANAGER, changed, pool_of
from trio_mev.chain.pools.product import LARGEST, ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity
from trio_mev.chain.pools.ticks import sqrt_at
from trio_mev.model.chain import Log

POOL = "0x" + "ab" * 20
ID = "0x" + "cd" * 32
WHO = "0x" + "00" * 12 + "ef" * 20
SIGNATURES = {
    changes.SYNC: "Sync(uint112,uint112)",
    changes.V3_INITIALIZE: "Initialize(uint160,int24)",
    changes.V3_SWAP: "Swap(address,address,int256,int256,uint160,uint128,int24)",
    changes.PANCAKE_SWAP: (
        "Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)"
    ),
    changes.V3_MINT: "Mint(address,address,int24,int24,uint128,uint256,uint256)",
    changes.V3_BURN: "Burn(address,int24,int24,uint128,uint256,uint256)",
    changes.V3_PROTOCOL_SHARES: "SetFeeProtocol(uint8,uint8,uint8,uint8)",
    changes.V4_SWAP: "Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)",
    changes.V4_MODIFY: "ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)",
    changes.V4_PROTOCOL_FEE: "ProtocolFeeUpdated(bytes32,uint24)",
}


def log(topics, types, *values, address=POOL) -> Log:
    data = encode(types, values) if types else b""
    return Log("0xb", 1, 0, "0xt", 0, address, tuple(topics), data)


def tick(value: int) -> str:
    return "0x" + (value % 2**256).to_bytes(32).hex()


def test_topics_are_the_hashes_of_the_signatures():
    elsewhere = {*stable_changes.RULES, *weighted_changes.RULES}
    assert set(SIGNATURES) == set(changes.TOPICS) - elsewhere
    for topic, signature in SIGNATURES.items():
        assert topic == "0x" + keccak(signature.encode()).hex()


def test_a_sync_gives_the_reserves():
    one = log([changes.SYNC], ("uint112", "uint112"), 5, 7)
    assert changed(ProductPool(1, 2), one) == ProductPool(5, 7)


@pytest.mark.parametrize("extra", [0, 2])
def test_a_swap_gives_price_and_liquidity(extra):
    topic = changes.PANCAKE_SWAP if extra else changes.V3_SWAP
    types = ("int256", "int256", "uint160", "uint128", "int24") + ("uint128",) * extra
    values = (5, -4, sqrt_at(-9), 77, -9) + (0,) * extra
    after = changed(empty(0), log([topic, WHO, WHO], types, *values))
    assert isinstance(after, TickedPool)
    assert (after.root, after.tick, after.liquidity) == (sqrt_at(-9), -9, 77)


def test_a_pool_that_was_just_made_is_initialised_and_filled():
    blank = TickedPool(0, 0, 0, 500, empty(0, spacing=10).ticks)
    made = changed(blank, log([changes.V3_INITIALIZE], ("uint160", "int24"), sqrt_at(5), 5))
    assert made == empty(5, spacing=10, fee=500)
    types = ("address", "uint128", "uint256", "uint256")
    minted = log([changes.V3_MINT, WHO, tick(-20), tick(10)], types, POOL, 900, 1, 1)
    filled = changed(made, minted)
    assert isinstance(filled, TickedPool)
    assert filled.ticks.ticks == {-20: Liquidity(900, 900), 10: Liquidity(900, -900)}
    burned = log([changes.V3_BURN, WHO, tick(-20), tick(10)], types[1:], 900, 1, 1)
    left = changed(filled, burned)
    assert isinstance(left, TickedPool)
    assert (left.liquidity, left.ticks.ticks) == (0, {})


def test_v4_says_the_same_by_pool_id():
    types = ("int24", "int24", "int256", "bytes32")
    added = log([changes.V4_MODIFY, ID, WHO], types, -60, 60, 500, b"", address=POOL_MANAGER)
    filled = changed(empty(0), added)
    assert isinstance(filled, TickedPool)
    assert filled.liquidity == 500
    types = ("int128", "int128", "uint160", "uint128", "int24", "uint24")
    swapped = log([changes.V4_SWAP, ID, WHO], types, 1, 1, sqrt_at(3), 500, 3, 3000)
    moved = changed(filled, swapped)
    assert isinstance(moved, TickedPool)
    assert moved.tick == 3
    fee = log([changes.V4_PROTOCOL_FEE, ID], ("uint24",), 4096)
    assert changed(moved, fee) == moved.charging(4096)


def test_the_protocols_share_of_v3_is_kept_as_slot_0_has_it():
    types = ("uint8", "uint8", "uint8", "uint8")
    shared = changed(empty(0), log([changes.V3_PROTOCOL_SHARES], types, 0, 0, 4, 6))
    assert shared == empty(0).sharing(4 | 6 << 4)
    assert isinstance(shared, TickedPool)
    kept = [
        shared.with_liquidity(-60, 60, 10**18),
        shared.moved(sqrt_at(5), 5, 0),
        shared.charging(0),
        shared.with_liquidity(-60, 60, 10**18).swap(0, 1, 10**6).after,
    ]
    assert {one.shares for one in kept if isinstance(one, TickedPool)} == {4 | 6 << 4}


def test_a_log_is_of_its_emitter_or_of_the_pool_that_the_manager_names():
    assert pool_of(log([changes.SYNC], ())) == POOL
    assert pool_of(log([changes.V4_SWAP, ID, WHO], (), address=POOL_MANAGER)) == ID
    assert pool_of(log([changes.V4_SWAP], (), address=POOL_MANAGER)) == POOL_MANAGER
    assert pool_of(log([changes.V4_SWAP, ID], (), address=POOL), manager=POOL) == ID


def test_other_logs_change_nothing():
    assert changed(ProductPool(1, 2), log(["0x" + "11" * 32], ())) is None
    assert changed(ProductPool(1, 2), log([], ())) is None


@pytest.mark.parametrize(
    ("state", "one", "reason"),
    [
        (ProductPool(1, 2), log([changes.SYNC], ("uint112",), 5), "cut short"),
        (ProductPool(1, 2), log([changes.SYNC, WHO], ("uint112",) * 2, 5, 5), "cut short"),
        (ProductPool(1, 2), log([changes.SYNC], ("uint256",) * 2, 5, LARGEST + 1), "112 bits"),
        (empty(0), log([changes.SYNC], ("uint112",) * 2, 5, 5), "what is no pair"),
        (
            ProductPool(1, 2),
            log([changes.V3_INITIALIZE], ("uint160", "int24"), sqrt_at(5), 5),
            "no pool of concentrated",
        ),
        (
            empty(0),
            log([changes.V3_BURN, WHO, tick(-60), tick(60)], ("uint128",) * 3, 5, 0, 0),
            "more is taken",
        ),
        (empty(0), log([changes.V3_INITIALIZE], ("uint160", "int24"), 1, 0), "square root"),
    ],
)
def test_what_a_pool_cannot_have_said_is_told(state, one, reason):
    with pytest.raises(ValueError, match=reason):
        changed(state, one)
