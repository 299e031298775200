"""Cycles: which there are, and which of them pay after a change."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools.pool import Pool, Protocol
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.chain.routes.cycles import CycleBook
from trio_mev.chain.routes.finder import RouteFinder


def pool(name: str, *tokens: str, decimals: int = 18) -> Pool:
    return Pool(name, Protocol.UNISWAP_V2, tokens, (decimals,) * len(tokens))


def by_hand(pools: list[Pool], most_hops: int) -> set[frozenset]:
    """Every cycle, as the set of its edges by token, in both directions."""
    found = set()
    for hops in range(2, most_hops + 1):
        for some in permutations(pools, hops):
            for start in some[0].tokens:
                for path in _walks(some, start):
                    found.add(frozenset(path))
    return found


def _walks(pools, start):
    partial = [((), start)]
    for one in pools:
        partial = [
            ((*path, (one.id, at, to)), to)
            for path, at in partial
            for to in one.tokens
            if at in one.tokens and to != at
        ]
    for path, end in partial:
        if end == start and len({at for _, at, _ in path}) == len(path):
            yield path


def in_book(book: CycleBook, pools: list[Pool]) -> list[frozenset]:
    tokens = {one.id: one.tokens for one in pools}
    return [
        frozenset(
            (e.pool, tokens[e.pool][e.token_in], tokens[e.pool][e.token_out])
            for e in (book.edges[number] for number in cycle)
        )
        for cycle in book.cycles
        if cycle
    ]


@pytest.mark.parametrize("most_hops", [2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_every_cycle_is_in_the_book_once_in_each_direction(seed, most_hops):
    rng = random.Random(seed)
    pools = []
    for number in range(9):
        size = 3 if rng.random() < 0.2 else 2
        pools.append(pool(f"p{number}", *rng.sample("abcde", size)))
    book = CycleBook(most_hops=most_hops)
    for one in rng.sample(pools, len(pools)):
        before = len(book)
        assert book.add(one) == len(book) - before
    found = in_book(book, pools)
    assert len(found) == len(set(found))
    assert set(found) == by_hand(pools, most_hops)
    gone = pools[4]
    book.remove(gone.id)
    left = [one for one in pools if one is not gone]
    assert set(in_book(book, left)) == by_hand(left, most_hops)
    assert gone.id not in book
    assert book.through([gone.id]) == set()
    book.add(gone)
    assert set(in_book(book, pools)) == by_hand(pools, most_hops)


def test_a_cycle_begins_with_the_dearest_base_or_the_lowest_address():
    book = CycleBook(bases=("weth", "usdc"))
    for one in (pool("1", "usdc", "weth"), pool("2", "usdc", "weth"), pool("3", "b", "usdc")):
        book.add(one)
    book.add(pool("4", "b", "usdc"))
    book.add(pool("5", "x", "y"))
    book.add(pool("6", "x", "y"))
    assert {book.token(n) for n in book.through("12")} == {"weth"}
    assert {book.token(n) for n in book.through("34")} == {"usdc"}
    assert {book.token(n) for n in book.through("56")} == {"x"}


def test_what_a_bound_leaves_out_is_counted_and_the_shortest_are_kept():
    whole, bounded = CycleBook(), CycleBook(most_cycles=6)
    pools = [pool(f"{a}{b}{n}", a, b) for n in range(3) for a, b in ("ab", "bc", "cd", "ad")]
    for one in pools:
        whole.add(one)
        assert bounded.add(one) <= 6
    assert whole.left_out == 0
    assert len(bounded) + bounded.left_out == len(whole)
    assert [len(cycle) for cycle in bounded.cycles[-6:]] == [2, 2, 2, 2, 4, 4]


def test_the_book_refuses_what_it_knows_and_lengths_that_there_are_not():
    book = CycleBook()
    book.add(pool("1", "a", "b"))
    with pytest.raises(ValueError, match="known"):
        book.add(pool("1", "a", "b"))
    for hops in (1, 5):
        with pytest.raises(ValueError, match="2 to 4"):
            CycleBook(most_hops=hops)


def finder() -> RouteFinder:
    """Two pairs and a pool of ranges at one price."""
    found = RouteFinder(bases=("weth",))
    found.learn(pool("one", "usdc", "weth"), ProductPool(2 * 10**12, 10**21))
    found.learn(pool("two", "usdc", "weth"), ProductPool(4 * 10**12, 2 * 10**21))
    ticked = empty(root=int((10**21 / 2 / 10**12) ** 0.5 * 2**96))
    found.learn(pool("three", "usdc", "weth"), ticked.with_liquidity(-887220, 887220, 10**18))
    return found


def test_nothing_pays_at_one_price():
    seen = finder().look(["one", "two", "three"])
    assert (seen.cycles, seen.screened, seen.unusable, seen.found) == (6, 0, 0, ())


def test_a_change_makes_the_cycles_through_its_pool_pay():
    found = finder()
    found.update("one", ProductPool(21 * 10**11, 10**21))
    seen = found.look(["one"])
    assert (seen.cycles, seen.screened, len(seen.found)) == (4, 2, 2)
    for one in seen.found:
        assert one.token == "weth"
        assert one.sized.bound is not None
        assert 0 < one.sized.profit <= one.sized.bound < one.sized.profit * (1 + 1e-6)
        assert one.route[0].token_in == 1
        assert {edge.pool for edge in one.route} in ({"one", "two"}, {"one", "three"})
    assert found.look(["two"]).cycles == 4
    assert len(found.look(["two"]).found) == 1


def test_pools_that_cannot_be_trusted_are_not_used():
    found = finder()
    found.update("one", ProductPool(21 * 10**11, 10**21))
    found.update("two", None)
    seen = found.look(["one"])
    assert (seen.unusable, len(seen.found)) == (2, 1)
    found.forget("three")
    assert found.look(["one"]).cycles == 2
    assert found.look(["one"]).found == ()
    assert found.learn(pool("late", "usdc", "weth"), None) == 4


def test_a_removed_pool_takes_its_cycles_along():
    found = finder()
    found.forget("one")
    assert found.look(["one", "two", "three"]).cycles == 2


def test_a_profit_that_rounds_to_nothing_is_not_found():
    found = RouteFinder()
    found.learn(pool("one", "a", "b"), ProductPool(1000, 1010))
    found.learn(pool("two", "a", "b"), ProductPool(1000, 1000))
    seen = found.look(["one"])
    assert (seen.screened, seen.found) == (1, ())


def test_weighted_pools_take_part():
    found = RouteFinder(bases=("a",))
    weights, scales = (ONE // 5, ONE * 3 // 10, ONE // 2), (1, 1, 1)
    state = WeightedPool((10**24, 10**24, 10**24), weights, scales, 10**15)
    found.learn(pool("balancer", "a", "b", "c"), state)
    found.learn(pool("pair", "a", "b"), ProductPool(10**23, 10**23))
    seen = found.look(["pair"])
    assert seen.cycles == 2
    (one,) = seen.found
    assert one.sized.bound is None
    assert one.sized.profit > 0


def test_what_is_promised_is_what_is_found_and_no_more_is_paid():
    found = finder()
    with found.trying({"one": ProductPool(21 * 10**11, 10**21)}):
        promises, seen = found.promises(["one"]), found.look(["one"])
        kept = [found.keep(one) for one in promises]
    assert tuple(kept) == seen.found
    assert len(kept) == 2
    for promise, one in zip(promises, seen.found, strict=True):
        assert (promise.token, promise.route) == (one.token, one.route)
        assert one.sized.profit <= promise.bound < one.sized.profit * (1 + 1e-6)
    # Afterwards it is as it was.
    assert found.promises(["one"]) == []
    assert found.look(["one"]).found == ()


def test_of_what_may_pay_over_the_reals_not_all_does():
    found = RouteFinder()
    found.learn(pool("one", "a", "b"), ProductPool(1000, 1010))
    found.learn(pool("two", "a", "b"), ProductPool(1000, 1000))
    (promise,) = found.promises(["one"])
    assert found.keep(promise) is None
