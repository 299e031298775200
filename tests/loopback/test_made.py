"""What is made for a seed is counted where it is made; a replay of the tape brings exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import trio

from tests.devnet.demo_tape import SEED, write
from tests.devnet.exchanges.venue import STEADY_MS
from tests.devnet.made import (
    Counting,
    Counts,
    Made,
    beside,
    differences,
    made_again,
    read_made,
    totals,
    write_made,
)
from tests.devnet.venues import HEADERS, Course, Exchanges
from trio_mev import replay_clock
from trio_mev.flow.outstanding import Outstanding
from trio_mev.loopback.demo import TAPE
from trio_mev.wire.tape import Direction, Record

BEGIN = 1_767_225_600_000_000_000
COURSE: Course = [
    (BEGIN + slot * 12 * 10**9, {"ETH": 3000.0 + slot % 5, "BTC": 90_000.0 - 40 * (slot % 7)})
    for slot in range(35)
]
ALL_COME_BACK = 3378
"""A seed for which each exchange has a second connection within 402 seconds."""


def brought(tape: Path) -> Counts:
    """What the replay of a tape brings."""
    feed = Counting([tape])
    trio.run(feed.run, lambda _: None, Outstanding(), clock=replay_clock(None))
    return feed.found


def recorded(seed: int, seconds: int) -> tuple[list[Record], Counts]:
    """What the exchanges send, and what they say of it."""
    exchanges = Exchanges(seed, seconds, COURSE)
    return list(exchanges.records()), exchanges.made


@pytest.fixture(scope="module")
def short() -> tuple[list[Record], Counts]:
    """A quarter of a minute."""
    return recorded(1, 15)


def without(records: Sequence[Record], feed: str, word: bytes) -> list[Record]:
    """All but the last frame of a feed that has a word in it."""
    place = max(
        number
        for number, each in enumerate(records)
        if each.feed == feed and each.direction is Direction.IN and word in each.frame
    )
    return [each for number, each in enumerate(records) if number != place]


@pytest.mark.no_cover
def test_a_replay_brings_what_the_exchanges_made_through_all_their_connections(tmp_path: Path):
    records, made = recorded(ALL_COME_BACK, 402)
    write(tmp_path / "made.tape", records)
    assert differences(made, brought(tmp_path / "made.tape")) == []
    assert {feed: counts["connection"] for feed, counts in made.items()} == dict.fromkeys(
        HEADERS, 2
    )
    assert all(counts["quote"] > 300 and counts["trade"] > 30 for counts in made.values())
    ends = [each.mono for each in records if each.direction is Direction.CLOSE]
    assert len(ends) == 5
    assert min(ends) >= STEADY_MS * 10**6


def test_frames_come_in_the_order_of_their_times_and_none_while_there_is_no_connection():
    records, _ = recorded(ALL_COME_BACK, 402)
    times = [each.mono for each in records]
    assert times == sorted(times)
    connected: set[str] = set()
    for each in records:
        if each.direction is Direction.OPEN:
            assert each.feed not in connected
            connected.add(each.feed)
        elif each.direction is Direction.CLOSE:
            connected.remove(each.feed)
        else:
            assert each.feed in connected
    assert connected == set(HEADERS)


@pytest.mark.parametrize(
    ("feed", "word", "kind"),
    [
        ("binance:demo", b"bookTicker", "quote"),
        ("binance:demo", b"aggTrade", "trade"),
        ("coinbase:demo", b'"ticker"', "quote"),
        ("coinbase:demo", b'"match"', "trade"),
        ("kraken:demo", b'"ticker"', "quote"),
        ("bybit:demo", b"orderbook", "quote"),
        ("bitfinex:demo", b'"te"', "trade"),
    ],
)
def test_a_single_event_that_is_missing_is_noticed(
    short: tuple[list[Record], Counts], tmp_path: Path, feed: str, word: bytes, kind: str
):
    records, made = short
    write(tmp_path / "less.tape", without(records, feed, word))
    times = made[feed][kind]
    assert differences(made, brought(tmp_path / "less.tape")) == [
        f"{feed}: {kind} made {times} times, found {times - 1} times"
    ]


def test_a_connection_that_is_missing_is_noticed(
    short: tuple[list[Record], Counts], tmp_path: Path
):
    records, made = short
    write(tmp_path / "less.tape", records[1:])
    assert differences(made, brought(tmp_path / "less.tape")) == [
        "binance:demo: connection made 1 times, found 0 times"
    ]


def test_a_feed_or_a_kind_of_which_the_other_knows_nothing_is_a_difference():
    one, other = {"a": {"quote": 1}}, {"a": {"quote": 1, "trade": 2}, "b": {"quote": 3}}
    assert differences(one, other) == [
        "a: trade made 0 times, found 2 times",
        "b: quote made 0 times, found 3 times",
    ]
    assert differences(other, one) == [
        "a: trade made 2 times, found 0 times",
        "b: quote made 3 times, found 0 times",
    ]


def test_the_count_of_the_tape_that_ships_follows_from_its_seed_and_is_what_its_replay_brings():
    made = read_made(TAPE)
    assert (made.seed, made.seconds) == (SEED, 300)
    again = made_again(made)
    assert {name: counts for name, counts in made.feeds.items() if name in HEADERS} == again
    assert differences(made.feeds, brought(TAPE)) == []
    total = totals(made.feeds)
    assert total["quote"] > 5000
    assert total["reorg"] == 2


def test_of_another_seed_or_course_something_else_is_made(short: tuple[list[Record], Counts]):
    _, made = short
    again = Made(1, 15, list(COURSE), {})
    assert made_again(again) == made
    assert made_again(msgspec.structs.replace(again, seed=2)) != made
    falling = [(at, {**prices, "ETH": 2500.0}) for at, prices in COURSE[1:]]
    assert made_again(msgspec.structs.replace(again, course=[COURSE[0], *falling])) != made


def test_a_count_is_saved_beside_its_tape_as_it_was(tmp_path: Path):
    made = Made(4, 60, list(COURSE), {"a": {"quote": 2}})
    tape = tmp_path / "a.tape"
    write_made(made, tape)
    assert beside(tape) == tmp_path / "a.json"
    kept = read_made(tape)
    assert kept == made
    # Noise is drawn for one asset after the other, so that their order matters.
    assert [list(prices) for _, prices in kept.course] == [["ETH", "BTC"]] * len(COURSE)
