"""Feeds: their lives, their silences, what went wrong, all of it bounded and counted."""

from __future__ import annotations

import pytest

from tests.support.reports import NOTHING, collected, event, quote, report_of
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.model.chain import Gap, Reorg
from trio_mev.model.event import DataType
from trio_mev.model.health import HealthIssue
from trio_mev.model.market import MarketFault
from trio_mev.sinks.report.feeds import MOST_FEEDS, MOST_MARKS, MOST_SPANS, FeedKeeper
from trio_mev.sinks.report.tables import feeds as tables

READY, WAITING, ENDED = FeedState.READY, FeedState.WAITING, FeedState.ENDED


def keeper(quiet: float = 10.0) -> FeedKeeper:
    return FeedKeeper(0.0, quiet)


def test_lives_follow_one_another():
    kept = keeper()
    kept.enter("node", FeedState.CONNECTING, "", 0.0)
    kept.enter("node", READY, "", 1.0)
    kept.enter("node", WAITING, "it went away", 5.0)
    kept.enter("node", READY, "", 6.5)
    kept.enter("node", ENDED, "", 8.0)
    (part,) = kept.parts(())
    spans = [(one.start, one.end, one.state, one.detail) for one in part.lives]
    assert spans == [
        (0.0, 1.0, "connecting", ""),
        (1.0, 5.0, "ready", ""),
        (5.0, 6.5, "waiting", "it went away"),
        (6.5, 8.0, "ready", ""),
    ]
    assert part.seconds == {"connecting": 1.0, "ready": 5.5, "waiting": 1.5}


def test_a_state_that_lasts_no_time_is_none():
    kept = keeper()
    for state in (FeedState.CONNECTING, READY, READY, ENDED):
        kept.enter("node", state, "", 0.0)
    (part,) = kept.parts(())
    assert part.lives == ()


def test_what_still_lasts_ends_with_the_run():
    kept = keeper()
    kept.enter("node", READY, "", 0.0)
    kept.heard(quote(4.0, source="node"))
    (part,) = kept.parts(())
    assert [(one.start, one.end) for one in part.lives] == [(0.0, 4.0)]


def test_silence_is_while_connected_and_longer_than_that():
    kept = keeper()
    kept.enter("node", READY, "", 0.0)
    kept.heard(quote(10.0, source="node"))  # just not
    kept.heard(quote(21.0, source="node"))
    kept.enter("node", WAITING, "", 40.0)
    kept.heard(quote(70.0, source="node"))  # of a connection that was not
    kept.enter("node", READY, "", 80.0)
    kept.enter("node", ENDED, "", 95.0)
    (part,) = kept.parts(())
    silences = [(one.start, one.end) for one in part.silences]
    assert silences == [(10.0, 21.0), (21.0, 40.0), (80.0, 95.0)]
    assert part.silent == 45.0


def test_lives_and_silences_are_bounded_and_those_before_are_counted():
    kept = keeper(quiet=0.5)
    for number in range(MOST_SPANS + 7):
        kept.enter("node", READY, "", float(2 * number))
        kept.enter("node", WAITING, "", float(2 * number + 1))
    (part,) = kept.parts(())
    assert len(part.lives) == len(part.silences) == MOST_SPANS
    whole = 2 * (MOST_SPANS + 7) - 1 + MOST_SPANS + 7
    assert part.left_out == whole - 2 * MOST_SPANS
    assert part.seconds["ready"] == MOST_SPANS + 7


def test_a_feed_that_quotes_one_venue_has_its_colour():
    kept = keeper()
    kept.heard(quote(1.0, venue="kraken", source="one"))
    kept.heard(quote(1.0, venue="kraken", source="two"))
    kept.heard(quote(1.0, venue="okx", source="two"))
    assert [part.source for part in kept.parts(())] == ["kraken", "two"]


def test_every_event_is_counted_in_bins_of_one_width():
    kept = keeper()
    for number in range(1000):
        kept.heard(quote(float(number), source="slow"))
    kept.heard(quote(3.0, source="fast"))
    fast, slow = kept.parts(())
    assert fast.width == slow.width
    assert (sum(fast.rate.values()), sum(slow.rate.values())) == (1, 1000)


def test_more_feeds_than_there_is_room_for_are_counted():
    kept = keeper()
    for number in range(MOST_FEEDS + 3):
        kept.heard(quote(1.0, source=f"feed{number}"))
        kept.enter(f"feed{number}", READY, "", 1.0)
    assert len(kept.parts(())) == MOST_FEEDS
    assert kept.unplaced == 3


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (DataType.GAP, Gap(5, 7, False, "too old"), ("gap", "no head announced blocks 5 to 7")),
        (DataType.REORG, Reorg(4, "0x4", (), ("0x5",)), ("reorg", "after block 4")),
        (DataType.FAULT, MarketFault("okx", None, "missed", 3), ("fault", "missed × 3")),
    ],
)
def test_what_went_wrong_is_told(kind, data, told):
    report = report_of(event(kind, data, 2.0))
    ((_, what, where, text),) = tables.marks(report).rows
    assert (what, where) == (told[0], "node")
    assert told[1] in text


def test_of_what_went_wrong_the_latest_is_kept_and_all_is_counted():
    fault = MarketFault("okx", None, "missed")
    events = [event(DataType.FAULT, fault, float(n)) for n in range(MOST_MARKS + 5)]
    report = report_of(*events)
    assert report.marked == {"fault": MOST_MARKS + 5}
    assert (report.marks[0].at, len(report.marks)) == (5.0, MOST_MARKS)
    table = tables.marks(report)
    assert table.note == f"{MOST_MARKS + 5 - len(table.rows)} more before these are not shown."


def test_health_is_kept_apart():
    issue = HealthIssue("quote_stuck", "okx ETH/USDT", "for 30 s")
    report = report_of(event(DataType.HEALTH, issue, 500.0))
    assert report.marks == ()
    assert [one.kind for one in report.issues] == ["quote_stuck"]
    assert report.end == 0.0  # the watch looks whenever it does


async def test_a_feed_tells_of_its_states(autojump_clock):
    status = FeedStatus("node")
    collector = collected([], statuses=[status])
    status.enter(READY)
    status.enter(WAITING, "gone")
    report = collector.report(NOTHING)
    assert [feed.name for feed in report.feeds] == ["node"]
