"""The tape that ships is what its script records, and shows what really happened on the node."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

import attrs
import pytest
import trio

from tests.devnet.demo_tape import HEADER, NODE, SECONDS, SEED, Recording, merged, record
from tests.devnet.exchanges.market import BINANCE, BITFINEX
from tests.devnet.made import Made, read_made
from tests.devnet.routers import EVERY, variant_of
from tests.devnet.rpc import Json
from tests.support.chains import Consumer
from trio_mev import ReplayFeed, replay_clock
from trio_mev.cli.demo import demo_config
from trio_mev.feeds.tapes import Tape
from trio_mev.flow.outstanding import Outstanding
from trio_mev.loopback.demo import TAPE
from trio_mev.model.event import DataEvent, DataType
from trio_mev.stream import StreamStats, open_stream
from trio_mev.wire.node import is_call
from trio_mev.wire.tape import Direction, Record

NUMBER = re.compile(rb'"id":\d+')
CONFIRMED = re.compile(rb'"result":"(0x[0-9a-f]{32})"}$')


@attrs.frozen(eq=False)
class Anew:
    recording: Recording
    truth: Json
    records: list[Record]
    made: Made


@pytest.fixture(scope="module")
def made(installed: None) -> Anew:
    """What the script records now."""
    recording, truth = trio.run(record, SEED)
    return Anew(recording, truth, *merged(recording, truth, SEED, SECONDS))


@pytest.fixture(scope="module")
def events(installed: None) -> list[DataEvent]:
    """Everything that the shipped tape makes known."""
    found: list[DataEvent] = []
    feed = ReplayFeed([TAPE])
    trio.run(feed.run, found.extend, Outstanding(), clock=replay_clock(None))
    refused = {status.name: dict(status.refused) for status in feed.statuses if status.refused}
    assert refused == {BITFINEX: {"crossed_book": 1}}
    return found


def without_ids(records: Iterable[Record]) -> list[Record]:
    """Records in which a subscription is known by its place: the node draws its id."""
    ids: list[bytes] = []
    plain: list[Record] = []
    for each in records:
        frame = each.frame
        if each.feed == NODE and (found := CONFIRMED.search(frame)):
            ids.append(found[1])
        for number, one in enumerate(ids):
            frame = frame.replace(one, b"subscription %d" % number)
        plain.append(attrs.evolve(each, frame=frame))
    assert len(ids) == 3
    return plain


def by_tenths(records: Iterable[Record]) -> list[tuple[int, str, str, bytes]]:
    """What was said in each tenth of a second: processors that read from the node do so at the
    same time, each in its own order, and questions have their numbers from that."""
    rows = []
    for each in without_ids(records):
        frame = NUMBER.sub(b"", each.frame) if each.feed == NODE else each.frame
        rows.append((each.mono // 10**8, each.feed, each.direction.value, frame))
    return sorted(rows)


def test_it_is_what_the_script_records(made: Anew):
    tape = Tape(TAPE)
    shipped, again = by_tenths(tape.records()), by_tenths(made.records)
    assert not tape.problems
    assert tape.header == HEADER
    assert len(shipped) == len(again)
    differing = [one for one, other in zip(shipped, again, strict=True) if one != other]
    assert differing == [], "scripts/demo-tape writes it anew"


def test_its_count_is_that_of_those_who_made_it(made: Anew):
    # As it is saved: the same to the last digit of a price.
    assert read_made(TAPE) == made.made
    counts = made.made.feeds[NODE]
    assert counts["transaction"] == len(made.truth["pending"])
    retracted = sum(len(reorg["retracted"]) for reorg in made.truth["reorgs"])
    assert counts["block"] == len(made.truth["blocks"]) + retracted
    assert counts["reorg"] == len(made.truth["reorgs"])


def test_what_comes_after_the_end_is_not_counted(made: Anew):
    first = made.recording.made(made.truth, 13)
    # The first block ends the first slot; its transactions came before.
    assert first == {
        "connection": 1,
        "transaction": len(made.truth["blocks"][0]["transactions"]),
        "block": 1,
        "log": made.truth["blocks"][0]["logs"],
        "reorg": 0,
    }


def test_it_is_small_and_lasts_five_minutes():
    assert TAPE.stat().st_size < 450_000
    times = [each.mono for each in Tape(TAPE).records()]
    assert times == sorted(times)
    assert 299e9 < times[-1] < 300e9


def test_it_has_something_of_every_kind(made: Anew):
    landed = {(p["kind"], p["variant"]) for p in made.truth["planted"] if p["status"] == "landed"}
    assert landed >= {
        ("sandwich", "front_first"),
        ("sandwich", "sell_first"),
        ("arbitrage", "v2_v2"),
        ("arbitrage", "v2_v3"),
        ("arbitrage", "three_legs"),
        ("arbitrage", "backrun_v2_v2"),
        ("liquidation", "oracle"),
        ("jit", "jit"),
    }
    assert [reorg["depth"] for reorg in made.truth["reorgs"]] == [2, 1]
    assert {fate["fate"] for fate in made.truth["pending"]} >= {"included", "replaced", "dropped"}
    swaps = {(p["router"], p["variant"]) for p in made.truth["planted"] if p["kind"] == "swap"}
    assert {(router, variant_of(method)) for router, method in EVERY} <= swaps


def test_its_chain_ends_as_the_nodes_did(made: Anew, events: list[DataEvent]):
    consumer = Consumer()
    for event in events:
        if event.source == NODE:
            consumer.take(event.event_type, event.data)
    told = [
        (block.number, block.hash, block.transactions, len(block.logs or ()), block.complete)
        for block in consumer.chain
    ]
    truth = [
        (b["number"], b["hash"], tuple(b["transactions"]), b["logs"], True)
        for b in made.truth["blocks"]
    ]
    assert told == truth
    assert [len(reorg.retracted) for reorg in consumer.reorgs] == [2, 1]


def test_every_pending_transaction_is_on_it(made: Anew, events: list[DataEvent]):
    bodies = {event.data.hash for event in events if event.event_type is DataType.TRANSACTION}
    assert bodies == {fate["hash"] for fate in made.truth["pending"]}


def test_every_question_on_it_is_answered():
    asked: list[bytes] = []
    answered = 0
    for each in Tape(TAPE).records():
        if each.feed == NODE and each.direction is Direction.OUT:
            asked.append(each.frame)
        elif each.feed == NODE and each.direction is Direction.IN:
            answered += b'"method":"eth_subscription"' not in each.frame
    assert len(asked) == answered > 100
    assert any(b"eth_getLogs" in frame for frame in asked)
    assert sum(map(is_call, asked)) > 50


@pytest.mark.no_cover
def test_what_processors_ask_in_its_replay_was_asked_when_it_was_recorded():
    async def replay() -> StreamStats:
        async with open_stream([ReplayFeed([TAPE])], demo_config().processors()) as stream:
            await stream.ended.wait()
        return stream.get_stats()

    stats = trio.run(replay, clock=replay_clock(None))
    assert {f.name: dict(f.refused) for f in stats.feeds if f.refused} == {
        BITFINEX: {"crossed_book": 1}
    }
    assert {"arbitrage", "sandwich", "liquidation", "jit", "cex_dex"} <= stats.findings.keys()
    taken = {score.kind.value for score in stats.scores if score.taken}
    assert {"liquidation", "jit", "sandwich"} <= taken


def test_the_exchanges_follow_the_pools(made: Anew, events: list[DataEvent]):
    course = list(made.recording.prices.course)
    start = course[0][0]
    assert len({prices["ETH"] for _, prices in course}) > 8
    far = total = 0
    for event in events:
        if event.event_type is DataType.QUOTE and event.source == BINANCE:
            quote = event.data
            # A quarter of a minute later the exchanges have come nearly all of the way.
            known = [p for at, p in course if at - start <= event.received_at * 1e9]
            recent = [p for at, p in course if 0 <= event.received_at * 1e9 - (at - start) < 15e9]
            pool = [p[quote.instrument.base] for p in [known[-1], *recent]]
            mid = float(quote.bid + quote.ask) / 2
            total += 1
            far += not min(pool) * 0.99 < mid < max(pool) * 1.01
    assert total > 1000
    assert far / total < 0.05


def test_another_seed_is_another_recording(installed: None):
    recording, _ = trio.run(partial(record, SEED + 1, blocks=2))
    first = without_ids(recording.records)
    shipped = [one for one in without_ids(Tape(TAPE).records()) if one.feed == NODE]
    # The opening is the same; what happens then is not.
    assert first[:7] == shipped[:7]
    assert first[7:12] != shipped[7:12]
