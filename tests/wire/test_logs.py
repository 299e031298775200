"""Hints against a block's own logs; the filters applied on our side."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.settings import LogFilter
from trio_mev.wire import logs as module
from trio_mev.wire.logs import Counts, LogBook, Reconciled, Wanted

A, B = "0x" + "aa" * 20, "0x" + "bb" * 20
T, U = "0x" + "11" * 32, "0x" + "22" * 32


@attrs.frozen
class Entry:
    block_hash: str = "h1"
    log_index: int = 0
    address: str = A
    topics: tuple[str, ...] = (T,)


@pytest.mark.parametrize(
    ("wanted", "log", "admitted"),
    [
        (LogFilter(), Entry(topics=()), True),
        (LogFilter((A,)), Entry(), True),
        (LogFilter((A.upper().replace("X", "x"),)), Entry(), True),
        (LogFilter((B,)), Entry(), False),
        (LogFilter((A, B)), Entry(address=B), True),
        (LogFilter((), (T,)), Entry(), True),
        (LogFilter((), (U,)), Entry(), False),
        (LogFilter((), ((T, U),)), Entry(topics=(U,)), True),
        (LogFilter((), (None, U)), Entry(topics=(T, U)), True),
        (LogFilter((), (None, U)), Entry(topics=(T, T)), False),
        (LogFilter((), (None,)), Entry(topics=()), False),
        (LogFilter((), ((),)), Entry(), True),
    ],
)
def test_a_filter_admits_what_the_node_would_admit(wanted, log, admitted):
    assert Wanted([wanted])(log) is admitted


def test_one_of_several_filters_is_enough_and_none_admits_nothing():
    assert Wanted([LogFilter((B,)), LogFilter((), (T,))])(Entry())
    assert not Wanted([])(Entry())


def test_a_hint_is_told_once():
    book = LogBook()
    assert book.hint(Entry())
    assert not book.hint(Entry())
    assert book.hint(Entry(log_index=1))
    assert book.hint(Entry("h2"))
    assert (book.counts.hints, book.counts.repeated) == (4, 1)


def test_a_block_settles_what_was_hinted():
    book = LogBook()
    for index in (0, 1, 7):
        book.hint(Entry(log_index=index))
    assert book.settle("h1", [3, 0, 1, 2]) == Reconciled(2, (2, 3), 1)
    assert not book.hint(Entry(log_index=2))
    assert not book.hint(Entry(log_index=9))
    assert book.settle("h1", [0, 1, 2, 3]) == Reconciled(4, (), 0)
    assert book.settle("h2", []) == Reconciled(0, (), 0)


def test_removal_is_told_once_and_only_of_what_was_told():
    book = LogBook()
    assert not book.removed(Entry())
    book.hint(Entry())
    assert book.removed(Entry())
    assert not book.removed(Entry())
    assert not book.removed(Entry(log_index=5))
    assert book.counts == Counts(hints=1, removed=1, removed_unknown=3)


def test_the_oldest_blocks_are_forgotten():
    book = LogBook(blocks=2)
    for name in ("h1", "h2", "h3"):
        book.hint(Entry(name))
    assert not book.removed(Entry("h1"))
    assert book.removed(Entry("h2"))


def test_no_block_remembers_more_hints_than_it_could_have(monkeypatch):
    monkeypatch.setattr(module, "MAX_HINTS", 2)
    book = LogBook()
    assert [book.hint(Entry(log_index=n)) for n in range(3)] == [True, True, False]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hint", "removed", "settle"]),
        st.sampled_from(["h1", "h2"]),
        st.integers(0, 4),
    ),
    max_size=40,
)


@given(STEPS, st.dictionaries(st.sampled_from(["h1", "h2"]), st.sets(st.integers(0, 4))))
def test_each_log_of_a_settled_block_is_told_exactly_once(steps, own):
    """Whatever comes in whatever order: a settled block's logs were told as hints or are named
    as missing, each once."""
    book = LogBook()
    told: dict[str, list[int]] = {"h1": [], "h2": []}
    back: set[tuple[str, int]] = set()
    for what, block, index in [*steps, *(("settle", block, 0) for block in own)]:
        if what == "hint" and book.hint(Entry(block, index)):
            told[block].append(index)
        elif what == "removed" and book.removed(Entry(block, index)):
            assert index in told[block]
            assert (block, index) not in back
            back.add((block, index))
        elif what == "settle":
            told[block] += book.settle(block, own.get(block, ())).missing
    for block, indices in own.items():
        mine = [index for index in told[block] if index in indices]
        assert sorted(mine) == sorted(indices)
