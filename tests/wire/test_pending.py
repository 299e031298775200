"""The life of pending transactions, against a plain list of what can be told of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.model.chain import Life, PendingLife, Transaction
from trio_mev.wire.pending import PendingPool


def body(name: str, sender: str = "s", nonce: int = 0, fee: int = 10) -> Transaction:
    return Transaction(name, sender, None, nonce, 0, 21_000, b"", 2, max_fee=fee)


@pytest.fixture
def pool() -> PendingPool:
    return PendingPool(most=1000, max_age=100.0, ask_after=30.0)


def test_it_is_announced_once(pool):
    assert pool.announced("a", 1.0) == [PendingLife("a", Life.ANNOUNCED)]
    assert pool.announced("a", 2.0) == []
    assert "a" in pool
    assert (len(pool), pool.pending) == (1, 1)


def test_a_body_is_new_once_whether_it_was_announced_or_not(pool):
    pool.announced("a", 1.0)
    assert pool.body(body("a"), 2.0) == (True, [])
    assert pool.body(body("a"), 3.0) == (False, [])
    assert pool.body(body("b", nonce=1), 3.0) == (True, [])
    assert pool.announced("b", 4.0) == []


def test_the_one_that_pays_more_replaces_the_other(pool):
    pool.body(body("a", fee=10), 1.0)
    assert pool.body(body("b", fee=12), 4.0) == (
        True,
        [PendingLife("a", Life.REPLACED, "b", waited=3.0)],
    )
    assert pool.pending == 1
    assert pool.body(body("a", fee=10), 5.0) == (False, [])  # of another node, or again


def test_of_a_cheaper_one_that_comes_later_the_node_knows_which_is_left(pool):
    """Either it is late, or the dearer one was forgotten before the node took it."""
    for left, gone, told in (("c", "b", Life.DROPPED), ("b", "c", Life.REPLACED)):
        pool = PendingPool(most=1000, max_age=100.0, ask_after=30.0)
        pool.body(body("b", fee=12), 4.0)
        assert pool.body(body("c", fee=11), 5.0) == (True, [])
        assert pool.expire(5.0, 10) == ([], ["c", "b"])
        assert pool.answered(left, True, 6.0) == []
        assert [(step.hash, step.life) for step in pool.answered(gone, False, 6.0)] == [
            (gone, told)
        ]
        assert pool.pending == 1


def test_what_is_asked_for_is_not_asked_for_again_because_of_another(pool):
    pool.body(body("b", fee=12), 0.0)
    assert pool.expire(30.0, 10) == ([], ["b"])
    pool.body(body("c", fee=11), 31.0)
    assert pool.expire(31.0, 10) == ([], ["c"])


def test_a_block_may_include_what_was_replaced_or_dropped(pool):
    pool.body(body("a", fee=10), 1.0)
    pool.body(body("b", fee=12), 1.0)
    assert pool.included("B7", 7, ["a"], 2.0) == [
        PendingLife("a", Life.INCLUDED, None, "B7", 7, 1.0),
        PendingLife("b", Life.REPLACED, "a", waited=1.0),
    ]
    pool.body(body("c", nonce=1), 2.0)
    assert pool.expire(32.0, 10) == ([], ["c"])
    assert [step.life for step in pool.answered("c", False, 32.0)] == [Life.DROPPED]
    assert pool.included("B8", 8, ["c"], 33.0) == [
        PendingLife("c", Life.INCLUDED, None, "B8", 8, 31.0)
    ]


def test_what_was_dropped_may_be_announced_anew(pool):
    pool.body(body("a"), 0.0)
    pool.body(body("b", nonce=1), 0.0)
    pool.expire(30.0, 10)
    for name in ("a", "b"):
        assert [step.life for step in pool.answered(name, False, 31.0)] == [Life.DROPPED]
    assert pool.pending == 0
    assert pool.announced("a", 32.0) == [PendingLife("a", Life.ANNOUNCED)]
    assert pool.body(body("a"), 32.0) == (False, [])
    assert pool.body(body("b", nonce=1), 32.0) == (True, [])
    assert pool.pending == 2
    assert pool.expire(62.0, 10) == ([], ["a", "b"])


def test_what_is_below_the_chain_may_be_on_it_no_longer(pool):
    pool.body(body("a"), 0.0)
    pool.body(body("b", nonce=1), 0.0)
    pool.included("B7", 7, ["a"], 1.0)
    assert pool.retracted_unseen(2.0) == [PendingLife("a", Life.RETURNED, None, "B7", 7)]
    assert pool.expire(2.0, 10) == ([], ["a"])


def test_another_sender_or_nonce_replaces_nothing(pool):
    pool.body(body("a"), 1.0)
    assert pool.body(body("b", sender="t", fee=99), 1.0) == (True, [])
    assert pool.body(body("c", nonce=1, fee=99), 1.0) == (True, [])
    assert pool.pending == 3


def test_a_block_includes_what_was_seen_and_says_how_long_it_waited(pool):
    pool.announced("a", 1.0)
    assert pool.included("B7", 7, ["x", "a"], 6.0) == [
        PendingLife("a", Life.INCLUDED, None, "B7", 7, 5.0)
    ]
    assert pool.included("B7", 7, ["a"], 7.0) == []
    assert pool.pending == 0


def test_inclusion_replaces_the_rival(pool):
    pool.announced("a", 0.0)
    pool.body(body("b", fee=50), 1.0)
    pool.included("B7", 7, ["a"], 2.0)
    # Its body comes after its block: the one in the block stays, whatever it paid.
    assert pool.body(body("a", fee=10), 3.0) == (True, [])
    assert pool.included("B8", 8, ["a"], 4.0) == [
        PendingLife("a", Life.INCLUDED, None, "B8", 8, 4.0),
        PendingLife("b", Life.REPLACED, "a", waited=3.0),
    ]
    assert pool.body(body("c", fee=99), 5.0) == (
        True,
        [PendingLife("c", Life.REPLACED, "a", waited=0.0)],
    )


def test_what_is_in_a_block_stays_there_though_another_block_has_its_rival(pool):
    """Of one sender and nonce a chain has one: which it is, the next retraction tells."""
    pool.body(body("a"), 1.0)
    pool.body(body("b", fee=9), 1.0)
    pool.included("B7", 7, ["a"], 2.0)
    pool.included("C7", 7, ["b"], 3.0)
    assert pool.pending == 0
    assert pool.retracted("B7", 7, ["a"], 4.0) == [PendingLife("a", Life.RETURNED, None, "B7", 7)]
    assert pool.pending == 1
    assert pool.expire(34.0, 10) == ([], ["a"])
    assert pool.answered("a", False, 35.0) == [PendingLife("a", Life.REPLACED, "b", waited=34.0)]


def test_a_retracted_block_gives_back_what_it_had(pool):
    pool.body(body("a"), 1.0)
    pool.included("B7", 7, ["a"], 2.0)
    assert pool.retracted("B6", 6, ["a"], 3.0) == []
    assert pool.retracted("B7", 7, ["a", "x"], 3.0) == [
        PendingLife("a", Life.RETURNED, None, "B7", 7)
    ]
    assert pool.pending == 1
    assert [step.life for step in pool.included("C7", 7, ["a"], 4.0)] == [Life.INCLUDED]


def test_what_waits_for_long_is_asked_for_and_dropped_where_the_node_knows_it_no_more(pool):
    pool.body(body("a"), 0.0)
    pool.body(body("b", nonce=1), 1.0)
    assert pool.next_due() == 30.0
    assert pool.expire(29.0, 10) == ([], [])
    assert pool.expire(31.0, 10) == ([], ["a", "b"])
    assert pool.next_due() == 100.0
    assert pool.answered("a", True, 32.0) == []
    assert pool.answered("b", False, 32.0) == [PendingLife("b", Life.DROPPED, waited=31.0)]
    assert pool.next_due() == 62.0
    assert pool.pending == 1
    assert pool.expire(61.0, 9) == ([], [])
    assert pool.body(body("c", nonce=1), 33.0) == (True, [])


def test_an_answer_that_nobody_waits_for_changes_nothing(pool):
    assert pool.answered("a", False, 0.0) == []
    pool.announced("a", 0.0)
    assert pool.answered("a", False, 1.0) == []
    pool.expire(30.0, 1)
    pool.included("B", 1, ["a"], 31.0)
    assert pool.answered("a", False, 32.0) == []
    assert "a" in pool


def test_no_more_are_asked_for_than_there_is_room(pool):
    for name in "abc":
        pool.announced(name, 0.0)
    assert pool.expire(30.0, 1) == ([], ["a"])
    assert pool.expire(60.0, 5) == ([], ["b", "c"])


def test_what_the_node_does_not_answer_is_asked_again(pool):
    pool.announced("a", 0.0)
    pool.unanswered("a", 1.0)
    pool.unanswered("x", 1.0)
    assert pool.expire(30.0, 1) == ([], ["a"])
    pool.unanswered("a", 40.0)
    assert pool.expire(70.0, 1) == ([], ["a"])
    pool.included("B", 1, ["a"], 71.0)
    pool.unanswered("a", 72.0)
    assert pool.next_due() == 100.0


def test_what_was_included_or_replaced_is_not_asked_for(pool):
    pool.body(body("a", fee=10), 0.0)
    pool.body(body("b", fee=20), 1.0)
    pool.announced("c", 2.0)
    pool.included("B", 1, ["c"], 3.0)
    assert pool.expire(40.0, 9) == ([], ["b"])


def test_what_returns_is_asked_for_once_and_from_then_on():
    pool = PendingPool(most=2, max_age=1e6, ask_after=30.0)
    pool.announced("a", 0.0)
    for number in range(9):
        pool.included(f"B{number}", number, ["a"], float(number))
        pool.retracted(f"B{number}", number, ["a"], float(number))
    assert pool.expire(37.0, 9) == ([], [])
    assert pool.expire(38.0, 9) == ([], ["a"])


def test_age_ends_the_watch_of_pending_ones_with_a_word_and_of_others_without(pool):
    pool.announced("a", 0.0)
    pool.announced("b", 0.0)
    pool.included("B", 1, ["b"], 5.0)
    assert pool.expire(100.0, 0) == ([PendingLife("a", Life.EXPIRED, waited=100.0)], [])
    assert (len(pool), pool.next_due()) == (0, None)


def test_the_count_is_bounded():
    pool = PendingPool(most=2, max_age=100.0, ask_after=30.0)
    pool.announced("a", 0.0)
    pool.announced("b", 1.0)
    assert pool.announced("c", 5.0) == [
        PendingLife("c", Life.ANNOUNCED),
        PendingLife("a", Life.EXPIRED, waited=5.0),
    ]
    pool.included("B", 1, ["b"], 6.0)
    assert pool.body(body("d"), 7.0) == (True, [])
    assert len(pool) == 2


NAMES = st.sampled_from([f"t{n}" for n in range(8)])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["announce", "body", "include", "retract", "expire", "answer"]),
        NAMES,
        st.integers(0, 20),
    ),
    max_size=60,
)


BEFORE = {
    Life.ANNOUNCED: {"over", "included"},  # included long ago
    Life.INCLUDED: {"pending", "included", "over"},  # where it was replaced or dropped
    Life.RETURNED: {"included"},
}
AFTER = {Life.ANNOUNCED: "pending", Life.INCLUDED: "included", Life.RETURNED: "pending"}


class Watched:
    """A pool, and the state of each transaction by what was told of it."""

    def __init__(self, most: int) -> None:
        self.pool = PendingPool(most, max_age=50.0, ask_after=15.0)
        self.state: dict[str, str] = {}
        self.asked: set[str] = set()
        self.now = 0.0

    def announce(self, name: str, number: int) -> list[PendingLife]:
        return self.pool.announced(name, self.now)

    def body(self, name: str, number: int) -> list[PendingLife]:
        entry = self.pool._entries.get(name)
        late = entry is not None and entry.block is not None
        new, told = self.pool.body(body(name, nonce=int(name[1]) % 3, fee=number), self.now)
        if new and not late:
            self.state[name] = "pending"
        return told

    def include(self, name: str, number: int) -> list[PendingLife]:
        return self.pool.included(f"B{number}", number, [name], self.now)

    def retract(self, name: str, number: int) -> list[PendingLife]:
        return self.pool.retracted(f"B{number}", number, [name], self.now)

    def expire(self, name: str, number: int) -> list[PendingLife]:
        told, asks = self.pool.expire(self.now, number % 3)
        assert len(asks) <= number % 3
        self.asked |= set(asks)
        return told

    def answer(self, name: str, number: int) -> list[PendingLife]:
        told = self.pool.answered(name, number % 2 == 0, self.now)
        assert not told or name in self.asked
        self.asked.discard(name)
        return told

    def tell(self, step: PendingLife) -> None:
        before = self.state.get(step.hash, "over")
        assert before in BEFORE.get(step.life, {"pending"})
        self.state[step.hash] = AFTER.get(step.life, "over")


@given(STEPS, st.integers(1, 8))
def test_every_life_is_a_course_that_can_be(steps, most):
    """Whatever comes: bounds hold, nothing ends twice without beginning again, and what is
    pending by the steps told is pending in the pool."""
    watched = Watched(most)
    for what, name, number in steps:
        watched.now += number / 4
        for step in getattr(watched, what)(name, number):
            watched.tell(step)
        assert len(watched.pool) <= most
        assert watched.pool.pending == sum(s == "pending" for s in watched.state.values())


@given(STEPS, st.integers(1, 8))
def test_the_short_way_for_bodies_leads_where_the_long_one_does(steps, most):
    """``admit`` takes what it can, and looks into the index later; nobody can tell."""
    plain, quick = Watched(most), Watched(most)

    def body_by_the_short_way(name: str, number: int) -> list[PendingLife]:
        one = body(name, nonce=int(name[1]) % 3, fee=number)
        return [] if quick.pool.admit(one, quick.now) else quick.pool.body(one, quick.now)[1]

    for what, name, number in steps:
        plain.now = quick.now = plain.now + number / 4
        told = getattr(plain, what)(name, number)
        if what == "body":
            assert body_by_the_short_way(name, number) == told
        else:
            assert getattr(quick, what)(name, number) == told
    assert len(quick.pool) == len(plain.pool)
    assert quick.pool.pending == plain.pool.pending
    assert quick.pool.next_due() == plain.pool.next_due()


def test_no_more_are_taken_in_by_the_short_way_than_there_is_room_for():
    pool = PendingPool(most=2, max_age=100.0, ask_after=30.0)
    assert [pool.admit(body(name, nonce=n), 1.0) for n, name in enumerate("aba")] == [
        True,
        True,
        False,
    ]
    assert not pool.admit(body("c", nonce=9), 2.0)
    assert pool.body(body("c", nonce=9), 2.0) == (
        True,
        [PendingLife("a", Life.EXPIRED, waited=1.0)],
    )


def test_what_was_dropped_and_is_announced_again_has_its_place_again(pool):
    pool.body(body("a", fee=10), 0.0)
    pool.expire(30.0, 10)
    assert [step.life for step in pool.answered("a", False, 31.0)] == [Life.DROPPED]
    assert pool.announced("a", 32.0) == [PendingLife("a", Life.ANNOUNCED)]
    (replaced,) = pool.body(body("b", fee=20), 33.0)[1]
    assert (replaced.hash, replaced.life, replaced.by) == ("a", Life.REPLACED, "b")
    assert pool.pending == 1
