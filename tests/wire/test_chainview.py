"""The canonical chain: repeats, gaps, reorganisations, against a model of the whole tree."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.wire.chainview import Advance, ChainView, Missing, Repeat, Unrelated


@attrs.frozen
class Node:
    number: int
    hash: str
    parent: str


def line(first: int, last: int, branch: str = "a", parent: str | None = None) -> list[Node]:
    """Blocks of one branch; the first one's parent may be another's."""
    blocks = []
    for number in range(first, last + 1):
        blocks.append(Node(number, f"{branch}{number}", parent or f"{branch}{number - 1}"))
        parent = None
    return blocks


def fed(blocks: list[Node], **bounds: int) -> ChainView[Node]:
    view: ChainView[Node] = ChainView(**bounds)
    for block in blocks:
        view.hold(block)
        plan = view.plan(block.hash)
        assert isinstance(plan, Advance)
        view.apply(plan)
    return view


def test_the_first_block_is_the_chain():
    (first,) = line(5, 5)
    view: ChainView[Node] = ChainView()
    assert view.tip is None
    assert view.hold(first)
    plan = view.plan("a5")
    assert plan == Advance(None, (), (first,))
    assert not plan.reorganizes
    view.apply(plan)
    assert (view.tip, "a5" in view, len(view)) == (first, True, 1)


def test_a_block_on_the_chain_is_a_repeat():
    view = fed(line(1, 3))
    assert not view.hold(Node(2, "a2", "a1"))
    assert view.plan("a2") == Repeat()
    assert view.plan("a3") == Repeat()


def test_an_unknown_block_cannot_be_planned_for():
    with pytest.raises(KeyError):
        fed(line(1, 3)).plan("b9")


def test_a_gap_names_its_range_and_the_block_to_fetch():
    view = fed(line(1, 3))
    (head,) = line(7, 7)
    view.hold(head)
    assert view.plan("a7") == Missing(6, "a6", 4)
    for block in reversed(line(5, 6)):
        view.hold(block)
    assert view.plan("a7") == Missing(4, "a4", 4)
    view.hold(line(4, 4)[0])
    plan = view.plan("a7")
    assert plan == Advance(line(3, 3)[0], (), tuple(line(4, 7)))
    view.apply(plan)
    assert view.tip == head
    assert len(view) == 7


def test_a_reorganisation_retracts_newest_first_and_then_adds_oldest_first():
    view = fed(line(1, 5))
    branch = line(4, 6, "b", "a3")
    for block in branch:
        view.hold(block)
    plan = view.plan("b6")
    assert plan == Advance(line(3, 3)[0], tuple(reversed(line(4, 5))), tuple(branch))
    assert plan.reorganizes
    view.apply(plan)
    assert view.tip == branch[-1]
    assert "a4" not in view
    assert "a3" in view


def test_a_missing_block_below_the_tip_is_no_gap_of_the_chain():
    view = fed(line(1, 5))
    view.hold(Node(5, "b5", "b4"))
    assert view.plan("b5") == Missing(4, "b4", 4)


def test_a_lower_head_is_a_reorganisation():
    view = fed(line(1, 9))
    (lower,) = line(4, 4, "b", "a3")
    view.hold(lower)
    plan = view.plan("b4")
    assert isinstance(plan, Advance)
    assert plan.retracted == tuple(reversed(line(4, 9)))
    view.apply(plan)
    assert view.tip == lower


def test_the_depth_bounds_what_can_be_retracted():
    view = fed(line(1, 100), depth=64)
    assert len(view) == 65
    at_depth = line(37, 37, "b", "a36")[0]
    view.hold(at_depth)
    plan = view.plan("b37")
    assert isinstance(plan, Advance)
    assert len(plan.retracted) == 64
    too_deep = line(36, 36, "c", "a35")[0]
    view.hold(too_deep)
    assert view.plan("c36") == Unrelated(36)


@pytest.mark.parametrize("lowest", [1, 2])
def test_all_that_was_ever_told_can_be_retracted(lowest):
    view = fed(line(2, 5))
    branch = line(lowest, 6, "b", "z")
    for block in branch:
        view.hold(block)
    kept = tuple(branch[2 - lowest :]) if lowest == 1 else tuple(branch)
    plan = view.plan("b6")
    assert plan == Advance(None, tuple(reversed(line(2, 5))), kept)
    view.apply(plan)
    assert view.blocks == kept


def test_who_began_anew_above_its_first_block_cannot_tell_what_is_below():
    view = fed(line(1, 3))
    view.restart(Node(9, "a9", "a8"))
    view.hold(Node(9, "b9", "b8"))
    assert view.plan("b9") == Unrelated(9)


def test_numbers_that_do_not_follow_their_parents_are_of_no_chain():
    view = fed(line(1, 5))
    view.hold(Node(9, "x9", "a5"))
    assert view.plan("x9") == Unrelated(9)
    view.hold(Node(10, "y10", "z7"))
    view.hold(Node(7, "z7", "a6"))
    assert view.plan("y10") == Unrelated(10)


def test_the_lowest_of_too_many_that_wait_is_forgotten():
    view = fed(line(1, 3), held=2)
    for block in reversed(line(10, 12)):
        view.hold(block)
    assert view.known("a10") is None
    assert view.known("a11") is not None
    assert len(view) == 5


def test_what_waits_below_the_chain_is_forgotten_with_it():
    view = fed(line(1, 3), depth=2)
    view.hold(Node(2, "b2", "b1"))
    view.apply(Advance(view.tip, (), tuple(line(4, 6))))
    assert view.known("b2") is None


def test_it_begins_anew_and_says_what_cannot_stay():
    view = fed(line(1, 5))
    other = Node(4, "z4", "z3")
    view.hold(other)
    assert view.restart(other) == tuple(reversed(line(4, 5)))
    assert (view.tip, len(view)) == (other, 1)
    assert view.restart(Node(900, "z900", "z899")) == ()


@st.composite
def trees(draw):
    """A tree of blocks, and the order in which a node names its heads, with repeats."""
    blocks = [Node(0, "g", "-")]
    for number in range(draw(st.integers(1, 25))):
        parent = draw(st.sampled_from(blocks[-6:]))
        blocks.append(Node(parent.number + 1, f"n{number}", parent.hash))
    heads = draw(st.lists(st.sampled_from(blocks), min_size=1, max_size=30))
    return blocks, heads


@given(trees())
def test_following_any_heads_of_any_tree_ends_with_the_line_of_the_last(tree):
    """A consumer that applies every plan holds exactly the ancestors of the last head that was
    not a repeat; a repeat is a block that it holds."""
    blocks, heads = tree
    by_hash = {block.hash: block for block in blocks}
    view: ChainView[Node] = ChainView(depth=30)
    held: list[Node] = []
    for head in heads:
        view.hold(head)
        while isinstance(plan := view.plan(head.hash), Missing):
            if plan.hash not in by_hash:
                break
            assert by_hash[plan.hash].number == plan.number
            assert plan.first <= plan.number
            view.hold(by_hash[plan.hash])
        if isinstance(plan, Repeat):
            assert head in held
            continue
        if isinstance(plan, (Unrelated, Missing)):  # below the first head of all
            assert held[0].number >= min(head.number, held[0].number)
            gone = view.restart(head)
            held = [head]
            assert all(block.number >= head.number for block in gone)
            continue
        for block in plan.retracted:
            assert held.pop() == block
        assert (plan.ancestor in held[-1:]) == bool(held)
        held += plan.blocks
        view.apply(plan)
        assert view.tip == head == held[-1]
        assert all(b.parent == a.hash for a, b in itertools.pairwise(held))
        assert all(block.hash in view for block in held[-31:])
