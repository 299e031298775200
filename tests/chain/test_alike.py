"""Whether two readings of a pool are of the same pool, though each knows other words of its
ticks; against a plain account of what is in which word."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chain.ticked_pools import empty
from trio_mev.chain.pools.product import ProductPool
from trio_mev.chain.pools.ticked import TickedPool, alike
from trio_mev.chain.pools.tickmap import Liquidity, TickMap, tick_map

SPACING = 10
WORDS = range(-2, 3)
TICKS = st.sampled_from([SPACING * (256 * word + bit) for word in WORDS for bit in (0, 7, 255)])
SAID = st.builds(Liquidity, st.integers(1, 2), st.integers(-1, 1))


@st.composite
def readings(draw: st.DrawFn, truth: Mapping[int, Liquidity]) -> TickMap:
    """Some words of a pool's bitmap, or all of it."""
    complete = draw(st.booleans())
    words = set(WORDS) if complete else draw(st.sets(st.sampled_from(WORDS)))
    ticks = {tick: one for tick, one in truth.items() if word_of(tick) in words}
    return tick_map(SPACING, ticks, () if complete else words, complete)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[TickMap, TickMap]:
    """Two readings: of the same ticks, or with some of them otherwise."""
    truth = draw(st.dictionaries(TICKS, SAID, max_size=6))
    other = dict(truth)
    for tick in draw(st.sets(TICKS, max_size=2)):
        said = draw(st.none() | SAID)
        if said is None:
            other.pop(tick, None)
        else:
            other[tick] = said
    return draw(readings(truth)), draw(readings(other))


def word_of(tick: int) -> int:
    return tick // SPACING // 256


def held(one: TickMap, word: int) -> dict[int, Liquidity] | None:
    """What is in a word; None where that is not known."""
    if not one.complete and word not in one.words:
        return None
    return {tick: said for tick, said in one.ticks.items() if word_of(tick) == word}


def same(one: TickMap, other: TickMap) -> bool:
    both = [(held(one, word), held(other, word)) for word in WORDS]
    return all(first == second for first, second in both if None not in (first, second))


@given(pairs())
def test_maps_agree_where_both_have_the_same_in_every_word_that_both_know(maps):
    one, other = maps
    assert one.agrees(other) is other.agrees(one) is same(one, other)


def pool(ticks: TickMap) -> TickedPool:
    return msgspec.structs.replace(empty(), liquidity=5, ticks=ticks)


@given(pairs())
def test_states_are_alike_where_only_what_is_known_of_their_ticks_differs(maps):
    one, other = map(pool, maps)
    assert alike(one, other) is same(*maps)


@given(pairs(), st.sampled_from(["root", "tick", "liquidity", "fee", "protocol_fees", "shares"]))
def test_states_are_not_alike_where_anything_else_differs(maps, field):
    one, other = map(pool, maps)
    moved = msgspec.structs.replace(other, **{field: getattr(other, field) + 1})
    assert not alike(one, moved)
    assert not alike(moved, one)


def test_ticks_of_another_spacing_are_other_ticks():
    one, other = (tick_map(spacing, {}, complete=True) for spacing in (10, 60))
    assert not one.agrees(other)
    assert one.agrees(tick_map(10, {}))


@pytest.mark.parametrize("other", [ProductPool(1, 3), empty()])
def test_states_of_other_kinds_are_alike_where_they_are_equal(other):
    assert alike(ProductPool(1, 2), ProductPool(1, 2))
    assert not alike(ProductPool(1, 2), other)
    assert not alike(other, ProductPool(1, 2))
