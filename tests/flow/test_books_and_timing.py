"""Counters: what became of every delivery, how long the work took, what a feed has done."""

from __future__ import annotations

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_mev.flow.books import Books, BooksSnapshot
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.flow.timing import Timing


def test_losses_are_counted_by_lane_and_reason():
    books = Books()
    books.lose("high", "shed")
    books.lose("high", "shed", 2)
    books.lose("low", "drain")
    snapshot = books.snapshot(0)
    assert snapshot.lost_by == {"high:shed": 3, "low:drain": 1}
    assert snapshot.lost == 4


@pytest.mark.parametrize("field", ["received", "processed", "filtered", "lost", "failed", "queued"])
def test_books_with_one_figure_off_do_not_balance(field):
    books = BooksSnapshot(15, 1, 2, 3, 4, 5, {"low:shed": 3})
    assert books.balanced
    assert not attrs.evolve(books, **{field: getattr(books, field) + 1}).balanced


def test_losses_without_a_reason_do_not_balance():
    assert not BooksSnapshot(1, 0, 0, 1, 0, 0, {}).balanced


def test_a_total_adds_up_every_figure():
    first = BooksSnapshot(15, 1, 2, 3, 4, 5, {"low:shed": 3})
    second = BooksSnapshot(8, 1, 1, 4, 1, 1, {"low:shed": 1, "high:drain": 3})
    total = BooksSnapshot.total(iter([first, second]))
    assert total == BooksSnapshot(23, 2, 3, 7, 5, 6, {"low:shed": 4, "high:drain": 3})
    assert BooksSnapshot.total(()) == BooksSnapshot(0, 0, 0, 0, 0, 0, {})


def test_a_snapshot_stays_as_it_was():
    books = Books()
    before = books.snapshot(0)
    books.lose("low", "shed")
    assert before.lost_by == {}


def test_there_is_no_mean_before_the_first_event():
    snapshot = Timing().snapshot()
    assert (snapshot.mean, snapshot.p50, snapshot.p99, snapshot.longest) == (None, None, None, 0.0)


def test_mean_and_nearest_rank_percentiles_count_each_event_once():
    timing = Timing()
    for seconds in [4.0, 1.0, 3.0, 2.0]:
        timing.add(seconds, 3.0)
    snapshot = timing.snapshot()
    assert snapshot.count == 4
    assert snapshot.mean == 2.5
    assert snapshot.p50 == 2.0
    assert snapshot.p99 == 4.0
    assert snapshot.longest == 4.0
    assert snapshot.overruns == 1


def test_percentiles_are_those_of_the_last_1024_events_and_the_longest_of_all():
    timing = Timing()
    timing.add(9.0, 10.0)
    for _ in range(1024):
        timing.add(1.0, 10.0)
    snapshot = timing.snapshot()
    assert snapshot.p99 == 1.0
    assert snapshot.longest == 9.0
    assert snapshot.count == 1025


@pytest.mark.parametrize(("connections", "reconnects"), [(0, 0), (1, 0), (3, 2)])
def test_connections_after_the_first_are_reconnects(connections, reconnects):
    assert FeedStatus("node", connections=connections).snapshot().reconnects == reconnects


def test_a_status_says_why_it_is_in_its_state_and_its_snapshot_does_not_change():
    status = FeedStatus("node")
    status.enter(FeedState.WAITING, "cut")
    status.refused["not_json"] += 1
    before = status.snapshot()
    status.enter(FeedState.READY)
    status.refused["not_json"] += 1
    status.subscriptions["newHeads"] = "0x1"
    assert (before.state, before.detail) == (FeedState.WAITING, "cut")
    assert before.refused == {"not_json": 1}
    assert before.subscriptions == {}
    assert (status.state, status.detail) == (FeedState.READY, "")


def test_whoever_wants_to_know_is_told_of_every_state():
    status, told = FeedStatus("node"), []
    status.enter(FeedState.WAITING, "before anybody asked")
    status.told = lambda one: told.append((one.name, one.state, one.detail))
    status.enter(FeedState.READY)
    status.enter(FeedState.LOST, "for good")
    assert told == [("node", FeedState.READY, ""), ("node", FeedState.LOST, "for good")]


async def test_a_state_can_be_waited_for():
    status = FeedStatus("node")
    assert await status.wait_for(FeedState.CONNECTING) is FeedState.CONNECTING
    reached = []

    async def wait():
        reached.append(await status.wait_for(FeedState.READY, FeedState.REFUSED))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        status.enter(FeedState.WAITING)
        await wait_all_tasks_blocked()
        assert reached == []
        status.enter(FeedState.REFUSED)
    assert reached == [FeedState.REFUSED]
