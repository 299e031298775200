"""Calls of the manager of V3's positions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from eth_hash.auto import keccak

from tests.support.encoding import address, call
from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.contracts import uniswap_v3 as data
from trio_mev.model.intents import (
    Hop,
    LiquidityIntent,
    PoolKind,
    Providing,
    Undecoded,
    Unread,
)

A, B, ME, YOU = (address(n) for n in (0xA, 0xB, 0x3E, 0x44))
TO = data.POSITION_MANAGER
NAME = "Uniswap V3 position manager"
DECODER = CallDecoder()
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
DECREASE = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
COLLECT = "collect((uint256,address,uint128,uint128))"
ABI = (
    Path(__file__).parents[1]
    / "node_modules/@uniswap/v3-periphery/artifacts/contracts"
    / "NonfungiblePositionManager.sol/NonfungiblePositionManager.json"
)
NEW = LiquidityIntent(
    NAME,
    Providing.ADD,
    Hop(PoolKind.V3, A, B, 3000, None, data.FACTORY),
    -120,
    60,
    10,
    20,
    1,
    2,
    YOU,
    deadline=99,
)
LESS = LiquidityIntent(
    NAME, Providing.DECREASE, least0=1, least1=2, position=7, liquidity=5, deadline=99
)
TAKEN = LiquidityIntent(NAME, Providing.COLLECT, amount0=3, amount1=4, owner=YOU, position=7)
GONE = LiquidityIntent(NAME, Providing.BURN, position=7)
MINT_CALL = call(MINT, (A, B, 3000, -120, 60, 10, 20, 1, 2, YOU, 99))
DECREASE_CALL = call(DECREASE, (7, 5, 1, 2, 99))


def read(*calls: bytes) -> tuple:
    payload = calls[0] if len(calls) == 1 else call("multicall(bytes[])", list(calls))
    return DECODER.decode(TO, payload, ME, 0)


@pytest.mark.parametrize(
    ("payload", "intent"),
    [
        (MINT_CALL, NEW),
        (
            call(
                "increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))",
                (7, 10, 20, 1, 2, 99),
            ),
            LiquidityIntent(
                NAME,
                Providing.INCREASE,
                amount0=10,
                amount1=20,
                least0=1,
                least1=2,
                position=7,
                deadline=99,
            ),
        ),
        (DECREASE_CALL, LESS),
        (call(COLLECT, (7, YOU, 3, 4)), TAKEN),
        (call("burn(uint256)", 7), GONE),
    ],
)
def test_each_method_is_read(payload, intent):
    assert read(payload) == (intent,)


def test_what_is_collected_for_nobody_stays_with_the_manager():
    (intent,) = read(call(COLLECT, (7, address(0), 3, 4)))
    assert intent.owner == TO


def test_several_calls_in_one_are_read_in_their_order():
    leave = read(DECREASE_CALL, call(COLLECT, (7, YOU, 3, 4)), call("burn(uint256)", 7))
    assert leave == (LESS, TAKEN, GONE)
    create = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
    enter = read(call(create, A, B, 3000, 2**96), MINT_CALL, call("refundETH()"))
    assert enter == (NEW,)
    inner = call("multicall(bytes[])", [MINT_CALL])
    assert read(inner, DECREASE_CALL) == (NEW, LESS)


def test_payments_and_permits_alone_change_no_position():
    permit = "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)"
    steps = (
        call("unwrapWETH9(uint256,address)", 1, ME),
        call("sweepToken(address,uint256,address)", A, 1, ME),
        call(permit, A, 1, 2, 27, bytes(32), bytes(32)),
    )
    assert read(*steps) == (Undecoded(Unread.NO_SWAP),)


def test_what_is_not_known_is_said_in_its_place():
    unknown = call("approve(address,uint256)", A, 1)
    assert read(MINT_CALL, unknown) == (NEW, Undecoded(Unread.UNKNOWN_METHOD, "0x095ea7b3"))
    assert read(MINT_CALL[:-1])[0].reason is Unread.MALFORMED


def test_the_manager_is_known_and_is_no_router():
    assert DECODER.name(TO) == NAME
    assert DECODER.router(TO) is None


def test_the_methods_are_those_of_the_published_interface():
    if not ABI.exists():
        pytest.skip("the packages of the contracts are not installed")

    def kind(one: dict) -> str:
        if one["type"].startswith("tuple"):
            inner = ",".join(map(kind, one["components"]))
            return f"({inner}){one['type'][5:]}"
        return one["type"]

    functions = [
        one
        for one in msgspec.json.decode(ABI.read_bytes())["abi"]
        if one["type"] == "function" and one["stateMutability"] not in {"view", "pure"}
    ]
    published = {f"{one['name']}({','.join(map(kind, one['inputs']))})" for one in functions}
    listed = {**data.POSITION_METHODS, **data.PERMITS}
    assert set(listed.values()) <= published
    assert all(
        "0x" + keccak(text.encode())[:4].hex() == selector for selector, text in listed.items()
    )
