"""Swaps in weighted pools are Balancer's own, to the last unit, and powers to the last digit."""

from __future__ import annotations

import random

from tests.devnet.abi import call_data
from tests.devnet.addresses import DEPLOYER
from tests.devnet.artifacts import weighted_code
from tests.devnet.quotes import answers, roomy_chain
from trio_mev.chain.pools.powers import ONE, power
from trio_mev.chain.pools.weighted import WeightedPool

POWERS = 2000
SWAPS = 3000
SIZES = "uint256[2],uint256[2],uint256[2],uint256,uint256"


def random_powers(rng: random.Random) -> list[tuple[int, int]]:
    """Of numbers near one, and of small and large ones; some have no power."""
    edges = [(0, 0), (0, ONE), (ONE, ONE), (2**255, ONE), (ONE, 2**255), (200 * ONE, 30 * ONE)]
    near = [
        (int(ONE * rng.uniform(0.9, 1.1)), int(ONE * 10 ** rng.uniform(-3, 3)))
        for _ in range(POWERS // 2)
    ]
    far = [
        (int(10 ** rng.uniform(0, 60)), int(ONE * 10 ** rng.uniform(-3, 1)))
        for _ in range(POWERS // 2)
    ]
    return edges + near + far


def random_pool(rng: random.Random) -> WeightedPool:
    """Of two tokens of any decimals and weights."""
    first = rng.choice((20, 50, 80, rng.randrange(1, 100))) * ONE // 100
    scales = tuple(10 ** rng.choice((0, 0, 10, 12)) for _ in range(2))
    balances = tuple(int(10 ** rng.uniform(20, 26)) // scale for scale in scales)
    return WeightedPool(balances, (first, ONE - first), scales, rng.choice((1, 30, 100)) * 10**14)


async def test_powers_and_swaps_are_balancers():
    rng, whole, refused = random.Random(1), 0, 0
    async with roomy_chain() as chain:
        there = await chain.create(DEPLOYER, weighted_code())
        asked = random_powers(rng)
        calls = [(there, call_data("power(uint256,uint256)", *one)) for one in asked]
        told = await answers(chain, calls)
        assert [power(*one) for one in asked] == [one and int(one, 16) for one in told]
        assert 50 < told.count(None) < POWERS // 2
        pools, ours, calls = [random_pool(rng) for _ in range(SWAPS)], [], []
        for pool in pools:
            out = rng.random() < 0.5
            amount = int(pool.balances[1 if out else 0] * 10 ** rng.uniform(-12, 0.2)) or 1
            swap = pool.swap(0, 1, amount, out)
            other = swap.amount_in if out else swap.amount_out
            ours.append(None if swap.stop else other)
            name = "taken" if out else "given"
            rest = (pool.balances, pool.weights, pool.scales, pool.fee, amount)
            calls.append((there, call_data(f"{name}({SIZES})", *rest)))
        told = await answers(chain, calls)
        assert ours == [one and int(one, 16) for one in told]
        whole, refused = SWAPS - ours.count(None), ours.count(None)
    assert whole > SWAPS // 2
    assert refused > 50
