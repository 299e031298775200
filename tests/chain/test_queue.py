"""Pending transactions of a pool, in the order in which a builder would take them."""

from __future__ import annotations

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.encoding import address, call
from tests.support.stays import (
    GWEI,
    OTHER,
    OWNER,
    POOL,
    TRADER,
    act,
    leave,
    leave_call,
    mint,
    mint_call,
    pool_of,
    several,
    swap,
)
from trio_mev.chain.effects import queue
from trio_mev.chain.effects.queue import ActBook, in_order
from trio_mev.chain.effects.stays import Act
from trio_mev.chain.pools.pool import key_of

KEY, SECOND = key_of(pool_of()), key_of(pool_of(OTHER, 500))
BASE = 10 * GWEI
HERE = frozenset({POOL})


def names(acts: list[Act]) -> list[int]:
    return [int(one.transaction.hash, 16) for one in acts]


@pytest.fixture
def book() -> ActBook:
    return ActBook(100)


def test_who_pays_more_comes_first_and_of_equals_who_was_seen_first():
    acts = [
        act(swap(1, tip=2, sender="a"), at=3.0),
        act(swap(2, tip=5, sender="b"), at=4.0),
        act(swap(3, tip=2, sender="c"), at=1.0),
    ]
    assert names(in_order(acts, BASE)) == [2, 3, 1]


def test_a_sender_s_own_come_in_the_order_of_their_nonces():
    acts = [
        act(swap(2, tip=9, sender="a")),
        act(swap(1, tip=2, sender="a")),
        act(swap(3, tip=5, sender="b")),
    ]
    assert names(in_order(acts, BASE)) == [3, 1, 2]


def test_what_does_not_pay_the_base_fee_waits_and_so_does_what_follows_it():
    acts = [
        act(swap(1, sender="a", max_fee=BASE - 1)),
        act(swap(2, sender="a")),
        act(swap(3, sender="b", max_fee=BASE)),
    ]
    assert names(in_order(acts, BASE)) == [3]
    assert names(in_order(acts, None)) == [3, 1, 2]
    unpriced = act(swap(4, sender="c", max_fee=None, max_priority_fee=None))
    assert in_order([unpriced], BASE) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 5)), max_size=12))
def test_nobody_comes_before_a_nonce_of_their_own(drawn):
    acts = [
        act(swap(n, tip=tip, sender=f"{who}", max_fee=BASE + tip * GWEI), at=float(at))
        for n, (who, tip, at) in enumerate(drawn)
    ]
    ordered = in_order(acts, BASE)
    assert sorted(names(ordered)) == names(acts)
    for who in range(4):
        nonces = [one.transaction.nonce for one in ordered if one.transaction.sender == f"{who}"]
        assert nonces == sorted(nonces)


def test_a_pool_s_line_is_whoever_adds_swaps_and_leaves_there(book: ActBook):
    book.swap(act(swap(2)), HERE)
    assert book.of(POOL, KEY, BASE) == []
    book.change(act(mint(1)))
    book.change(act(leave(3, 5)))
    book.change(act(leave(4, 5, sender=address(0xC))))
    book.swap(act(swap(5)), frozenset({OTHER}))
    assert names(book.of(POOL, KEY, BASE)) == [1, 2, 3]
    assert book.of(OTHER, SECOND, BASE) == []
    assert book.adding == {KEY}
    assert len(book) == 5


def test_a_line_has_an_end(book: ActBook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queue, "MOST_AT_A_POOL", 2)
    for number in range(4):
        book.swap(act(swap(2 + number, tip=number)), HERE)
    book.change(act(mint(1, tip=50)))
    assert len(book.of(POOL, KEY, BASE)) == 2


def test_one_is_new_once_and_again_where_it_swaps_elsewhere(book: ActBook):
    one = act(swap(2), at=1.0)
    assert book.swap(one, HERE)
    assert not book.swap(attrs.evolve(one, at=5.0), HERE)
    assert book.swap(attrs.evolve(one, at=5.0), frozenset({POOL, OTHER}))
    book.change(act(mint(1)))
    assert [line.at for line in book.of(POOL, KEY, BASE)][1:] == [1.0]
    assert len(book) == 2


def test_a_change_that_is_there_already_is_kept_as_it_was(book: ActBook):
    book.change(act(mint(1), at=1.0))
    book.change(act(mint(1), at=2.0))
    assert [one.at for one in book.of(POOL, KEY, BASE)] == [1.0]


def test_what_is_forgotten_is_nowhere(book: ActBook):
    one = act(mint(1))
    book.change(one)
    book.change(act(mint(2)))
    assert one.transaction.hash in book
    assert book.forget(one.transaction.hash) == one
    assert book.forget(one.transaction.hash) is None
    assert names(book.of(POOL, KEY, BASE)) == [2]
    book.forget(mint(2).hash)
    assert (len(book), book.adding) == (0, set())


def test_what_a_block_has_comes_back_with_its_retraction(book: ActBook):
    one = mint(1)
    book.change(act(one))
    book.include(one.hash)
    book.include(one.hash)
    assert len(book) == 0
    book.restore(one.hash)
    book.restore(one.hash)
    assert names(book.of(POOL, KEY, BASE)) == [1]


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch):
    book = ActBook(2)
    for number in (1, 2, 3):
        book.change(act(mint(number)))
    assert names(book.of(POOL, KEY, BASE)) == [2, 3]
    assert book.forgotten == 1
    for number in (2, 3):
        book.include(mint(number).hash)
    book.change(act(mint(4)))
    book.include(mint(4).hash)
    book.restore(mint(2).hash)
    assert len(book) == 0
    monkeypatch.setattr(queue, "MOST_OF_A_MARK", 2)
    book = ActBook(100)
    for number in (1, 2, 3):
        book.change(act(mint(number)))
    assert names(book.of(POOL, KEY, BASE)) == [2, 3]
    assert book.forgotten == 1


def test_a_transaction_concerns_the_pools_that_it_is_of(book: ActBook):
    book.change(act(mint(1)))
    book.change(act(mint(2, fee=500)))
    book.change(act(leave(3, 5)))
    book.change(act(leave(4, 5, sender=TRADER)))
    book.swap(act(swap(5)), HERE)
    assert book.concerned(mint(1).hash) == {KEY}
    assert book.concerned(leave(3, 5).hash) == {KEY, SECOND}
    assert book.concerned(leave(4, 5).hash) == set()
    assert book.concerned(swap(5).hash) == {POOL}
    assert book.concerned(swap(6).hash) == set()


def test_several_changes_at_once_are_found_by_each(book: ActBook):
    book.change(act(several(1, mint_call(), mint_call(fee=500), leave_call(5))))
    assert book.adding == {KEY, SECOND}
    assert book.concerned(mint(1).hash) == {KEY, SECOND}
    other = call("collect((uint256,address,uint128,uint128))", (7, OWNER, 1, 1))
    book.change(act(several(2, other)))
    assert book.concerned(mint(2).hash) == set()


def test_a_position_for_nobody_known_is_its_sender_s():
    (intent,) = act(mint(1)).intents
    anonymous = attrs.evolve(act(mint(1)), intents=(msgspec.structs.replace(intent, owner=None),))
    assert queue.owners_of(anonymous) == {OWNER}
