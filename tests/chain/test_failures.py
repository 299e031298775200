"""Why pools cannot be used: when they are tried again, and for how many that is remembered."""

from __future__ import annotations

import pytest

from trio_mev.chain.pools import failures
from trio_mev.chain.pools.failures import LONGEST, Failures

ONE, OTHER, THIRD = "0x1", "0x2", "0x3"
NO_PAIR = "it does not answer as a pair"


@pytest.fixture
def found() -> Failures:
    return Failures()


def tried(found: Failures, block: int) -> list[str]:
    """Pools that are tried again with a block, and could have been with none before."""
    assert list(found.due(block - 1)) == []
    return list(found.due(block))


def test_the_pauses_double_up_to_a_day(found: Failures):
    block = 100
    for pause in [*(10 << k for k in range(10)), 7200, 7200, 7200]:
        found.note(ONE, NO_PAIR, block)
        block += pause
        assert tried(found, block) == [ONE]


def test_however_often_it_failed_it_is_tried_again_after_a_day(found: Failures):
    for _ in range(5000):
        found.note(ONE, NO_PAIR, 100)
    assert tried(found, 100 + LONGEST) == [ONE]


def test_a_pool_is_due_once_until_it_fails_again(found: Failures):
    found.note(ONE, NO_PAIR, 100)
    assert tried(found, 110) == [ONE]
    assert list(found.due(10**9)) == []
    assert ONE in found
    found.note(ONE, NO_PAIR, 110)
    assert tried(found, 130) == [ONE]


def test_what_is_of_no_use_is_never_tried_again(found: Failures):
    found.note(ONE, "it has hooks", 100, final=True)
    found.note(OTHER, NO_PAIR, 100)
    assert list(found.due(10**9)) == [OTHER]
    assert found.reasons == {ONE: "it has hooks", OTHER: NO_PAIR}


def test_it_says_whether_that_is_news(found: Failures):
    assert found.note(ONE, NO_PAIR, 100)
    assert not found.note(ONE, NO_PAIR, 110)
    assert found.note(ONE, "it is not initialised", 130)
    assert found.reasons == {ONE: "it is not initialised"}


def test_what_is_usable_again_begins_with_the_first_pause(found: Failures):
    for block in (100, 110):
        found.note(ONE, NO_PAIR, block)
    assert found.forget(ONE)
    assert not found.forget(ONE)
    assert ONE not in found
    found.note(ONE, NO_PAIR, 200)
    assert tried(found, 210) == [ONE]


def test_of_too_many_the_one_that_failed_longest_ago_is_forgotten(found: Failures, monkeypatch):
    monkeypatch.setattr(failures, "MOST", 2)
    for pool in (ONE, OTHER, ONE, THIRD):
        found.note(pool, NO_PAIR, 100)
    assert list(found.reasons) == [ONE, THIRD]


def test_a_reorganisation_casts_doubt_on_what_its_blocks_said_and_on_nothing_else(found: Failures):
    for pool, block in ((ONE, 100), (OTHER, 101), (THIRD, 102)):
        found.note(pool, NO_PAIR, block)
    assert list(found.after(102)) == []
    assert list(found.after(100)) == [OTHER, THIRD]
    found.note(THIRD, NO_PAIR, 100)  # it was tried again on the other branch
    assert list(found.after(100)) == [OTHER]
