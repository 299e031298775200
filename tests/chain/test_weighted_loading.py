"""What is asked of a weighted pool and its vault, and what is made of answers that are not as they
should be. A real vault is read in tests/devnet."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from eth_abi import decode, encode
from eth_hash.auto import keccak

from trio_mev.chain.pools import loading, weighted_loading
from trio_mev.chain.pools.pool import Protocol, Unusable
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.pools.weighted_changes import VAULT
from trio_mev.chain.pools.weighted_loading import load_weighted

POOL = "0x" + "cc" * 20
ID = POOL + "00" * 12
TOKENS = tuple(f"0x{n:040x}" for n in (10, 11, 12))
DECIMALS = (18, 6, 8)
ASKED = "(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool))"
SIGNATURES = {
    "POOL_ID": "getPoolId()",
    "POOL_VAULT": "getVault()",
    "WEIGHTS": "getNormalizedWeights()",
    "SWAP_FEE": "getSwapFeePercentage()",
    "GRADUAL": "getGradualWeightUpdateParams()",
    "POOL_TOKENS": "getPoolTokens(bytes32)",
    "QUERY": "queryBatchSwap" + ASKED,
}


class Node:
    """A vault that answers as its pool's state says, but for what is told otherwise."""

    def __init__(self, state: WeightedPool, **changed: Any) -> None:
        self.state = state
        held = encode(("address[]", "uint256[]", "uint256"), (state.tokens, state.balances, 7))
        usual = {
            "pool_id": bytes.fromhex(ID[2:]),
            "pool_vault": bytes(12) + bytes.fromhex(VAULT[2:]),
            "weights": encode(("uint256[]",), (state.weights,)),
            "swap_fee": state.fee.to_bytes(32),
            "pool_tokens": held,
            "query": self.query,
        }
        answers = usual | changed
        self.decimals = answers.pop("decimals", lambda at: DECIMALS[at].to_bytes(32))
        self.answers = {getattr(weighted_loading, n.upper()): one for n, one in answers.items()}

    def query(self, data: bytes) -> bytes | None:
        kind, (step,), assets, funds = decode((ASKED,), bytes(31) + b"\x20" + data)[0]
        assert step[0].hex() == ID[2:]
        assert (step[1], step[2], step[4]) == (0, 1, b"")
        assert funds == (f"0x{0:040x}", False, f"0x{0:040x}", False)
        places = [self.state.tokens.index(one) for one in assets]
        swap = self.state.swap(*places, step[3], bool(kind))
        if swap.stop is not None:
            return None
        return encode(("int256[]",), ((swap.amount_in, -swap.amount_out),))

    def load(self) -> Any:
        plan = load_weighted(POOL)
        try:
            calls = next(plan)
            while True:
                calls = plan.send([self.answer(one) for one in calls])
        except StopIteration as done:
            return done.value

    def answer(self, one: loading.Call) -> bytes | None:
        if one.to in self.state.tokens:
            return self.decimals(self.state.tokens.index(one.to))
        answer = self.answers.get(one.data[:4].hex())
        return answer(one.data[4:]) if callable(answer) else answer


def state(shortcuts: bool = True) -> WeightedPool:
    weights = ONE // 5, 4 * ONE // 10, 4 * ONE // 10
    balances, scales = (10**24, 10**12, 10**14), (1, 10**12, 10**10)
    return WeightedPool(balances, weights, scales, 3 * 10**15, shortcuts, TOKENS)


def test_selectors_are_the_hashes_of_the_signatures():
    for name, signature in SIGNATURES.items():
        assert getattr(weighted_loading, name) == keccak(signature.encode())[:4].hex()


@pytest.mark.parametrize("shortcuts", [True, False])
def test_the_code_is_known_by_its_quotes(shortcuts):
    loaded = Node(state(shortcuts)).load()
    assert loaded.state == state(shortcuts)
    assert (loaded.pool.id, loaded.pool.tokens, loaded.pool.decimals) == (ID, TOKENS, DECIMALS)
    assert loaded.pool.protocol is Protocol.BALANCER_WEIGHTED


def held(tokens=TOKENS, balances=(1, 1, 1)) -> bytes:
    return encode(("address[]", "uint256[]", "uint256"), (tokens, balances, 7))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pool_id": None}, "of the vault"),
        ({"pool_vault": (5).to_bytes(32)}, "of the vault"),
        ({"weights": b""}, "of the vault"),
        ({"weights": b"x" * 64}, "tokens and their weights"),
        ({"weights": encode(("uint256[]",), ((ONE, 0, 0),))}, "tokens and their weights"),
        ({"weights": encode(("uint256[]",), ((5, 5, 5),))}, "tokens and their weights"),
        ({"weights": encode(("uint256[]",), ((5, 5),))}, "tokens and their weights"),
        ({"gradual": bytes(96)}, "change with time"),
        ({"pool_tokens": None}, "tokens and their weights"),
        ({"pool_tokens": held(balances=(1, 1))}, "tokens and their weights"),
        ({"pool_tokens": held(TOKENS[:1], (1,))}, "tokens and their weights"),
        ({"pool_tokens": held(TOKENS * 3, (1,) * 9)}, "tokens and their weights"),
        ({"decimals": lambda _: None}, "decimals"),
        ({"decimals": lambda _: (19).to_bytes(32)}, "decimals"),
        ({"query": None}, "quotes"),
        ({"query": encode(("int256[]",), ((5,),))}, "quotes"),
        ({"query": encode(("int256[]",), ((5, -5),))}, "quotes"),
    ],
)
def test_what_is_no_weighted_pool_says_why(changed, reason):
    found = Node(state(), **changed).load()
    assert isinstance(found, Unusable)
    assert reason in found.reason


def test_a_pool_with_another_fee_than_it_says_is_not_used():
    node = Node(state())
    node.state = msgspec.structs.replace(state(), fee=10**15)
    assert "quotes" in node.load().reason


def test_a_token_that_has_run_out_leaves_the_others_usable():
    lacking = state().holding((10**24, 0, 10**14))
    loaded = Node(lacking).load()
    assert loaded.state == lacking
    assert loaded.state.swap(0, 2, 10**20).stop is None
