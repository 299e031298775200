"""What is asked of a stable pool, and what is made of answers that are not as they should be.

A real pool is read in tests/devnet.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from eth_hash.auto import keccak

from trio_mev.chain.pools import loading, stable_loading
from trio_mev.chain.pools.pool import Protocol, Unusable
from trio_mev.chain.pools.stable import FIRST, TEMPLATE, THREE, Rules, StablePool
from trio_mev.chain.pools.stable_loading import load_stable

POOL = "0x" + "cc" * 20
COINS = [f"0x{n:040x}" for n in range(1, 10)]
SIGNATURES = {
    "A": "A()",
    "A_PRECISE": "A_precise()",
    "FUTURE_A": "future_A()",
    "FEE": "fee()",
    "ADMIN_FEE": "admin_fee()",
    "GET_DY": "get_dy(int128,int128,uint256)",
}


def word(value: int) -> bytes:
    return (value % 2**256).to_bytes(32)


class Node:
    """A pool that answers as its state says, but for what is told otherwise."""

    def __init__(self, state: StablePool, **changed: Any) -> None:
        first = state.rules == FIRST
        getters = stable_loading._THEN if first else stable_loading._NOW
        usual = {
            getters.coins: self.coin,
            getters.balances: lambda data: word(state.balances[int.from_bytes(data)]),
            stable_loading.A: word(state.amplification // state.precision),
            stable_loading.FEE: word(state.fee),
            stable_loading.ADMIN_FEE: word(state.admin_fee),
            stable_loading.FUTURE_A: None if first else word(state.amplification),
            stable_loading.A_PRECISE: word(state.amplification) if state.precision > 1 else None,
            stable_loading.GET_DY: self.quote,
        }
        self.state, self.coins = state, len(state.balances)
        self.answers = usual | {
            getattr(stable_loading, name.upper()): answer for name, answer in changed.items()
        }

    def coin(self, data: bytes) -> bytes | None:
        at = int.from_bytes(data)
        return word(int(COINS[at], 16)) if at < self.coins else None

    def quote(self, data: bytes) -> bytes | None:
        asked = [int.from_bytes(data[at : at + 32]) for at in (0, 32, 64)]
        found = self.state.quote(*asked)
        return None if found is None else word(found)

    def load(self) -> Any:
        plan = load_stable(POOL)
        try:
            calls = next(plan)
            while True:
                calls = plan.send([self.answer(one) for one in calls])
        except StopIteration as done:
            return done.value

    def answer(self, one: loading.Call) -> bytes | None:
        if one.to in COINS and not self.answers.get(loading.DECIMALS):
            # What brings a token with 6 decimals to 18, itself with 18, has 30 zeros.
            return word(37 - len(str(self.state.rates[COINS.index(one.to)])))
        answer = self.answers.get(one.data[:4].hex())
        return answer(one.data[4:]) if callable(answer) else answer


def state(rules: Rules, precision: int = 1, coins: int = 3) -> StablePool:
    rates = tuple(10**30 if at == 1 else 10**18 for at in range(coins))
    balances = tuple((10**42 + 10**41 * at) // rate for at, rate in enumerate(rates))
    return StablePool(balances, rates, 90 * precision, 10**6, 7, rules, precision)


def test_selectors_are_the_hashes_of_the_signatures():
    for name, signature in SIGNATURES.items():
        assert getattr(stable_loading, name) == keccak(signature.encode())[:4].hex()
    for kind, number in ((stable_loading._NOW, "uint256"), (stable_loading._THEN, "int128")):
        assert kind.coins == keccak(f"coins({number})".encode())[:4].hex()
        assert kind.balances == keccak(f"balances({number})".encode())[:4].hex()


@pytest.mark.parametrize(
    "held",
    [state(FIRST), state(THREE), state(TEMPLATE, 100), state(TEMPLATE, 100, 2), state(THREE, 1, 4)],
)
def test_each_kind_is_known_by_its_quotes(held: StablePool):
    loaded = Node(held).load()
    assert loaded.state == held
    assert loaded.pool.tokens == tuple(COINS[: len(held.balances)])
    assert loaded.pool.protocol is Protocol.CURVE_STABLE


@pytest.mark.parametrize(
    ("held", "changed", "reason"),
    [
        (state(THREE, 1, 1), {}, "two to 4 coins"),
        (state(THREE, 1, 5), {}, "two to 4 coins"),
        (state(THREE), {"fee": None}, "balances, amplification and fees"),
        (state(THREE), {"future_a": word(91)}, "changes with time"),
        (state(THREE), {"future_a": None}, "changes with time"),
        (state(THREE), {"a": word(80), "future_a": word(80)}, "not those of a kind"),
        (state(THREE), {"get_dy": None}, "not those of a kind"),
        (state(THREE), {"get_dy": b"short"}, "not those of a kind"),
        (state(THREE), {"get_dy": word(0)}, "not those of a kind"),
        (msgspec.structs.replace(state(THREE), balances=(0, 5, 5)), {}, "empty"),
    ],
)
def test_what_is_no_stable_pool_says_why(held, changed, reason):
    found = Node(held, **changed).load()
    assert isinstance(found, Unusable)
    assert reason in found.reason


@pytest.mark.parametrize("answer", [b"short", word(37)])
def test_coins_must_tell_decimals_that_can_be_scaled(answer):
    node = Node(state(THREE))
    node.answers[loading.DECIMALS] = answer
    assert "decimals" in node.load().reason


@pytest.mark.parametrize("rules", [FIRST, THREE])
def test_a_pool_of_a_kind_that_is_not_known_is_told_from_the_known_ones(rules):
    other = msgspec.structs.replace(rules, margin=2)
    node = Node(state(rules))
    node.state = msgspec.structs.replace(node.state, rules=other)
    assert "not those of a kind" in node.load().reason
