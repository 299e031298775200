"""CycleWatch after a pending swap: which cycles it sizes, and of which it says nothing."""

from __future__ import annotations

import pytest

from tests.processors.test_arbitrage_detector import (
    CHEAP,
    DEAR,
    USDC,
    WETH,
    pair,
    pending,
    swapping,
    view_of,
)
from trio_mev.chain.effects.pending import PendingBook
from trio_mev.chain.pools.book import Entry
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.processors.cycles import CycleWatch


def weighted(dollars: int) -> Entry:
    """Of halves: no closed form tells what a cycle through it pays at most."""
    balances = dollars * 10**6, 1000 * 10**18
    state = WeightedPool(balances, (10**18 // 2, 10**18 // 2), (10**12, 1), 3 * 10**15)
    return Entry(Pool("0xtwo", Protocol.BALANCER_WEIGHTED, (USDC, WETH), (6, 18)), state)


def test_a_swap_that_changes_no_pool_opens_nothing():
    """One that reverts does not, though there is a cycle that pays already."""
    watch, view = CycleWatch((WETH, USDC)), view_of(CHEAP, DEAR)
    assert len(watch.advance(view)) == 1
    reverts = pending(PendingBook(10), view, 30, least=10**15)
    assert not reverts.effect.changed
    assert watch.after(reverts, 10) == []


@pytest.mark.parametrize(("dollars", "best"), [(1_990_000, "0xtwo"), (2_010_000, "0xother")])
def test_a_cycle_of_which_no_bound_is_known_has_the_place_of_what_it_pays(dollars, best):
    """It might pay more than any other, so it is sized; and is told only if it does."""
    other = pair("0xother", USDC, dollars, WETH, 1000)
    watch, view = CycleWatch((WETH, USDC)), view_of(CHEAP, other, weighted(2_000_000))
    assert watch.advance(view) == []
    (found,) = swapping(watch, view, 30)
    assert set(found.pools) == {"0xone", best}
    for rival in ("0xother", "0xtwo"):
        few = view_of(view.entries["0xone"], view.entries[rival])
        apart = CycleWatch((WETH, USDC))
        assert apart.advance(few) == []
        (alone,) = swapping(apart, few, 30)
        assert (alone.gross == found.gross) is (rival == best)
        assert alone.gross <= found.gross


def test_most_of_what_it_pays_must_be_the_swaps_making_though_no_bound_is_known():
    watch, view = CycleWatch((WETH, USDC)), view_of(CHEAP, weighted(2_100_000))
    (paid,) = watch.advance(view)
    assert swapping(watch, view, 1) == []
    (opened,) = swapping(watch, view, 60)
    assert opened.route == paid.route
    assert opened.gross > 2 * paid.gross
