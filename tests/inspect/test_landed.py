"""Whole blocks: recorded ones, and which label a transaction gets."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.inspect.blocks import (
    ANN,
    BOT,
    EVE,
    ROUTER,
    V3_BURN,
    V3_COLLECT,
    V3_MINT,
    WETH,
    A,
    B,
    P,
    Q,
    S,
    act,
    block,
    found,
    hash_of,
    inspect,
    only,
    swapped,
)
from tests.support.encoding import address, log
from trio_mev.inspect import Inspection, inspect_block, read_receipts, read_recorded
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import Kind, Liquidation, Sandwiched

# Recorded blocks


def unpacked(path: Path) -> bytes:
    with gzip.open(path) as file:
        return file.read()


@pytest.fixture(scope="module")
def recorded(corpus: Path) -> Inspection:
    return inspect_block(read_recorded(unpacked(corpus / "mainnet/logs/17173049.json.gz")))


@pytest.fixture(scope="module")
def expected(corpus: Path) -> dict:
    return msgspec.json.decode(unpacked(corpus / "mainnet/expected/logs_17173049.json.gz"))


def test_the_swaps_of_a_whole_block(recorded: Inspection, expected: dict):
    """Their tokens, which nobody knows beforehand, are told by transfers."""
    assert len(recorded.swaps) == len(expected["swaps"]) == 32
    for swap, one in zip(recorded.swaps, expected["swaps"], strict=True):
        assert (swap.transaction, swap.log_index) == (one["tx"], one["log_index"])
        assert swap.protocol == f"uniswap_{one['kind']}"
        assert (swap.pool, swap.sender, swap.recipient) == (one["pool"], one["sender"], one["to"])
        paid, got = one["amount0"], one["amount1"]
        if not one["zero_for_one"]:
            paid, got = got, paid
        assert (swap.amount_in, -swap.amount_out) == (paid, got)
        assert (swap.token_in < swap.token_out) == one["zero_for_one"]
        assert WETH in {swap.token_in, swap.token_out}
    assert recorded.left_out == {"failed": 3}


def test_its_sandwich_with_its_gas_and_what_was_left(recorded: Inspection, expected: dict):
    (one,) = recorded.opportunities
    (other,) = expected["sandwiches"]
    assert one.kind is Kind.SANDWICH
    assert one.transactions == (other["front_tx"], other["back_tx"])
    assert one.victims == tuple(victim["tx"] for victim in other["victims"])
    assert one.pools == (other["pool"],)
    assert one.searcher == other["attacker_eoa"]
    assert dict(one.gross or {}) == other["net_tokens"] == {WETH: 235382152194162688}
    assert one.gas_wei == other["gas_wei"] == 235358622653415661
    assert one.net == {WETH: 235382152194162688, ETHER: -235358622653415661}
    assert sum(one.net.values()) == 23529540747027
    assert one.builder_wei is None
    assert isinstance(one.detail, Sandwiched)
    (front,), (back,) = one.detail.frontrun, one.detail.backrun
    assert [-front.amount_out, front.amount_in] == other["front"]
    assert [back.amount_in, -back.amount_out] == other["back"]


@pytest.fixture(scope="module")
def receipts(corpus: Path) -> dict[str, Inspection]:
    pairs = msgspec.json.decode(unpacked(corpus / "mainnet/logs/defi_receipts.json.gz"))
    return {
        hash_: inspect_block(read_receipts(msgspec.json.encode([pair["receipt"]])))
        for hash_, pair in pairs.items()
    }


def test_the_swaps_of_recorded_receipts(receipts: dict[str, Inspection]):
    kinds = Counter(swap.protocol for one in receipts.values() for swap in one.swaps)
    assert kinds == {
        "uniswap_v2": 26,
        "sushiswap": 7,
        "uniswap_v3": 37,
        "pancake_v3": 1,
        "curve": 7,
        "balancer_v2": 4,
        "balancer_v1": 1,
        "uniswap_v1": 2,
    }


def test_those_without_tokens_are_of_ether_that_leaves_no_log(receipts: dict[str, Inspection]):
    left = sum((Counter(one.left_out) for one in receipts.values()), Counter())
    assert left == {"without_tokens": 8}
    assert not any(one.cut for one in receipts.values())


def test_the_two_recorded_liquidations_and_nothing_else(receipts: dict[str, Inspection]):
    landed = {
        hash_[:8]: opportunity
        for hash_, one in receipts.items()
        for opportunity in one.opportunities
    }
    aave, compound = landed.pop("0x2077a5"), landed.pop("0x0001a8")
    assert landed == {}
    assert aave.detail == Liquidation(
        "aave_v2",
        "0x1db64086b4cda94884e4fc296799a512dfc564ca",
        WETH,
        910875161581518408,
        WETH,
        956418919660594328,
        None,
    )
    assert aave.gross == {WETH: 956418919660594328 - 910875161581518408}
    usdt, cdai = (
        "0xdac17f958d2ee523a2206206994597c13d831ec7",
        "0x6c8c6b02e7b2be14d4fa6022dfd6d75921d90e4e",
    )
    assert compound.detail == Liquidation(
        "compound_v2",
        "0x9bf62c518ffe86bd43d57c7026aa1a4fbea83b15",
        usdt,
        1907307144,
        cdai,
        25883142924011,
        None,
    )
    assert compound.gross == {usdt: -1907307144, cdai: 25883142924011}
    assert compound.gas_wei == 0x8E841 * 0x17E772E6CB


# Labels

CYCLE = (swapped(P, 1000, 900), swapped(Q, 900, 1040, down=False))
AAVE = log(
    "LiquidationCall(address*,address*,address*,uint256,uint256,address,bool)",
    A,
    B,
    ANN,
    50,
    60,
    BOT,
    False,
    emitter="0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2",
)


def test_a_transaction_has_one_label_and_the_others_are_alternatives():
    one = only(act(EVE, BOT, AAVE, *CYCLE))
    assert (one.kind, one.alternatives) == (Kind.LIQUIDATION, (Kind.ARBITRAGE,))


def test_a_sandwich_holds_the_arbitrage_and_the_liquidation_inside_it():
    front = act(EVE, BOT, swapped(S, 100, 90))
    victim = act(ANN, ROUTER, swapped(S, 50, 40, who=ROUTER))
    back = act(EVE, BOT, swapped(S, 90, 110, down=False), *CYCLE, AAVE, *CYCLE)
    one = only(front, victim, back)
    assert one.kind is Kind.SANDWICH
    assert one.alternatives == (Kind.LIQUIDATION, Kind.ARBITRAGE)
    assert one.gross == {A: 10 + 40 + 40}


def test_a_sandwich_with_liquidity_is_a_sandwich():
    mint = log(V3_MINT, BOT, BOT, -60, 60, 5, 6, 7, emitter=P)
    leave = (
        log(V3_BURN, BOT, -60, 60, 5, 6, 7, emitter=P),
        log(V3_COLLECT, BOT, BOT, -60, 60, 6, 8, emitter=P),
    )
    front = act(EVE, BOT, swapped(P, 100, 90), mint)
    victim = act(ANN, ROUTER, swapped(P, 50, 40, who=ROUTER))
    back = act(EVE, BOT, *leave, swapped(P, 90, 110, down=False))
    one = only(front, victim, back)
    assert (one.kind, one.alternatives) == (Kind.SANDWICH, (Kind.JIT,))


def test_what_landed_is_told_in_the_order_of_the_block():
    arbitrage, idle = act(EVE, BOT, *CYCLE), act(ANN, ROUTER)
    front = act(EVE, BOT, swapped(S, 100, 90))
    victim = act(ANN, ROUTER, swapped(S, 50, 40, who=ROUTER))
    back = act(EVE, BOT, swapped(S, 90, 110, down=False))
    kinds = [one.kind for one in found(arbitrage, idle, front, victim, back, arbitrage)]
    assert kinds == [Kind.ARBITRAGE, Kind.SANDWICH, Kind.ARBITRAGE]


def test_a_victim_may_do_its_own_arbitrage():
    front = act(EVE, BOT, swapped(P, 100, 90))
    victim = act(ANN, address(0x3001), *CYCLE)
    back = act(EVE, BOT, swapped(P, 90, 110, down=False))
    sandwich, arbitrage = found(front, victim, back)
    assert sandwich.victims == arbitrage.transactions == (hash_of(1),)


def test_failed_transactions_left_no_logs_and_are_counted():
    one = inspect(act(EVE, BOT, succeeded=False), act(EVE, BOT, *CYCLE, succeeded=True))
    assert one.left_out == {"failed": 1}
    assert len(one.opportunities) == 1


def test_an_empty_block_holds_nothing():
    assert inspect() == Inspection(7, inspect().hash, (), (), {}, False)
    assert inspect_block(block()).swaps == ()
