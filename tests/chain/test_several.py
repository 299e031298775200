"""One sandwich about several swaps: exact in what it says of a payment, and about the best."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chain.ticked_pools import crowded
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.swap import PoolState
from trio_mev.chain.routes.sandwich import sandwich
from trio_mev.chain.routes.several import joint_sandwich, play_all
from trio_mev.chain.routes.victim import Effort, TooMuch, Victim

WETH, USDC = 10**18, 10**6
POOL = ProductPool(1000 * WETH, 2_000_000 * USDC)
SEEDS = st.integers(0, 2**32).map(random.Random)


def victims_of(rng: random.Random, pool: PoolState, share: float, count: int) -> list[Victim]:
    """Swaps in one direction, one after the other, whose limits leave some room."""
    found, state = [], pool
    for _ in range(count):
        amount = int(held(pool) * share * rng.uniform(0.5, 1.5)) + 1
        done = state.swap(0, 1, amount)
        found.append(Victim(0, 1, amount, int(done.amount_out * rng.uniform(0.9, 0.99))))
        state = done.after
    return found


def held(pool: PoolState) -> int:
    if isinstance(pool, ProductPool):
        return pool.reserve0
    return pool.swap(1, 0, 10**30).amount_out // 4


def by_hand(pool: PoolState, victims: list[Victim], paid: int) -> int | None:
    """What a payment leaves, swap by swap; None where one of them would revert."""
    front = pool.swap(0, 1, paid)
    state = front.after
    for victim in victims:
        done = state.swap(0, 1, victim.amount)
        if done.stop is not None or done.amount_out < victim.limit:
            return None
        state = done.after
    back = state.swap(1, 0, front.amount_out)
    return None if back.stop is not None or front.stop is not None else back.amount_out - paid


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_it_makes_what_it_says_and_nearly_as_much_as_any_of_a_grid(rng):
    pool = POOL if rng.random() < 0.5 else crowded(rng)
    victims = victims_of(rng, pool, 10 ** rng.uniform(-4, -1.5), rng.randrange(1, 4))
    found = joint_sandwich(pool, victims)
    most = 1
    while by_hand(pool, victims, most) is not None:
        most *= 2
    grid = [by_hand(pool, victims, most * part // 200 or 1) for part in range(1, 201)]
    best = max((one for one in grid if one is not None), default=0)
    if found is None:
        assert best <= 0
    else:
        assert by_hand(pool, victims, found.paid) == found.profit > 0
        assert found.profit >= best * 0.999 - 100


def test_what_fees_leave_of_each_alone_is_nothing_and_of_all_together_something():
    amount = 2 * WETH
    first = POOL.swap(0, 1, amount)
    second = first.after.swap(0, 1, amount)
    victims = [
        Victim(0, 1, amount, first.amount_out * 98 // 100),
        Victim(0, 1, amount, second.amount_out * 98 // 100),
    ]
    for one in victims:
        assert sandwich(POOL, one) is None
    found = joint_sandwich(POOL, victims)
    assert found is not None
    assert found.profit == by_hand(POOL, victims, found.paid) > 0
    assert [paid for paid, _ in found.victims] == [amount, amount]
    assert joint_sandwich(POOL, victims, least=found.profit) == found
    assert joint_sandwich(POOL, victims, least=found.profit + 1) is None


def test_of_one_it_is_the_sandwich_of_that_one():
    amount = 20 * WETH
    victim = Victim(0, 1, amount, POOL.swap(0, 1, amount).amount_out * 95 // 100)
    alone, found = sandwich(POOL, victim), joint_sandwich(POOL, [victim])
    assert alone is not None
    assert found is not None
    assert found.profit <= alone.profit <= found.profit * (1 + 1e-8)


def test_who_bears_nothing_leaves_nothing():
    amount = 20 * WETH
    exact = POOL.swap(0, 1, amount).amount_out
    assert joint_sandwich(POOL, [Victim(0, 1, amount, exact + 1)]) is None
    assert joint_sandwich(ProductPool(0, 0), [Victim(0, 1, amount, 0)]) is None
    with pytest.raises(TooMuch):
        joint_sandwich(POOL, [Victim(0, 1, amount, exact * 9 // 10, effort=Effort(50))])


def test_a_sandwich_whose_swaps_do_not_all_go_through_is_none():
    amount = 20 * WETH
    free = Victim(0, 1, amount, 0)
    assert play_all(POOL, [free], 2**112) is None  # the pool takes no more
    assert play_all(POOL, [free], 10 * WETH) is not None
    assert play_all(POOL, [free, Victim(0, 1, amount, 2**100)], 10 * WETH) is None
    assert play_all(POOL, [free], 1) is None or play_all(POOL, [free], 1).bought == 0
